// A network with a memory, unrolled in time: each step a column, what it hands on, and the way back of the gradient.

import { heatMap, lineChart } from "./charts.js";
import { h, put, s } from "./dom.js";
import { t } from "./i18n.js";
import { percent, visible } from "./letters.js";
import { numbers, rows } from "./numbers.js";
import { number } from "./scale.js";

const WIDE = 62; // pixels from step to step
const CELL = 34;
const FAINT = 4; // powers of ten below the largest gradient, at which an arrow is as thin as can be

const cellsOf = (count) => Array.from({ length: count });

/** The picture of all steps: {element, show(what the server sends)}. */
export function inTime() {
  const picture = h("div", { class: "scroll unrolled", tabindex: 0, role: "group", "aria-label": t({ en: "The network unrolled in time; scrolls sideways", zh: "沿时间展开的网络，可左右滚动" }) });
  const cost = h("p", { class: "number", id: "cost", role: "status" });
  const lags = lineChart({ title: t({ en: "The gradient on its way back", zh: "往回传播的梯度" }), height: 300,
    note: t({ en: "How much the last step's cost depends on the state of that many steps before: the length of ∂C/∂(state). A straight line is a factor per step, as in chapter 5 from layer to layer. Beside it the same network as a training begins.",
      zh: "最后一步的代价在多大程度上取决于若干步之前的记忆：∂C/∂（状态）的长度。直线表示每一步缩小同样的倍数，正如第五章中逐层缩小那样。旁边是同一网络在训练开始时的情形。" }),
    x: { label: t({ en: "steps back in time", zh: "往回的步数" }) }, y: { label: t({ en: "length of ∂C/∂(state)", zh: "∂C/∂（状态）的长度" }), log: true, format: (v) => number(v, 2) } });
  const maps = h("div", {});
  const element = h("section", { class: "panel layer in-time" }, h("h2", {}, t({ en: "Unrolled in time", zh: "沿时间展开" })),
    h("p", { class: "note" }, t({ en: "Below, the input of each step; above, its output. The arrows from cell to cell are the memory: the thicker the arrow, the more the last step's cost depends on it (each tenth of it two pixels thinner).", zh: "下面是每一步读入的内容，上面是说出的内容。从一格到下一格传递的是记忆：箭头越粗，最后一步的代价越依赖于它（每缩小到十分之一，就细两个像素）。" })),
    picture, cost, lags.element, maps);

  function draw({ steps, said, layers, target }) {
    const count = steps.length;
    const [top, high] = [44, 56];
    const base = top + layers.length * high;
    const most = layers.map(({ gradient }) => Math.max(...gradient.filter(Number.isFinite), Number.MIN_VALUE));
    const y = (layer) => base - high * (layer + 1) + 8;
    const x = (step) => 40 + WIDE * step;
    const width = x(count) + 30;
    const strength = (layer, step) => {
      const power = FAINT + Math.log10(layers[layer].gradient[step] / most[layer]);
      return Number.isFinite(power) ? Math.max(0.4, 2 * power) : 0.4;
    };
    const text = (px, py, what, name = "") => s("text", { x: px, y: py, "text-anchor": "middle", class: name }, what);
    const parts = [];
    steps.forEach((step, i) => {
      parts.push(text(x(i) + CELL / 2, base + 30, visible(step), "strong"));
      parts.push(s("line", { class: "wire", x1: x(i) + CELL / 2, x2: x(i) + CELL / 2, y1: base + 16, y2: base + 2 }));
      const likeliest = said.length === count ? said[i][0] : i === count - 1 ? said[0][0] : null;
      if (likeliest) {
        parts.push(text(x(i) + CELL / 2, 18, visible(likeliest[0]), i === count - 1 ? "strong" : ""), text(x(i) + CELL / 2, 32, percent(likeliest[1]), "tiny"));
        parts.push(s("line", { class: "wire", x1: x(i) + CELL / 2, x2: x(i) + CELL / 2, y1: y(layers.length - 1), y2: 38 }));
      }
      layers.forEach((layer, n) => {
        const middle = y(n) + CELL / 2;
        const line = s("line", { class: "memory", x1: x(i) - WIDE + CELL, x2: x(i) - 3, y1: middle, y2: middle });
        line.style.strokeWidth = `${strength(n, i)}px`;
        parts.push(line, s("path", { class: "tip", d: `M${x(i)} ${middle}l-7 -4v8Z` }),
          s("rect", { class: "cell", x: x(i), y: y(n), width: CELL, height: CELL, rx: 5 }),
          text(x(i) + CELL / 2, middle + 4, `h${n ? "′".repeat(n) : ""}`));
      });
    });
    parts.push(text(x(count) - 8, 18, `C(${visible(target)})`, "strong"));
    const label = t({ en: `${count} steps; the cost asks for ${visible(target)}`, zh: `${count} 步；代价要求的是 ${visible(target)}` });
    const drawing = s("svg", { class: "network-picture fixed", width, height: base + 40, viewBox: `0 0 ${width} ${base + 40}`, role: "img", "aria-label": label }, parts);
    put(picture, drawing);
    picture.scrollLeft = width; // the last step is what it is about
  }

  return {
    element,
    show(found) {
      element.hidden = !found;
      if (!found) return;
      draw(found);
      put(cost, `C = −ln p(${visible(found.target)}) = ${number(found.cost)}`);
      const back = (values) => values.map((v, i) => [values.length - i, v]).reverse();
      const name = ({ number: at, name: kind }) => t({ en: `layer ${at}, ${kind}`, zh: `第 ${at} 层 ${kind}` });
      lags.show({ series: found.layers.flatMap((layer) => [
        { name: t({ en: `${name(layer)}: trained`, zh: `${name(layer)}：训练后` }), points: back(layer.gradient) },
        { name: t({ en: `${name(layer)}: at the start`, zh: `${name(layer)}：训练开始时` }), points: back(layer.at_start), faint: true },
      ]) });
      put(maps, found.layers.map((layer) => {
        const values = rows(numbers(layer.outputs)); // step by step
        const table = cellsOf(layer.units).map((_, unit) => values.map((row) => row[unit]));
        const map = heatMap({ title: t({ en: `What ${name(layer)} hands on`, zh: `${name(layer)}传出的激活值` }), square: false, height: 300,
          note: t({ en: "A row is a unit, a column a step. Units that change at every step read; stripes remember.", zh: "每行一个单元，每列一步。逐步变化的单元在读，横条在记。" }),
          x: { label: t({ en: "step", zh: "步" }) }, y: { label: t({ en: "unit", zh: "单元" }) } });
        map.show({ values: table, columns: found.steps.map(visible), rows: cellsOf(layer.units).map((_, i) => (i % Math.ceil(layer.units / 8) ? "" : i + 1)), colours: "diverging", format: (v) => number(v, 2) });
        return map.element;
      }));
    },
  };
}
