// One neuron learns to turn 1 into 0: the 'Run' figure of Nielsen's chapter 3.

import { lineChart } from "../lib/charts.js";
import { choice, h, put, s, slider } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { ACTIVATIONS, COSTS, look, PRESETS, PUBLISHED, step, X, Y } from "../lib/neuron.js";
import { runner } from "../lib/runner.js";
import { fixed, number } from "../lib/scale.js";

export const title = { en: "One neuron", zh: "一个神经元" };
export const about = {
  en: "A neuron that is badly wrong should learn fast. Look how slowly it begins from w = b = 2.0 with the quadratic cost, and how the cross-entropy cures that. (Nielsen, chapter 3, “The cross-entropy cost function”)",
  zh: "神经元错得离谱时，本该学得很快。请看：从 w = b = 2.0 出发、用二次代价函数时，它起步有多慢；换成交叉熵后又如何。（Nielsen 第三章“交叉熵代价函数”）",
};

const SECONDS = 5; // that a run takes
const RATES = [-3, -2, -1, 0].flatMap((power) => [1, 1.5, 2, 3, 5, 7].map((m) => Number((m * 10 ** power).toPrecision(2)))).concat(10);
const COST_NAMES = { quadratic: { en: "quadratic", zh: "二次代价" }, crossEntropy: { en: "cross-entropy", zh: "交叉熵" } };
const ACTIVATION_NAMES = { sigmoid: "sigmoid σ", tanh: "tanh", relu: "ReLU", linear: { en: "linear", zh: "线性" } };
const NOTES = {
  output: {
    en: "Start w = b = 2.0, quadratic cost: for about 150 epochs almost nothing happens, then the output falls. From 0.6 and 0.9 it falls at once.",
    zh: "起点 w = b = 2.0、二次代价：前 150 个回合左右几乎不动，随后输出才迅速下降；从 0.6 和 0.9 出发则立刻下降。",
  },
  cost: {
    en: "Compare where the curve is steepest: with the cross-entropy at the start, where the error is largest; with the quadratic cost only later. Absolute speeds mean little, as each cost has its own learning rate η.",
    zh: "比较曲线最陡之处：交叉熵在起点最陡，那里误差最大；二次代价则要晚得多。绝对速度意义不大，因为两种代价用了不同的学习率 η。",
  },
  slope: {
    en: "The mark is this neuron. Near a = 1 the curve is flat: the slope f′(z), drawn dashed, is almost zero, and equation (55) multiplies the error by it.",
    zh: "标记处就是这个神经元。a 接近 1 时曲线很平：斜率 f′(z)（虚线）几乎为零，而方程 (55) 要把误差乘以它。",
  },
  speed: {
    en: "This times η is what changes w in an epoch. Quadratic: error × f′(z), (55), small at both ends. Cross-entropy: f′(z) has cancelled and the error alone is left, (61).",
    zh: "它乘以 η 就是每个回合中 w 的变化。二次代价：误差 × f′(z)（方程 55），两头都小；交叉熵：f′(z) 被约掉，只剩误差（方程 61）。",
  },
};

// what the page is about stays while language or colours change
let settings = { ...PRESETS[1] };
let history = [look(settings)];
let before = null; // an earlier run, to compare with

const isPreset = (preset) => Object.keys(settings).every((name) => settings[name] === preset[name]);
const nameOf = (of) => `w ${fixed(of.w, 1)}, b ${fixed(of.b, 1)}, ${t(COST_NAMES[of.cost])}, η ${of.rate}`;

function keep() {
  if (history.length > 1) before = { settings, history };
}

export function mount(root, { reducedMotion }) {
  const epochs = { label: t({ en: "epoch", zh: "回合" }), format: String };
  const output = lineChart({ title: t({ en: "Output", zh: "输出" }), note: t(NOTES.output), height: 240, x: epochs, y: { label: t({ en: "output a (target 0)", zh: "输出 a（目标 0）" }) } });
  const cost = lineChart({ title: t({ en: "Cost", zh: "代价" }), note: t(NOTES.cost), height: 240, x: epochs, y: { label: t({ en: "cost C", zh: "代价 C" }), domain: [0, null] } });
  const curve = lineChart({ title: t({ en: "Activation function and its slope", zh: "激活函数及其导数" }), note: t(NOTES.slope), height: 240,
    x: { label: t({ en: "weighted input z", zh: "带权输入 z" }), format: (z) => fixed(z, 2) }, y: { label: "f(z), f′(z)" } });
  const speed = lineChart({ title: t({ en: "Learning speed", zh: "学习速度" }), note: t(NOTES.speed), height: 240, x: epochs, y: { label: "|∂C/∂w|", domain: [0, null] } });
  const picture = h("div", {});
  const numbers = h("dl", { class: "numbers" });
  const said = h("p", { class: "note", role: "status" });
  const formulas = h("div", { class: "formula" });

  const clock = runner({
    reducedMotion,
    advance(count) {
      for (let i = 0; i < count && history.length <= settings.epochs; i += 1) {
        const { w, b } = history[history.length - 1];
        history.push(look({ ...settings, ...step({ ...settings, w, b }) }));
      }
      show();
    },
    done: () => history.length > settings.epochs,
    speed: () => settings.epochs / SECONDS,
    jump: { text: t({ en: "To the end", zh: "到最后" }), epochs: () => settings.epochs },
    reset() {
      keep();
      history = [look(settings)];
      show();
    },
  });

  function set(change) {
    clock.stop();
    keep();
    settings = { ...settings, ...change };
    if (!COSTS[settings.cost].of.includes(settings.activation)) settings.cost = "quadratic";
    history = [look(settings)];
    clock.refresh();
    fields();
    show();
  }

  // controls
  const decimals = (value) => fixed(value, 1);
  const start = { min: -4, max: 4, step: 0.1, show: decimals };
  const w = slider({ ...start, label: t({ en: "starting weight w", zh: "初始权重 w" }), value: settings.w, oninput: (value) => set({ w: value }) });
  const b = slider({ ...start, label: t({ en: "starting bias b", zh: "初始偏差 b" }), value: settings.b, oninput: (value) => set({ b: value }) });
  const rate = slider({ label: t({ en: "learning rate η", zh: "学习率 η" }), min: 0, max: RATES.length - 1, step: 1, value: RATES.indexOf(settings.rate),
    show: (i) => String(RATES[i]), oninput: (i) => set({ rate: RATES[i] }) });
  const length = slider({ label: t({ en: "epochs", zh: "回合数" }), min: 100, max: 2000, step: 100, value: settings.epochs, oninput: (value) => set({ epochs: value }) });
  const costs = choice({ label: t({ en: "cost function", zh: "代价函数" }), options: Object.entries(COST_NAMES).map(([key, name]) => [key, t(name)]), value: settings.cost, onchange: (value) => set({ cost: value }) });
  const kinds = choice({ label: t({ en: "activation function", zh: "激活函数" }), options: Object.entries(ACTIVATION_NAMES).map(([key, name]) => [key, t(name)]), value: settings.activation, onchange: (value) => set({ activation: value }) });
  const presets = PRESETS.map((preset) => h("button", { type: "button", onclick: () => set(preset) },
    h("span", {}, `w ${fixed(preset.w, 1)}, b ${fixed(preset.b, 1)}`, h("br"), t(COST_NAMES[preset.cost]))));
  const forget = h("button", { type: "button", onclick() {
    before = null;
    show();
  } }, t({ en: "Forget the earlier run", zh: "清除上一次运行" }));

  function fields() {
    w.set(settings.w);
    b.set(settings.b);
    rate.set(RATES.indexOf(settings.rate));
    length.set(settings.epochs);
    kinds.select.value = settings.activation;
    for (const option of costs.select.options) option.disabled = !COSTS[option.value].of.includes(settings.activation);
    costs.select.value = settings.cost;
    presets.forEach((button, i) => button.setAttribute("aria-pressed", isPreset(PRESETS[i])));
  }

  function show() {
    const now = history[history.length - 1];
    const epoch = history.length - 1;
    const runs = (pick, comparable = true) => [
      { name: t({ en: "this run", zh: "本次" }), index: 0, points: history.map((at, i) => [i, pick(at)]) },
      ...(before && comparable ? [{ name: nameOf(before.settings), index: 1, faint: true, points: before.history.map((at, i) => [i, pick(at)]) }] : []),
    ];
    const x = { domain: [0, Math.max(settings.epochs, before ? before.history.length - 1 : 0)] };
    output.show({ x, y: { domain: settings.activation === "sigmoid" ? [0, 1] : [] }, series: runs((at) => at.a) });
    cost.show({ x, series: runs((at) => at.cost, before?.settings.cost === settings.cost) });
    speed.show({ x, series: runs((at) => Math.abs(at.dw)) });
    curve.show(activationCurve(now));
    put(picture, drawing(now));
    const entries = [["epoch", t({ en: "epoch", zh: "回合" }), epoch], ["w", t({ en: "weight w", zh: "权重 w" }), fixed(now.w, 3)], ["b", t({ en: "bias b", zh: "偏差 b" }), fixed(now.b, 3)],
      ["z", "z = w x + b", fixed(now.z, 3)], ["a", t({ en: "output a", zh: "输出 a" }), number(now.a)], ["cost", t({ en: "cost C", zh: "代价 C" }), number(now.cost)],
      ["slope", "f′(z)", number(now.slope)], ["dw", "∂C/∂w", number(now.dw)]];
    put(numbers, entries.map(([key, name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "number", "data-value": key }, String(value)))));
    said.textContent = story(epoch, now);
    put(formulas, [COSTS[settings.cost].formula, COSTS[settings.cost].gradient, `f(z) = ${ACTIVATIONS[settings.activation].formula}`].map((line) => h("div", {}, line)));
    forget.hidden = !before;
  }

  const panel = (name, ...children) => h("section", { class: `panel ${name}` }, children);
  root.append(h("div", { class: "columns" },
    h("div", { class: "stack" },
      panel("", h("h2", {}, t({ en: "The neuron now", zh: "此刻的神经元" })),
        h("div", { class: "pairs", role: "group", "aria-label": t({ en: "the text’s four runs", zh: "原文的四次运行" }) }, presets),
        clock.element, picture, numbers, said, forget),
      panel("second", h("h2", {}, t({ en: "Other settings", zh: "其他设置" })), w.element, b.element, rate.element, length.element, costs.element, kinds.element, formulas)),
    h("div", { class: "stack" }, panel("", output.element), panel("third", cost.element)),
    h("div", { class: "stack" }, panel("third", curve.element), panel("third", speed.element))));
  fields();
  show();
  return () => clock.stop();
}

/** What the text says of this start, and what was computed here. */
function story(epoch, now) {
  const { cost, epochs } = settings;
  if (!Number.isFinite(now.a)) return t({ en: "It has diverged: the learning rate is too large.", zh: "已经发散：学习率太大。" });
  const from = fixed(history[0].a, 2);
  const here = epoch < epochs ? t({ en: `Here: ${from} at the start.`, zh: `这里：起始输出 ${from}。` })
    : t({ en: `Here: ${from} at the start, ${fixed(now.a, 2)} after ${epoch} epochs.`, zh: `这里：起始输出 ${from}，${epoch} 个回合后 ${fixed(now.a, 2)}。` });
  const published = PUBLISHED[PRESETS.findIndex(isPreset)]?.map((value) => (value === null ? null : fixed(value, 2)));
  const says = !published ? "" : published[1] === null ? t({ en: `The text: ${published[0]} at the start. `, zh: `原文：起始输出 ${published[0]}。` })
    : t({ en: `The text: ${published[0]} at the start, ${published[1]} at the end. `, zh: `原文：起始输出 ${published[0]}，最终 ${published[1]}。` });
  const slow = cost === "crossEntropy" && epoch === epochs && now.a > 0.3
    ? t({ en: " It is not there yet: η is small. More epochs show the whole curve.", zh: "还没有学完：η 很小。增加回合数可看到完整的曲线。" }) : "";
  return says + here + slow;
}

function activationCurve({ z, a, slope }) {
  const { f, slope: derivative } = ACTIVATIONS[settings.activation];
  const reach = Math.max(6, Math.ceil(Math.abs(z)) + 1);
  const zs = Array.from({ length: 121 }, (_, i) => ((i - 60) / 60) * reach);
  const near = reach / 6;
  return {
    y: { domain: settings.activation === "sigmoid" ? [0, 1] : settings.activation === "tanh" ? [-1, 1] : [] },
    series: [
      { name: "f(z)", index: 0, points: zs.map((at) => [at, f(at)]) },
      { name: t({ en: "slope f′(z)", zh: "导数 f′(z)" }), index: 1, points: zs.map((at) => [at, derivative(at)]) },
      { name: t({ en: "tangent", zh: "切线" }), index: 2, points: [[z - near, a - near * slope], [z + near, a + near * slope]] },
    ],
    marks: [{ x: z, y: a, index: 0, name: "f(z)" }, { x: z, y: slope, index: 1, name: "f′(z)" }],
  };
}

/** Input, weight, neuron and output, with their values; the arrow of a negative weight is dashed. */
function drawing({ w, b, z, a }) {
  const y = 52;
  const arrow = (x1, x2, width, dash) => s("g", { class: "tone-1" },
    s("line", { class: "wire", x1, x2: x2 - 8, y1: y, y2: y, "stroke-width": width, "stroke-dasharray": dash }),
    s("path", { class: "tip", d: `M${x2} ${y}l-10 -5v10Z` }));
  const text = (x, at, content, kind) => s("text", { x, y: at, "text-anchor": "middle", class: kind }, content);
  return s("svg", { class: "neuron", viewBox: "0 0 320 104", role: "img",
    "aria-label": t({ en: `input ${X}, weight ${fixed(w, 2)}, bias ${fixed(b, 2)}, output ${fixed(a, 3)}, target ${Y}`, zh: `输入 ${X}，权重 ${fixed(w, 2)}，偏差 ${fixed(b, 2)}，输出 ${fixed(a, 3)}，目标 ${Y}` }) },
    text(30, y + 4, `x = ${X}`), arrow(55, 123, Math.min(8, 1 + 1.5 * Math.abs(w)) || 1, w < 0 ? "5 4" : ""), text(86, y - 14, `w = ${fixed(w, 2)}`),
    s("circle", { class: "cell", cx: 160, cy: y, r: 37 }), s("circle", { class: "fill", cx: 160, cy: y, r: 37, "fill-opacity": Math.min(1, Math.abs(a)) * 0.45 || 0 }),
    text(160, y - 2, `b = ${fixed(b, 2)}`), text(160, y + 14, `z = ${fixed(z, 2)}`), arrow(199, 248, 2, ""), text(284, y + 4, `a = ${fixed(a, 3)}`, "strong"),
    text(284, y + 22, t({ en: `target ${Y}`, zh: `目标 ${Y}` })));
}
