import { showArithmetic, showPooling } from "../lib/arithmetic.js";
import { model, modelChoice } from "../lib/chosen.js";
import { h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { frameField, layers } from "../lib/layers.js";
import { inTime } from "../lib/intime.js";
import { grey } from "../lib/pixels.js";
import * as seen from "../lib/seen.js";
import { textModel, textModelChoice } from "../lib/textmodel.js";

export const title = { en: "Inside", zh: "内部" };
export const about = {
  en: "The network as a picture, for your last drawing: point at any unit to see what part of the image it sees, and its arithmetic. Look at how the first filters find edges, and how little of the image is left in the later layers (chapter 6, “Introducing convolutional networks”). A network with a memory is unrolled in time: does the gradient vanish on its way back, as in chapter 5 from layer to layer?",
  zh: "以图像展示网络如何处理您最后画的数字：指向任一神经元，可看到它的局部感受野和它的算式。请看最初的滤波器如何找出边缘，以及后面的层中图像还剩下多少（第六章“介绍卷积网络”）。有记忆的网络会沿时间展开：梯度往回传时是否会像第五章中逐层那样消失？",
};

const LONGEST = 129; // of a text

let example = null; // a test image, where nothing was drawn or another was asked for
let kind = "image"; // or "text": what the network reads
let sentence = "To be, or not to be: that is the question";

export function mount(root, context) {
  let end = () => {};
  const place = h("div", {});
  const kinds = { image: { en: "an image", zh: "图像" }, text: { en: "a text", zh: "文本" } };
  const buttons = Object.entries(kinds).map(([name, text]) => h("button", { type: "button", id: `of-${name}`, onclick: () => show(name) }, t(text)));
  function show(name) {
    end();
    kind = name;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.id === `of-${kind}`)));
    put(place);
    end = (kind === "image" ? ofImage : ofText)(place, context);
  }
  put(root, h("div", { class: "row", role: "group", "aria-label": t({ en: "What the network reads", zh: "网络读什么" }) }, h("span", {}, t({ en: "A network that reads", zh: "网络读的是" })), buttons), place);
  show(kind);
  return () => end();
}

/** A language model, unrolled over a text. */
function ofText(root, { api }) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const unrolled = inTime();
  unrolled.show(null);
  const busy = h("p", { class: "note", role: "status" }, t({ en: "Computing …", zh: "正在计算……" }));
  let timer = 0;
  let number = 0;
  let ended = false;
  async function look() {
    const mine = ++number;
    busy.hidden = false;
    try {
      const found = await api.post("text/inside", { model: textModel(), text: sentence });
      if (ended || mine !== number) return;
      fault.hidden = true;
      unrolled.show(found);
    } catch (error) {
      if (ended || mine !== number) return;
      fault.textContent = error.message;
      fault.hidden = false;
      unrolled.show(null);
    }
    busy.hidden = true;
  }
  const area = h("textarea", { id: "sentence", rows: 4, spellcheck: "false", "aria-label": t({ en: "The text", zh: "文本" }), oninput: () => {
    sentence = area.value;
    clearTimeout(timer);
    timer = setTimeout(look, 400);
  } });
  area.value = sentence;
  put(root, h("div", { class: "inside" },
    h("aside", { class: "panel" }, h("h2", {}, t({ en: "Input", zh: "输入" })), area,
      h("p", { class: "note" }, t({ en: `2 to ${LONGEST} letters. The cost is that of the last one: how much does the network's surprise at it hang on each of those before?`, zh: `2 至 ${LONGEST} 个字母。代价是最后一个字母的代价：网络对它的意外程度，在多大程度上取决于前面的各个字母？` })),
      textModelChoice(look), busy, fault),
    h("div", { class: "layers" }, unrolled.element)));
  look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** A network that reads images, for the last drawing. */
function ofImage(root, { api }) {
  const image = h("div", { class: "map-stage input" });
  const says = h("p", { class: "note" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const sum = h("div", { class: "arithmetic", "aria-live": "polite" }, h("p", { class: "note" }, t({ en: "Point at a unit, or reach one with Tab and the arrow keys.", zh: "用鼠标指向一个神经元，或用 Tab 和方向键选择。" })));
  const pooling = h("div", {});
  const field = h("span", { class: "field-mark", hidden: true });
  const network = layers(point);
  const unrolled = inTime();
  unrolled.show(null);
  let shape = [28, 28];
  let found = null; // the layers
  let wanted = null;
  let asking = false;
  let pooled = ""; // the channel whose pooling is shown
  let ended = false;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };
  const digit = () => example ?? seen.get();
  const question = (more) => ({ model: model(), pixels: digit().pixels, ...more });

  async function look() {
    try {
      if (!digit()) await another();
      if (ended) return;
      shape = digit().shape;
      field.hidden = true;
      put(image, grey(digit().pixels, shape, { "aria-label": t({ en: "What the network sees", zh: "网络看到的图像" }) }), field);
      says.textContent = example
        ? t({ en: `Test image ${example.index}, a ${example.label}.`, zh: `测试图像 ${example.index}，数字 ${example.label}。` })
        : t({ en: "Your last drawing.", zh: "您最后画的数字。" });
      found = await api.post("inside", question());
      if (ended) return;
      network.show(found);
      pooled = "";
      say(null);
      const memory = found.layers.some(({ remembers }) => remembers) ? await api.post("inside/time", question()) : null;
      if (!ended) unrolled.show(memory);
    } catch (error) {
      if (!ended) say(error);
    }
  }

  async function another() {
    example = await api.get(`examples/${Math.floor(Math.random() * 10000)}`);
  }

  // of the units that are passed only the last is asked for
  function point(unit) {
    network.mark(unit);
    wanted = unit;
    if (!asking) ask();
  }

  async function ask() {
    asking = true;
    while (wanted && !ended) {
      const unit = wanted;
      wanted = null;
      try {
        const answer = await api.post("inside/unit", question(unit));
        if (ended) break;
        showArithmetic(sum, unit, answer);
        frameField(field, answer.field, shape);
        const channel = `${unit.layer} ${unit.unit[2]}`;
        if (!found.layers[unit.layer - 1].pools) put(pooling);
        else if (channel !== pooled || !pooling.firstChild) {
          const map = await api.post("inside/pooling", question({ layer: unit.layer, channel: unit.unit[2] }));
          if (ended) break;
          showPooling(pooling, map);
        }
        pooled = channel;
      } catch (error) {
        if (!ended) say(error);
      }
    }
    asking = false;
  }

  const buttons = h("div", { class: "row" },
    h("button", { id: "another", onclick: () => another().then(look, say) }, t({ en: "A test digit", zh: "取一个测试数字" })),
    seen.get() ? h("button", { onclick: () => { example = null; look(); } }, t({ en: "My drawing", zh: "我画的数字" })) : null,
    h("a", { class: "button", href: "#/draw" }, t({ en: "Draw", zh: "去手写" })));
  put(root, h("div", { class: "inside" },
    h("aside", { class: "panel" },
      h("h2", {}, t({ en: "Input", zh: "输入" })), image, says, buttons, modelChoice(look), fault,
      h("h2", {}, t({ en: "One unit", zh: "一个神经元" })), sum, pooling),
    h("div", { class: "layers" }, unrolled.element, network.element)));
  if (seen.get()) example = null;
  look();
  return () => (ended = true);
}
