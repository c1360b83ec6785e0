// Forward and backward numbers on a small network that can be changed: figure 1 b to d of the review.

import { lineChart } from "../lib/charts.js";
import { FUNCTIONS, look, SIZES, START, step, withWeight } from "../lib/backward.js";
import { choice, h, put, s, slider } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { fixed } from "../lib/scale.js";

export const title = { en: "Backward", zh: "反向传播" };
export const about = {
  en: "The signal goes forward, the error comes back. Pick a connection, change its weight, and watch which numbers answer. (LeCun, Bengio and Hinton, figure 1 b to d)",
  zh: "信号向前传，误差往回走。选一条连接，改变它的权重，看哪些数跟着变。（LeCun、Bengio、Hinton 综述，图 1 b 至 d）",
};

const RATE = 0.2;
const REACH = 3; // of weights, either way
const TRY = 0.01; // the small change of figure 1b
const LAYERS = [["x₁", "x₂"], ["j₁", "j₂", "j₃"], ["k₁", "k₂"], ["l"]];
const NAMES = { relu: "ReLU", tanh: "tanh", logistic: { en: "logistic", zh: "logistic" } };
const PLACES = LAYERS.map((names, layer) => names.map((_, i) => [55 + 155 * layer, 150 + 100 * (i - (names.length - 1) / 2)]));
const three = (value) => fixed(value, 3);
const nameOf = ([layer, i, j]) => `w(${LAYERS[layer][i]} → ${LAYERS[layer + 1][j]})`;
const EDGES = SIZES.slice(1).flatMap((count, layer) =>
  Array.from({ length: SIZES[layer] }, (_, i) => Array.from({ length: count }, (__, j) => [layer, i, j])).flat());

// what the page is about stays while language or colours change
let state = { ...START };
let picked = [1, 0, 0];
let back = false; // which numbers the picture shows
let steps = 0;

export function mount(root) {
  const curve = lineChart({ title: t({ en: "The error as this weight moves", zh: "误差随这个权重的变化" }), height: 240,
    note: t({ en: "The straight line has the slope ∂E/∂w that the backward pass found: near the mark it is the curve. That is figure 1b: Δw becomes ΔE by a product.",
      zh: "直线的斜率就是反向传播求得的 ∂E/∂w，在标记附近与曲线重合。这正是图 1b：Δw 乘以它就是 ΔE。" }),
    x: { label: t({ en: "weight w", zh: "权重 w" }), format: (v) => fixed(v, 2) }, y: { label: t({ en: "error E", zh: "误差 E" }), format: three } });
  const picture = h("div", {});
  const table = h("div", { class: "scroll" });
  const numbers = h("dl", { class: "numbers" });
  const formulas = h("div", { class: "formula" });
  const said = h("p", { class: "note", role: "status" });

  const kinds = choice({ label: t({ en: "function f", zh: "函数 f" }), options: Object.entries(NAMES).map(([key, name]) => [key, t(name)]), value: state.kind,
    onchange: (kind) => set({ kind }) });
  const edges = choice({ label: t({ en: "connection", zh: "连接" }), options: EDGES.map((edge) => [String(edge), nameOf(edge)]), value: String(picked),
    onchange: (edge) => pick(edge.split(",").map(Number)) });
  const weightAt = ([layer, i, j]) => state.weights[layer][i][j];
  const weight = slider({ label: t({ en: "its weight w", zh: "它的权重 w" }), min: -REACH, max: REACH, step: 0.05, value: weightAt(picked), show: (v) => fixed(v, 2),
    oninput(value) {
      state = withWeight(state, picked, value);
      show();
    } });
  const number = (label, value, oninput) => slider({ label, min: -2, max: 2, step: 0.05, value, show: (v) => fixed(v, 2), oninput });
  const inputs = state.x.map((value, i) => number(t({ en: `input ${LAYERS[0][i]}`, zh: `输入 ${LAYERS[0][i]}` }), value, (to) => set({ x: state.x.with(i, to) })));
  const target = number(t({ en: "target t", zh: "目标 t" }), state.t, (to) => set({ t: to }));
  const ways = [
    [false, t({ en: "c: forward", zh: "c：前向" })],
    [true, t({ en: "d: backward", zh: "d：反向" })],
  ].map(([which, name]) => h("button", { type: "button", "data-way": which ? "backward" : "forward", onclick() {
    back = which;
    show();
  } }, name));
  const descend = h("button", { type: "button", "data-do": "descend", onclick() {
    state = step(state, RATE);
    steps += 1;
    fields();
    show();
  } }, t({ en: `w − ${RATE} ∂E/∂w for every w`, zh: `每个 w 减去 ${RATE} ∂E/∂w` }));
  const again = h("button", { type: "button", "data-do": "again", onclick() {
    state = { ...START };
    steps = 0;
    fields();
    show();
  } }, t({ en: "Back to the start", zh: "回到起点" }));

  function set(change) {
    state = { ...state, ...change };
    show();
  }

  function pick(edge) {
    picked = edge;
    fields();
    show();
  }

  function fields() {
    kinds.select.value = state.kind;
    edges.select.value = String(picked);
    weight.set(weightAt(picked));
    inputs.forEach((input, i) => input.set(state.x[i]));
    target.set(state.t);
  }

  function show() {
    const now = look(state);
    const [layer, i, j] = picked;
    const w = weightAt(picked);
    const slope = now.dw[layer][i][j];
    ways.forEach((button, n) => button.setAttribute("aria-pressed", back === Boolean(n)));
    put(picture, drawing(now, pick));
    put(table, unitTable(now));
    const tried = look(withWeight(state, picked, w + TRY)).error - now.error;
    const entries = [["error", t({ en: "error E", zh: "误差 E" }), three(now.error)], ["slope", "∂E/∂w", three(slope)],
      ["expected", `∂E/∂w × ${TRY}`, fixed(slope * TRY, 5)], ["changed", t({ en: `ΔE for Δw = ${TRY}`, zh: `Δw = ${TRY} 时的 ΔE` }), fixed(tried, 5)],
      ["steps", t({ en: "steps taken", zh: "已走步数" }), steps]];
    put(numbers, entries.map(([key, name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "number", "data-value": key }, String(value)))));
    put(formulas, equations(now).map((line) => h("div", {}, line)));
    const off = now.dz[layer + 1][j] === 0;
    said.textContent = off ? t({ en: "∂E/∂z is 0 at the end of this connection: the unit is off or nothing flows back to it, and this weight learns nothing.",
      zh: "这条连接末端的 ∂E/∂z 为 0：该单元处于关闭状态，或没有误差流回，这个权重学不到东西。" }) : "";
    const low = Math.min(-REACH, w - 0.5);
    const high = Math.max(REACH, w + 0.5);
    const grid = Array.from({ length: 121 }, (_, n) => low + ((high - low) * n) / 120);
    const errors = grid.map((at) => look(withWeight(state, picked, at)).error);
    const reach = (high - low) / 8;
    curve.show({
      x: { label: nameOf(picked), domain: [low, high] },
      y: { domain: [0, null] },
      series: [
        { name: "E", index: 0, points: grid.map((at, n) => [at, errors[n]]) },
        { name: t({ en: "slope ∂E/∂w", zh: "斜率 ∂E/∂w" }), index: 1, points: [-reach, reach].map((d) => [w + d, now.error + slope * d]) },
      ],
      marks: [{ x: w, y: now.error, index: 0, name: "E" }],
    });
  }

  const panel = (name, ...children) => h("section", { class: `panel ${name}` }, children);
  root.append(h("div", { class: "columns backward" },
    h("div", { class: "stack" },
      panel("wide", h("h2", {}, t({ en: "The network", zh: "网络" })),
        h("div", { class: "row", role: "group", "aria-label": t({ en: "numbers shown", zh: "显示哪些数" }) }, ways, descend, again),
        picture, said, table)),
    h("div", { class: "stack" },
      panel("", h("h2", {}, t({ en: "One connection", zh: "一条连接" })), edges.element, weight.element, numbers, formulas),
      panel("third", curve.element),
      panel("second", h("h2", {}, t({ en: "Other settings", zh: "其他设置" })), inputs.map((input) => input.element), target.element, kinds.element))));
  fields();
  show();
  return () => {};
}

/** The equations of figure 1 c and d at the picked connection, with the numbers put in. */
function equations({ z, y, dy, dz, dw }) {
  const [layer, i, j] = picked;
  const to = layer + 1;
  const [from, unit] = [LAYERS[layer][i], LAYERS[to][j]];
  const sum = y[layer].map((value, a) => `${fixed(state.weights[layer][a][j], 2)} × ${three(value)}`).join(" + ");
  const above = to === SIZES.length - 1 ? `∂E/∂y(${unit}) = y − t = ${three(y[to][j])} − ${fixed(state.t, 2)} = ${three(dy[to][j])}`
    : `∂E/∂y(${unit}) = Σ w ∂E/∂z = ${state.weights[to][j].map((w, a) => `${fixed(w, 2)} × ${three(dz[to + 1][a])}`).join(" + ")} = ${three(dy[to][j])}`;
  const slope = FUNCTIONS[state.kind].slope(z[to][j]);
  return [
    `z(${unit}) = Σ w y = ${sum} = ${three(z[to][j])}`,
    `y(${unit}) = f(z) = ${three(y[to][j])},  ${FUNCTIONS[state.kind].formula}`,
    above,
    `∂E/∂z(${unit}) = ∂E/∂y f′(z) = ${three(dy[to][j])} × ${three(slope)} = ${three(dz[to][j])}`,
    `∂E/∂w = y(${from}) ∂E/∂z(${unit}) = ${three(y[layer][i])} × ${three(dz[to][j])} = ${three(dw[layer][i][j])}`,
  ];
}

function unitTable({ z, y, dy, dz }) {
  const cell = (value) => h("td", { class: "number" }, value === null || value === undefined ? "" : three(value));
  return h("table", {},
    h("thead", {}, h("tr", {}, [t({ en: "unit", zh: "单元" }), "z", "y", "∂E/∂y", "∂E/∂z"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, LAYERS.flatMap((names, layer) => names.map((name, i) =>
      h("tr", { "data-unit": name }, h("th", { scope: "row" }, name), cell(z[layer]?.[i]), cell(y[layer][i]), cell(dy[layer]?.[i]), cell(dz[layer]?.[i]))))));
}

/** Units and connections: forward with z, y and w, backward with ∂E/∂y, ∂E/∂z and ∂E/∂w; negative numbers are dashed. */
function drawing(now, pick) {
  const of = (edge) => (back ? now.dw[edge[0]][edge[1]][edge[2]] : state.weights[edge[0]][edge[1]][edge[2]]);
  const largest = Math.max(...EDGES.map((edge) => Math.abs(of(edge))), 1e-9);
  const wires = EDGES.map((edge) => {
    const [layer, i, j] = edge;
    const [[x1, y1], [x2, y2]] = [PLACES[layer][i], PLACES[layer + 1][j]];
    const value = of(edge);
    const chosen = String(edge) === String(picked);
    const line = { x1: x1 + 32, y1, x2: x2 - 32, y2 };
    // each label at its own height along the line, so that crossing lines do not cover them
    const at = [0.3, 0.5, 0.72][j % 3];
    return s("g", { class: chosen ? "connection chosen" : "connection", "data-edge": String(edge), onclick: () => pick(edge) },
      s("line", { class: "hit", ...line }),
      s("line", { class: "wire", ...line, "stroke-width": 0.8 + (4 * Math.abs(value)) / largest, "stroke-dasharray": value < 0 ? "6 4" : "" }),
      s("text", { x: line.x1 + at * (line.x2 - line.x1), y: y1 + at * (y2 - y1) - 4, "text-anchor": "middle" }, fixed(value, 2)));
  });
  const units = LAYERS.flatMap((names, layer) => names.map((name, i) => {
    const [x, y] = PLACES[layer][i];
    const text = (dy, content, kind) => s("text", { x, y: y + dy, "text-anchor": "middle", class: kind }, content);
    const numbers = back ? [layer ? `∂z ${fixed(now.dz[layer][i], 2)}` : "", `∂y ${fixed(now.dy[layer][i], 2)}`]
      : [layer ? `z ${fixed(now.z[layer][i], 2)}` : "", `y ${fixed(now.y[layer][i], 2)}`];
    return s("g", {}, s("circle", { class: "cell", cx: x, cy: y, r: 32 }), text(-14, name, "strong"), text(4, numbers[0]), text(19, numbers[1]));
  }));
  const label = back ? t({ en: "the network with ∂E/∂z and ∂E/∂y in the units and ∂E/∂w on the connections", zh: "网络：单元中为 ∂E/∂z 和 ∂E/∂y，连接上为 ∂E/∂w" })
    : t({ en: "the network with z and y in the units and w on the connections", zh: "网络：单元中为 z 和 y，连接上为 w" });
  return s("svg", { class: "network-picture", viewBox: "0 0 575 300", role: "img", "aria-label": label }, s("g", { class: `wires ${back ? "tone-2" : "tone-1"}` }, wires), units);
}
