// A small square to draw half a digit on, in 28 x 28 pixels of ink.

import { colour, h } from "./dom.js";

const SIDE = 28;
const SCALE = 8; // units of the surface for one pixel
const PEN = 2.2; // pixels
export const HALVES = { top: [0, 0, 1, 0.5], bottom: [0, 0.5, 1, 0.5], left: [0, 0, 0.5, 1], right: [0.5, 0, 0.5, 1] };

/** {element, pixels(), show(bytes), clear(), half(name)}; `onchange` is called after every stroke. */
export function halfPad({ label, onchange }) {
  const size = SIDE * SCALE;
  const canvas = h("canvas", { class: "half-pad", width: size, height: size, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  const ink = h("canvas", { width: size, height: size });
  const hidden = ink.getContext("2d", { willReadFrequently: true });
  let known = "top";
  let at = null;

  const inside = (x, y) => {
    const [left, top, wide, high] = HALVES[known];
    return x >= left * size && x <= (left + wide) * size && y >= top * size && y <= (top + high) * size;
  };
  const place = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) * size) / width, ((event.clientY - top) * size) / height];
  };

  function show() {
    context.drawImage(ink, 0, 0);
    const [left, top, wide, high] = HALVES[known];
    context.fillStyle = colour("line");
    context.globalAlpha = 0.6;
    const hole = new Path2D();
    hole.rect(0, 0, size, size);
    hole.rect(left * size, top * size, wide * size, high * size);
    context.fill(hole, "evenodd");
    context.globalAlpha = 1;
  }

  function clear() {
    hidden.fillStyle = "#000";
    hidden.fillRect(0, 0, size, size);
    show();
  }

  function line(to) {
    hidden.strokeStyle = "#fff";
    hidden.lineCap = hidden.lineJoin = "round";
    hidden.lineWidth = PEN * SCALE;
    hidden.beginPath();
    hidden.moveTo(...at);
    hidden.lineTo(to[0] + 0.01, to[1]);
    hidden.stroke();
    at = to;
    show();
  }

  canvas.addEventListener("pointerdown", (event) => {
    at = place(event);
    if (!inside(...at)) {
      at = null;
      return;
    }
    canvas.setPointerCapture(event.pointerId);
    line(at);
  });
  canvas.addEventListener("pointermove", (event) => {
    const to = place(event);
    if (at && inside(...to)) line(to);
  });
  const end = () => {
    if (at) onchange?.();
    at = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  clear();

  return {
    element: canvas,
    clear,
    half(name) {
      known = name;
      show();
    },
    /** Show an image of 28 x 28 bytes. */
    show(bytes) {
      const image = hidden.createImageData(size, size);
      for (let i = 0; i < size * size; i++) {
        const value = bytes[Math.floor(Math.floor(i / size) / SCALE) * SIDE + Math.floor((i % size) / SCALE)];
        image.data.set([value, value, value, 255], 4 * i);
      }
      hidden.putImageData(image, 0, 0);
      show();
    },
    /** The mean ink of each of the 28 x 28 pixels, as bytes. */
    pixels() {
      const { data } = hidden.getImageData(0, 0, size, size);
      const sums = new Float32Array(SIDE * SIDE);
      for (let i = 0; i < size * size; i++) {
        sums[Math.floor(Math.floor(i / size) / SCALE) * SIDE + Math.floor((i % size) / SCALE)] += data[4 * i];
      }
      return Uint8Array.from(sums, (sum) => Math.round(sum / (SCALE * SCALE)));
    },
  };
}
