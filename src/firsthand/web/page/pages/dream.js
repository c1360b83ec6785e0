// A network run backwards: it draws the digit it is told, completes half a drawing, and a map of two numbers.

import { bytes } from "../lib/api.js";
import { palette } from "../lib/charts.js";
import { frame } from "../lib/frame.js";
import { HALVES, halfPad } from "../lib/halfpad.js";
import { choice, h, put, s } from "../lib/dom.js";
import { film } from "../lib/film.js";
import { t } from "../lib/i18n.js";
import { grey, paintGrey } from "../lib/pixels.js";
import { fixed } from "../lib/scale.js";

export const title = { en: "Dream", zh: "做梦" };
export const about = {
  en: "A deep belief net run backwards: hold one of its label units on, and watch what it draws. It learned from 50,000 handwritten digits, and draws its own. (Nielsen, chapter 6, “Deep belief nets, generative models, and Boltzmann machines”)",
  zh: "反向运行的深度信念网络：固定一个标签单元，看它画出什么。它从 50000 个手写数字中学习，画出的却是自己的数字。（Nielsen 第六章“深度信念网络、生成模型和玻尔兹曼机”）",
};

const NOTES = {
  settle: {
    en: "Four chains begin with units that are on or off by chance. Hidden and visible units of the machine at the top are drawn in turn while the label is held; their state goes down to the pixels. Digits appear within a few steps, and keep changing: a chain never ends; it wanders among likely images.",
    zh: "四条链从随机开关的单元开始。顶层玻尔兹曼机的隐藏单元和可见单元轮流抽样，标签保持不变；得到的结果再向下传到像素。几步之内数字就出现了，之后还在变化：链不会停下来，而是在可能性大的状态之间游走。",
  },
  complete: {
    en: "Draw in the half that is not veiled. The net goes up with what is known, and comes down with all of it; the known half is put back, a hundred times. Tell it a label, and the same strokes become another digit, as far as they can.",
    zh: "请在没有遮住的一半里画。网络用已知的部分向上，再带着整幅图下来，然后把已知的一半放回去，如此一百次。给它指定标签，同样的笔画就会尽可能变成另一个数字。",
  },
  learn: {
    en: "A Boltzmann machine of 24 hidden units sees 2,000 digits, without labels, by contrastive divergence. Each picture is the weights of one unit: warm turns it on, cool off. At first all units learn the same thing, the mean digit; then they part, because a unit that says what others say gains nothing, and look for parts of digits.",
    zh: "一个有 24 个隐藏单元的玻尔兹曼机用对比散度看 2000 个没有标签的数字。每幅图是一个单元的权重：暖色使它开启，冷色使它关闭。起初所有单元学到的都一样，即平均的数字；随后它们分开，因为重复别人的单元没有收获，于是各自寻找数字的某一部分。",
  },
  map: {
    en: "An autoencoder that keeps two numbers of an image. Dots are test images by their two numbers; no label was used. Move over the map to see what it draws there: between two digits lies something between them.",
    zh: "只保留两个数的自编码器。圆点是测试图像的两个数，训练时没有用标签。在地图上移动，看它在那里画出什么：两个数字之间是介于两者之间的图形。",
  },
};
const STEPS = { en: "steps", zh: "步数" };
const SIDE = 28;
const SHAPE = [SIDE, SIDE];
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a6d00", "#7b4fd0", "#888888", "#c0392b"];
const random = () => Math.floor(Math.random() * 2 ** 31);
const images = (text, count) => {
  const all = bytes(text);
  return Array.from({ length: count }, (_, i) => all.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE));
};
const base64 = (values) => btoa(String.fromCharCode(...values));

export function mount(root, { api, reducedMotion }) {
  const ends = [];
  const panel = (name, text, ...children) => h("section", { class: `panel ${name}` }, h("h2", {}, text), children, h("p", { class: "note" }, t(NOTES[name])));
  put(root, h("div", { class: "columns" }, settling(panel, api, reducedMotion, ends), completing(panel, api), mapped(panel, api), learning(panel, api, reducedMotion, ends)));
  return () => ends.forEach((end) => end());
}

/** What a request does to a panel: its error is shown in the place of nothing. */
function guarded(fault, ask) {
  let number = 0;
  return async (...given) => {
    const mine = ++number;
    try {
      await ask(() => mine === number, ...given);
      if (mine === number) fault.hidden = true;
    } catch (error) {
      if (mine !== number) return;
      fault.textContent = error.message;
      fault.hidden = false;
    }
  };
}

const row = (count, name) => Array.from({ length: count }, (_, i) =>
  grey(new Uint8Array(SIDE * SIDE), SHAPE, { class: "pixels dreamt", "aria-label": t({ en: `${name.en} ${i + 1}`, zh: `${name.zh} ${i + 1}` }) }));

function settling(panel, api, reducedMotion, ends) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const canvases = row(4, { en: "chain", zh: "链" });
  let frames = [];
  let every = 5;
  let label = 7;
  const paint = (i) => frames[i] && images(frames[i], canvases.length).forEach((values, chain) => paintGrey(canvases[chain], values));
  const at = film({ id: "settle-step", label: t(STEPS), name: (i) => String((i + 1) * every), paint, reducedMotion });
  ends.push(at.end);

  const begin = guarded(fault, async (current) => {
    const found = await api.post("dream/settle", { label, seed: random() });
    if (!current()) return;
    ({ frames, every } = found);
    at.play(frames.length);
  });
  const buttons = Array.from({ length: 10 }, (_, digit) => h("button", { type: "button", "aria-pressed": String(digit === label), onclick: () => choose(digit) }, digit));
  const free = h("button", { type: "button", "aria-pressed": "false", onclick: () => choose(null) }, t({ en: "none", zh: "不固定" }));
  function choose(to) {
    label = to;
    buttons.forEach((button, digit) => button.setAttribute("aria-pressed", digit === label));
    free.setAttribute("aria-pressed", label === null);
    begin();
  }
  begin();
  return panel("settle", t({ en: "Draw a …", zh: "画一个……" }),
    h("div", { class: "row", role: "group", "aria-label": t({ en: "the label that is held on", zh: "固定的标签" }) }, buttons, free),
    h("div", { class: "row dreams", id: "settled" }, canvases), at.element,
    h("div", { class: "row" }, h("button", { type: "button", id: "again", onclick: begin }, t({ en: "Again, by other chance", zh: "换一次随机再来" }))), fault);
}

const ACROSS = 8; // filters in a row
const CELL = SIDE + 2;

function learning(panel, api, reducedMotion, ends) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const error = h("p", { class: "number", role: "status" });
  const sheet = h("canvas", { class: "pixels filters", id: "learned", width: ACROSS * CELL, height: 3 * CELL, role: "img", "aria-label": t({ en: "the weights of the hidden units", zh: "各隐藏单元的权重" }) });
  const colour = palette("diverging");
  let shown = { frames: [], steps: [], errors: [] };

  function paint(i) {
    const { frames, errors, filters } = shown;
    if (!frames[i]) return;
    const context = sheet.getContext("2d");
    images(frames[i], filters).forEach((values, unit) => {
      const image = context.createImageData(SIDE, SIDE);
      values.forEach((v, k) => image.data.set([...colour((v - 128) / 127), 255], 4 * k));
      context.putImageData(image, (unit % ACROSS) * CELL, Math.floor(unit / ACROSS) * CELL);
    });
    error.textContent = t({ en: `squared error of a reconstruction: ${fixed(errors[i], 1)}`, zh: `重构的平方误差：${fixed(errors[i], 1)}` });
  }

  const at = film({ id: "learn-step", label: t(STEPS), name: (i) => String(shown.steps[i] ?? 0), paint, reducedMotion });
  ends.push(at.end);
  const begin = guarded(fault, async (current) => {
    button.disabled = true;
    try {
      const found = await api.post("dream/learn", { seed: random() });
      if (!current()) return;
      shown = found;
      at.play(shown.frames.length);
    } finally {
      button.disabled = false;
    }
  });
  const button = h("button", { type: "button", id: "learn", onclick: begin }, t({ en: "Learn", zh: "学习" }));
  return panel("learn", t({ en: "Filters while they are learned", zh: "学习中的滤波器" }), sheet, at.element, h("div", { class: "row" }, button, error), fault);
}

function completing(panel, api) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const canvases = row(4, { en: "completion", zh: "补全" });
  const names = { top: { en: "top", zh: "上半" }, bottom: { en: "bottom", zh: "下半" }, left: { en: "left", zh: "左半" }, right: { en: "right", zh: "右半" } };
  let known = "top";
  let label = null;
  let seed = random();
  const fill = guarded(fault, async (current) => {
    const found = await api.post("dream/complete", { pixels: base64(surface.pixels()), known, label, seed });
    if (current()) images(found.pixels, found.count).forEach((values, i) => paintGrey(canvases[i], values));
  });
  const surface = halfPad({ label: t({ en: "Surface for half a digit", zh: "画半个数字的区域" }), onchange: fill });
  const take = guarded(fault, async (current) => {
    const found = await api.get(`examples/${Math.floor(Math.random() * 10_000)}`);
    if (!current()) return;
    surface.show(bytes(found.pixels));
    seed = random();
    fill();
  });
  const half = choice({ label: t({ en: "given", zh: "给出的部分" }), options: Object.keys(HALVES).map((name) => [name, t(names[name])]), value: known, onchange: (to) => {
    known = to;
    surface.half(known);
    fill();
  } });
  const labels = choice({ label: t({ en: "label", zh: "标签" }), options: [["", t({ en: "free", zh: "不固定" })], ...Array.from({ length: 10 }, (_, i) => [String(i), String(i)])], value: "", onchange: (to) => {
    label = to === "" ? null : Number(to);
    fill();
  } });
  take();
  return panel("complete", t({ en: "Half a digit", zh: "半个数字" }),
    h("div", { class: "row top-aligned" }, surface.element, h("div", { class: "grow" }, half.element, labels.element,
      h("div", { class: "row" },
        h("button", { type: "button", id: "example", onclick: take }, t({ en: "A test image", zh: "一幅测试图像" })),
        h("button", { type: "button", id: "wipe", onclick: () => surface.clear() }, t({ en: "Clear", zh: "清除" }))))),
    h("div", { class: "row dreams", id: "completed" }, canvases), fault);
}

function mapped(panel, api) {
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const chart = frame({ square: true });
  const image = grey(new Uint8Array(SIDE * SIDE), SHAPE, { class: "pixels large", id: "walked", "aria-label": t({ en: "what is drawn at this place of the map", zh: "地图上此处画出的图" }) });
  const where = h("p", { class: "number", role: "status" });
  let busy = false;
  let next = null;

  const draw = guarded(fault, async (current, x, y) => {
    const found = await api.post("dream/map", { x, y });
    if (current()) paintGrey(image, bytes(found.pixels));
  });
  // one request at a time, and of those that wait the newest
  async function walk(x, y) {
    where.textContent = `(${fixed(x, 1)}, ${fixed(y, 1)})`;
    next = [x, y];
    if (busy) return;
    busy = true;
    while (next) {
      const [a, b] = next;
      next = null;
      await draw(a, b);
    }
    busy = false;
  }

  guarded(fault, async () => {
    const { codes, labels, low, high } = await api.get("dream/map");
    let X = null;
    let Y = null;
    chart.show({
      x: { label: t({ en: "first number", zh: "第一个数" }), domain: [low[0], high[0]] },
      y: { label: t({ en: "second number", zh: "第二个数" }), domain: [low[1], high[1]] },
      clip: true,
      label: t({ en: `${codes.length} test images by their two numbers`, zh: `${codes.length} 幅测试图像的两个数` }),
      legend: COLOURS.map((colour, digit) => h("span", { class: "map-key" }, h("i", { style: { background: colour } }), digit)),
      paint(layer, x, y) {
        [X, Y] = [x, y];
        codes.forEach(([a, b], i) => layer.append(s("circle", { cx: x(a), cy: y(b), r: 2.2, fill: COLOURS[labels[i]] })));
      },
      // a grid, so that arrow keys walk as well
      across: 12,
      readings: () => Array.from({ length: 144 }, (_, i) => ({ x: low[0] + ((high[0] - low[0]) * ((i % 12) + 0.5)) / 12, y: high[1] - ((high[1] - low[1]) * (Math.floor(i / 12) + 0.5)) / 12, text: [] })),
    });
    const svg = chart.element.querySelector("svg");
    svg.addEventListener("pointermove", (event) => {
      if (!X) return;
      const box = svg.getBoundingClientRect();
      const [x, y] = [X.invert(event.clientX - box.left), Y.invert(event.clientY - box.top)];
      if (x >= low[0] && x <= high[0] && y >= low[1] && y <= high[1]) walk(x, y);
    });
    walk((low[0] + high[0]) / 2, (low[1] + high[1]) / 2);
  })();
  return panel("map", t({ en: "A walk on the map", zh: "在地图上漫步" }), chart.element, h("div", { class: "row" }, image, where), fault);
}
