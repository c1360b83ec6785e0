// A network that reads a sum, or a program of one line, and writes what it prints: learning to execute.

import { choice, h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { nextBars, percent, visible } from "../lib/letters.js";

export const title = { en: "Execute", zh: "执行" };
export const about = {
  en: "A recurrent network that was never told what a number is: it reads a program character by character, and writes what it prints in the same way. Look at how sure it is of each digit, and where it is wrong. (Nielsen, chapter 6, “Other approaches to deep neural nets”: print(398345+42598); Zaremba and Sutskever 2014)",
  zh: "一个从没有人告诉过它什么是数的循环网络：它逐个字符读入程序，再逐个字符写出程序的输出。看它对每位数字有多大把握，又在哪里出错。（Nielsen 第六章“其他的深度学习模型”：print(398345+42598)；Zaremba 与 Sutskever 2014）",
};

const KINDS = {
  sum: ["a+b", { en: "sums", zh: "加法" }],
  difference: ["a-b", { en: "differences", zh: "减法" }],
  product: ["a*7", { en: "products with one digit", zh: "乘一位数" }],
  variable: ["a=12;print(a+3)", { en: "a variable", zh: "变量" }],
  choice: ["12 if 7>5 else 3", { en: "a choice", zh: "条件" }],
};
const READERS = { sums: { en: "sums alone", zh: "只做加法" }, programs: { en: "programs of one line", zh: "一行程序" } };
const PARTS = {
  training: { en: "It may have met this one in training.", zh: "训练时可能见过这一题。" },
  validation: { en: "It was never trained on this one: it belongs to the validation data.", zh: "从未用这一题训练过：它属于验证数据。" },
  test: { en: "It was never trained on this one: it belongs to the test data.", zh: "从未用这一题训练过：它属于测试数据。" },
};
const FIRST = { sums: "347+285", programs: "a=7;print(a*6)" };
const PAUSE = 350; // milliseconds from one character to the next

let reader = "sums";
let typed = FIRST.sums;

export function mount(root, { api, reducedMotion }) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const tape = h("div", { class: "tape", role: "group", "aria-label": t({ en: "What it reads and writes", zh: "读入与写出的字符" }) });
  const verdict = h("p", { class: "verdict-line", id: "verdict", "aria-live": "polite" }, "–");
  const part = h("p", { class: "note", id: "part" });
  const chosen = h("p", { class: "number", id: "sign", role: "status" });
  const bars = nextBars(t({ en: "Probability of each character", zh: "各字符的概率" }));
  const taught = h("div", {});
  const choices = h("div", {});
  let abouts = [];
  let found = null;
  let timer = 0;
  let number = 0;
  let ended = false;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };

  function point(i) {
    const letter = found.letters[i];
    for (const button of tape.querySelectorAll("button")) button.setAttribute("aria-pressed", String(Number(button.dataset.place) === i));
    bars.show(found.letters[i - 1].next, letter.symbol);
    chosen.textContent = t({ en: `“${visible(letter.symbol)}” had ${percent(letter.p)}`, zh: `“${visible(letter.symbol)}”的概率为 ${percent(letter.p)}` });
  }

  const sign = (i) => h("button", { type: "button", class: "sign", "data-place": i, "aria-pressed": "false", onclick: () => point(i),
    "aria-label": t({ en: `${visible(found.letters[i].symbol)}, ${percent(found.letters[i].p)}`, zh: `${visible(found.letters[i].symbol)}，${percent(found.letters[i].p)}` }) },
  h("span", { class: "big" }, visible(found.letters[i].symbol)), h("span", { class: "small" }, percent(found.letters[i].p)));

  // the digits come one after the other
  function play() {
    const first = [...found.program].length;
    put(tape, h("span", { class: "program" }, found.program), h("span", { class: "arrow", "aria-hidden": "true" }, "→"));
    let i = first;
    const next = () => {
      if (ended) return;
      tape.append(sign(i));
      point(i);
      i += 1;
      if (i < found.letters.length) timer = setTimeout(next, reducedMotion ? 0 : PAUSE);
      else judge();
    };
    next();
  }

  function judge() {
    const right = found.answer === found.expected;
    put(verdict, right
      ? t({ en: `${found.answer}: right.`, zh: `${found.answer}：正确。` })
      : t({ en: `${found.answer || "nothing"}: wrong, it prints ${found.expected}.`, zh: `${found.answer || "（空）"}：错误，应输出 ${found.expected}。` }));
    verdict.classList.toggle("is-fooled", !right);
    const { digits, nesting } = abouts.find(({ id }) => id === reader) ?? { digits: 3, nesting: 1 };
    put(part, found.part === null
      ? t({ en: `It has never met such a program: in its training numbers have at most ${digits} digits, operations a depth of at most ${nesting}, and only the kinds listed below occur.`, zh: `它从未见过这样的程序：训练中数字至多 ${digits} 位，运算至多嵌套 ${nesting} 层，而且只有下面列出的几种。` })
      : t(PARTS[found.part]));
  }

  async function run() {
    clearTimeout(timer);
    const mine = ++number;
    put(verdict, "…");
    put(part);
    try {
      const answer = await api.post("execute", { model: reader, program: typed });
      if (ended || mine !== number) return;
      found = answer;
      say(null);
      play();
    } catch (error) {
      if (ended || mine !== number) return;
      put(tape);
      put(verdict, "–");
      put(chosen);
      bars.show(null);
      say(error);
    }
  }

  async function another() {
    try {
      typed = await api.get(`execute/example/${reader}?seed=${Math.floor(Math.random() * 2 ** 31)}`);
      if (ended) return;
      field.value = typed;
      run();
    } catch (error) {
      if (!ended) say(error);
    }
  }

  function showTaught() {
    const now = abouts.find(({ id }) => id === reader);
    if (!now) return;
    put(taught,
      h("p", { class: "note" }, t({ en: `${now.parameters.toLocaleString("en")} parameters. It was taught, with numbers of up to ${now.digits} digits:`, zh: `${now.parameters.toLocaleString("en")} 个参数。它学过的内容（数字至多 ${now.digits} 位）：` })),
      h("ul", { class: "claims" }, now.kinds.map((kind) => h("li", {}, t(KINDS[kind][1]), ": ", h("code", {}, KINDS[kind][0])))),
      h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "note" }, t({ en: "Whole answers right, of held-out programs", zh: "留出的程序中，答案完全正确的比例" })),
        h("tbody", {}, Object.entries(now.right).map(([at, share]) => h("tr", {}, h("td", {}, t({ en: at, zh: inChinese(at) })), h("td", { class: "number" }, percent(share))))))));
  }

  const field = h("input", { type: "text", id: "program", maxlength: 60, spellcheck: "false", autocomplete: "off", "aria-label": t({ en: "A sum, or a program", zh: "加法或程序" }), oninput: () => (typed = field.value) });
  field.value = typed;
  field.addEventListener("keydown", (event) => event.key === "Enter" && run());
  const readers = () => choice({ label: t({ en: "Network", zh: "网络" }), options: abouts.map(({ id }) => [id, t(READERS[id])]), value: reader, onchange: (to) => {
    if (typed === FIRST[reader]) field.value = typed = FIRST[to];
    reader = to;
    showTaught();
    run();
  } });
  put(root, h("div", { class: "columns" },
    h("section", { class: "panel" }, h("h2", {}, t({ en: "Type a sum", zh: "输入一个加法" })), field,
      h("div", { class: "row" }, h("button", { type: "button", class: "main", id: "run", onclick: run }, t({ en: "Execute", zh: "执行" })),
        h("button", { type: "button", id: "another", onclick: another }, t({ en: "One that was held out", zh: "取一道留出的题" }))),
      fault, choices, taught),
    h("section", { class: "panel wide-two" }, h("h2", {}, t({ en: "What it writes", zh: "它写出的结果" })), tape, verdict, part,
      h("h3", {}, t({ en: "How sure it was", zh: "它有多大把握" })), chosen, bars.element,
      h("p", { class: "note" }, t({ en: "Each time the likeliest character is taken, and read in turn before the next: a wrong digit misleads those after it. ↵ ends the line. Choose a character to see what else was likely.", zh: "每次取概率最大的字符，读入后再写下一个：一位错了会影响后面的各位。↵ 表示行尾。点选一个字符，看还有哪些可能。" })))));
  api.get("execute/models").then((models) => {
    if (ended) return;
    abouts = models;
    if (abouts.length > 1) put(choices, readers().element);
    showTaught();
    run();
  }, (error) => !ended && say(error));
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

const inChinese = (at) => at.replace("up to", "至多").replace(/(\d) digits?/, "$1 位").replace(/, nesting (\d)/, "，嵌套 $1 层");
