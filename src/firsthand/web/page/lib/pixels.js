// Small grey images, shown pixel by pixel.

import { bytes } from "./api.js";
import { h } from "./dom.js";

/** A canvas with a grey image; pixels are base64 or bytes, (height, width), 0 to 255. */
export function grey(pixels, [height, width], attributes) {
  const canvas = h("canvas", { class: "pixels", width, height, role: "img", ...attributes });
  paintGrey(canvas, typeof pixels === "string" ? bytes(pixels) : pixels);
  return canvas;
}

/** Paint other pixels of the same size. */
export function paintGrey(canvas, values) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < values.length; i++) {
    image.data.fill(values[i], 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
