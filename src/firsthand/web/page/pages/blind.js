import { model, modelChoice } from "../lib/chosen.js";
import { choice, h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { grey } from "../lib/pixels.js";
import { fixed } from "../lib/scale.js";

export const title = { en: "Human baseline", zh: "人类基准" };
export const about = {
  en: "Read test digits blind, one key each, as Andrej Karpathy read ImageNet: at the end you see your own error beside the networks’. Look at how wide the interval is: 50 digits say little about one in a thousand (chapter 6, “Recent progress in image recognition”).",
  zh: "像 Andrej Karpathy 判读 ImageNet 那样，不看答案判读测试数字，每个按一个键；最后给出您的错误率与网络的错误率。请看区间有多宽：50 个数字说明不了千分之一的差别（第六章“图像识别领域中的近期进展”）。",
};

const COUNTS = [20, 50, 100, 200, 500];
const DIGITS = [..."0123456789"];
let count = 50;
let sitting = null; // it goes on when the page is left and found again
let answers = [];
let began = 0;

const percent = (share) => `${fixed(100 * share, share && share < 0.1 ? 2 : 1)} %`;

export function mount(root, { api }) {
  const place = h("div", { class: "blind" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  let ended = false;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };

  async function start() {
    try {
      const seed = crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
      sitting = await api.get(`blind?count=${count}&seed=${seed}`);
      answers = [];
      began = performance.now();
      say(null);
      if (!ended) ask();
    } catch (error) {
      say(error);
    }
  }

  function ask() {
    const { images, shape } = sitting;
    if (answers.length === images.length) {
      finish();
      return;
    }
    const { pixels } = images[answers.length];
    put(place,
      h("p", { id: "progress", "aria-live": "polite" }, t({
        en: `Digit ${answers.length + 1} of ${images.length}: which one is it?`,
        zh: `第 ${answers.length + 1} / ${images.length} 个：是哪个数字？` })),
      grey(pixels, shape, { class: "pixels asked", "aria-label": t({ en: "A digit to read", zh: "要判读的数字" }) }),
      h("div", { class: "keys", role: "group", "aria-label": t({ en: "Your answer", zh: "您的回答" }) },
        DIGITS.map((digit) => h("button", { onclick: () => answer(Number(digit)) }, digit))),
      h("div", { class: "row" },
        h("button", { id: "back", disabled: !answers.length, onclick: back }, t({ en: "Back (Backspace)", zh: "退回（Backspace）" })),
        h("button", { id: "enough", disabled: !answers.length, onclick: finish }, t({ en: "Enough: show my error", zh: "到此为止，看结果" }))));
  }

  function answer(digit) {
    answers.push(digit);
    ask();
  }

  function back() {
    answers.pop();
    ask();
  }

  async function finish() {
    const seconds = (performance.now() - began) / 1000;
    const indices = sitting.images.slice(0, answers.length).map(({ index }) => index);
    put(place, h("p", { class: "note" }, t({ en: "The networks read the same digits …", zh: "网络正在判读同样的数字……" })));
    try {
      const found = await api.post("blind", { model: model(), indices, answers });
      if (!ended) show(found, { seed: sitting.seed, indices, answers, seconds });
      say(null);
    } catch (error) {
      say(error);
      put(place, h("button", { class: "main", onclick: finish }, t({ en: "Try again", zh: "重试" })));
    }
    sitting = sitting && answers.length === sitting.images.length ? null : sitting;
  }

  const nameOf = (reader) => reader === "you" ? t({ en: "you", zh: "您" }) : reader === "box" ? t({ en: "the bundled model", zh: "自带的模型" }) : reader;

  function show({ readers, misread, shape }, about) {
    const save = () => {
      const blob = new Blob([JSON.stringify({ ...about, readers, misread: misread.map(({ index, label, answers: a }) => ({ index, label, answers: a })) }, null, 1)], { type: "application/json" });
      const link = h("a", { href: URL.createObjectURL(blob), download: "human-baseline.json" });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    const [own] = readers;
    put(place,
      h("p", { class: "summary", id: "own" }, t({
        en: `You misread ${own.wrong} of ${own.n} digits: ${percent(own.error)} (95 % interval ${percent(own.low)} to ${percent(own.high)}), in ${fixed(about.seconds / own.n, 1)} s each.`,
        zh: `您在 ${own.n} 个数字中读错 ${own.wrong} 个：${percent(own.error)}（95 % 区间 ${percent(own.low)} 至 ${percent(own.high)}），平均每个 ${fixed(about.seconds / own.n, 1)} 秒。` })),
      h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, [
          { en: "reader", zh: "判读者" }, { en: "wrong", zh: "读错" }, { en: "error", zh: "错误率" },
          { en: "interval of 95 %", zh: "95 % 区间" }, { en: "on all 10,000", zh: "全部 10,000 幅" }].map((text, i) => h("th", { class: i ? "number" : null }, t(text))))),
        h("tbody", {}, readers.map((each) => h("tr", {}, h("td", {}, nameOf(each.name)),
          h("td", { class: "number" }, `${each.wrong} / ${each.n}`), h("td", { class: "number" }, percent(each.error)),
          h("td", { class: "number" }, `${percent(each.low)} – ${percent(each.high)}`),
          h("td", { class: "number" }, each.on_all === null ? "–" : percent(each.on_all))))))),
      misread.length ? [h("h2", {}, t({ en: "Misread by somebody", zh: "有人读错的" })),
        h("div", { class: "mistakes" }, misread.map((each) => wrong(each, shape)))] : null,
      h("div", { class: "row" },
        h("button", { id: "export", onclick: save }, t({ en: "Save as JSON", zh: "保存为 JSON" })),
        h("button", { id: "again", class: "main", onclick: start }, t({ en: "Other digits", zh: "换一批数字" }))));
  }

  function wrong({ index, label, answers: said, pixels }, shape) {
    const text = t({
      en: `test image ${index}: a ${label}; ${Object.entries(said).map(([who, what]) => `${nameOf(who)}: ${what}`).join(", ")}`,
      zh: `测试图像 ${index}：${label}；${Object.entries(said).map(([who, what]) => `${nameOf(who)}：${what}`).join("，")}` });
    return h("figure", { class: "mistake", title: text }, grey(pixels, shape, { "aria-label": text }),
      h("span", { class: "true" }, String(label)), h("span", { class: "called" }, String(said.you)));
  }

  const pressed = (event) => {
    if (!sitting || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select")) return;
    if (answers.length === sitting.images.length || !place.querySelector(".asked")) return;
    if (event.key in DIGITS && event.key.length === 1) answer(Number(event.key));
    else if (event.key === "Backspace" && answers.length) back();
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", pressed);

  const begin = () => put(place,
    choice({ label: t({ en: "How many", zh: "数量" }), options: COUNTS.map((n) => [n, String(n)]), value: count, onchange: (n) => (count = Number(n)) }).element,
    modelChoice(() => {}),
    h("p", { class: "note" }, t({
      en: "They are test digits, drawn at random; their labels are not shown before the end. Answer with the keys 0 to 9, or with the buttons.",
      zh: "这些是随机抽取的测试数字，结束前不会给出标签。用 0 至 9 键或按钮作答。" })),
    h("button", { class: "main", id: "begin", onclick: start }, t({ en: "Begin", zh: "开始" })));

  put(root, h("section", { class: "panel" }, place, fault));
  if (sitting) ask();
  else begin();
  return () => {
    ended = true;
    removeEventListener("keydown", pressed);
  };
}
