// Arrays of the server, and small pictures of them.

import { bytes } from "./api.js";
import { palette } from "./charts.js";
import { h } from "./dom.js";

/** {shape, values: Float32Array} of what the server sends; its bytes are little-endian, as every browser's machine is. */
export const numbers = ({ shape, values }) => ({ shape, values: new Float32Array(bytes(values).buffer) });

/** Rows of a two-dimensional array. */
export const rows = ({ shape: [count, width], values }) => Array.from({ length: count }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);

/** Rows of one channel of an array (height, width, channels). */
export const channel = ({ shape: [height, width, channels], values }, which) =>
  Array.from({ length: height }, (_, i) => Array.from({ length: width }, (_, j) => values[(i * width + j) * channels + which]));

/** Largest absolute value, 1 where all are zero. */
export const most = (values) => values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0) || 1;

/** So many significant digits, with a true minus sign. */
export const short = (v, digits = 3) =>
  (v === 0 ? "0" : Math.abs(v) >= 10000 || Math.abs(v) < 0.001 ? v.toExponential(1) : v.toPrecision(digits)).replaceAll("-", "−");

/** A small canvas of rows of numbers; colours as in a heat map, `scale` is the value of the full colour. */
export function picture(table, { colours = "accent", scale, ...attributes } = {}) {
  const canvas = h("canvas", { class: "map", width: table[0].length, height: table.length, role: "img", ...attributes });
  const paint = palette(colours);
  const full = scale ?? most(table.flat());
  const image = new ImageData(table[0].length, table.length);
  table.flat().forEach((v, k) => image.data.set([...paint(v / full), 255], 4 * k));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
