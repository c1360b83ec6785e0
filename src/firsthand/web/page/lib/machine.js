// A machine with a memory, step by step: what is given and said, where its heads look, and what the memory holds.

import { bytes } from "./api.js";
import { BITS } from "./bits.js";
import { palette } from "./charts.js";
import { colour, h, put } from "./dom.js";
import { t } from "./i18n.js";
import { picture } from "./numbers.js";

const CELL = 10; // pixels of a bit in a picture
const HEAD = 40; // pixels of a head's bars
const BAR = 10;

/**
 * Pictures of a copy: {element, show(vectors, answer of the server), at(step)}.
 *
 * `onpick(step)` is called when somebody points at a step, which counts from 0.  What comes after it is veiled.
 */
export function machine({ onpick }) {
  const veils = [];
  const strips = { given: strip(), said: strip(), writing: strip(), reading: strip() };
  const heads = { writing: h("canvas", { class: "head" }), reading: h("canvas", { class: "head" }) };
  const cells = h("div", { class: "cells" });
  const held = h("p", { class: "note" });
  const element = h("div", { class: "machine" }, Object.values(strips).map((one) => one.element),
    h("h3", {}, t({ en: "The memory at this step", zh: "这一步的记忆" })), held,
    h("div", { class: "slots" }, heads.writing, heads.reading, cells));
  let vectors = [];
  let copied = null;
  let weights = null; // bytes of the heads, (steps, slots), and of the memory, (steps, slots, width)
  let steps = 1;

  function strip() {
    const caption = h("figcaption", { class: "note" });
    const stage = h("div", { class: "strip-stage" });
    const veil = h("span", { class: "veil" });
    veils.push(veil);
    const pick = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = stage.getBoundingClientRect();
      onpick(Math.max(0, Math.min(steps - 1, Math.floor((steps * (event.clientX - box.left)) / box.width))));
    };
    stage.addEventListener("pointerdown", pick);
    stage.addEventListener("pointermove", pick);
    return {
      element: h("figure", { class: "strip" }, caption, stage),
      show(text, canvas, height) {
        caption.textContent = text;
        canvas.style.height = `${height}px`;
        put(stage, canvas, veil);
      },
    };
  }

  // a wrong bit is red, and crossed out
  function bitsOf(label, rows, columns) {
    const canvas = h("canvas", { width: steps * CELL, height: rows * CELL, role: "img", "aria-label": label });
    const context = canvas.getContext("2d");
    const ink = palette("ink");
    context.fillStyle = colour("paper");
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const { at, values, wrong } of columns) {
      values.forEach((value, row) => {
        const [x, y] = [at * CELL, row * CELL];
        context.fillStyle = `rgb(${ink(value).map(Math.round).join(" ")})`;
        context.fillRect(x, y, CELL, CELL);
        if (!wrong?.[row]) return;
        context.fillStyle = colour("bad");
        context.fillRect(x, y, CELL, CELL);
        context.strokeStyle = colour("paper");
        context.lineWidth = 2;
        context.beginPath();
        context.moveTo(x + 1, y + 1);
        context.lineTo(x + CELL - 1, y + CELL - 1);
        context.moveTo(x + CELL - 1, y + 1);
        context.lineTo(x + 1, y + CELL - 1);
        context.stroke();
      });
    }
    return canvas;
  }

  const row = (which, step) => weights[which].subarray(step * copied.slots.length, (step + 1) * copied.slots.length);
  const wrongIn = (i) => copied.said[i].map((p, bit) => p > 0.5 !== Boolean(vectors[i][bit]));

  function headOf(which, label, colours) {
    const count = copied.slots.length;
    const table = Array.from({ length: count }, (_, slot) => Array.from({ length: steps }, (_, step) => weights[which][step * count + slot] / 255));
    return picture(table, { colours, scale: 1, "aria-label": label });
  }

  function show(given, answer) {
    [vectors, copied] = [given, answer];
    steps = 2 * vectors.length + 1;
    weights = { reading: bytes(copied.reading), writing: bytes(copied.writing), memory: bytes(copied.memory) };
    const { slots } = copied;
    const range = t({ en: `slots ${slots[0]} to ${slots[slots.length - 1]}, downward`, zh: `自上而下为位置 ${slots[0]} 至 ${slots[slots.length - 1]}` });
    const mark = Array.from({ length: BITS + 1 }, (_, bit) => Number(bit === BITS));
    const texts = {
      given: t({ en: "given, step by step: the vectors, then the mark, in the last row", zh: "逐步给出：先是各个向量，然后是标记（最后一行）" }),
      said: t({ en: "said after the mark: a filled cell is 1; what is wrong is red and crossed out", zh: "标记之后说出：填满的格为 1；错误的为红色并打叉" }),
      writing: t({ en: `where the writing head looks: ${range}`, zh: `写入头看哪里：${range}` }),
      reading: t({ en: `where the reading head looks: ${range}`, zh: `读取头看哪里：${range}` }),
    };
    strips.given.show(texts.given, bitsOf(texts.given, BITS + 1, [...vectors.map((vector, at) => ({ at, values: [...vector, 0] })), { at: vectors.length, values: mark }]), 9 * (BITS + 1));
    strips.said.show(texts.said, bitsOf(texts.said, BITS, copied.said.map((values, i) => ({ at: vectors.length + 1 + i, values, wrong: wrongIn(i) }))), 9 * BITS);
    const tall = Math.max(96, Math.min(7 * slots.length, 220));
    strips.writing.show(texts.writing, headOf("writing", texts.writing, "warm"), tall);
    strips.reading.show(texts.reading, headOf("reading", texts.reading, "accent"), tall);
    held.textContent = t({
      en: `A column is a slot, ${slots[0]} to ${slots[slots.length - 1]}, with its ${weights.memory.length / steps / slots.length} numbers: warm is positive, cool negative. The bars above are the heads: first writing, then reading.`,
      zh: `每一列是一个位置（${slots[0]} 至 ${slots[slots.length - 1]}），有 ${weights.memory.length / steps / slots.length} 个数：暖色为正，冷色为负。上面的条是读写头：先是写入头，再是读取头。` });
    Object.entries(heads).forEach(([which, canvas]) => {
      [canvas.width, canvas.height] = [slots.length * BAR, HEAD];
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", texts[which]);
    });
  }

  function at(step) {
    veils.forEach((veil) => (veil.style.left = `${(100 * (step + 1)) / steps}%`));
    const count = copied.slots.length;
    const width = weights.memory.length / steps / count;
    for (const [which, name] of [["writing", "warm"], ["reading", "accent"]]) {
      const context = heads[which].getContext("2d");
      context.clearRect(0, 0, count * BAR, HEAD);
      context.fillStyle = colour(name);
      row(which, step).forEach((weight, slot) => context.fillRect(slot * BAR + 1, HEAD * (1 - weight / 255), BAR - 2, (HEAD * weight) / 255));
    }
    const now = weights.memory.subarray(step * count * width, (step + 1) * count * width);
    const table = Array.from({ length: width }, (_, number) => Array.from({ length: count }, (_, slot) => (now[slot * width + number] - 128) / 127));
    put(cells, picture(table, { colours: "diverging", scale: 1, "aria-label": t({ en: "the memory", zh: "记忆" }) }));
  }

  /** Of a head at a step: the slot with the most weight, and how much that is. */
  function looks(which, step) {
    const all = row(which, step);
    const best = all.indexOf(Math.max(...all));
    return { slot: copied.slots[best], weight: all[best] / 255 };
  }
  return { element, show, at, looks, wrongIn };
}
