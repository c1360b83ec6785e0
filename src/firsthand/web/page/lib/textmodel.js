// Which language model the pages use, and the choice of it.

import { get } from "./api.js";
import { choice, h, put } from "./dom.js";
import { t } from "./i18n.js";

let chosen = null;

/** The model's name, null for the one to begin with. */
export const textModel = () => chosen;

const inChinese = (id, about) =>
  id === "letters" ? "莎士比亚戏剧（自带）" : id === "given" ? about.replace("the file", "文件") : `训练 ${id}`;

/** A choice of the language model, filled in when the server has answered; `onchange` is called after another was chosen. */
export function textModelChoice(onchange) {
  const place = h("div", {}, h("p", { class: "note" }, t({ en: "Model …", zh: "模型……" })));
  get("text/models").then((models) => {
    if (!models.some(({ id }) => id === chosen)) chosen = null;
    put(place, choice({
      label: t({ en: "Language model", zh: "语言模型" }),
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

/** What the chosen model is; of the one to begin with, it is asked which that is. */
export async function textModelAbout() {
  const id = chosen ?? (await get("text/models"))[0].id;
  return get(`text/models/${encodeURIComponent(id)}`);
}
