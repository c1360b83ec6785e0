// A photo that is dropped, pasted or chosen: read by the page reader, and shown with a box for each digit.

import { model } from "./chosen.js";
import { h, put, s } from "./dom.js";
import { t } from "./i18n.js";
import { because } from "./reasons.js";

const MOST = 20 * 2 ** 20; // bytes that the server takes

/** {element, again(), end()}; `onpick(digit or null)` is called with the digit that is looked at. */
export function photo(api, onpick) {
  const file = h("input", { type: "file", id: "photo", accept: "image/*", class: "file", onchange: () => file.files[0] && read(file.files[0]) });
  const found = h("div", { "aria-live": "polite", id: "photo-answer" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const zone = h("div", { class: "drop" },
    h("label", { class: "button" }, file, t({ en: "Read a photo", zh: "识别照片" })),
    h("span", { class: "note" }, t({ en: "or drop one anywhere on this page, or paste it", zh: "也可以把照片拖放到本页任意处，或粘贴" })));
  const element = h("div", { class: "photo" }, zone, fault, found);
  let last = null;
  let asked = 0;

  const say = (text) => {
    fault.textContent = text ?? "";
    fault.hidden = !text;
  };

  async function read(blob) {
    const number = ++asked;
    last = blob;
    say(null);
    if (blob.size > MOST) return say(t({ en: `This file has ${(blob.size / 2 ** 20).toFixed(0)} MB; at most 20 are read.`, zh: `文件大小为 ${(blob.size / 2 ** 20).toFixed(0)} MB，最多 20 MB。` }));
    put(found, h("p", { class: "note" }, t({ en: "Reading …", zh: "正在识别……" })));
    try {
      const answer = await api.upload(`read${model() === null ? "" : `?model=${encodeURIComponent(model())}`}`, blob);
      if (number === asked) show(answer);
    } catch (error) {
      if (number !== asked) return;
      put(found);
      say(error.message);
    }
  }

  function show(answer) {
    const { classes, digits, rejected, lines, width, height } = answer;
    const overlay = s("svg", { class: "boxes", viewBox: `0 0 ${width} ${height}` });
    const scale = Math.max(width, height) / 500; // lines and letters keep their size on the screen
    const rect = ([left, top, right, bottom]) => s("rect", { x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height, "stroke-width": 2 * scale });
    const boxes = digits.map((digit) => {
      const name = `${classes[digit.label]}: ${(100 * digit.probability).toFixed(1)} %`;
      const pick = () => {
        boxes.forEach((box) => box.classList.toggle("picked", box === group));
        onpick(digit);
      };
      const group = s("g", { class: "box", tabindex: 0, role: "button", "aria-label": name, onclick: pick, onkeydown: (event) => (event.key === "Enter" || event.key === " ") && pick() },
        s("title", {}, name), rect(digit.box),
        s("text", { x: digit.box[0] * width, y: digit.box[1] * height - 3 * scale, "font-size": 16 * scale }, classes[digit.label]));
      return group;
    });
    put(overlay, rejected.map((one) => s("g", { class: "box rejected" }, s("title", {}, because(one.reason)), rect(one.box))), boxes);
    put(found,
      h("ol", { class: "lines" }, lines.map((line, i) => h("li", {}, h("strong", { class: "number" }, line), " ", h("span", { class: "muted" }, `${(100 * answer.line_probabilities[i]).toFixed(1)} %`)))),
      lines.length ? null : h("p", {}, t({ en: `No digit: ${answer.reason}.`, zh: `没有读到数字（${because(answer.reason)}）。` })),
      h("div", { class: "surface" }, h("img", { src: `data:image/jpeg;base64,${answer.picture}`, alt: t({ en: "the photo, in grey", zh: "照片（灰度）" }) }), overlay),
      h("div", { class: "row" },
        h("span", { class: "note" }, t({ en: `${width} × ${height} pixels, read in ${answer.ms.toFixed(0)} ms; dashed: seen, and no digit. Choose a box to look at its digit.`, zh: `${width} × ${height} 像素，用时 ${answer.ms.toFixed(0)} 毫秒；虚线框：看到了但不是数字。点选一个框可查看该数字。` })),
        h("button", { onclick: clear }, t({ en: "Put away", zh: "收起" }))));
  }

  function clear() {
    last = null;
    asked++;
    put(found);
    file.value = "";
    say(null);
    onpick(null);
  }

  const over = (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", event.type === "dragover");
  };
  const drop = (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    zone.classList.remove("over");
    read(event.dataTransfer.files[0]);
  };
  const paste = (event) => {
    const pasted = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (pasted) read(pasted);
  };
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", over);
  document.addEventListener("drop", drop);
  document.addEventListener("paste", paste);
  return {
    element,
    again: () => last && read(last),
    end() {
      asked++;
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", over);
      document.removeEventListener("drop", drop);
      document.removeEventListener("paste", paste);
    },
  };
}
