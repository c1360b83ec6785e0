// A network as a picture: each layer with its feature maps or units; any unit can be pointed at, or reached by keys.

import { colour, h, put } from "./dom.js";
import { t } from "./i18n.js";
import { channel, most, numbers, picture, short } from "./numbers.js";

const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Number of columns in which this many units are shown. */
const across = (count) => (count <= 12 ? count : Math.min(25, Math.ceil(Math.sqrt(count * 2.5))));

/** A grid of numbers that can be pointed at: {element, mark(row, column) or mark(null), enter()}. */
function grid(table, { colours, scale, label, cell, size, onpoint, onleave, first = true }) {
  const canvas = picture(table, { colours, scale, tabindex: first ? 0 : -1, role: "application", "aria-label": `${label}; ${t({ en: "arrow keys choose a unit", zh: "用方向键选择神经元" })}` });
  const mark = h("span", { class: "unit-mark", hidden: true });
  const element = h("div", { class: "map-stage", style: { width: `${size}px` } }, canvas, mark);
  const [height, width] = [table.length, table[0].length];
  let at = [0, 0];
  const show = (row, column) => {
    mark.hidden = row === null;
    if (row === null) return;
    Object.assign(mark.style, { left: `${(100 * column) / width}%`, top: `${(100 * row) / height}%`, width: `${100 / width}%`, height: `${100 / height}%` });
  };
  const point = (row, column) => {
    if (row < 0 || row >= height) return;
    if (column < 0 || column >= width) return onleave?.(column < 0 ? -1 : 1);
    if (!cell(row, column)) return;
    at = [row, column];
    onpoint(...at);
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    point(Math.floor(((event.clientY - box.top) * height) / box.height), Math.floor(((event.clientX - box.left) * width) / box.width));
  });
  canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && point(...at));
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    const [down, right] = KEYS[event.key];
    point(at[0] + down, at[1] + right);
  });
  return { element, mark: show, enter: () => canvas.focus() };
}

/** The layers of a network: {element, show(answer of the server), mark(unit)}; `onpoint({layer, unit})` is called. */
export function layers(onpoint) {
  const element = h("div", { class: "layers" });
  let grids = []; // of each layer: how to mark a unit in it

  function maps(layer, output) {
    const [height, width, count] = output.shape;
    const negative = output.values.some((v) => v < 0);
    const scale = most(output.values);
    const size = Math.max(44, Math.min(84, 4.5 * width));
    const all = Array.from({ length: count }, (_, which) => grid(channel(output, which), {
      colours: negative ? "diverging" : "accent", scale, size,
      label: t({ en: `layer ${layer.number}, map ${which + 1} of ${count}`, zh: `第 ${layer.number} 层，特征映射 ${which + 1} / ${count}` }),
      cell: () => true,
      first: which === 0, // Tab reaches the first map, the arrow keys the others
      onleave: (step) => all[which + step]?.enter(),
      onpoint: (row, column) => onpoint({ layer: layer.number, unit: [row, column, which] }),
    }));
    grids[layer.number] = (unit) => all.forEach((one, which) => (unit && unit[2] === which ? one.mark(unit[0], unit[1]) : one.mark(null)));
    const legend = t({ en: `${count} maps of ${height} × ${width}; full colour: ${short(scale)}`, zh: `${count} 个 ${height} × ${width} 的特征映射；最深色：${short(scale)}` });
    return [h("p", { class: "note" }, legend), h("div", { class: "maps" }, all.map((one) => one.element))];
  }

  function units(layer, output, classes) {
    const count = output.values.length;
    const wide = across(count);
    const table = Array.from({ length: Math.ceil(count / wide) }, (_, row) => Array.from({ length: wide }, (_, column) => output.values[row * wide + column] ?? 0));
    const scale = most(output.values);
    const one = grid(table, {
      colours: output.values.some((v) => v < 0) ? "diverging" : "accent", scale, size: Math.min(20 * wide, 500),
      label: t({ en: `layer ${layer.number}, ${count} units`, zh: `第 ${layer.number} 层，${count} 个神经元` }),
      cell: (row, column) => row * wide + column < count,
      onpoint: (row, column) => onpoint({ layer: layer.number, unit: [row * wide + column] }),
    });
    grids[layer.number] = (unit) => (unit ? one.mark(Math.floor(unit[0] / wide), unit[0] % wide) : one.mark(null));
    const legend = t({ en: `${count} units, row by row; full colour: ${short(scale)}`, zh: `${count} 个神经元，逐行排列；最深色：${short(scale)}` });
    const names = classes && count === classes.length && wide === count
      ? h("div", { class: "names", style: { width: `${20 * wide}px` }, "aria-hidden": "true" }, classes.map((name) => h("span", {}, name))) : null;
    return [h("p", { class: "note" }, legend), one.element, names];
  }

  function kernels(layer) {
    if (!layer.kernels) return null;
    const { shape: [count, height, width, channels], values } = numbers(layer.kernels);
    if (channels !== 1) return null;
    const size = height * width;
    const scale = most(values);
    return [h("p", { class: "note" }, t({ en: `Its ${count} kernels of ${height} × ${width}: warm adds, cool subtracts; full colour: ${short(scale)}`, zh: `${count} 个 ${height} × ${width} 的卷积核：暖色为正，冷色为负；最深色：${short(scale)}` })),
      h("div", { class: "maps" }, Array.from({ length: count }, (_, k) => {
        const kernel = values.subarray(k * size, (k + 1) * size);
        const table = Array.from({ length: height }, (_, i) => [...kernel.subarray(i * width, (i + 1) * width)]);
        const label = t({ en: `kernel ${k + 1}`, zh: `卷积核 ${k + 1}` });
        const shown = picture(table, { colours: "diverging", scale, "aria-label": label, title: `${label}\n${table.map((row) => row.map((v) => short(v)).join("  ")).join("\n")}` });
        return h("div", { class: "map-stage kernel" }, shown);
      }))];
  }

  return {
    element,
    show({ layers: found, classes }) {
      grids = [];
      put(element, found.map((layer, i) => {
        const output = numbers(layer.output);
        const last = i === found.length - 1;
        return h("section", { class: "panel layer" },
          h("h2", {}, `${layer.number} · ${layer.name}`),
          h("p", { class: "note" }, [output.shape.join(" × "), layer.parameters ? `${layer.parameters.toLocaleString("en")} ${t({ en: "parameters", zh: "个参数" })}` : null].filter(Boolean).join(", ")),
          kernels(layer),
          output.shape.length === 3 ? maps(layer, output) : units(layer, output, last ? classes : null));
      }));
    },
    mark(unit) {
      grids.forEach((mark, number) => mark?.(unit?.layer === number ? unit.unit : null));
    },
  };
}

/** Frame a part of an image that is shown on a stage: [top, bottom, left, right] of an image of this many pixels. */
export function frameField(mark, [top, bottom, left, right], [height, width]) {
  mark.hidden = false;
  Object.assign(mark.style, {
    left: `${(100 * left) / width}%`, top: `${(100 * top) / height}%`,
    width: `${(100 * (right - left)) / width}%`, height: `${(100 * (bottom - top)) / height}%`,
    borderColor: colour("warm"),
  });
}
