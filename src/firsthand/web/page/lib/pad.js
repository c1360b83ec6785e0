// A surface to draw on: mouse, touch, pen, or keys.  The strokes outlive the page, so that Draw and Inside share them.

import { colour, h, slider } from "./dom.js";
import { t } from "./i18n.js";

export const WIDTH = 600; // of the surface, in its own units
export const HEIGHT = 320;
const SENT = 0.5; // pixels that are sent for one unit
const STEP = 8; // units that the pen moves by a key

const kept = { strokes: [], width: 24 };

/** Throw away what is drawn. */
export const wipe = () => kept.strokes.splice(0);

/** Whether anything is drawn. */
export const blank = () => kept.strokes.length === 0;

function paint(context, strokes, style) {
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = style;
  for (const { width, points } of strokes) {
    context.lineWidth = width;
    context.beginPath();
    const [[x, y]] = points;
    context.moveTo(x, y);
    if (points.length === 1) context.lineTo(x + 0.01, y); // a dot
    for (let i = 1; i < points.length; i++) {
      // through the middles, bent towards the points: what is between two events is no corner
      const [ax, ay] = points[i - 1];
      const [bx, by] = points[i];
      context.quadraticCurveTo(ax, ay, (ax + bx) / 2, (ay + by) / 2);
      if (i === points.length - 1) context.lineTo(bx, by);
    }
    context.stroke();
  }
}

const hidden = h("canvas", { width: WIDTH * SENT, height: HEIGHT * SENT });
const unseen = hidden.getContext("2d", { willReadFrequently: true });

/** What is drawn, as the server takes it: number, width, height, whether carefully, then a byte of ink per pixel. */
export function packed(number, careful) {
  unseen.setTransform(1, 0, 0, 1, 0, 0);
  unseen.fillStyle = "#000";
  unseen.fillRect(0, 0, hidden.width, hidden.height);
  unseen.setTransform(SENT, 0, 0, SENT, 0, 0);
  paint(unseen, kept.strokes, "#fff");
  const { data } = unseen.getImageData(0, 0, hidden.width, hidden.height);
  const message = new ArrayBuffer(9 + data.length / 4);
  const head = new DataView(message);
  head.setUint32(0, number, true);
  head.setUint16(4, hidden.width, true);
  head.setUint16(6, hidden.height, true);
  head.setUint8(8, careful ? 1 : 0);
  const ink = new Uint8Array(message, 9);
  for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i];
  return message;
}

/** Boxes of the server, in units of the surface. */
export const unpacked = (box) => box.map((side) => side / SENT);

/** The surface with its tools.  `onchange` is called, at most once a frame, whenever the strokes have changed. */
export function pad({ onchange }) {
  const canvas = h("canvas", { class: "pad", width: 2 * WIDTH, height: 2 * HEIGHT, tabindex: 0, role: "img",
    "aria-describedby": "pad-keys",
    "aria-label": t({ en: "Surface to draw on", zh: "书写区" }) });
  const context = canvas.getContext("2d");
  const pen = { x: WIDTH / 2, y: HEIGHT / 2, down: false, shown: false };
  let stroke = null;
  let frame = 0;

  function show() {
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    paint(context, kept.strokes, colour("ink"));
    if (!pen.shown) return;
    context.lineWidth = 2;
    context.strokeStyle = colour(pen.down ? "warm" : "accent");
    context.beginPath();
    context.arc(pen.x, pen.y, Math.max(6, kept.width / 2), 0, 2 * Math.PI);
    context.stroke();
  }

  function changed() {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      show();
      onchange();
    });
  }

  const begin = (x, y) => {
    stroke = { width: kept.width, points: [[x, y]] };
    kept.strokes.push(stroke);
    changed();
  };
  const at = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) * WIDTH) / width, ((event.clientY - top) * HEIGHT) / height];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pen.shown = pen.down = false;
    begin(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || pen.down) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) stroke.points.push(at(one));
    changed();
  });
  const end = () => {
    if (!pen.down) stroke = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  const undo = () => {
    kept.strokes.pop();
    pen.down = false;
    stroke = null;
    changed();
  };
  const clear = () => {
    wipe();
    pen.down = false;
    stroke = null;
    changed();
  };

  const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (move) {
      pen.shown = true;
      pen.x = Math.min(Math.max(pen.x + move[0], 0), WIDTH);
      pen.y = Math.min(Math.max(pen.y + move[1], 0), HEIGHT);
      if (pen.down) {
        stroke.points.push([pen.x, pen.y]);
        changed();
      } else show();
    } else if (event.key === " " || event.key === "Enter") {
      pen.shown = true;
      pen.down = !pen.down;
      if (pen.down) begin(pen.x, pen.y);
      else stroke = null;
      show();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => {
    pen.shown = pen.down = false;
    stroke = null;
    show();
  });

  const width = slider({ label: t({ en: "Stroke width", zh: "笔画粗细" }), min: 6, max: 48, step: 1, value: kept.width,
    show: (v) => `${v} px`, oninput: (v) => (kept.width = v) });
  const surface = h("div", { class: "surface" }, canvas);
  const element = h("div", {},
    surface,
    h("div", { class: "row" },
      h("button", { onclick: undo, id: "undo" }, t({ en: "Undo", zh: "撤销" })),
      h("button", { onclick: clear, id: "clear" }, t({ en: "Clear", zh: "清空" }))),
    width.element,
    h("p", { class: "note", id: "pad-keys" }, t({
      en: "By keys, after a click or Tab: arrows move the pen, Space sets it down and lifts it, Ctrl+Z undoes, Delete clears.",
      zh: "也可用键盘：用 Tab 选中书写区，方向键移动笔，空格键落笔或提笔，Ctrl+Z 撤销，Delete 清空。" })));
  show();
  return { element, surface, redraw: show, end: () => cancelAnimationFrame(frame) };
}
