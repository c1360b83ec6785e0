import { model, modelChoice } from "../lib/chosen.js";
import { choice, h, put, slider } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { numbers, picture, rows } from "../lib/numbers.js";
import { blank, packed, pad } from "../lib/pad.js";
import { grey } from "../lib/pixels.js";
import { probabilities } from "../lib/probabilities.js";
import { fixed } from "../lib/scale.js";
import * as seen from "../lib/seen.js";

export const title = { en: "Fool it", zh: "骗过它" };
export const about = {
  en: "Draw a digit and pull epsilon: every pixel moves by that much, up or down, in the direction that hurts the network most. Look at how little it takes, and that random noise of the same size does nothing (chapter 6, “Recent progress in image recognition”).",
  zh: "写一个数字，再拉动 epsilon：每个像素都按最不利于网络的方向增减同样多。请看只需多小的改变，而同样大小的随机噪声不起作用（第六章“图像识别领域中的近期进展”）。",
};

const DIGITS = [..."0123456789"];
const WAYS = {
  sign: { en: "one step along the sign of the gradient", zh: "沿梯度符号走一步" },
  steps: { en: "ten small steps", zh: "走十小步" },
  noise: { en: "random noise", zh: "随机噪声" },
};
const REACH = 0.3; // of the difference, that has the full colour
let epsilon = 0.1;
let way = "sign";
let example = null; // a test image, where nothing was drawn or another was asked for

export function mount(root, { api }) {
  const pictures = h("div", { class: "triptych" });
  const verdict = h("p", { class: "verdict-line", id: "fooled", "aria-live": "polite" }, "–");
  const about = h("p", { class: "note", id: "change" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const bars = probabilities(DIGITS);
  let number = 0;
  let asking = false;
  let stale = false;
  let ended = false;
  let socket = null;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };
  const digit = () => example ?? seen.get();

  // of the values that the slider passes only the last is asked for
  async function look() {
    stale = true;
    if (asking) return;
    asking = true;
    while (stale && !ended) {
      stale = false;
      try {
        if (!digit()) await another();
        if (ended) break;
        const found = await api.post("fool", { model: model(), pixels: digit().pixels, epsilon, way });
        if (!ended && !stale) show(found);
        say(null);
      } catch (error) {
        if (!ended) say(error);
      }
    }
    asking = false;
  }

  async function smallest(event) {
    const button = event.currentTarget;
    button.disabled = true;
    put(about, t({ en: "Searching …", zh: "正在搜索……" }));
    try {
      const found = await api.post("fool/smallest", { model: model(), pixels: digit().pixels });
      if (!ended) show(found, true);
      say(null);
    } catch (error) {
      if (!ended) say(error);
    }
    button.disabled = false;
  }

  async function another() {
    example = await api.get(`examples/${Math.floor(Math.random() * 10000)}`);
  }

  function show(found, least = false) {
    const { before, after, label, called } = found;
    const shape = digit().shape;
    const table = rows(numbers(found.difference));
    put(pictures,
      [[t({ en: "the image", zh: "原图" }), grey(digit().pixels, shape, { "aria-label": t({ en: "the image", zh: "原图" }) })],
        [t({ en: "the difference", zh: "差异" }), picture(table, { colours: "diverging", scale: REACH, "aria-label": t({ en: "the difference: warm is more ink, cool is less", zh: "差异：暖色为增加，冷色为减少" }) })],
        [t({ en: "the changed one", zh: "改变后" }), grey(found.pixels, shape, { "aria-label": t({ en: "the changed image", zh: "改变后的图像" }) })],
      ].map(([name, canvas]) => h("figure", {}, canvas, h("figcaption", {}, name))));
    const was = `${DIGITS[label]} (${fixed(100 * before[label], 1)} %)`;
    const now = `${DIGITS[called]} (${fixed(100 * after[called], 1)} %)`;
    put(verdict, called === label
      ? t({ en: `${was} stays ${now}.`, zh: `${was}，改变后仍是 ${now}。` })
      : t({ en: `Fooled: ${was} is now ${now}.`, zh: `骗过了：原来是 ${was}，现在是 ${now}。` }));
    verdict.classList.toggle("is-fooled", called !== label);
    put(about, least
      ? t({ en: `The smallest change that was found: root mean square ${fixed(found.distortion, 3)} of the range from black to white.`, zh: `找到的最小改变：均方根为黑白范围的 ${fixed(found.distortion, 3)}。` })
      : t({ en: `Root mean square of the change: ${fixed(found.distortion, 3)}; pixels that would leave the range are cut off.`, zh: `改变的均方根：${fixed(found.distortion, 3)}；超出范围的像素被截断。` }));
    bars.show(after);
  }

  const pull = slider({ label: "epsilon", min: 0, max: 0.5, step: 0.01, value: epsilon, show: (v) => fixed(v, 2),
    oninput: (value) => {
      epsilon = value;
      look();
    } });
  const ways = choice({ label: t({ en: "How", zh: "方式" }), value: way,
    options: Object.entries(WAYS).map(([key, text]) => [key, t(text)]),
    onchange: (value) => {
      way = value;
      look();
    } });
  const drawing = pad({ onchange: () => socket.send(packed(++number, false)) });
  const read = (message) => {
    if (message.type === "error") say(new Error(message.error));
    if (message.type !== "read" || message.number !== number || !message.digits.length) return;
    example = null;
    seen.set(message.digits[0]);
    look();
  };
  const choose = () => {
    socket.send({ type: "model", model: model() });
    look();
  };
  put(root, h("div", { class: "columns" },
    h("section", { class: "panel drawing" }, drawing.element,
      h("div", { class: "row" },
        h("button", { id: "another", onclick: () => another().then(look, say) }, t({ en: "A test digit", zh: "取一个测试数字" })),
        h("button", { id: "smallest", onclick: smallest }, t({ en: "Find the smallest change", zh: "求最小的改变" }))),
      modelChoice(choose), fault),
    h("section", { class: "panel" }, h("h2", {}, t({ en: "Pull", zh: "拉动" })), pull.element, ways.element, pictures, verdict, about),
    h("section", { class: "panel" }, h("h2", {}, t({ en: "What it says of the changed one", zh: "网络如何看改变后的图像" })), bars.element)));
  if (seen.get() && !blank()) example = null;
  socket = api.live("live", { onmessage: read, onopen: () => socket.send({ type: "model", model: model() }) });
  look();
  return () => {
    ended = true;
    socket.close();
    drawing.end();
  };
}
