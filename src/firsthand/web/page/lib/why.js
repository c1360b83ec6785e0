// Why a digit was read so: built once inspect/ can say it.

import { h } from "./dom.js";

export function why() {
  return { element: h("section", {}), show() {}, end() {} };
}
