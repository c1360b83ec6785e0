// Toy data in the square from -1 to 1: two classes that no straight line separates.  {x: [x1, x2], y: 0 or 1}.

import { generator, normal } from "./smallnet.js";

const EACH = 80; // examples of a class

// place of an example of class y; u runs evenly over [0, 1], and random() is free to use
const SHAPES = {
  // two curves, one above the other, as in figure 1 of the review
  arcs: (y, u) => {
    const x = 1.8 * u - 0.9;
    return [x, 0.45 - 1.1 * x * x + (y ? 0.22 : -0.22)];
  },
  // one class where both coordinates have the same sign
  xor: (y, _, random) => {
    const [a, b] = [0.12 + 0.78 * random(), 0.12 + 0.78 * random()];
    const side = random() < 0.5 ? 1 : -1;
    return [side * a, (y ? -side : side) * b];
  },
  // one class around the other
  circles: (y, u, random) => {
    const radius = y ? 0.75 + 0.15 * random() : 0.4 * Math.sqrt(random());
    return [radius * Math.cos(2 * Math.PI * u), radius * Math.sin(2 * Math.PI * u)];
  },
  // two arms around each other, one turn and a quarter
  spirals: (y, u) => {
    const angle = 2.5 * Math.PI * u + (y ? Math.PI : 0);
    const radius = 0.1 + 0.8 * u;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
};

export const NAMES = Object.keys(SHAPES);

/** Examples of both classes in turn; the same for the same name, noise (standard deviation) and seed. */
export function toydata(name, { noise = 0.02, seed = 0 } = {}) {
  const random = generator(seed + 7919);
  return Array.from({ length: 2 * EACH }, (_, i) => {
    const y = i % 2;
    const [x1, x2] = SHAPES[name](y, (Math.floor(i / 2) + 0.5) / EACH, random);
    return { x: [x1 + noise * normal(random), x2 + noise * normal(random)], y };
  });
}
