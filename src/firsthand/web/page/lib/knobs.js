// The settings of a training as sliders and choices.

import { choice, h, slider } from "./dom.js";
import { t } from "./i18n.js";

const EXAMPLES = [100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
const EPOCHS = [1, 2, 3, 5, 10, 20, 30, 60, 100, 200, 400];
const RATES = [0.001, 0.003, 0.005, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 30];
const STRENGTHS = [0, 0.01, 0.03, 0.1, 0.3, 1, 3, 5, 10, 30, 100];
const UNITS = [5, 10, 20, 30, 50, 100, 200, 300, 500, 800, 1000];
const BATCHES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** A slider over the values of a list. */
function stepped({ label, values, value, show = (v) => v.toLocaleString("en"), onchange }) {
  const at = values.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(values[best] - value) ? i : best), 0);
  return slider({ label, min: 0, max: values.length - 1, step: 1, value: at, show: (i) => show(values[i]), oninput: (i) => onchange(values[i]) }).element;
}

const WORDS = {
  sigmoid: "sigmoid", tanh: "tanh", relu: "ReLU",
  "quadratic": { en: "quadratic (sigmoid outputs)", zh: "二次代价（sigmoid输出）" },
  "cross-entropy": { en: "cross-entropy (sigmoid outputs)", zh: "交叉熵（sigmoid输出）" },
  "log-likelihood": { en: "log-likelihood (softmax outputs)", zh: "对数似然（softmax输出）" },
  scaled: "N(0, 1/n_in)", large: "N(0, 1)", he: "N(0, 2/n_in)", network2: "N(0, 1/n_in); b: N(0, 1)",
  none: { en: "none", zh: "无" }, l2: "L2", l1: "L1",
};

/** All knobs for some settings; `onchange(settings)` gets a new object. */
export function knobs(settings, onchange) {
  const change = (field) => (value) => {
    settings = { ...settings, [field]: value };
    onchange(settings);
  };
  const pick = (field, label, names) => choice({ label, options: names.map((name) => [name, t(WORDS[name])]), value: settings[field], onchange: change(field) }).element;
  const step = (field, label, values, show) => stepped({ label, values, value: settings[field], show, onchange: change(field) });
  let units = settings.hidden[0] ?? 30;
  let layers = settings.hidden.length;
  const hidden = () => change("hidden")(Array(layers).fill(units));
  const group = (legend, ...children) => h("fieldset", {}, h("legend", {}, legend), children);
  return h("div", { class: "knobs" },
    group(t({ en: "Network", zh: "网络" }),
      slider({ label: t({ en: "Convolutional layers (5 × 5, pooling 2 × 2)", zh: "卷积层（5 × 5，混合 2 × 2）" }), min: 0, max: 2, step: 1, value: settings.convolutions, oninput: change("convolutions") }).element,
      slider({ label: t({ en: "Fully connected hidden layers", zh: "全连接隐藏层" }), min: 0, max: 5, step: 1, value: layers, oninput: (n) => { layers = n; hidden(); } }).element,
      stepped({ label: t({ en: "Units in each", zh: "每层神经元" }), values: UNITS, value: units, onchange: (n) => { units = n; hidden(); } }),
      pick("activation", t({ en: "Activation", zh: "激活函数" }), ["sigmoid", "tanh", "relu"]),
      pick("initialization", t({ en: "Weights start as", zh: "权重初始化" }), ["scaled", "large", "network2", "he"])),
    group(t({ en: "Learning", zh: "学习" }),
      pick("cost", t({ en: "Cost", zh: "代价函数" }), ["quadratic", "cross-entropy", "log-likelihood"]),
      step("learning_rate", t({ en: "Learning rate η", zh: "学习率 η" }), RATES, String),
      slider({ label: t({ en: "Momentum μ", zh: "动量 μ" }), min: 0, max: 0.95, step: 0.05, value: settings.momentum, show: (v) => v.toFixed(2), oninput: change("momentum") }).element,
      step("batch_size", t({ en: "Mini-batch", zh: "小批量" }), BATCHES),
      step("examples", t({ en: "Training images", zh: "训练图像" }), EXAMPLES),
      step("epochs", t({ en: "Epochs", zh: "回合" }), EPOCHS)),
    group(t({ en: "Against overfitting", zh: "防止过度拟合" }),
      pick("regularization", t({ en: "Regularization", zh: "规范化" }), ["none", "l2", "l1"]),
      step("strength", t({ en: "λ (divided by the number of images)", zh: "λ（除以图像数）" }), STRENGTHS, String),
      slider({ label: t({ en: "Dropout", zh: "弃权（dropout）" }), min: 0, max: 0.9, step: 0.1, value: settings.dropout, show: (v) => `${Math.round(100 * v)} %`, oninput: change("dropout") }).element));
}

/** Settings in a few words, for lists and legends. */
export function described(settings) {
  const net = [...[20, 40].slice(0, settings.convolutions).map((n) => `conv ${n}`), ...settings.hidden, 10].join("–");
  const more = [
    settings.activation,
    { quadratic: t({ en: "quadratic", zh: "二次" }), "cross-entropy": t({ en: "cross-entropy", zh: "交叉熵" }), "log-likelihood": "softmax" }[settings.cost],
    settings.initialization === "large" ? "N(0, 1)" : null,
    `η ${settings.learning_rate}`,
    settings.momentum ? `μ ${settings.momentum}` : null,
    settings.regularization === "none" || !settings.strength ? null : `${settings.regularization.toUpperCase()} λ ${settings.strength}`,
    settings.dropout ? `dropout ${settings.dropout}` : null,
    settings.batch_size === 10 ? null : t({ en: `batches of ${settings.batch_size}`, zh: `小批量 ${settings.batch_size}` }),
    t({ en: `${settings.examples.toLocaleString("en")} images`, zh: `${settings.examples} 幅图像` }),
  ];
  return `${net}, ${more.filter(Boolean).join(", ")}`;
}
