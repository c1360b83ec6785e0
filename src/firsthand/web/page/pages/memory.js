// A neural Turing machine says a sequence again, and shows what its heads do meanwhile.

import { bitGrid, parsed, randomVector, written } from "../lib/bits.js";
import { h, put, slider } from "../lib/dom.js";
import { film } from "../lib/film.js";
import { t } from "../lib/i18n.js";
import { percent } from "../lib/letters.js";
import { machine } from "../lib/machine.js";

export const title = { en: "Memory", zh: "记忆" };
export const about = {
  en: "A neural Turing machine: a small network with a tape beside it, on which it writes and reads by attention. It was trained to say short sequences again, and nobody told it how. Watch it write each vector one slot further on, go back at the mark, and read; then give it more than it was ever trained on. (Nielsen, chapter 6, “Other approaches to deep neural nets”; Graves, Wayne and Danihelka 2014)",
  zh: "神经图灵机：一个小网络，旁边有一条纸带，它用注意力在上面读写。训练时只要求它把短序列重说一遍，没有人告诉它怎么做。看它把每个向量写到下一个位置，见到标记就回到开头，再逐个读出；然后给它比训练时更长的序列。（Nielsen 第六章“其他的深度学习模型”；Graves、Wayne 与 Danihelka 2014）",
};

const NOTES = {
  given: {
    en: "A column is a vector of eight bits. Click a bit to turn it over, type the bits, or take a random sequence.",
    zh: "每一列是一个八位向量。点击一位可以翻转，也可以直接输入，或取一个随机序列。",
  },
  heads: {
    en: "Two diagonals are an algorithm: write, one slot on, write …; at the mark go back to where it began; read, one slot on, read … Only the vectors themselves and the answers were shown to it. Click a picture to go to that step.",
    zh: "两条对角线就是一个算法：写，进一格，写……见到标记就回到起点；读，进一格，读……训练时只给了它向量和答案。点击图像可跳到那一步。",
  },
};
const LONGEST_FILM = 9_000; // milliseconds
const SLOWEST = 240; // milliseconds of a step

let vectors = Array.from({ length: 12 }, randomVector); // stay while language or colours change

export function mount(root, { api, reducedMotion }) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const verdict = h("p", { class: "verdict-line", id: "verdict", "aria-live": "polite" }, "–");
  const now = h("p", { class: "number", id: "now" });
  const taught = h("div", {});
  const stage = h("div", {});
  const pictures = machine({ onpick: (step) => {
    steps.stop();
    steps.show(step);
  } });
  let machineAbout = null;
  let copied = null;
  let shown = []; // the vectors of the film
  let number = 0;
  let ended = false;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };
  const steps = film({ id: "memory-step", label: t({ en: "step", zh: "步" }), name: (i) => String(i + 1), reducedMotion, paint(i) {
    if (!copied) return;
    pictures.at(i);
    put(now, sentence(i));
    judge(i);
  } });
  const looksAt = (which, i) => {
    const { slot, weight } = pictures.looks(which, i);
    return t({ en: `slot ${slot} (${percent(weight)})`, zh: `位置 ${slot}（${percent(weight)}）` });
  };

  function sentence(i) {
    const length = shown.length;
    const head = t({ en: `step ${i + 1} of ${2 * length + 1}: `, zh: `第 ${i + 1} 步（共 ${2 * length + 1} 步）：` });
    if (i < length) return head + t({ en: `vector ${i + 1}, ${shown[i].join("")}, is given; it writes to ${looksAt("writing", i)}`, zh: `给出第 ${i + 1} 个向量 ${shown[i].join("")}；写到${looksAt("writing", i)}` });
    if (i === length) return head + t({ en: `the mark; the reading head is at ${looksAt("reading", i)}`, zh: `标记；读取头在${looksAt("reading", i)}` });
    const which = i - length - 1;
    const said = copied.said[which].map((p) => Number(p > 0.5)).join("");
    const wrong = pictures.wrongIn(which).filter(Boolean).length;
    return head + t({
      en: `it says vector ${which + 1}, ${said}, ${wrong ? `${wrong} bits wrong` : "right"}; it reads ${looksAt("reading", i)}`,
      zh: `说出第 ${which + 1} 个向量 ${said}，${wrong ? `错 ${wrong} 位` : "正确"}；读取${looksAt("reading", i)}` });
  }

  function judge(i) {
    const bits = 8 * shown.length;
    const over = i === 2 * shown.length;
    const text = i < shown.length
      ? t({ en: "The sequence is given.", zh: "正在给出序列。" })
      : !over
        ? t({ en: "Now it says the sequence again.", zh: "现在它重说这个序列。" })
        : copied.wrong
          ? t({ en: `${copied.wrong} of ${bits} bits are wrong.`, zh: `${bits} 位中有 ${copied.wrong} 位错误。` })
          : t({ en: `All ${bits} bits are right.`, zh: `${bits} 位全部正确。` });
    if (verdict.textContent !== text) put(verdict, text); // what has not changed is not read out again
    verdict.classList.toggle("is-fooled", over && copied.wrong > 0);
  }

  async function start() {
    steps.stop();
    const mine = ++number;
    say(null);
    put(verdict, "…");
    try {
      const given = parsed(field.value, machineAbout?.longest ?? vectors.length);
      const found = await api.post("memory", { vectors: given.map((vector) => vector.join("")) });
      if (ended || mine !== number) return;
      [shown, copied] = [given, found];
      pictures.show(shown, copied);
      put(stage, pictures.element);
      const count = 2 * shown.length + 1;
      steps.play(count, Math.min(SLOWEST, LONGEST_FILM / count));
    } catch (error) {
      if (ended || mine !== number) return;
      put(verdict, "–");
      say(error);
    }
  }

  function changed(to, from) {
    vectors = to;
    if (from !== "text") field.value = written(vectors);
    if (from !== "grid") grid.show(vectors);
    if (from !== "length") length.set(vectors.length);
    say(null);
  }

  const grid = bitGrid({ label: t({ en: "The sequence", zh: "序列" }), onchange: () => changed(vectors, "grid") });
  const field = h("textarea", { id: "sequence", rows: 3, spellcheck: "false", "aria-label": t({ en: "The sequence as bits, eight to a vector", zh: "以比特表示的序列，每个向量八位" }) });
  field.addEventListener("input", () => {
    try {
      changed(parsed(field.value, machineAbout?.longest ?? vectors.length), "text");
    } catch (error) {
      say(error);
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    start();
  });
  const trained = (n) => (machineAbout && n > machineAbout.trained[1] ? t({ en: `${n}, longer than trained`, zh: `${n}，比训练时长` }) : String(n));
  const length = slider({ label: t({ en: "vectors", zh: "向量数" }), min: 1, max: vectors.length, step: 1, value: vectors.length, show: (n) => trained(n), oninput: (n) =>
    changed(Array.from({ length: n }, (_, i) => vectors[i] ?? randomVector()), "length") });
  length.input.id = "length";

  function showTaught() {
    const { slots, width, parameters, trained: [least, most], scores } = machineAbout;
    put(taught,
      h("p", { class: "note" }, t({
        en: `${parameters.toLocaleString("en")} parameters beside a memory of ${slots} slots of ${width} numbers. It was trained on ${least} to ${most} vectors, each sequence once; with more vectors than slots it writes over what it has written.`,
        zh: `${parameters.toLocaleString("en")} 个参数，记忆有 ${slots} 个位置，每个位置 ${width} 个数。训练序列有 ${least} 至 ${most} 个向量，每个序列只用一次；向量比位置多时，它会覆盖已写的内容。` })),
      h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "note" }, t({ en: "Sequences that were held out, by their length", zh: "留出的序列，按长度排列" })),
        h("thead", {}, h("tr", {}, [{ en: "vectors", zh: "向量数" }, { en: "bits wrong", zh: "错误的比特" }, { en: "sequences all right", zh: "完全正确的序列" }].map((text) => h("th", { class: "number", scope: "col" }, t(text))))),
        h("tbody", {}, scores.map((each) => h("tr", {}, h("td", { class: "number" }, each.length), h("td", { class: "number" }, percent(each.wrong)), h("td", { class: "number" }, percent(each.whole))))))));
  }

  put(root, h("div", { class: "columns" },
    h("section", { class: "panel" }, h("h2", {}, t({ en: "Give it a sequence", zh: "给它一个序列" })), grid.element, field, length.element,
      h("div", { class: "row" }, h("button", { type: "button", class: "main", id: "start", onclick: start }, t({ en: "Start", zh: "开始" })),
        h("button", { type: "button", id: "random", onclick: () => {
          changed(vectors.map(randomVector));
          start();
        } }, t({ en: "A random sequence", zh: "随机序列" }))),
      fault, h("p", { class: "note" }, t(NOTES.given))),
    h("section", { class: "panel shown" }, h("h2", {}, t({ en: "What it does", zh: "它做了什么" })), verdict,
      h("div", { class: "row" }, steps.button), steps.element, now, stage, h("p", { class: "note" }, t(NOTES.heads))),
    h("section", { class: "panel" }, h("h2", {}, t({ en: "What it was taught", zh: "它学过什么" })), taught)));
  changed(vectors);
  api.get("memory").then((found) => {
    if (ended) return;
    machineAbout = found;
    length.input.max = found.longest;
    changed(vectors);
    showTaught();
    start();
  }, (error) => !ended && say(error));
  return () => {
    ended = true;
    steps.end();
  };
}
