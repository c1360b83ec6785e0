import { heatMap } from "../lib/charts.js";
import { query, modelChoice } from "../lib/chosen.js";
import { h, put } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { grey } from "../lib/pixels.js";
import { probabilities } from "../lib/probabilities.js";
import * as seen from "../lib/seen.js";

export const title = { en: "Mistakes", zh: "错例" };
export const about = {
  en: "The test digits that the model gets wrong, the most confident first: true label top right, the model’s bottom right. Would you have read them? (chapter 6, the figure of the 33 digits that five voting networks miss)",
  zh: "模型识别错误的测试数字，最自信的排在最前：右上角是正确标签，右下角是模型的判断。换作您能认出吗？（第六章，五个网络投票后仍错的 33 个数字的插图）",
};

let pair = null; // [label, predicted] that the list is filtered by

export function mount(root, { api }) {
  const names = { en: "label", zh: "正确标签" };
  const matrix = heatMap({ square: true, title: t({ en: "Confusion matrix", zh: "混淆矩阵" }),
    x: { label: t({ en: "called", zh: "识别为" }) }, y: { label: t(names) },
    note: t({ en: "How often a label (row) is called something else (column); the colour leaves out the diagonal, which is right. Choose a cell to see its digits, by click or by arrow keys and Enter.", zh: "每个标签（行）被识别成各数字（列）的次数；颜色不含对角线（正确的）。点击一格（或用方向键加回车）即可只看这些数字。" }) });
  const summary = h("p", { class: "summary" });
  const filter = h("div", { class: "row" });
  const list = h("div", { class: "mistakes" });
  const more = h("button", { hidden: true, id: "more", onclick: () => load(list.childElementCount) }, t({ en: "More", zh: "更多" }));
  const detail = h("div", { "aria-live": "polite" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  let confusion = null;
  let asked = 0;

  const say = (error) => {
    fault.textContent = error?.message ?? "";
    fault.hidden = !error;
  };

  async function begin() {
    const number = ++asked;
    put(summary, t({ en: "Reading the 10,000 test images …", zh: "正在识别 10000 幅测试图像……" }));
    put(detail);
    put(list);
    try {
      const found = await api.get(`confusion?${query()}`);
      if (number !== asked) return;
      confusion = found;
      say(null);
    } catch (error) {
      if (number === asked) {
        put(summary);
        say(error);
      }
      return;
    }
    const { right, n } = confusion;
    put(summary, t({ en: `${right.toLocaleString("en")} of ${n.toLocaleString("en")} test digits are right (${((100 * right) / n).toFixed(2)} %), ${n - right} are not.`, zh: `${n} 个测试数字中识别正确 ${right} 个（${((100 * right) / n).toFixed(2)} %），错误 ${n - right} 个。` }));
    choosePair(pair);
  }

  function choosePair(chosen) {
    pair = chosen;
    const { classes, matrix: counts } = confusion;
    matrix.show({ values: counts, columns: classes, rows: classes, colours: "warm", text: true, selected: pair ?? undefined,
      strength: (value, row, column) => (row === column ? 0 : value), format: (value) => value.toLocaleString("en"),
      onselect: (row, column) => choosePair(row === column || (pair?.[0] === row && pair?.[1] === column) ? null : [row, column]) });
    put(filter,
      pair ? t({ en: `${classes[pair[0]]} called ${classes[pair[1]]}`, zh: `${classes[pair[0]]} 被识别为 ${classes[pair[1]]}` }) : t({ en: "All mistakes", zh: "全部错例" }),
      pair ? h("button", { id: "all", onclick: () => choosePair(null) }, t({ en: "Show all", zh: "显示全部" })) : null);
    put(list);
    load(0);
  }

  async function load(offset) {
    const number = asked;
    const chosen = pair;
    const which = pair ? `&label=${pair[0]}&predicted=${pair[1]}` : "";
    try {
      const found = await api.get(`mistakes?${query()}${which}&offset=${offset}`);
      if (number !== asked || chosen !== pair) return;
      list.append(...found.mistakes.map((mistake) => picture(mistake, found.shape)));
      if (!found.total) put(list, h("p", { class: "note" }, t({ en: "None.", zh: "没有。" })));
      more.hidden = list.childElementCount >= found.total;
    } catch (error) {
      say(error);
    }
  }

  function picture(mistake, shape) {
    const { classes } = confusion;
    const p = mistake.probabilities[mistake.predicted];
    const text = t({
      en: `test image ${mistake.index}: a ${classes[mistake.label]}, called ${classes[mistake.predicted]} with ${(100 * p).toFixed(1)} %`,
      zh: `测试图像 ${mistake.index}：${classes[mistake.label]}，被识别为 ${classes[mistake.predicted]}，概率 ${(100 * p).toFixed(1)} %` });
    return h("button", { class: "mistake", title: text, "aria-label": text, onclick: () => show(mistake, shape, text) },
      grey(mistake.pixels, shape, { "aria-hidden": "true" }),
      h("span", { class: "true" }, classes[mistake.label]),
      h("span", { class: "called" }, classes[mistake.predicted]),
      h("span", { class: "sure" }, `${(100 * p).toFixed(0)} %`));
  }

  function show(mistake, shape, text) {
    const bars = probabilities(confusion.classes);
    bars.show(mistake.probabilities);
    const inside = () => seen.set({ pixels: mistake.pixels, shape, label: mistake.predicted, probabilities: mistake.probabilities });
    put(detail, h("h2", {}, text), h("div", { class: "row top-aligned" },
      grey(mistake.pixels, shape, { class: "pixels large", "aria-label": text }), h("div", { class: "grow" }, bars.element)),
      h("a", { class: "button", href: "#/inside", onclick: inside }, t({ en: "Look inside", zh: "看网络内部" })));
  }

  put(root, h("div", { class: "inspected" },
    h("section", { class: "panel" }, modelChoice(begin), summary, matrix.element, fault),
    h("section", { class: "panel" }, h("div", { class: "detail" }, detail), filter, list, more)));
  begin();
  return () => asked++;
}
