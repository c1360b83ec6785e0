// Line charts, bars and heat maps.  Each is made once, {element, show(what)}, and shows as often as there is news.
// Nothing is told by colour alone: lines differ by dashes and by the sign at their end, bars and cells carry numbers.

import { colour, h, s } from "./dom.js";
import { frame } from "./frame.js";
import { extent, fixed, number, rounded } from "./scale.js";

const DASHES = ["", "7 4", "2 3", "10 3 2 3", "1 5", "14 6"];
const SIGNS = ["circle", "square", "triangle", "diamond", "cross", "plus"];
const tone = (i) => `tone-${(i % 6) + 1}`;
const plain = (value) => (Number.isInteger(value) ? String(value).replace("-", "−") : number(value));

/** A small sign at (x, y) that tells series apart without colour; `kind` counts from 0. */
export function sign(kind, x, y, size = 4) {
  if (!Number.isFinite(x + y)) return s("g", {}); // what has no place is not drawn
  const name = SIGNS[kind % SIGNS.length];
  if (name === "circle") return s("circle", { class: "sign", cx: x, cy: y, r: size });
  if (name === "square") return s("rect", { class: "sign", x: x - size, y: y - size, width: 2 * size, height: 2 * size });
  const d = {
    triangle: `M${x} ${y - size - 1}L${x + size + 1} ${y + size}H${x - size - 1}Z`,
    diamond: `M${x} ${y - size - 1}L${x + size + 1} ${y}L${x} ${y + size + 1}L${x - size - 1} ${y}Z`,
    cross: `M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`,
    plus: `M${x - size - 1} ${y}h${2 * size + 2}m${-size - 1} ${-size - 1}v${2 * size + 2}`,
  }[name];
  return s("path", { class: name === "cross" || name === "plus" ? "sign open" : "sign", d });
}

/** One entry of a legend: the line as it is drawn, and its name. */
const legendOf = ({ name, index, faint }) =>
  h("span", { class: "chart-key" },
    s("svg", { class: `${tone(index)}${faint ? " faint" : ""}`, width: 34, height: 14, "aria-hidden": "true" },
      s("line", { class: "line", x1: 1, x2: 33, y1: 7, y2: 7, "stroke-dasharray": DASHES[index % 6] }), sign(index, 17, 7, 3)),
    name);

// more points than pixels: of each column only the lowest and the highest are seen
function thinned(points, X) {
  const [left, right] = X.range;
  if (points.length < 2 * (right - left)) return points;
  const kept = [];
  let column = null;
  const flush = () => {
    if (column) kept.push(...new Set(column.low[0] < column.high[0] ? [column.low, column.high] : [column.high, column.low]));
  };
  for (const point of points) {
    const at = Math.round(X(point[0]));
    if (column?.at !== at) {
      flush();
      column = { at, low: point, high: point };
    } else if (point[1] < column.low[1]) column.low = point;
    else if (point[1] > column.high[1]) column.high = point;
  }
  flush();
  return [...kept, points[points.length - 1]];
}

/** The path of a line through [x, y] points; it breaks where a value has no place on the axes. */
export function path(points, X, Y) {
  let d = "";
  let pen = "M";
  for (const [x, y] of points) {
    const [px, py] = [X(x), Y(y)];
    if (Number.isFinite(px) && Number.isFinite(py)) {
      d += `${pen}${px.toFixed(1)} ${py.toFixed(1)}`;
      pen = "L";
    } else pen = "M";
  }
  return d;
}

function domainOf({ domain = [], log = false }, values, exact = false) {
  const ends = extent(values, log);
  const [low, high] = exact && ends[0] < ends[1] ? ends : rounded(ends, log);
  return [domain[0] ?? low, domain[1] ?? high];
}

/**
 * Lines over a common x.
 *
 * Options: title, note, height, x and y {label, log, domain: [low, high], format}; an end of a domain that is null or
 * missing follows the data.  show({series: [{name, points: [[x, y]], faint, index}], marks: [{x, y, name, index}],
 * x, y}) where x and y overrule options; `index` chooses tone, dashes and sign, and is the place in the list otherwise.
 */
export function lineChart({ title, note, height, x, y }) {
  const picture = frame({ title, note, height });
  function show(what) {
    const axes = { x: { ...x, ...what.x }, y: { ...y, ...what.y } };
    const series = what.series.map((one, i) => ({ index: i, ...one }));
    const marks = (what.marks ?? []).map((one, i) => ({ index: i, ...one }));
    const all = [...series.flatMap((one) => one.points), ...marks.map((mark) => [mark.x, mark.y])];
    const format = { x: axes.x.format ?? plain, y: axes.y.format ?? plain };
    picture.show({
      x: { ...axes.x, domain: domainOf(axes.x, all.map(([at]) => at), true) },
      y: { ...axes.y, domain: domainOf(axes.y, all.map(([, value]) => value)) },
      legend: series.length > 1 ? series.map(legendOf) : [],
      label: series.filter((one) => one.points.length).map((one) => `${one.name} ${format.y(one.points[one.points.length - 1][1])}`).join(", "),
      nearest: "x",
      paint(layer, X, Y) {
        for (const { points, index, faint } of series) {
          const group = s("g", { class: `${tone(index)}${faint ? " faint" : ""}` });
          group.append(s("path", { class: "line", d: path(thinned(points, X), X, Y), "stroke-dasharray": DASHES[index % 6] }));
          const end = points.findLast(([px, py]) => Number.isFinite(X(px)) && Number.isFinite(Y(py)));
          if (end) group.append(sign(index, X(end[0]), Y(end[1])));
          layer.append(group);
        }
        for (const mark of marks) layer.append(s("g", { class: `${tone(mark.index)} mark` }, sign(mark.index, X(mark.x), Y(mark.y), 6)));
      },
      readings() {
        const at = new Map();
        for (const { name, points, faint } of series) {
          for (const [px, py] of points) {
            if (!at.has(px)) at.set(px, { x: px, y: py, text: [`${axes.x.label}: ${format.x(px)}`] });
            at.get(px).text.push(`${name}${faint ? " ·" : ""}: ${format.y(py)}`);
          }
        }
        for (const mark of marks) at.set(mark.x, { x: mark.x, y: mark.y, text: [`${axes.x.label}: ${format.x(mark.x)}`, `${mark.name}: ${format.y(mark.y)}`] });
        return [...at.values()].sort((a, b) => a.x - b.x);
      },
    });
  }
  return { element: picture.element, show };
}

/**
 * Bars that stand on zero (on the lower end of a logarithmic axis).
 *
 * Options as for lines.  show({bars: [{label, value, before, index, strong}], onselect(i), y}): `before` is a ghost of
 * an earlier value, `strong` outlines a bar, `index` chooses its tone (0).
 */
export function barChart({ title, note, height, x, y }) {
  const picture = frame({ title, note, height });
  function show({ bars, onselect, ...overrule }) {
    const axis = { format: (value) => fixed(value, 3), ...y, ...overrule.y };
    const values = bars.flatMap(({ value, before }) => [value, before ?? value]);
    const [low] = extent(values, axis.log);
    const floor = axis.log ? 10 ** Math.floor(Math.log10(low * 0.9)) : 0; // the smallest bar is one that can be seen
    picture.show({
      x: { label: x.label, domain: [-0.5, bars.length - 0.5], ticks: bars.map(({ label }, at) => ({ at, text: String(label) })) },
      y: { ...axis, domain: domainOf(axis, [floor, ...values]) },
      label: bars.map(({ label, value }) => `${label}: ${axis.format(value)}`).join(", "),
      nearest: "x",
      onselect: onselect && ((reading) => onselect(reading.x)),
      paint(layer, X, Y) {
        const wide = Math.abs(X(0.78) - X(0));
        const ground = Y(Math.max(floor, Y.domain[0]));
        const bar = (i, value, kind) => {
          const top = Number.isFinite(Y(value)) ? Y(value) : ground;
          return s("rect", { class: kind, x: X(i) - wide / 2, y: Math.min(top, ground), width: wide, height: Math.abs(top - ground) });
        };
        bars.forEach(({ value, before, index = 0, strong }, i) => {
          const text = axis.format(value);
          const above = Math.min(Number.isFinite(Y(value)) ? Y(value) : ground, ground);
          layer.append(s("g", { class: tone(index) },
            bar(i, value, strong ? "bar strong" : "bar"),
            before !== undefined && bar(i, before, "ghost"),
            (strong || text.length * 6.8 < wide + 8) && s("text", { x: X(i), y: above - 4, "text-anchor": "middle", class: strong ? "chart-value strong" : "chart-value" }, text)));
        });
        layer.append(s("line", { class: "chart-zero", x1: X.range[0], x2: X.range[1], y1: ground, y2: ground }));
      },
      readings: () => bars.map(({ label, value, before }, at) => ({ x: at, y: value,
        text: [`${x.label}: ${label}`, `${axis.label}: ${axis.format(value)}`, before !== undefined && `← ${axis.format(before)}`] })),
    });
  }
  return { element: picture.element, show };
}

const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
const mix = (a, b, share) => a.map((value, i) => value + share * (b[i] - value));

/** Colours of a heat map as share -> [r, g, b]: "ink", "accent" and "warm" from 0 to 1, "diverging" from -1 over 0 to 1. */
export function palette(name) {
  if (name !== "diverging") {
    const [low, high] = [rgb(colour("paper")), rgb(colour(name))];
    return (share) => mix(low, high, Math.min(1, Math.max(0, share)));
  }
  const [cool, zero, warm] = ["cool", "neutral", "warm"].map((part) => rgb(colour(part)));
  return (share) => mix(zero, share < 0 ? cool : warm, Math.min(1, Math.abs(share)));
}

/** Colours of which the strength is seen over an image: share and place -> [r, g, b]. */
function laidOver(image, name) {
  const paint = palette(name);
  const grey = palette("ink");
  return (share, k) => mix(grey(0.45 * image[k]), paint(Math.sign(share) || 1), Math.min(1, Math.abs(share)));
}

/** Whether white reads better on a colour than black: its luminance as WCAG has it, against the middle of contrast. */
export const isDark = (channels) => {
  const [r, g, b] = channels.map((value) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
};

/**
 * A table of numbers as colours, first row on top.
 *
 * Options: title, note, x and y {label}, square, bare.  show({values: rows of numbers, columns and rows (labels),
 * colours: "ink" | "accent" | "diverging", domain: [low, high], format, text: write the numbers where they have room,
 * strength(value, row, column) where the colour is not of the number itself, selected: [row, column], onselect(row, column),
 * under: rows of 0 to 1, an image in grey that the colours lie over}).
 */
export function heatMap({ title, note, x = {}, y = {}, square = true, bare = false, height }) {
  const picture = frame({ title, note, square, bare, height });
  function show({ values, columns, rows, colours = "accent", domain, format = number, text = false, strength, selected, onselect, under }) {
    const [down, across] = [values.length, values[0]?.length ?? 0];
    const shades = values.map((row, i) => Array.from(row, (value, j) => (strength ? strength(value, i, j) : value)));
    const [low, high] = domain ?? extent(shades.flat());
    const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const paint = palette(colours);
    const share = (value) => (colours === "diverging" ? value / most : (value - low) / (high - low || 1));
    const rgba = new Uint8ClampedArray(4 * down * across);
    const over = under && laidOver(under.flat(), colours);
    shades.flat().forEach((value, k) => rgba.set([...(over ? over(share(value), k) : paint(share(value))), 255], 4 * k));
    const name = (labels, i) => String(labels?.[i] ?? i);
    const ticks = (labels, count) => Array.from({ length: count }, (_, i) => ({ at: i + 0.5, text: name(labels, i) }))
      .filter((_, i) => labels || count <= 12 || i % Math.ceil(count / 7) === 0);
    const ends = colours === "diverging" ? [-most, 0, most] : [low, high];
    const swatch = (value) => {
      const key = h("span", { class: "chart-swatch" });
      key.style.background = `rgb(${paint(share(value)).map(Math.round).join(" ")})`;
      return h("span", { class: "chart-key" }, key, format(value));
    };
    picture.show({
      x: { label: x.label, domain: [0, across], ticks: ticks(columns, across) },
      y: { label: y.label, domain: [0, down], ticks: ticks(rows, down), down: true },
      legend: bare || strength ? [] : ends.map(swatch),
      raster: { columns: across, rows: down, rgba },
      across,
      onselect: onselect && ((reading) => onselect(reading.row, reading.column)),
      paint(layer, X, Y) {
        const [wide, tall] = [X(1) - X(0), Y(1) - Y(0)];
        if (text) {
          values.forEach((row, i) => row.forEach((value, j) => {
            const written = format(value);
            if (written.length * 6.5 > wide || tall < 14) return;
            layer.append(s("text", { x: X(j + 0.5), y: Y(i + 0.5) + 4, "text-anchor": "middle", class: isDark(paint(share(shades[i][j]))) ? "on-dark" : "on-light" }, written));
          }));
        }
        if (selected) layer.append(s("rect", { class: "chart-selected", x: X(selected[1]), y: Y(selected[0]), width: wide, height: tall }));
      },
      readings: () => values.flatMap((row, i) => Array.from(row, (value, j) => ({ x: j + 0.5, y: i + 0.5, row: i, column: j,
        text: [`${y.label ?? "y"}: ${name(rows, i)}`, `${x.label ?? "x"}: ${name(columns, j)}`, format(value)] }))),
    });
  }
  return { element: picture.element, show };
}
