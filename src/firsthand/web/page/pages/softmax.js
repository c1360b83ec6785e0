// Four weighted inputs and the softmax of them: the sliders of Nielsen's chapter 3.

import { barChart, heatMap, lineChart } from "../lib/charts.js";
import { h, put, slider } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { fixed, number } from "../lib/scale.js";
import { PRESETS, sigmoid, slopes, softmax } from "../lib/softmax.js";

export const title = { en: "Softmax", zh: "Softmax" };
export const about = {
  en: "Raise one weighted input z: its own activation grows, every other one shrinks, and together they stay 1. (Nielsen, chapter 3, “Softmax”)",
  zh: "调高一个带权输入 z：它自己的激活值增大，其余的全都减小，而总和始终为 1。（Nielsen 第三章“Softmax”）",
};

const REACH = 5; // of the sliders, either way
const SUB = ["₁", "₂", "₃", "₄"];
const NOTES = {
  bars: {
    en: "The dashed outline is what it was before the last change: what one bar gained, the others lost, (79). Make c larger and the largest takes all: a maximum, softened. (Problem after equation (82))",
    zh: "虚线框是上一次改动之前的值：一个增加多少，其余就共减少多少（方程 79）。增大 c，最大者独占一切：softmax 正是“软化的最大值”。（方程 82 之后的问题）",
  },
  curves: {
    en: "All four while one z moves and the others stay: one curve rises everywhere, three fall everywhere. (Exercise on monotonicity)",
    zh: "只移动一个 z、其余不动时的四条曲线：一条处处上升，三条处处下降。（“softmax 的单调性”练习）",
  },
  slopes: {
    en: "Row j, column k: how aⱼ answers to zₖ. The diagonal is positive, all else negative, and nothing is zero: every output depends on every input. (Exercises on monotonicity and on non-locality)",
    zh: "第 j 行第 k 列：aⱼ 对 zₖ 的反应。对角线为正，其余为负，没有一个为零：每个输出都依赖所有输入。（“单调性”和“非局部性”练习）",
  },
  sigmoid: {
    en: "The same z through sigmoid neurons: each looks at its own z only, and the sum may be anything from 0 to 4. (Exercise before monotonicity)",
    zh: "同样的 z 经过 sigmoid 神经元：各看各的 z，总和可以是 0 到 4 之间的任何数。（单调性练习之前的练习）",
  },
};
const three = (value) => fixed(value, 3);
const small = (value) => (Math.abs(value) < 5e-4 ? number(value, 1) : three(value)); // nothing there is zero

let z = [...PRESETS[0].z];
let c = 1;
let before = null; // activations before the last change
let moved = 3; // which z moved last: the one that the curves are drawn over
let touched = null; // the slider that is being moved; another one makes a new 'before'

export function mount(root) {
  const unit = { label: t({ en: "output neuron j", zh: "输出神经元 j" }) };
  const bars = barChart({ title: t({ en: "Activations", zh: "激活值" }), note: t(NOTES.bars), x: unit, y: { label: t({ en: "aⱼ = e^(c zⱼ) / Σₖ e^(c zₖ)", zh: "aⱼ = e^(c zⱼ) / Σₖ e^(c zₖ)" }), domain: [0, 1] } });
  const curves = lineChart({ title: t({ en: "One input moves", zh: "移动一个输入" }), note: t(NOTES.curves), x: {}, y: { label: t({ en: "activations aⱼ", zh: "激活值 aⱼ" }), domain: [0, 1], format: three } });
  const matrix = heatMap({ title: t({ en: "Who answers to whom: ∂aⱼ/∂zₖ", zh: "谁影响谁：∂aⱼ/∂zₖ" }), note: t(NOTES.slopes), x: { label: t({ en: "input k", zh: "输入 k" }) }, y: { label: t({ en: "output j", zh: "输出 j" }) } });
  const others = barChart({ title: t({ en: "Sigmoid neurons instead", zh: "换成 sigmoid 神经元" }), note: t(NOTES.sigmoid), x: unit, y: { label: "σ(zⱼ)", domain: [0, 1] } });
  const sum = h("p", { class: "number", "data-value": "sum" });
  const sigmoidSum = h("p", { class: "number" });
  const said = h("p", { class: "note", role: "status" });

  function change(name, action) {
    if (name === null || touched !== name) before = softmax(z, c);
    touched = name;
    action();
    show();
  }

  const inputs = z.map((value, i) => slider({ label: `z${SUB[i]}`, min: -REACH, max: REACH, step: 0.1, value, show: (v) => fixed(v, 1),
    oninput: (to) => change(`z${i}`, () => {
      z = z.with(i, to);
      moved = i;
    }) }));
  const sharpness = slider({ label: t({ en: "c in e^(c z), 1 is softmax", zh: "e^(c z) 中的 c，1 即 softmax" }), min: 0.1, max: 20, step: 0.1, value: c, show: (v) => fixed(v, 1), oninput: (to) => change("c", () => { c = to; }) });
  const set = (to, sharp = c) => change(null, () => {
    z = to;
    c = sharp;
    inputs.forEach((input, i) => input.set(z[i]));
    sharpness.set(c);
  });
  const presets = PRESETS.map((preset) => h("button", { type: "button", onclick() {
    moved = 3;
    set([...preset.z], 1);
  } }, `z₄ = ${preset.z[3]}`));
  // all inputs a little higher: nothing changes (the problem on inverting softmax)
  const lift = h("button", { type: "button", onclick: () => set(z.map((value) => Math.min(REACH, Math.round(10 * value + 5) / 10))) }, t({ en: "all z + 0.5", zh: "所有 z + 0.5" }));

  function show() {
    const a = softmax(z, c);
    const largest = a.indexOf(Math.max(...a));
    bars.show({ bars: a.map((value, j) => ({ label: j + 1, value, before: before?.[j], index: j, strong: j === largest })) });
    const grid = Array.from({ length: 101 }, (_, i) => -REACH + (2 * REACH * i) / 100);
    curves.show({
      x: { label: `z${SUB[moved]}`, format: (v) => fixed(v, 1) },
      series: a.map((_, j) => ({ name: `a${SUB[j]}`, points: grid.map((at) => [at, softmax(z.with(moved, at), c)[j]]) })),
      marks: a.map((value, j) => ({ x: z[moved], y: value, index: j, name: `a${SUB[j]}` })),
    });
    matrix.show({ values: slopes(z, c), colours: "diverging", text: true, format: small, columns: [1, 2, 3, 4], rows: [1, 2, 3, 4] });
    const s = z.map(sigmoid);
    others.show({ bars: s.map((value, j) => ({ label: j + 1, value, index: j })) });
    sum.textContent = `${a.map(three).join(" + ")} = ${three(a.reduce((x, y) => x + y))}`;
    sigmoidSum.textContent = `${s.map(three).join(" + ")} = ${three(s.reduce((x, y) => x + y))}`;
    const preset = c === 1 && PRESETS.find((one) => one.z.every((value, i) => value === z[i]));
    presets.forEach((button, i) => button.setAttribute("aria-pressed", PRESETS[i] === preset));
    lift.disabled = z.some((value) => value > REACH - 0.5); // the others would be lifted by more
    said.textContent = preset ? t({ en: `The text: ${preset.published.map(three).join(", ")}.`, zh: `原文：${preset.published.map(three).join("、")}。` }) : "";
  }

  const panel = (name, ...children) => h("section", { class: `panel ${name}` }, children);
  const stack = (...panels) => h("div", { class: "stack" }, panels);
  put(root, h("div", { class: "columns" },
    stack(panel("", h("h2", {}, t({ en: "Weighted inputs", zh: "带权输入" })),
      h("div", { class: "row", role: "group", "aria-label": t({ en: "the text’s three rows", zh: "原文的三组数值" }) }, presets, lift),
      inputs.map((input) => input.element), sharpness.element, h("h3", {}, t({ en: "Sum of the activations", zh: "激活值之和" })), sum, said),
      panel("third", others.element, sigmoidSum)),
    stack(panel("", bars.element), panel("second", matrix.element)),
    stack(panel("", curves.element))));
  show();
  return () => {};
}
