// Which language model the pages use, and the choice of it.

import { get } from "./api.js";
import { chooser } from "./chosen.js";

/** The language model that the pages use, and the choice of it. */
export const { id: textModel, element: textModelChoice } = chooser({
  path: "text/models", label: { en: "Language model", zh: "语言模型" }, box: { letters: "莎士比亚戏剧（自带）" } });

/** What the chosen model is; of the one to begin with, it is asked which that is. */
export async function textModelAbout() {
  const id = textModel() ?? (await get("text/models"))[0].id;
  return get(`text/models/${encodeURIComponent(id)}`);
}
