// A sequence of vectors of bits: as a grid that is clicked or gone through by keys, as text, and at random.

import { colour, h } from "./dom.js";
import { t } from "./i18n.js";

export const BITS = 8;
const CELL = 18; // pixels
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A vector of random bits. */
export const randomVector = () => Array.from({ length: BITS }, () => Number(Math.random() < 0.5));

/** Vectors as text: 10110010 01100001. */
export const written = (vectors) => vectors.map((vector) => vector.join("")).join(" ");

/** The vectors of a text, each of eight bits; throws an Error of one line. */
export function parsed(text, most) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  if (!words.length || words.length > most) {
    throw new Error(t({ en: `${words.length} vectors found, 1 to ${most} expected`, zh: `有 ${words.length} 个向量，应为 1 到 ${most} 个` }));
  }
  const wrong = words.findIndex((word) => !/^[01]{8}$/.test(word));
  if (wrong >= 0) {
    throw new Error(t({ en: `vector ${wrong + 1}: “${words[wrong].slice(0, 20)}” found, eight times 0 or 1 expected`, zh: `第 ${wrong + 1} 个向量：“${words[wrong].slice(0, 20)}”，应为八个 0 或 1` }));
  }
  return words.map((word) => [...word].map(Number));
}

/** A grid with a column for each vector: {element, show(vectors)}; `onchange()` is called when a bit was turned over in it. */
export function bitGrid({ label, onchange }) {
  const canvas = h("canvas", { class: "bits", id: "bits", tabindex: 0, role: "application",
    "aria-label": `${label}; ${t({ en: "arrow keys choose a bit, the space bar turns it over", zh: "用方向键选择一位，空格键翻转" })}` });
  const says = h("span", { class: "note", role: "status" });
  let vectors = [];
  let at = [0, 0]; // vector, bit

  function paint() {
    [canvas.width, canvas.height] = [vectors.length * CELL + 1, BITS * CELL + 1];
    canvas.style.width = `${canvas.width}px`;
    const context = canvas.getContext("2d");
    context.fillStyle = colour("line");
    context.fillRect(0, 0, canvas.width, canvas.height);
    vectors.forEach((vector, i) => vector.forEach((bit, j) => {
      context.fillStyle = colour(bit ? "ink" : "paper");
      context.fillRect(i * CELL + 1, j * CELL + 1, CELL - 1, CELL - 1);
    }));
    if (!canvas.matches(":focus-visible")) return;
    context.strokeStyle = colour("warm");
    context.lineWidth = 3;
    context.strokeRect(at[0] * CELL + 2, at[1] * CELL + 2, CELL - 3, CELL - 3);
  }
  function go(vector, bit) {
    at = [Math.max(0, Math.min(vectors.length - 1, vector)), Math.max(0, Math.min(BITS - 1, bit))];
    says.textContent = t({ en: `vector ${at[0] + 1}, bit ${at[1] + 1}: ${vectors[at[0]][at[1]]}`, zh: `第 ${at[0] + 1} 个向量第 ${at[1] + 1} 位：${vectors[at[0]][at[1]]}` });
    paint();
  }
  function turn() {
    vectors[at[0]][at[1]] = 1 - vectors[at[0]][at[1]];
    go(...at);
    onchange();
  }
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    go(Math.floor((event.clientX - box.left) / CELL), Math.floor((event.clientY - box.top) / CELL));
    turn();
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === " ") turn();
    else if (event.key in KEYS) go(at[0] + KEYS[event.key][0], at[1] + KEYS[event.key][1]);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", paint);
  canvas.addEventListener("blur", paint);
  return {
    element: h("div", {}, h("div", { class: "scroll" }, canvas), says),
    show(found) {
      vectors = found;
      at = [Math.min(at[0], vectors.length - 1), at[1]];
      paint();
    },
  };
}
