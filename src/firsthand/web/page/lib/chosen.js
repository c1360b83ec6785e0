// Which model the pages use, and the choice of it.

import { get } from "./api.js";
import { choice, h, put } from "./dom.js";
import { t } from "./i18n.js";

/**
 * A choice of a model that pages share.
 *
 * `path` lists the models; `label` names the choice, and `box` in Chinese those that come with the package, by id.
 */
export function chooser({ path, label, box }) {
  let chosen = null;
  const inChinese = (id, about) => box[id] ?? (id === "given" ? about.replace("the file", "文件") : `训练 ${id}`);

  /** The model's name, null for the one to begin with. */
  const id = () => chosen;

  /** The choice, filled in when the server has answered; `onchange` is called after another was chosen. */
  function element(onchange) {
    const place = h("div", {}, h("p", { class: "note" }, t({ en: "Model …", zh: "模型……" })));
    get(path).then((models) => {
      if (!models.length) {
        put(place, h("p", { class: "error" }, t({
          en: "There is no model yet: train one on the page Train and keep it.",
          zh: "还没有模型：请在“训练”页训练一个并保留。" })));
        return;
      }
      if (!models.some((model) => model.id === chosen)) chosen = null;
      put(place, choice({
        label: t(label),
        options: models.map((model) => [model.id, t({ en: model.about, zh: inChinese(model.id, model.about) })]),
        value: chosen ?? models[0].id,
        onchange: (value) => {
          chosen = value;
          onchange();
        },
      }).element);
    }, (error) => put(place, h("p", { class: "error", role: "alert" }, error.message)));
    return place;
  }

  return { id, element };
}

/** The classifier that the pages use, and the choice of it. */
export const { id: model, element: modelChoice } = chooser({
  path: "models", label: { en: "Model", zh: "模型" }, box: { box: "自带的模型" } });

/** The model as part of a query. */
export const query = () => (model() === null ? "" : `model=${encodeURIComponent(model())}`);
