// A language model that goes on with a text, letter by letter, and is looked into while it does.

import { choice, h, put, slider } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { follows, letterText, nextBars, percent, units, visible } from "../lib/letters.js";
import { fixed } from "../lib/scale.js";
import { textModel, textModelAbout, textModelChoice } from "../lib/textmodel.js";

export const title = { en: "Text", zh: "文本" };
export const about = {
  en: "A network with a memory that names the next letter: write a beginning, and watch it continue. At every letter the bars show what it thought likely, and one unit of its memory colours the text. (Nielsen, chapter 6, “Other approaches to deep neural nets”; LeCun, Bengio and Hinton, “Recurrent neural networks”)",
  zh: "一个有记忆的网络，逐个说出下一个字母：写一个开头，看它怎样续写。每个字母处，概率条显示它认为可能出现的字母，文本的颜色是它记忆中一个单元的激活值。（Nielsen 第六章“其他的深度学习模型”；LeCun、Bengio、Hinton 综述“递归神经网络”）",
};

const NOTES = {
  write: {
    en: "It has read nothing but letters: nobody told it about words, verses or speakers. Below a temperature of 1 the likely becomes likelier, and the text safer; above it, words appear that do not exist.",
    zh: "它只读过字母，没有人告诉过它什么是单词、诗行或说话人。温度低于 1 时，可能的更可能，文字更稳妥；高于 1 时，会出现不存在的词。",
  },
  bars: {
    en: "Point at a letter, or go there with Tab and the arrow keys: what the model considered likely before it came. After the last letter: what may come next.",
    zh: "指向一个字母，或用 Tab 和方向键移到那里：看模型在它出现之前认为什么最可能。在最后一个字母之后：接下来会是什么。",
  },
  unit: {
    en: "Warm is positive, cool negative. Most units follow nothing that has a name; a few do.",
    zh: "暖色为正，冷色为负。大多数单元并不对应什么有名称的东西，少数会。",
  },
};
const WAIT = 300; // milliseconds without a key, after which a beginning is read
const FOLLOWED = {
  line: [{ en: "the place in the line", zh: "行内的位置" }, placesInLine],
  space: [{ en: "spaces", zh: "空格" }, (text) => text.map((c) => Number(c === " "))],
  capital: [{ en: "capital letters", zh: "大写字母" }, (text) => text.map((c) => Number(c !== c.toLowerCase()))],
  vowel: [{ en: "vowels", zh: "元音字母" }, (text) => text.map((c) => Number("aeiouAEIOU".includes(c)))],
};

/** How many letters of its line stand before each letter. */
function placesInLine(text) {
  let place = -1;
  return text.map((c) => {
    place += 1;
    const here = place;
    if (c === "\n") place = -1;
    return here;
  });
}

// what the page is about stays while language or colours change
let beginning = "ROMEO.\nWhat light is ";
let temperature = 0.8;
let length = 300;
let pace = 30;
let unit = 0;
let letters = [];
let from = 0; // of the letters, the first that was written

export function mount(root, { api, reducedMotion }) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const says = h("div", { class: "note", role: "status", id: "model-about" });
  const at = h("p", { class: "number", role: "status", id: "letter" });
  const unitAbout = h("p", { class: "note", id: "unit-about" });
  const bars = nextBars(t({ en: "Probability of the next letter", zh: "下一个字母的概率" }));
  const text = letterText({ label: t({ en: "The text", zh: "文本" }), onpick: show });
  const unitPlace = h("div", {});
  let model = null; // what it is
  let timer = 0;
  let writing = null; // the AbortController of what is being written
  let number = 0;
  let ended = false;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };
  const nameOf = (which) => {
    let left = which;
    const layer = model.layers.find(({ units: count }) => left < count || ((left -= count), false));
    return t({ en: `layer ${layer.number} (${layer.name}), unit ${left + 1}`, zh: `第 ${layer.number} 层（${layer.name}）第 ${left + 1} 个单元` });
  };

  function show(place) {
    const last = letters.length - 1;
    const i = place ?? last;
    if (i < 0) return;
    // of the last letter, and of the first, what is of interest is what comes behind
    const behind = place === null || i === 0;
    const letter = letters[i];
    bars.show(behind ? letter.next : letters[i - 1].next, behind ? null : letter.symbol);
    const value = letter.units && model?.layers.length ? `, ${t({ en: "unit", zh: "单元" })}: ${fixed(units(letter)[unit], 2)}` : "";
    at.textContent = behind
      ? t({ en: `after “${visible(letter.symbol)}”`, zh: `“${visible(letter.symbol)}”之后` }) + value
      : t({ en: `“${visible(letter.symbol)}” had ${percent(letter.p)}`, zh: `“${visible(letter.symbol)}”的概率为 ${percent(letter.p)}` }) + value;
  }

  function chooseUnit(to) {
    unit = to;
    text.colour(model?.layers.length ? unit : null);
    show(text.at());
    if (model?.layers.length) put(unitAbout, nameOf(unit));
  }

  // the panel of units, once it is known how many there are
  function unitPanel() {
    const count = model.layers.reduce((sum, layer) => sum + layer.units, 0);
    if (!count) {
      unit = 0;
      put(unitPlace, h("p", { class: "note" }, t({ en: `This model has no memory that could be shown: it sees the last ${model.sees} letters.`, zh: `这个模型没有可以显示的记忆：它只看最后 ${model.sees} 个字母。` })));
      return;
    }
    unit = Math.min(unit, count - 1);
    const pull = slider({ label: t({ en: "unit", zh: "单元" }), min: 1, max: count, step: 1, value: unit + 1, oninput: (value) => chooseUnit(value - 1) });
    pull.input.id = "unit";
    const seek = choice({ label: t({ en: "Find the unit that follows", zh: "寻找随之变化的单元" }), value: "",
      options: [["", "–"], ...Object.entries(FOLLOWED).map(([key, [name]]) => [key, t(name)])],
      onchange: (key) => {
        if (!key || letters.length < 3) return;
        const found = follows(letters, FOLLOWED[key][1](letters.map(({ symbol }) => symbol)));
        pull.set(found.unit + 1);
        chooseUnit(found.unit);
        put(unitAbout, `${nameOf(unit)}: ${t({ en: `correlation ${fixed(found.r, 2)} on these ${letters.length} letters`, zh: `在这 ${letters.length} 个字母上相关系数为 ${fixed(found.r, 2)}` })}`);
      } });
    put(unitPlace, pull.element, seek.element);
  }

  async function look() {
    stop();
    const mine = ++number;
    try {
      if (!model) {
        model = await textModelAbout();
        if (ended || mine !== number) return;
        unitPanel();
        const sees = t({ en: `${model.parameters.toLocaleString("en")} parameters, ${model.symbols.length} symbols`, zh: `${model.parameters.toLocaleString("en")} 个参数，${model.symbols.length} 个符号` });
        const bits = model.bits === null ? "" : t({ en: `; ${fixed(model.bits, 2)} bit per symbol of text that it has not read`, zh: `；对未读过的文本，每个符号 ${fixed(model.bits, 2)} 比特` });
        put(says, sees + bits, h("details", {}, h("summary", {}, t({ en: "its alphabet", zh: "它的字母表" })), h("code", {}, model.symbols.map(visible).join(" "))));
      }
      const found = await api.post("text/read", { model: textModel(), text: beginning });
      if (ended || mine !== number) return;
      letters = found.letters;
      from = letters.length;
      text.show(letters, from);
      chooseUnit(unit);
      say(null);
      show(null);
    } catch (error) {
      if (ended || mine !== number) return;
      letters = [];
      text.show([]);
      bars.show(null);
      at.textContent = "";
      say(error);
    }
  }

  function stop() {
    writing?.abort();
    writing = null;
    put(go, t({ en: "Go on", zh: "续写" }));
  }

  async function write() {
    if (writing) return stop();
    clearTimeout(timer);
    await look(); // from the beginning, as it is now
    if (!letters.length || ended) return undefined;
    const mine = new AbortController();
    writing = mine;
    put(go, t({ en: "Stop", zh: "停止" }));
    const waiting = [];
    let over = false;
    const next = () => {
      if (mine.signal.aborted || ended) return;
      for (const letter of waiting.splice(0, reducedMotion ? waiting.length : 1)) {
        letters.push(letter);
        text.add(letter);
      }
      if (text.at() === null) show(null);
      if (over && !waiting.length) stop();
      else setTimeout(next, 1000 / pace);
    };
    next();
    try {
      const asked = { model: textModel(), text: beginning, temperature, length, seed: Math.floor(Math.random() * 2 ** 31) };
      await api.stream("text/write", asked, (letter) => waiting.push(letter), mine.signal);
    } catch (error) {
      if (!mine.signal.aborted && !ended) say(error);
    }
    over = true;
    return undefined;
  }

  const area = h("textarea", { id: "beginning", rows: 4, spellcheck: "false", "aria-label": t({ en: "The beginning", zh: "开头" }), oninput: () => {
    beginning = area.value;
    stop();
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
  } });
  area.value = beginning;
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) write();
  });
  const go = h("button", { type: "button", class: "main", id: "go", onclick: write }, t({ en: "Go on", zh: "续写" }));
  const heat = slider({ label: t({ en: "temperature", zh: "温度" }), min: 0.1, max: 2, step: 0.05, value: temperature, show: (v) => fixed(v, 2), oninput: (v) => (temperature = v) });
  const many = slider({ label: t({ en: "letters", zh: "字母数" }), min: 50, max: 2000, step: 50, value: length, oninput: (v) => (length = v) });
  const speed = slider({ label: t({ en: "letters per second", zh: "每秒字母数" }), min: 2, max: 100, step: 1, value: pace, oninput: (v) => (pace = v) });
  put(root, h("div", { class: "columns" },
    h("section", { class: "panel" }, h("h2", {}, t({ en: "Write the beginning", zh: "写一个开头" })), area,
      h("div", { class: "row" }, go, h("span", { class: "note" }, t({ en: "or Ctrl-Enter", zh: "或按 Ctrl-Enter" }))), fault,
      heat.element, many.element, speed.element,
      textModelChoice(() => {
        model = null;
        look();
      }), says, h("p", { class: "note" }, t(NOTES.write))),
    h("section", { class: "panel told" }, h("h2", {}, t({ en: "It goes on", zh: "它的续写" })), text.element, at),
    h("div", { class: "stack" },
      h("section", { class: "panel" }, h("h2", {}, t({ en: "The next letter", zh: "下一个字母" })), bars.element, h("p", { class: "note" }, t(NOTES.bars))),
      h("section", { class: "panel" }, h("h2", {}, t({ en: "One unit", zh: "一个单元" })), unitPlace, unitAbout, h("p", { class: "note" }, t(NOTES.unit))))));
  if (letters.length > from && from) {
    // back from another language: the text is still there
    const kept = [letters, from];
    look().then(() => {
      if (ended || !letters.length) return;
      [letters, from] = kept;
      text.show(letters, from);
      chooseUnit(unit);
    });
  } else look();
  return () => {
    ended = true;
    clearTimeout(timer);
    stop();
  };
}
