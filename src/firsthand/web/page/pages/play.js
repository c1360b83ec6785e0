// Games: watch a policy play, see what it thinks of its actions, and take over by keyboard.

import { bytes } from "../lib/api.js";
import { choice, h, put, slider } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { fixed } from "../lib/scale.js";

export const title = { en: "Play", zh: "玩游戏" };
export const about = {
  en: "A network that learned a game from what it saw and from its rewards, and was told no rules: deep Q-learning. Watch it play, and see what it expects of every action. Press an arrow key to take over; let go, and it continues. (Nielsen, chapter 6, “On the future of neural networks”)",
  zh: "这个网络只凭所见和奖励学会了游戏，没有人告诉它规则：深度 Q 学习。看它怎么玩，以及它对每个动作的期望。按方向键可以接手；松开后它接着玩。（Nielsen 第六章“神经网络的未来”）",
};

const GAMES = { catch: { en: "Catch", zh: "接球" }, breakout: { en: "Breakout", zh: "打砖块" }, freeway: { en: "Freeway", zh: "过马路" } };
const ACTIONS = { left: { en: "left", zh: "左" }, right: { en: "right", zh: "右" }, stay: { en: "stay", zh: "停" }, up: { en: "up", zh: "上" }, down: { en: "down", zh: "下" } };
const CHANNELS = { ball: "球", paddle: "挡板", trail: "球的前一位置", brick: "砖块", player: "玩家", car: "汽车" };
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
const CELL = 24;
const PACE = 160; // milliseconds of a step
const random = () => Math.floor(Math.random() * 2 ** 31);
let game = "breakout";

export function mount(root, { api, reducedMotion }) {
  const board = h("canvas", { class: "board", id: "board", role: "img", tabindex: 0, "aria-label": t({ en: "the game", zh: "游戏画面" }) });
  const bars = h("div", { class: "values", id: "values" });
  const score = h("p", { class: "verdict-line", id: "score", role: "status" });
  const key = h("p", { class: "note" });
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  let film = null;
  let at = 0;
  let seed = random();
  let timer = 0;
  let pressed = null; // an action, while its key is down
  let own = 0; // steps of whoever sits here
  let asking = false;
  let number = 0;
  let ended = false;

  async function ask(actions) {
    const mine = ++number;
    asking = true;
    try {
      const found = await api.post("play", { game, seed, actions });
      if (ended || mine !== number) return false; // the page was left, or another game chosen
      film = found;
      step.input.max = film.cells.length - 1;
      fault.hidden = true;
      return true;
    } catch (error) {
      if (!ended && mine === number) {
        fault.textContent = error.message;
        fault.hidden = false;
        stop();
      }
      return false;
    } finally {
      if (mine === number) asking = false;
    }
  }

  async function begin() {
    stop();
    [at, own, seed] = [0, 0, random()];
    if (!(await ask([]))) return;
    board.width = film.width * CELL;
    board.height = film.height * CELL;
    put(key, film.channels.map((name, i) => (name.startsWith("trail ") ? null : h("span", { class: "map-key" }, h("i", { style: { background: `rgb(${film.colours[i]})` } }), t({ en: name, zh: CHANNELS[name] ?? name })))));
    show();
    if (!reducedMotion) start();
  }

  function show() {
    const context = board.getContext("2d");
    context.fillStyle = "#101014";
    context.fillRect(0, 0, board.width, board.height);
    bytes(film.cells[at]).forEach((channel, i) => {
      if (!channel) return;
      context.fillStyle = `rgb(${film.colours[channel - 1]})`;
      context.fillRect((i % film.width) * CELL + 1, Math.floor(i / film.width) * CELL + 1, CELL - 2, CELL - 2);
    });
    const values = film.values[at];
    const most = Math.max(...film.values.flat().map(Math.abs), 1e-6);
    put(bars, film.actions.map((action, i) => h("div", { class: `value${film.taken[at] === i ? " taken" : ""}` },
      h("span", {}, t(ACTIONS[action])),
      h("span", { class: "bar" }, h("i", { class: values[i] < 0 ? "negative" : "", style: { width: `${(100 * Math.abs(values[i])) / most}%` } })),
      h("span", { class: "number" }, fixed(values[i], 2)))));
    const total = film.rewards.slice(0, at).reduce((sum, reward) => sum + reward, 0);
    const over = at === film.cells.length - 1;
    const who = own ? t({ en: `, ${own} steps of them yours`, zh: `，其中 ${own} 步是您走的` }) : "";
    put(score, t({ en: `score ${fixed(total, 0)} after ${at} steps${who}${over ? (film.ended ? ": the end" : ": time is up") : ""}`, zh: `${at} 步后得分 ${fixed(total, 0)}${who}${over ? (film.ended ? "：结束" : "：时间到") : ""}` }));
    step.set(at);
  }

  async function tick() {
    if (asking || !film) return;
    if (at >= film.taken.length) {
      stop();
      return;
    }
    const action = pressed === null ? -1 : film.actions.indexOf(pressed);
    if (action >= 0) {
      own += 1;
      if (action !== film.taken[at] && !(await ask([...film.taken.slice(0, at), action]))) return;
    }
    if (ended || at >= film.taken.length) return;
    at += 1;
    show();
  }

  function start() {
    stop();
    timer = setInterval(tick, PACE);
    put(button, t({ en: "Pause", zh: "暂停" }));
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    put(button, t({ en: "Go on", zh: "继续" }));
  }

  const button = h("button", { type: "button", id: "go", onclick: () => (timer ? stop() : start()) });
  const step = slider({ label: t({ en: "step", zh: "步" }), min: 0, max: 1, step: 1, value: 0, show: (i) => String(i), oninput: (i) => {
    stop();
    at = Math.min(i, film.cells.length - 1);
    show();
  } });
  step.input.id = "game-step";
  const games = choice({ label: t({ en: "game", zh: "游戏" }), options: Object.entries(GAMES).map(([name, text]) => [name, t(text)]), value: game, onchange: (to) => {
    game = to;
    begin();
  } });
  const steer = (down) => (event) => {
    const action = KEYS[event.key];
    if (!action || event.target.matches("input, select")) return;
    event.preventDefault();
    if (down && film?.actions.includes(action)) {
      pressed = action;
      if (!timer && at < film.taken.length) start();
    } else if (!down && pressed === action) {
      pressed = null;
    }
  };
  const [down, up] = [steer(true), steer(false)];
  document.addEventListener("keydown", down);
  document.addEventListener("keyup", up);
  put(root, h("div", { class: "columns" },
    h("section", { class: "panel" }, games.element, board, step.element, h("div", { class: "row" }, button,
      h("button", { type: "button", id: "new-game", onclick: begin }, t({ en: "A new game", zh: "新的一局" }))), key, fault),
    h("section", { class: "panel" }, h("h2", {}, t({ en: "What it expects of each action", zh: "它对每个动作的期望" })), bars, score,
      h("p", { class: "note" }, t({
        en: "Q(s, a): the reward still to come after this action, each later step counting 0.99 of the one before. The policy takes the largest; the marked one was taken. Before a reward the values rise, and where nothing can go wrong they hardly differ.",
        zh: "Q(s, a)：做了这个动作之后还能得到多少，每晚一步乘 0.99。策略取最大的一个；标出的是实际所做的动作。奖励之前数值上升；怎么做都行的地方，各个数值几乎没有差别。" })))));
  begin();
  return () => {
    ended = true;
    stop();
    document.removeEventListener("keydown", down);
    document.removeEventListener("keyup", up);
  };
}
