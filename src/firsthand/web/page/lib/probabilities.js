// The probabilities of the classes as bars that move while one draws.

import { h, s } from "./dom.js";
import { t } from "./i18n.js";

/** Bars for this many classes: {element, show(probabilities or null)}. */
export function probabilities(classes) {
  const rows = classes.map((name) => {
    const fill = s("rect", { height: 14, width: 0, rx: 2 });
    const value = h("output", {}, "–");
    const bar = s("svg", { viewBox: "0 0 200 14", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { class: "track", width: 200, height: 14, rx: 2 }), fill);
    return { element: h("div", { class: "probability", role: "listitem", tabindex: 0 }, h("span", { class: "name" }, name), bar, value), fill, value };
  });
  const element = h("div", { class: "probabilities", role: "list", "aria-label": t({ en: "Probability of each digit", zh: "各数字的概率" }) }, rows.map((row) => row.element));
  return {
    element,
    show(values) {
      const best = values ? values.indexOf(Math.max(...values)) : -1;
      rows.forEach(({ element: row, fill, value }, i) => {
        fill.setAttribute("width", 200 * (values?.[i] ?? 0));
        value.textContent = values ? `${(100 * values[i]).toFixed(1)} %` : "–";
        row.title = values ? `${classes[i]}: ${values[i].toFixed(5)}` : "";
        row.classList.toggle("best", i === best);
      });
    },
  };
}
