// What every picture shares: axes with ticks and labels at the size it really has, a legend, a layer of pixels below
// the lines, and a cursor that reads values off it, by pointer, touch or arrow keys.

import { h, put, s } from "./dom.js";
import { t } from "./i18n.js";
import { scale } from "./scale.js";

const LINE = 16; // pixels from one line of text to the next
const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down", PageUp: -10, PageDown: 10, Home: "first", End: "last" };
const HINT = { en: "arrow keys read the values", zh: "用方向键读数" };

/** Width of a text of 12 pixels, close enough to keep labels apart: full-width characters are twice as wide. */
const widthOf = (text) => [...text].reduce((sum, c) => sum + (c > "\u2e80" ? 12 : 6.8), 0);

/**
 * An empty picture: {element, show(spec)}.
 *
 * Options: title; note, a sentence that says what to look for; height in pixels, or square; bare, without axes.
 * A spec has x and y {label, domain, log, ticks}, paint(layer, X, Y), which appends SVG elements, legend (elements),
 * readings() [{x, y, text: [lines]}] in units of the axes, `across` where they are cells in rows of this many, nearest "x"
 * or "both", onselect(reading), clip (to the axes), raster
 * {columns, rows, rgba} below the lines, and label, what the picture says in one line.
 */
export function frame({ title, note, height = 260, square = false, bare = false }) {
  const canvas = h("canvas", { class: "chart-raster", hidden: true, "aria-hidden": "true" });
  const svg = s("svg", { class: "chart-svg", role: "application", tabindex: 0, "aria-roledescription": t({ en: "chart", zh: "图" }) });
  const tip = h("div", { class: "chart-tip", role: "status", hidden: true });
  const stage = h("div", { class: "chart-stage" }, canvas, svg, tip);
  const legend = h("div", { class: "chart-legend", hidden: true });
  const element = h("figure", { class: "chart" }, title && h("h3", {}, title), legend, stage, note && h("figcaption", { class: "note" }, note));

  let spec = null;
  let places = null; // X and Y of the last drawing
  let scheduled = false;
  let readings = null; // asked for when somebody looks
  let cursor = null; // index of the reading that is shown
  let pointer = null; // [x, y] in pixels, where it is the pointer that reads
  const marker = s("g", { class: "chart-cursor", "aria-hidden": "true" });

  function draw() {
    scheduled = false;
    const width = stage.clientWidth;
    if (!spec || !width) return;
    const axes = bare ? { top: 1, right: 1, bottom: 1, left: 1 } : margins(spec, height);
    const inner = Math.max(10, width - axes.left - axes.right);
    const tall = square ? Math.min(inner, 520) : height - axes.top - axes.bottom;
    const wide = square ? tall : inner;
    const total = axes.top + tall + axes.bottom;
    const X = scale(spec.x.domain, [axes.left, axes.left + wide], spec.x.log);
    const Y = scale(spec.y.domain, spec.y.down ? [axes.top, axes.top + tall] : [axes.top + tall, axes.top], spec.y.log);
    // nested, an svg cuts off what goes beyond the axes
    const box = { x: axes.left, y: axes.top, width: wide, height: tall };
    const layer = spec.clip ? s("svg", { ...box, viewBox: Object.values(box).join(" ") }) : s("g", {});
    spec.paint(layer, X, Y);
    for (const [name, value] of [["width", width], ["height", total], ["viewBox", `0 0 ${width} ${total}`]]) svg.setAttribute(name, value);
    svg.setAttribute("aria-label", [title, spec.label, !bare && `x: ${spec.x.label}, y: ${spec.y.label}`, t(HINT)].filter(Boolean).join("; "));
    put(svg, bare ? [] : drawAxes(spec, X, Y), layer, marker);
    put(legend, spec.legend ?? []);
    legend.hidden = !spec.legend?.length;
    drawRaster(canvas, spec.raster, X, Y);
    places = { X, Y, width };
    readings = null;
    if (pointer) cursor = nearest();
    point();
  }

  const placed = ({ x, y }) => Number.isFinite(places.X(x) + (spec.nearest === "x" ? 0 : places.Y(y)));
  const look = () => (readings ??= (spec?.readings?.() ?? []).filter(placed));

  function nearest() {
    let best = null;
    let least = Infinity;
    look().forEach((reading, i) => {
      const dx = places.X(reading.x) - pointer[0];
      const dy = spec.nearest === "x" ? 0 : places.Y(reading.y) - pointer[1];
      if (dx * dx + dy * dy < least) [best, least] = [i, dx * dx + dy * dy];
    });
    return best;
  }

  function point() {
    const reading = cursor === null ? null : look()[Math.min(cursor, look().length - 1)];
    tip.hidden = !reading;
    put(marker);
    if (!reading) return;
    const [x, y] = [places.X(reading.x), places.Y(reading.y)];
    const [low, high] = places.Y.range;
    if (spec.nearest === "x") put(marker, s("line", { x1: x, x2: x, y1: low, y2: high }));
    else if (spec.across) put(marker, cellAround(reading));
    else put(marker, s("circle", { cx: x, cy: y, r: 6 }));
    const text = reading.text.filter(Boolean);
    if (tip.textContent !== text.join("")) put(tip, text.map((line) => h("div", {}, line)));
    const right = x > places.width / 2; // the tip stands on the side where there is room
    Object.assign(tip.style, { left: right ? "auto" : `${x + 12}px`, right: right ? `${places.width - x + 12}px` : "auto",
      top: `${Math.max(0, Math.min(low, high) + (spec.nearest === "x" ? 4 : y - Math.min(low, high) - 12))}px` });
  }

  function cellAround({ x, y }) {
    const [left, top] = [places.X(x - 0.5), Math.min(places.Y(y - 0.5), places.Y(y + 0.5))];
    return s("rect", { x: left, y: top, width: places.X(x + 0.5) - left, height: Math.abs(places.Y(y + 0.5) - places.Y(y - 0.5)) });
  }

  const move = (event) => {
    if (!places) return;
    const box = svg.getBoundingClientRect();
    pointer = [event.clientX - box.left, event.clientY - box.top];
    cursor = nearest();
    point();
  };
  const hide = () => {
    cursor = pointer = null;
    if (places) point();
  };
  const choose = () => cursor !== null && look()[cursor] && spec.onselect?.(look()[cursor]);
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("click", choose);
  svg.addEventListener("blur", hide);
  svg.addEventListener("focus", () => {
    if (!places || pointer || !svg.matches(":focus-visible")) return;
    cursor ??= 0;
    point();
  });
  svg.addEventListener("keydown", (event) => {
    if (!places || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") hide();
    else if (event.key === "Enter" || event.key === " ") choose();
    else if (event.key in KEYS) {
      pointer = null;
      cursor = moved(cursor, KEYS[event.key], look().length, spec.across);
      point();
    } else return;
    event.preventDefault();
  });
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(draw);
  };
  new ResizeObserver(schedule).observe(stage);

  return {
    element,
    show(next) {
      spec = next;
      schedule();
    },
  };
}

function moved(cursor, key, count, across = 0) {
  const last = count - 1;
  const step = { up: across ? -across : 1, down: across || -1 }[key] ?? key;
  if (count < 1) return null;
  if (key === "first") return 0;
  if (key === "last") return last;
  if (cursor === null) return 0;
  return Math.max(0, Math.min(last, Math.min(cursor, last) + step));
}

const ticksOf = (axis, place, room) => axis.ticks ?? place.ticks(room);

function margins({ x, y }, height) {
  const trial = scale(y.domain, [height, 0], y.log);
  const widest = Math.max(0, ...ticksOf(y, trial, 5).map((tick) => widthOf(tick.text)));
  return { top: LINE + 10, right: 14, bottom: (x.ticks?.length === 0 ? 6 : LINE + 6) + (x.label ? LINE : 0), left: Math.ceil(widest) + 12 };
}

function drawAxes({ x, y, raster }, X, Y) {
  const [left, right] = X.range;
  const [top, bottom] = [...Y.range].sort((a, b) => a - b);
  const parts = [s("rect", { class: "chart-box", x: left, y: top, width: right - left, height: bottom - top })];
  for (const { at, text } of ticksOf(y, Y, Math.max(2, Math.round((bottom - top) / 45)))) {
    if (!y.ticks && !raster) parts.push(s("line", { class: "chart-grid", x1: left, x2: right, y1: Y(at), y2: Y(at) }));
    parts.push(s("text", { x: left - 6, y: Y(at) + 4, "text-anchor": "end", class: "chart-tick" }, text));
  }
  let free = -Infinity; // where the last label ended
  for (const { at, text } of ticksOf(x, X, Math.max(2, Math.round((right - left) / 80)))) {
    if (!x.ticks && !raster) parts.push(s("line", { class: "chart-grid", x1: X(at), x2: X(at), y1: top, y2: bottom }));
    const half = widthOf(text) / 2;
    if (X(at) - half < free + 4) continue;
    free = X(at) + half;
    parts.push(s("text", { x: X(at), y: bottom + LINE, "text-anchor": "middle", class: "chart-tick" }, text));
  }
  if (x.label) parts.push(s("text", { x: right, y: bottom + (x.ticks?.length === 0 ? 1 : 2) * LINE, "text-anchor": "end", class: "chart-label" }, x.label));
  if (y.label) parts.push(s("text", { x: Math.min(left, 4), y: LINE - 2, class: "chart-label" }, y.label));
  return parts;
}

function drawRaster(canvas, raster, X, Y) {
  canvas.hidden = !raster;
  if (!raster) return;
  const [left, right] = [...X.range].sort((a, b) => a - b);
  const [top, bottom] = [...Y.range].sort((a, b) => a - b);
  Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  canvas.classList.toggle("chart-smooth", Boolean(raster.smooth));
  if (canvas.width !== raster.columns) canvas.width = raster.columns;
  if (canvas.height !== raster.rows) canvas.height = raster.rows;
  canvas.getContext("2d").putImageData(new ImageData(raster.rgba, raster.columns, raster.rows), 0, 0);
}
