import { h, put } from "../lib/dom.js";
import { lang, t } from "../lib/i18n.js";

export const title = { en: "Results", zh: "结果" };
export const about = {
  en: "Every experiment of the texts that has been run here, published beside measured. Look first at what was not reached, and at the deviations that explain it.",
  zh: "在这里运行过的书中各实验：书中数字与实测并列。请先看未达到的，以及能解释它的偏差。",
};

const open = new Set(); // ids whose details are shown
const WORDS = {
  head: [
    { en: "experiment", zh: "实验" }, { en: "what it shows", zh: "内容" }, { en: "published", zh: "书中" },
    { en: "measured", zh: "实测" }, { en: "verdict", zh: "结论" }, { en: "time", zh: "时间" }],
  numbers: [{ en: "quantity", zh: "数量" }, { en: "published", zh: "书中" }, { en: "measured", zh: "实测" }, { en: "difference", zh: "差" }, { en: "verdict", zh: "结论" }],
};

function details(result) {
  const { id, numbers, claims, deviations, figures } = result;
  return [
    h("p", { class: "note" }, result.source, " · n = ", String(result.n), " · ", h("code", {}, `firsthand run ${id}`)),
    numbers.length ? h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, WORDS.numbers.map((text) => h("th", {}, t(text))))),
      h("tbody", {}, numbers.map((number) => h("tr", {}, h("td", {}, t(number.quantity)),
        [number.published, number.measured, number.difference].map((text) => h("td", { class: "number" }, text)), h("td", {}, t(number.verdict))))))) : null,
    claims.length ? h("ul", { class: "claims" }, claims.map(({ text, holds, measured }) => h("li", {},
      h("strong", { class: holds ? "good" : "error" }, holds ? t({ en: "holds", zh: "成立" }) : t({ en: "does not hold", zh: "不成立" })), " — ", t(text), " ",
      h("span", { class: "muted" }, t(measured))))) : null,
    deviations.length ? [h("h3", {}, t({ en: "Deviations", zh: "偏差" })), h("ol", {}, deviations.map((text) => h("li", {}, t(text))))] : null,
    figures.map(({ name, caption }) => h("figure", { class: "result" },
      h("img", { src: `/api/results/${encodeURIComponent(id)}/figures/${encodeURIComponent(name)}`, alt: t(caption), loading: "lazy" }),
      h("figcaption", { class: "note" }, t(caption)))),
  ];
}

function row(result) {
  const more = h("td", { colspan: WORDS.head.length });
  const below = h("tr", { class: "details", hidden: true }, more);
  const button = h("button", { class: "id", "aria-expanded": "false", onclick: () => toggle(!open.has(result.id)) }, result.id);
  function toggle(to) {
    open[to ? "add" : "delete"](result.id);
    below.hidden = !to;
    button.setAttribute("aria-expanded", to);
    if (to && !more.firstChild) put(more, details(result));
  }
  toggle(open.has(result.id));
  return [h("tr", {},
    h("td", {}, button), h("td", {}, t(result.title)), h("td", { class: "number" }, t(result.published)), h("td", { class: "number" }, t(result.measured)),
    h("td", { class: result.missed ? "error" : "" }, t(result.verdict), result.quick ? t({ en: " (shortened)", zh: "（已缩短）" }) : ""), h("td", { class: "number" }, result.time)), below];
}

export function mount(root, { api }) {
  let ended = false;
  put(root, h("p", { class: "note" }, t({ en: "Loading …", zh: "正在读取……" })));
  api.get("results").then((results) => {
    if (ended) return;
    if (!results.length) {
      put(root, h("section", { class: "panel" }, h("p", {}, t({ en: "No experiment has been run here yet. In a terminal:", zh: "这里还没有运行过实验。请在终端中运行：" })),
        h("pre", {}, "firsthand run --all --quick --out results/experiments\nfirsthand run --all --jobs 2")));
      return;
    }
    const missed = results.filter((result) => result.missed).length;
    put(root,
      h("p", { id: "count" }, t({ en: `${results.length} experiment${results.length === 1 ? "" : "s"}, ${missed} with something missed. `, zh: `共 ${results.length} 个实验，其中 ${missed} 个有未达到之处。` }),
        h("a", { href: `/api/report/${lang()}`, target: "_blank", rel: "noopener" }, t({ en: "The whole report as one page", zh: "打开完整报告" }))),
      h("section", { class: "panel scroll" }, h("table", { class: "results" },
        h("thead", {}, h("tr", {}, WORDS.head.map((text) => h("th", {}, t(text))))),
        h("tbody", {}, results.map(row)))));
  }, (error) => put(root, h("p", { class: "error", role: "alert" }, error.message)));
  return () => (ended = true);
}
