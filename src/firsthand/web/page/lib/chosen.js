// Which model the pages use, and the choice of it.

import { get } from "./api.js";
import { choice, h, put } from "./dom.js";
import { t } from "./i18n.js";

let chosen = null;

/** The model's name, null for the one to begin with. */
export const model = () => chosen;

/** The model as part of a query. */
export const query = () => (chosen === null ? "" : `model=${encodeURIComponent(chosen)}`);

const inChinese = (id, about) =>
  id === "box" ? "自带的模型" : id === "given" ? about.replace("the file", "文件") : `训练 ${id}`;

/** A choice of the model, filled in when the server has answered; `onchange` is called after another was chosen. */
export function modelChoice(onchange) {
  const place = h("div", {}, h("p", { class: "note" }, t({ en: "Model …", zh: "模型……" })));
  get("models").then((models) => {
    if (!models.length) {
      put(place, h("p", { class: "error" }, t({
        en: "There is no model yet: train one on the page Train and keep it.",
        zh: "还没有模型：请在“训练”页训练一个并保留。" })));
      return;
    }
    if (!models.some(({ id }) => id === chosen)) chosen = null;
    put(place, choice({
      label: t({ en: "Model", zh: "模型" }),
      options: models.map(({ id, about }) => [id, t({ en: about, zh: inChinese(id, about) })]),
      value: chosen ?? models[0].id,
      onchange: (value) => {
        chosen = value;
        onchange();
      },
    }).element);
  }, (error) => put(place, h("p", { class: "error", role: "alert" }, error.message)));
  return place;
}
