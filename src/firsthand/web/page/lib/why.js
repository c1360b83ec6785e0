// Why a digit was read so: what it hangs on, and which training digits the network takes for alike.

import { bytes } from "./api.js";
import { heatMap } from "./charts.js";
import { model } from "./chosen.js";
import { h, put } from "./dom.js";
import { t } from "./i18n.js";
import { numbers, rows } from "./numbers.js";
import { grey } from "./pixels.js";

const PAUSE = 350; // milliseconds without a stroke
let open = false;

/** {element, show(digit or null), end()}. */
export function why(api) {
  const axes = { x: { label: t({ en: "column", zh: "列" }) }, y: { label: t({ en: "row", zh: "行" }) } };
  const saliency = heatMap({ ...axes, square: true, title: t({ en: "Saliency", zh: "显著性" }),
    note: t({ en: "|∂z/∂x|: how much the weighted input of the digit named would move with each pixel. It is large at the edges of the strokes, and where a stroke is missing for another digit.", zh: "|∂z/∂x|：每个像素的微小变化使所识别数字的带权输入变化多少。笔画边缘处，以及“再加一笔就成了别的数字”之处较大。" }) });
  const occlusion = heatMap({ ...axes, square: true, title: t({ en: "Occlusion", zh: "遮挡" }),
    note: t({ en: "Fall of the digit’s weighted input z when 5 × 5 pixels are covered: warm where the reading hangs on them, cool where it becomes surer without them.", zh: "遮住 5 × 5 像素后该数字带权输入 z 的下降：暖色处是识别的依据，冷色处遮住后反而更确定。" }) });
  const alike = h("div", { class: "alike" });
  const compared = h("p", { class: "note" });
  const state = h("p", { class: "note", "aria-live": "polite" });
  const body = h("div", { class: "columns three" },
    h("div", {}, saliency.element), h("div", {}, occlusion.element),
    h("div", {}, h("h3", {}, t({ en: "Nearest training digits", zh: "最相近的训练数字" })), alike, compared,
      h("p", { class: "note" }, t({ en: "Nearest in the last hidden layer, with its distance: the images that the network considers alike, whatever their pixels (review, “Distributed representations”).", zh: "在最后一个隐藏层中距离最近的训练图像（附距离）：网络认为相似的，而不一定像素相近（综述“分布式表示”）。" }))));
  const button = h("button", { id: "why", "aria-expanded": "false", onclick: () => toggle(!open) }, t({ en: "Why?", zh: "为什么？" }));
  let digit = null;
  let timer = 0;
  let asked = 0;

  function toggle(to) {
    open = to;
    button.setAttribute("aria-expanded", open);
    button.setAttribute("aria-pressed", open);
    body.hidden = !open || !digit;
    schedule(0);
  }

  function schedule(wait) {
    clearTimeout(timer);
    const number = ++asked; // what is under way is of another drawing
    body.hidden = !open || !digit;
    state.textContent = open && !digit ? t({ en: "Draw something first.", zh: "请先写一个数字。" }) : "";
    if (open && digit) timer = setTimeout(ask, wait, number, digit);
  }

  async function ask(number, { pixels, shape }) {
    const question = { model: model(), pixels };
    const late = () => number !== asked;
    const failed = (error) => !late() && (state.textContent = error.message);
    compared.textContent = "";
    put(alike, h("p", { class: "note" }, t({ en: "Comparing with the training images …", zh: "正在与训练图像比较……" })));
    const drawing = bytes(pixels);
    const under = Array.from({ length: shape[0] }, (_, i) => Array.from(drawing.subarray(i * shape[1], (i + 1) * shape[1]), (v) => v / 255));
    await api.post("why", question).then((found) => {
      if (late()) return;
      saliency.show({ values: rows(numbers(found.saliency)), colours: "warm", under });
      occlusion.show({ values: rows(numbers(found.occlusion)), colours: "diverging", under });
    }, failed);
    if (late()) return;
    await api.post("neighbours", question).then(({ neighbours, among }) => {
      if (late()) return;
      compared.textContent = among ? t({ en: `Of the first ${among.toLocaleString("en")} training images.`, zh: `在前 ${among} 幅训练图像中。` }) : "";
      put(alike, among ? neighbours.map(({ index, label, distance, pixels: theirs }) => {
        const text = t({ en: `training image ${index}, a ${label}, at distance ${distance.toFixed(2)}`, zh: `训练图像 ${index}，数字 ${label}，距离 ${distance.toFixed(2)}` });
        return h("figure", { title: text, tabindex: 0 }, grey(theirs, shape, { "aria-label": text }), h("figcaption", {}, `${label} · ${distance.toFixed(1)}`));
      }) : h("p", { class: "note" }, t({ en: "This model was not trained on MNIST.", zh: "该模型不是用 MNIST 训练的。" })));
    }, failed);
  }

  const element = h("section", { class: "panel wide" }, h("div", { class: "row" }, button, state), body);
  toggle(open);
  return {
    element,
    show(found) {
      if (found?.pixels === digit?.pixels) return;
      digit = found;
      schedule(PAUSE);
    },
    refresh: () => schedule(0),
    end: () => {
      clearTimeout(timer);
      asked++;
    },
  };
}
