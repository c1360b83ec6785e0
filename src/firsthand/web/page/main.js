// The frame: navigation by hash, language, theme.  A page is built into <main> and ended when it is left.

import * as api from "./lib/api.js";
import { h, put } from "./lib/dom.js";
import { lang, setLanguage, t } from "./lib/i18n.js";

const PAGES = [
  ["draw", { en: "Draw", zh: "手写" }],
  ["inside", { en: "Inside", zh: "内部" }],
  ["neuron", { en: "One neuron", zh: "一个神经元" }],
  ["softmax", { en: "Softmax", zh: "Softmax" }],
  ["backward", { en: "Backward", zh: "反向传播" }],
  ["train", { en: "Train", zh: "训练" }],
  ["mistakes", { en: "Mistakes", zh: "错例" }],
  ["fool", { en: "Fool it", zh: "骗过它" }],
  ["blind", { en: "Human baseline", zh: "人类基准" }],
  ["space", { en: "Space bends", zh: "空间弯曲" }],
  ["dream", { en: "Dream", zh: "做梦" }],
  ["play", { en: "Play", zh: "玩游戏" }],
  ["text", { en: "Text", zh: "文本" }],
  ["execute", { en: "Execute", zh: "执行" }],
  ["memory", { en: "Memory", zh: "记忆" }],
  ["story", { en: "Story", zh: "故事" }],
  ["results", { en: "Results", zh: "结果" }],
];
const THEMES = { auto: { en: "Auto", zh: "自动" }, light: { en: "Light", zh: "浅色" }, dark: { en: "Dark", zh: "深色" } };
const dark = matchMedia("(prefers-color-scheme: dark)");
const main = document.getElementById("page");
let theme = localStorage.getItem("firsthand-theme") ?? "auto";
let leave = null;
let visit = 0;

const here = () => [...PAGES.map(([name]) => name), "api"].find((name) => location.hash === `#/${name}`) ?? "draw";

function applyTheme() {
  document.documentElement.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
}

function frame() {
  document.documentElement.lang = lang() === "zh" ? "zh-CN" : "en";
  document.getElementById("skip").textContent = t({ en: "Skip to the page", zh: "跳到正文" });
  const nav = document.getElementById("nav");
  nav.setAttribute("aria-label", t({ en: "Pages", zh: "页面" }));
  put(nav, PAGES.map(([name, title]) =>
    h("a", { href: `#/${name}`, "aria-current": name === here() ? "page" : null }, t(title))));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(theme) + 1) % names.length];
  put(document.getElementById("switches"),
    h("button", { id: "language", lang: lang() === "zh" ? "en" : "zh-CN", onclick: switchLanguage }, lang() === "zh" ? "English" : "中文"),
    h("button", { id: "theme", "aria-label": t({ en: `Colours: ${t(THEMES[theme])}; switch to ${t(THEMES[next])}`, zh: `配色：${t(THEMES[theme])}；切换为${t(THEMES[next])}` }),
      onclick: () => switchTheme(next) }, t(THEMES[theme])));
  put(document.getElementById("foot"), t({
    en: "firsthand lab. Everything is computed on this machine; nothing leaves it. ",
    zh: "firsthand 实验室。一切都在本机计算，不会上传任何内容。" }),
    h("a", { href: "#/api" }, t({ en: "The API", zh: "接口说明" })));
}

function switchLanguage() {
  setLanguage(lang() === "zh" ? "en" : "zh");
  show();
  document.getElementById("language").focus();
}

function switchTheme(to) {
  theme = to;
  localStorage.setItem("firsthand-theme", theme);
  applyTheme();
  show(); // what is painted on a canvas takes its colours when it is made
  document.getElementById("theme").focus();
}

async function show() {
  const name = here();
  const number = ++visit;
  leave?.();
  leave = null;
  frame();
  put(main);
  try {
    const page = await import(`./pages/${name}.js`);
    if (number !== visit) return; // somebody went on while it was loading
    document.title = `${t(page.title)} · firsthand`;
    main.append(h("h1", {}, t(page.title)), h("p", { class: "look" }, t(page.about)));
    const root = h("div", { class: `page-${name}` });
    main.append(root);
    const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
    leave = page.mount(root, { lang: lang(), api, reducedMotion }) ?? null;
  } catch (error) {
    if (number !== visit) return;
    console.error(error);
    main.append(h("p", { class: "error", role: "alert" }, t({ en: `This page could not be shown: ${error.message}`, zh: `无法显示此页：${error.message}` })));
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash belongs to the router
  main.focus();
});
addEventListener("hashchange", () => {
  show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
dark.addEventListener("change", () => {
  applyTheme();
  if (theme === "auto") show();
});
applyTheme();
show();
