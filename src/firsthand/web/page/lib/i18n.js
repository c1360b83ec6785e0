// Two languages; the choice stays in the browser.

const KEY = "firsthand-language";
let language = localStorage.getItem(KEY) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** "en" or "zh". */
export const lang = () => language;

/** The text in the present language: t({en: "Draw", zh: "手写"}). */
export const t = (text) => (typeof text === "string" ? text : (text[language] ?? text.en));

export function setLanguage(chosen) {
  language = chosen === "zh" ? "zh" : "en";
  localStorage.setItem(KEY, language);
}
