// The geometry of 'space bends': a regular grid and its image in hidden space, the boundary where the output is 1/2,
// and the plane on which a layer of more than two units is looked at.

import { forward } from "./smallnet.js";

const FAR = 100; // beyond every picture
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Lines of the regular grid over [-reach, reach]: {across: x1 runs, down: x2 runs}, polylines of [x1, x2]. */
export function grid(reach = 1, spacing = 0.1, samples = 40) {
  const count = Math.round(reach / spacing);
  const at = Array.from({ length: 2 * count + 1 }, (_, i) => (i - count) * spacing);
  const run = Array.from({ length: samples + 1 }, (_, i) => reach * ((2 * i) / samples - 1));
  return { across: at.map((x2) => run.map((x1) => [x1, x2])), down: at.map((x1) => run.map((x2) => [x1, x2])) };
}

/** Output over the square [-reach, reach] at the centres of n x n cells, the first row on top (largest x2). */
export function outputs(net, reach, n) {
  const centre = (i) => reach * ((2 * i + 1) / n - 1);
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => forward(net, [centre(j), -centre(i)]).at(-1)[0]));
}

/** Where values cross `level`: segments [[x1, x2], [x1, x2]], by marching squares over the cells of `outputs`. */
export function contour(values, reach, level = 0.5) {
  const n = values.length;
  const place = (i, j) => [reach * ((2 * j + 1) / n - 1), -reach * ((2 * i + 1) / n - 1)];
  const segments = [];
  for (let i = 0; i + 1 < n; i += 1) {
    for (let j = 0; j + 1 < n; j += 1) {
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]]; // around the cell
      const cuts = [];
      corners.forEach(([r, c], side) => {
        const [r2, c2] = corners[(side + 1) % 4];
        const [a, b] = [values[r][c] - level, values[r2][c2] - level];
        if (a < 0 === b < 0) return;
        const [p, q] = [place(r, c), place(r2, c2)];
        cuts.push([p[0] + (a / (a - b)) * (q[0] - p[0]), p[1] + (a / (a - b)) * (q[1] - p[1])]);
      });
      for (let k = 0; k + 1 < cuts.length; k += 2) segments.push([cuts[k], cuts[k + 1]]); // four cuts at a saddle
    }
  }
  return segments;
}

/**
 * A plane to look at the last hidden layer on: {to(h), output(x, y) or null, line: where the output is 1/2, or null}.
 *
 * `units` [i, j] shows two units; with two units in all, the output is known everywhere on the plane.  Null shows the
 * layer from the side of its boundary: x is the distance w.h + b over |w| from it, so that the boundary is the vertical
 * line x = 0 however many units there are, and y the direction along it in which the points spread most.
 */
export function view(net, hidden, units, earlier) {
  const w = net.weights.at(-1)[0];
  const b = net.biases.at(-1)[0];
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  if (units) {
    const [i, j] = units;
    const to = (h) => [h[i], h[j]];
    if (w.length > 2) return { to, output: null, line: null, along: earlier };
    const size = w[i] ** 2 + w[j] ** 2 || 1;
    const [foot, far] = [[(-b * w[i]) / size, (-b * w[j]) / size], FAR / Math.sqrt(size)];
    const line = [-far, far].map((d) => [foot[0] - d * w[j], foot[1] + d * w[i]]);
    return { to, output: (x, y) => sigmoid(w[i] * x + w[j] * y + b), line, along: earlier };
  }
  const size = Math.hypot(...w) || 1;
  const normal = w.map((value) => value / size);
  const along = widest(hidden, normal, earlier);
  return { to: (h) => [dot(h, normal) + b / size, dot(h, along)], output: (x) => sigmoid(size * x), line: [[0, -FAR], [0, FAR]], along };
}

// direction at right angles to `normal` in which the points spread most, by power iteration; it starts from the earlier
// one, so that the picture does not jump while the network learns
function widest(points, normal, earlier) {
  const n = normal.length;
  const mean = normal.map((_, k) => points.reduce((sum, h) => sum + h[k], 0) / points.length);
  const flat = (v) => {
    const off = dot(v, normal);
    const u = v.map((value, k) => value - off * normal[k]);
    const size = Math.hypot(...u);
    return size > 1e-9 ? u.map((value) => value / size) : null;
  };
  const starts = [earlier?.length === n ? earlier : normal.map((_, k) => 1 / (k + 1)), ...normal.map((_, k) => normal.map((_, i) => (i === k ? 1 : 0)))];
  let direction = starts.map(flat).find(Boolean) ?? normal;
  for (let round = 0; round < 20; round += 1) {
    const next = normal.map(() => 0);
    for (const h of points) {
      const centred = h.map((value, k) => value - mean[k]);
      const weight = dot(centred, direction);
      for (let k = 0; k < n; k += 1) next[k] += weight * centred[k];
    }
    direction = flat(next) ?? direction;
  }
  return direction;
}
