// A memory network answers questions about little stories, and shows at which sentences it looks.

import { choice, h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { nextBars, percent } from "../lib/letters.js";

export const title = { en: "Story", zh: "故事" };
export const about = {
  en: "A memory network answers a question about a story with one word. It looks at the sentences several times, each time with what it has found so far. Only answers taught it: nobody told it which sentences matter. Look at where it looks. (LeCun, Bengio and Hinton, introduction and “Recurrent neural networks”; Sukhbaatar et al. 2015)",
  zh: "记忆网络用一个词回答关于故事的问题。它多次查看各个句子，每次都带着此前找到的内容。训练时只告诉它答案，没有人告诉它哪些句子重要。看它在看哪里。（LeCun、Bengio、Hinton 综述引言与“递归神经网络”；Sukhbaatar 等 2015）",
};

const KINDS = {
  1: [{ en: "where somebody is", zh: "某人在哪里" }, "where is anna"],
  2: [{ en: "where a thing is", zh: "某物在哪里" }, "where is the ball"],
  3: [{ en: "where a thing was before", zh: "某物之前在哪里" }, "where was the ball before the attic"],
  6: [{ en: "yes or no", zh: "是或否" }, "is anna in the hall"],
  15: [{ en: "who is afraid of whom", zh: "谁怕谁" }, "what is emily afraid of"],
};
const SHOWN = 5; // of the likeliest answers

// what the page is about stays while language or colours change
let story = ["ben went to the kitchen", "anna walked to the garden", "ben took the ball", "anna took the lamp", "ben moved to the attic", "anna went to the hall"].join("\n");
let question = "where is the ball";
let known = null; // of a story that was made: answer and support, as long as nobody has changed it
let kind = "2";

export function mount(root, { api }) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const verdict = h("p", { class: "verdict-line", id: "answer", "aria-live": "polite" }, "–");
  const judged = h("p", { class: "note", id: "judged" });
  const bars = nextBars(t({ en: "Probability of each answer", zh: "各答案的概率" }));
  const looks = h("div", { class: "scroll" });
  const taught = h("div", {});
  let number = 0;
  let ended = false;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };
  const bar = (share) => h("td", { class: "look-at" }, h("span", { class: "bar" }, h("i", { style: { width: `${100 * share}%` } })), h("span", { class: "number" }, `${Math.round(100 * share)} %`));

  function show(found) {
    const [[word, p]] = found.answers;
    put(verdict, t({ en: `${word}, with ${percent(p)}`, zh: `${word}，概率为 ${percent(p)}` }));
    verdict.classList.toggle("is-fooled", known !== null && known.answer !== word);
    put(judged, known === null
      ? t({ en: "This story is yours: whether the answer is right is for you to say.", zh: "这是你写的故事：答案对不对，由你判断。" })
      : known.answer === word
        ? t({ en: "Right. It was never trained on this story.", zh: "正确。从未用这个故事训练过。" })
        : t({ en: `Wrong: the answer is ${known.answer}. It was never trained on this story.`, zh: `错误：答案是 ${known.answer}。从未用这个故事训练过。` }));
    bars.show(found.answers.slice(0, SHOWN), word);
    const hops = found.looks.map((_, hop) => t({ en: `look ${hop + 1}`, zh: `第 ${hop + 1} 次` }));
    put(looks, h("table", { class: "looks" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t({ en: "sentence", zh: "句子" })), hops.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, found.sentences.map((sentence, i) => h("tr", {},
        h("td", {}, known?.support.includes(i) ? h("span", { title: t({ en: "the answer follows from this one", zh: "答案由这一句推出" }) }, "• ") : null, sentence),
        found.looks.map((weights) => bar(weights[i]))))),
      h("tfoot", {}, h("tr", {}, h("td", { class: "asked-last", colspan: 1 + hops.length }, `${found.question}?`)))));
  }

  async function ask() {
    const mine = ++number;
    try {
      const found = await api.post("story", { sentences: story.split("\n"), question });
      if (ended || mine !== number) return;
      say(null);
      show(found);
    } catch (error) {
      if (ended || mine !== number) return;
      put(verdict, "–");
      put(judged);
      put(looks);
      bars.show(null);
      say(error);
    }
  }

  async function another() {
    const mine = ++number;
    try {
      const made = await api.get(`story/example/${kind}?seed=${Math.floor(Math.random() * 2 ** 31)}`);
      if (ended || mine !== number) return;
      known = made;
      area.value = story = made.sentences.join("\n");
      field.value = question = made.question;
      ask();
    } catch (error) {
      if (!ended && mine === number) say(error);
    }
  }

  function showTaught(found) {
    put(taught,
      h("p", { class: "note" }, t({
        en: `${found.parameters.toLocaleString("en")} parameters, ${found.hops} looks; up to ${found.sentences} sentences of ${found.length} words. One network for five kinds of stories, made by a program after the kinds of tasks of Weston et al. 2015:`,
        zh: `${found.parameters.toLocaleString("en")} 个参数，查看 ${found.hops} 次；至多 ${found.sentences} 个句子，每句 ${found.length} 个词。一个网络回答五类故事，故事由程序按 Weston 等 2015 的任务种类生成：` })),
      h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "note" }, t({ en: "Answers right, of stories that were held out", zh: "留出的故事上回答正确的比例" })),
        h("tbody", {}, found.kinds.map(({ number: which, right }) => h("tr", {}, h("td", {}, t(KINDS[which][0]), h("br"), h("code", {}, KINDS[which][1])), h("td", { class: "number" }, percent(right))))))),
      h("details", {}, h("summary", {}, t({ en: `the ${found.words.length} words that it knows`, zh: `它认识的 ${found.words.length} 个词` })), h("p", { class: "words" }, found.words.join(" "))));
  }

  const changed = () => {
    [story, question, known] = [area.value, field.value, null];
  };
  const area = h("textarea", { id: "story", rows: 9, spellcheck: "false", "aria-label": t({ en: "The story, a sentence on each line", zh: "故事，每行一句" }), oninput: changed });
  area.value = story;
  area.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && ask());
  const field = h("input", { type: "text", id: "question", maxlength: 120, spellcheck: "false", autocomplete: "off", "aria-label": t({ en: "The question", zh: "问题" }), oninput: changed });
  field.value = question;
  field.addEventListener("keydown", (event) => event.key === "Enter" && ask());
  const kinds = choice({ label: t({ en: "kind of story", zh: "故事的种类" }), options: Object.entries(KINDS).map(([which, [name]]) => [which, t(name)]), value: kind, onchange: (to) => {
    kind = to;
    another();
  } });
  put(root, h("div", { class: "columns" },
    h("section", { class: "panel" }, h("h2", {}, t({ en: "Write a story", zh: "写一个故事" })), area, field,
      h("div", { class: "row" }, h("button", { type: "button", class: "main", id: "ask", onclick: ask }, t({ en: "Ask", zh: "提问" })),
        h("button", { type: "button", id: "another", onclick: another }, t({ en: "A random story", zh: "随机故事" }))),
      kinds.element, fault,
      h("p", { class: "note" }, t({ en: "A sentence on each line, in English, with the words that it knows. Change a line and ask again.", zh: "每行一句，用英文，只用它认识的词。改动一行，再问一次。" }))),
    h("section", { class: "panel shown" }, h("h2", {}, t({ en: "What it answers", zh: "它的回答" })), verdict, judged, bars.element,
      h("h3", {}, t({ en: "Where it looks", zh: "它看哪里" })), looks,
      h("p", { class: "note" }, t({
        en: "The weights of a look sum to 100 %. Asked where the ball is, it looks first for who took it, and in the end for where that one went. Of a random story the sentences that the answer follows from have a dot; the network was not told which.",
        zh: "每次查看的权重之和为 100 %。问球在哪里时，它先找谁拿了球，最后找这个人去了哪里。随机故事中，能推出答案的句子前有圆点；网络并不知道是哪些。" }))),
    h("section", { class: "panel" }, h("h2", {}, t({ en: "What it was taught", zh: "它学过什么" })), taught)));
  api.get("story").then((found) => !ended && showTaught(found), (error) => !ended && say(error));
  ask();
  return () => {
    ended = true;
  };
}
