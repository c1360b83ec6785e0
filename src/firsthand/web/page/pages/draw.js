import { model, modelChoice } from "../lib/chosen.js";
import { h, put, s } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { HEIGHT, WIDTH, blank, packed, pad, unpacked } from "../lib/pad.js";
import { photo } from "../lib/photo.js";
import { grey } from "../lib/pixels.js";
import { probabilities } from "../lib/probabilities.js";
import { because } from "../lib/reasons.js";
import * as seen from "../lib/seen.js";
import { why } from "../lib/why.js";

export const title = { en: "Draw", zh: "手写" };
export const about = {
  en: "Draw a digit, or several: the network reads at every stroke. Look at how the probabilities move, and at the 28 × 28 pixels it really sees (chapter 6, “Convolutional neural networks in practice”).",
  zh: "写一个或几个数字：每画一笔，网络就读一次。请看各概率如何变化，以及网络真正看到的 28 × 28 像素（第六章“卷积神经网络的实际应用”）。",
};

const DIGITS = [..."0123456789"];
const PAUSE = 400; // milliseconds without a stroke, after which a drawing is read carefully

export function mount(root, { api }) {
  const answer = h("output", { class: "answer", "aria-live": "polite", id: "answer" }, "–");
  const time = h("p", { class: "note", id: "time" });
  const doubt = h("p", { class: "doubt", id: "doubt", "aria-live": "polite" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const input = h("div", { class: "seen" });
  const bars = probabilities(DIGITS);
  const reasons = why(api);
  const overlay = s("svg", { class: "boxes", viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  let socket = null;
  let number = 0;
  let waiting = null; // when the drawing that is not answered yet was sent
  let stale = false;
  let pause = 0;
  let digits = [];
  let rejected = [];
  let picked = 0;

  function send(careful) {
    clearTimeout(pause);
    if (waiting !== null) {
      stale = true;
      return;
    }
    stale = false;
    if (!socket.send(packed(++number, careful))) return;
    waiting = performance.now();
    if (!careful && !blank()) pause = setTimeout(send, PAUSE, true);
  }

  function received(message) {
    if (message.type === "model") return;
    if (message.type === "error") {
      fault.textContent = message.error;
      fault.hidden = false;
    } else if (message.type === "read") {
      fault.hidden = true;
      read(message);
    }
    waiting = null;
    if (stale) send(false);
  }

  function read(message) {
    const refused = !message.digits.length && message.reason;
    const kept = refused && message.careful && digits.length > 0; // what it would be stays to be seen
    doubt.textContent = kept ? t({ en: "Read carefully, this is not a digit. If it must be one, it is this:", zh: "仔细判读，这不是数字；若一定要认作数字，则为：" })
      : refused ? t({ en: `No digit: ${message.reason}.`, zh: `没有读到数字（${because(message.reason)}）。` }) : "";
    if (kept) return;
    ({ digits, rejected } = message);
    picked = Math.min(picked, Math.max(0, digits.length - 1));
    const back = performance.now() - waiting;
    time.textContent = digits.length ? t({
      en: `read in ${message.ms.toFixed(1)} ms, there and back in ${back.toFixed(0)} ms`,
      zh: `识别用时 ${message.ms.toFixed(1)} 毫秒，往返 ${back.toFixed(0)} 毫秒` }) : "";
    show();
  }

  function show() {
    const digit = digits[picked];
    answer.textContent = digits.length ? digits.map(({ label }) => DIGITS[label]).join(" ") : "–";
    show.digit(digit ?? null);
    put(overlay, digits.length > 1 || rejected.length ? [digits.map(boxOf), rejected.map(rejectOf)] : []);
  }

  show.digit = (digit) => {
    bars.show(digit?.probabilities);
    seen.set(digit);
    put(input, digit
      ? grey(digit.pixels, digit.shape, { "aria-label": t({ en: "What the network sees", zh: "网络看到的图像" }) })
      : h("p", { class: "note" }, t({ en: "Nothing is drawn yet.", zh: "还没有内容。" })));
    reasons.show(digit);
  };

  const around = ([left, top, right, bottom]) => s("rect", { x: left - 6, y: top - 6, width: right - left + 12, height: bottom - top + 12, rx: 6 });

  function boxOf(digit, i) {
    const [left, top, right, bottom] = unpacked(digit.box);
    const name = `${DIGITS[digit.label]}: ${(100 * digit.probabilities[digit.label]).toFixed(1)} %`;
    const pick = () => {
      picked = i;
      show();
    };
    return s("g", { class: i === picked ? "box picked" : "box", tabindex: 0, role: "button", "aria-label": name, onclick: pick,
      onkeydown: (event) => (event.key === "Enter" || event.key === " ") && pick() },
      s("title", {}, name), around([left, top, right, bottom]),
      s("text", { x: left - 4, y: top < 24 ? bottom + 24 : top - 10 }, DIGITS[digit.label]));
  }

  const rejectOf = ({ box, reason }) => s("g", { class: "box rejected" }, s("title", {}, because(reason)), around(unpacked(box)));

  const drawing = pad({ onchange: () => send(false) });
  drawing.surface.append(overlay);
  const picture = photo(api, (digit) => {
    answer.textContent = digit ? DIGITS[digit.label] : "–";
    time.textContent = doubt.textContent = "";
    show.digit(digit);
  });
  const choose = () => {
    socket.send({ type: "model", model: model() });
    if (!blank()) send(false);
    picture.again();
    reasons.refresh();
  };
  put(root, h("div", { class: "columns" },
    h("section", { class: "panel drawing" }, drawing.element, fault, picture.element),
    h("section", { class: "panel" },
      h("h2", {}, t({ en: "Reading", zh: "识别结果" })), doubt, answer, time, bars.element),
    h("section", { class: "panel" },
      h("h2", {}, t({ en: "What the network sees", zh: "网络看到的图像" })), input,
      h("p", { class: "note" }, t({
        en: "Normalised as MNIST’s digits were: the longer side 20 pixels, the centre of mass in the middle of 28 × 28.",
        zh: "按 MNIST 的方式归一化：长边缩放为 20 像素，质心置于 28 × 28 图像的中央。" })),
      modelChoice(choose)),
    reasons.element));
  socket = api.live("live", {
    onmessage: received,
    onopen: () => {
      waiting = null;
      choose();
    },
    onlost: () => {
      fault.textContent = t({ en: "The lab’s server does not answer; trying again …", zh: "实验室服务器没有响应，正在重试……" });
      fault.hidden = false;
    },
  });
  show();
  return () => {
    clearTimeout(pause);
    socket.close();
    drawing.end();
    picture.end();
    reasons.end();
  };
}
