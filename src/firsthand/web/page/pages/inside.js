import { showArithmetic, showPooling } from "../lib/arithmetic.js";
import { model, modelChoice } from "../lib/chosen.js";
import { h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { frameField, layers } from "../lib/layers.js";
import { grey } from "../lib/pixels.js";
import * as seen from "../lib/seen.js";

export const title = { en: "Inside", zh: "内部" };
export const about = {
  en: "The network as a picture, for your last drawing: point at any unit to see what part of the image it sees, and its arithmetic. Look at how the first filters find edges, and how little of the image is left in the later layers (chapter 6, “Introducing convolutional networks”).",
  zh: "以图像展示网络如何处理您最后画的数字：指向任一神经元，可看到它的局部感受野和它的算式。请看最初的滤波器如何找出边缘，以及后面的层中图像还剩下多少（第六章“介绍卷积网络”）。",
};

let example = null; // a test image, where nothing was drawn or another was asked for

export function mount(root, { api }) {
  const image = h("div", { class: "map-stage input" });
  const says = h("p", { class: "note" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const sum = h("div", { class: "arithmetic", "aria-live": "polite" }, h("p", { class: "note" }, t({ en: "Point at a unit, or reach one with Tab and the arrow keys.", zh: "用鼠标指向一个神经元，或用 Tab 和方向键选择。" })));
  const pooling = h("div", {});
  const field = h("span", { class: "field-mark", hidden: true });
  const network = layers(point);
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
    network.element));
  if (seen.get()) example = null;
  look();
  return () => (ended = true);
}
