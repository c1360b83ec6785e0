// How a hidden layer bends the plane of inputs until a straight line separates the classes: figure 1 of the review.

import { contour, grid, outputs, view } from "../lib/bend.js";
import { lineChart, path, sign } from "../lib/charts.js";
import { choice, colour, h, put, s, slider } from "../lib/dom.js";
import { frame } from "../lib/frame.js";
import { t } from "../lib/i18n.js";
import { runner } from "../lib/runner.js";
import { extent, fixed, number } from "../lib/scale.js";
import { epoch, forward, generator, network, score } from "../lib/smallnet.js";
import { NAMES, toydata } from "../lib/toydata.js";

export const title = { en: "Space bends", zh: "空间弯曲" };
export const about = {
  en: "Watch the regular grid: hidden units bend it until one straight line is enough to separate the two classes. (LeCun, Bengio and Hinton, “Deep learning”, figure 1a)",
  zh: "请看规则的网格：隐藏单元把它弯曲，直到一条直线就能分开两个类别。（LeCun、Bengio、Hinton《深度学习》，图 1a）",
};

const REACH = 1.15; // of the pictures; the grid goes from -1 to 1
const CELLS = 48; // of the shading, each way
const MOST = 5000; // epochs
const BATCH = 10;
const RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2];
const DATA_NAMES = { arcs: { en: "two curves (the figure)", zh: "两条曲线（原图）" }, xor: { en: "xor", zh: "异或" }, circles: { en: "circle in a ring", zh: "圆与环" }, spirals: { en: "two spirals", zh: "双螺旋" } };
const NOTES = {
  input: {
    en: "Inputs as they are; the grid is straight, as on the left of figure 1a. Shading: the network’s output; thick line: where it is ½.",
    zh: "输入本来的样子，网格是直的，如图 1a 左图。底色为网络的输出，粗线处输出为 ½。",
  },
  hidden: {
    en: "The same grid and points as the last hidden layer sees them (figure 1a, middle). The output unit can only cut this picture by a straight line.",
    zh: "同样的网格和点在最后一个隐藏层中的样子（图 1a 中图）。输出单元只能用一条直线来切分它。",
  },
  cost: {
    en: "Cross-entropy of all points. A plateau means that the grid has not found the fold it needs yet; another start may find it sooner.",
    zh: "所有点上的交叉熵。平台期表示网格还没有找到所需的折法；换一个起点可能更快找到。",
  },
};
const PRESETS = [
  { name: { en: "figure 1: curves, 2 units", zh: "图 1：曲线，2 个单元" }, data: "arcs", first: 2, second: 0, activation: "tanh", rate: 0.3, seed: 0 },
  { name: { en: "xor, 4 units", zh: "异或，4 个单元" }, data: "xor", first: 4, second: 0, activation: "tanh", rate: 0.3, seed: 0 },
  { name: { en: "circle, 2 units: cannot", zh: "圆，2 个单元：办不到" }, data: "circles", first: 2, second: 0, activation: "tanh", rate: 0.3, seed: 0 },
  { name: { en: "circle, 4 and 2 units", zh: "圆，4 和 2 个单元" }, data: "circles", first: 4, second: 2, activation: "tanh", rate: 0.3, seed: 0 },
  { name: { en: "spirals, 8 and 8 units", zh: "螺旋，8 和 8 个单元" }, data: "spirals", first: 8, second: 8, activation: "tanh", rate: 0.3, seed: 0 },
];
const CLASSES = [{ en: "class 0", zh: "类别 0" }, { en: "class 1", zh: "类别 1" }];
const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

// what the page is about stays while language or colours change
const { name: _, ...first } = PRESETS[0];
let settings = { ...first, noise: 0.02, speed: 30 };
let shown = null; // units of the view, or null for the side of the boundary
let state = fresh();

function fresh() {
  const { data, noise, first, second, activation, seed } = settings;
  const examples = toydata(data, { noise });
  const net = network({ hidden: second ? [first, second] : [first], activation, seed });
  shown = net.sizes.at(-2) === 2 ? [0, 1] : null;
  return { examples, net, random: generator(seed + 1), history: [score(net, examples)], along: null };
}

const LINES = grid();

export function mount(root, { reducedMotion }) {
  const input = frame({ title: t({ en: "Input space", zh: "输入空间" }), note: t(NOTES.input), square: true });
  const hidden = frame({ title: t({ en: "Hidden space", zh: "隐藏空间" }), note: t(NOTES.hidden), square: true });
  const cost = lineChart({ title: t({ en: "Cost", zh: "代价" }), note: t(NOTES.cost), height: 220, x: { label: t({ en: "epoch", zh: "回合" }), format: String }, y: { label: t({ en: "cost C (mean over the points)", zh: "代价 C（各点平均）" }), domain: [0, null] } });
  const numbers = h("dl", { class: "numbers" });
  const said = h("p", { class: "note", role: "status" });

  const clock = runner({
    reducedMotion,
    advance(count) {
      const { net, examples, random, history } = state;
      for (let i = 0; i < count && history.length <= MOST; i += 1) {
        epoch(net, examples, { rate: settings.rate, batch: BATCH, random });
        history.push(score(net, examples));
      }
      show();
    },
    done: () => state.history.length > MOST,
    speed: () => settings.speed,
    jump: { text: t({ en: "100 epochs", zh: "100 个回合" }), epochs: () => 100 },
    reset: restart,
  });

  function restart() {
    state = fresh();
    fields();
    show();
  }

  // a new network or new data begin again; rate and speed change while it learns
  function set(change, again = true) {
    settings = { ...settings, ...change };
    if (again) {
      clock.stop();
      restart();
      clock.refresh();
    } else fields();
  }

  const units = (count) => (count ? String(count) : t({ en: "none", zh: "无" }));
  const data = choice({ label: t({ en: "data", zh: "数据" }), options: NAMES.map((name) => [name, t(DATA_NAMES[name])]), value: settings.data, onchange: (value) => set({ data: value }) });
  const firstLayer = slider({ label: t({ en: "units in the first hidden layer", zh: "第一隐藏层单元数" }), min: 2, max: 8, step: 1, value: settings.first, oninput: (value) => set({ first: value }) });
  const secondLayer = slider({ label: t({ en: "units in the second", zh: "第二隐藏层单元数" }), min: 1, max: 8, step: 1, value: settings.second || 1, show: (value) => units(value > 1 ? value : 0), oninput: (value) => set({ second: value > 1 ? value : 0 }) });
  const kind = choice({ label: t({ en: "activation of the hidden units", zh: "隐藏单元的激活函数" }), options: [["tanh", "tanh"], ["sigmoid", "sigmoid"], ["relu", "ReLU"]], value: settings.activation, onchange: (value) => set({ activation: value }) });
  const rate = slider({ label: t({ en: "learning rate", zh: "学习率" }), min: 0, max: RATES.length - 1, step: 1, value: RATES.indexOf(settings.rate), show: (i) => String(RATES[i]), oninput: (i) => set({ rate: RATES[i] }, false) });
  const noise = slider({ label: t({ en: "noise of the points", zh: "点的噪声" }), min: 0, max: 0.15, step: 0.01, value: settings.noise, show: (value) => fixed(value, 2), oninput: (value) => set({ noise: value }) });
  const speed = slider({ label: t({ en: "epochs a second", zh: "每秒回合数" }), min: 5, max: 120, step: 5, value: settings.speed, oninput: (value) => set({ speed: value }, false) });
  const another = h("button", { type: "button", onclick: () => set({ seed: settings.seed + 1 }) }, t({ en: "Another start", zh: "换一个起点" }));
  const presets = PRESETS.map(({ name, ...values }) => h("button", { type: "button", onclick: () => set(values) }, t(name)));
  const sight = choice({ label: t({ en: "look at", zh: "观察" }), options: [], onchange(value) {
    shown = value === "side" ? null : value.split(",").map(Number);
    show();
  } });

  function fields() {
    data.select.value = settings.data;
    firstLayer.set(settings.first);
    secondLayer.set(settings.second || 1);
    kind.select.value = settings.activation;
    rate.set(RATES.indexOf(settings.rate));
    presets.forEach((button, i) => {
      const { name: _, ...values } = PRESETS[i];
      button.setAttribute("aria-pressed", Object.entries(values).every(([key, value]) => settings[key] === value));
    });
    const count = state.net.sizes.at(-2);
    const pairs = Array.from({ length: count }, (_, i) => Array.from({ length: count - i - 1 }, (_, k) => [i, i + 1 + k])).flat();
    put(sight.select, h("option", { value: "side" }, t({ en: "the layer, across its boundary", zh: "整层，横跨分界" })),
      pairs.map(([i, j]) => h("option", { value: `${i},${j}` }, t({ en: `units ${i + 1} and ${j + 1}`, zh: `单元 ${i + 1} 和 ${j + 1}` }))));
    sight.select.value = shown ? shown.join(",") : "side";
  }

  function show() {
    const { net, examples, history } = state;
    const values = outputs(net, REACH, CELLS);
    const boundary = contour(values, REACH);
    const last = (x) => forward(net, x).at(-2);
    const layers = examples.map(({ x }) => forward(net, x));
    const plane = view(net, layers.map((layer) => layer.at(-2)), shown, state.along);
    state.along = plane.along;
    const readings = (place) => () => examples.map(({ x, y }, i) => {
      const [px, py] = place(x, layers[i].at(-2));
      return { x: px, y: py, text: [t(CLASSES[y]), `x = (${fixed(x[0], 2)}, ${fixed(x[1], 2)})`,
        `${t({ en: "hidden", zh: "隐藏层" })} = (${layers[i].at(-2).map((a) => fixed(a, 2)).join(", ")})`, `${t({ en: "output", zh: "输出" })} a = ${number(layers[i].at(-1)[0])}`] };
    });
    const square = [-REACH, REACH];
    input.show({ x: { label: "x₁", domain: square }, y: { label: "x₂", domain: square }, legend: legend(),
      raster: shade(values), readings: readings((x) => x), nearest: "both", paint: (layer, X, Y) => drawPlane(layer, X, Y, (x) => x, examples, boundary), clip: true });

    const to = (x) => plane.to(last(x));
    const axes = axesOf(plane, to, layers);
    const middle = (domain, i) => domain[0] + ((i + 0.5) / CELLS) * (domain[1] - domain[0]);
    const ground = plane.output && Array.from({ length: CELLS }, (_, i) => Array.from({ length: CELLS }, (_, j) => plane.output(middle(axes.x.domain, j), middle(axes.y.domain, CELLS - 1 - i))));
    hidden.show({ ...axes, legend: legend(), raster: ground && shade(ground), readings: readings((_, layer) => plane.to(layer)), nearest: "both",
      paint: (layer, X, Y) => drawPlane(layer, X, Y, to, examples, plane.line ? [plane.line] : boundary.map((piece) => piece.map(to))), clip: true });

    const now = history.at(-1);
    cost.show({ x: { domain: [0, Math.max(100, history.length - 1)] }, series: [{ name: t({ en: "cost", zh: "代价" }), points: history.map((at, i) => [i, at.cost]) }] });
    const entries = [["epoch", t({ en: "epoch", zh: "回合" }), history.length - 1], ["cost", t({ en: "cost C", zh: "代价 C" }), number(now.cost)], ["accuracy", t({ en: "right", zh: "正确率" }), `${fixed(100 * now.accuracy, 1)} %`], ["seed", t({ en: "start number", zh: "起点编号" }), settings.seed]];
    put(numbers, entries.map(([name, label, value]) => h("div", {}, h("dt", {}, label), h("dd", { class: "number", "data-value": name }, String(value)))));
    const done = now.accuracy === 1 ? t({ en: "All points are separated: in hidden space a straight line does it.", zh: "所有点都已分开：在隐藏空间里一条直线就够了。" })
      : t({ en: "In hidden space the output’s straight line does not separate all points yet.", zh: "在隐藏空间里，输出单元的直线还没有把所有点分开。" });
    if (said.textContent !== done) said.textContent = done;
  }

  const panel = (name, ...children) => h("section", { class: `panel ${name}` }, children);
  root.append(h("div", { class: "columns" },
    h("div", { class: "stack" },
      panel("", h("h2", {}, t({ en: "The network", zh: "网络" })), h("div", { class: "pairs", role: "group", "aria-label": t({ en: "examples to start with", zh: "可供开始的例子" }) }, presets, another),
        clock.element, numbers, said),
      panel("second", h("h2", {}, t({ en: "Settings", zh: "设置" })), data.element, firstLayer.element, secondLayer.element, kind.element, rate.element, noise.element, speed.element)),
    h("div", { class: "stack" }, panel("", input.element), panel("third", cost.element)),
    h("div", { class: "stack" }, panel("", hidden.element, sight.element))));
  fields();
  show();
  return () => clock.stop();
}

/** The shading of outputs: cool is class 0, warm is class 1, faint so that lines and points stand out. */
function shade(values) {
  const [zero, cool, warm] = ["panel", "cool", "warm"].map((name) => rgb(colour(name)));
  const rgba = new Uint8ClampedArray(4 * CELLS * CELLS);
  values.flat().forEach((a, i) => {
    const share = 0.45 * Math.abs(2 * a - 1);
    const end = a < 0.5 ? cool : warm;
    rgba.set([...zero.map((value, k) => value + share * (end[k] - value)), 255], 4 * i);
  });
  return { columns: CELLS, rows: CELLS, rgba, smooth: true };
}

const legend = () => CLASSES.map((name, y) => h("span", { class: "chart-key" }, s("svg", { class: `tone-${y + 1}`, width: 14, height: 14, "aria-hidden": "true" }, sign(y, 7, 7, 4)), t(name)));

/** Grid and points, carried by `to` from the input plane to the one that is shown, and the boundary there. */
function drawPlane(layer, X, Y, to, examples, boundary) {
  const draw = (some) => some.map((line) => path(line, X, Y)).join("");
  const lines = (some) => draw(some.map((line) => line.map(to)));
  const middle = LINES.across.length >> 1;
  layer.append(
    s("path", { class: "mesh", d: lines([...LINES.across, ...LINES.down]) }),
    s("path", { class: "mesh axis", d: lines([LINES.across[middle]]) }),
    s("path", { class: "mesh axis dashed", d: lines([LINES.down[middle]]) }),
    s("path", { class: "boundary", d: draw(boundary) }),
    ...[0, 1].map((y) => s("g", { class: `tone-${y + 1} points` }, examples.filter((one) => one.y === y).map(({ x }) => {
      const [px, py] = to(x);
      return sign(y, X(px), Y(py), 3);
    }))));
}

/** Axes of the hidden picture: what the units can give, or as far as grid and points go. */
function axesOf(plane, to, layers) {
  const bounds = { tanh: [-1.05, 1.05], sigmoid: [-0.03, 1.03] }[settings.activation];
  const around = (values) => {
    const [low, high] = extent(values);
    const room = 0.05 * (high - low) || 0.5;
    return [low - room, high + room];
  };
  const seen = shown && bounds ? null : [...LINES.across.flat().map(to), ...layers.map((layer) => plane.to(layer.at(-2)))];
  const name = (i) => t({ en: `hidden unit ${i + 1}`, zh: `隐藏单元 ${i + 1}` });
  const labels = shown ? shown.map(name) : [t({ en: "distance from the boundary", zh: "到分界的距离" }), t({ en: "along the boundary", zh: "沿分界方向" })];
  const [x, y] = [0, 1].map((i) => ({ label: labels[i], domain: seen ? around(seen.map((at) => at[i])) : bounds }));
  return { x, y };
}
