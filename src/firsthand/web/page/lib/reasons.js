// Why something on a picture is not read, in Chinese; the reading package says it in English.

import { t } from "./i18n.js";

const CHINESE = {
  "a blot": "墨渍",
  "not a digit": "不是数字",
  "within a word": "在一个词中",
  "in a text": "在一段文字中",
  "not in a line of writing": "不在一行书写之中",
  "nothing that was found is a digit": "找到的都不是数字",
  "nothing but printed lines was found": "只有印刷线",
  "nothing is written here: the picture is of one grey": "没有书写：图片只有一种灰度",
  "nothing is written here: nothing is darker than the paper's noise": "没有书写：没有比纸面噪声更深的墨迹",
};

/** A reason in the present language. */
export const because = (reason) => t({ en: reason, zh: CHINESE[reason] ?? reason });
