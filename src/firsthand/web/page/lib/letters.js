// Letters that a network has read or written: coloured by what a unit hands on there, and gone through by keys.

import { bytes } from "./api.js";
import { isDark, palette } from "./charts.js";
import { h, put } from "./dom.js";
import { t } from "./i18n.js";

const NAMES = { " ": "␣", "\n": "↵", "\t": "⇥" };
const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -20, ArrowDown: 20, Home: -Infinity, End: Infinity };

/** A symbol so that it can be seen: a space as ␣. */
export const visible = (symbol) => NAMES[symbol] ?? symbol;

/** What the units hand on at a letter: Float32Array, kept with it. */
export const units = (letter) => (letter.values ??= new Float32Array(bytes(letter.units).buffer));

/** A probability in per cent. */
export const percent = (p) => (p === null || p === undefined ? "–" : `${(100 * p).toFixed(p < 0.0995 ? 2 : 1)} %`);

/**
 * A text letter by letter: {element, show(letters, from), add(letter), colour(unit or null), pick(place), at()}.
 *
 * Options: label; onpick(place), called when another letter is pointed at, clicked, or reached by arrow keys.
 * `from` is the place of the first letter that the network has written.
 */
export function letterText({ label, onpick }) {
  const element = h("div", { class: "letters", tabindex: 0, role: "application", "aria-label": `${label}; ${t({ en: "arrow keys go from letter to letter", zh: "用方向键逐个字母移动" })}` });
  let letters = [];
  let spans = [];
  let first = 0;
  let unit = null;
  let largest = 1;
  let place = null;

  const paint = (i, shade) => {
    if (unit === null || !letters[i].units) {
      spans[i].style.backgroundColor = "";
      spans[i].classList.remove("on-dark", "on-light");
      return;
    }
    const colour = shade(units(letters[i])[unit] / largest);
    spans[i].style.backgroundColor = `rgb(${colour.map(Math.round).join(" ")})`;
    spans[i].classList.toggle("on-dark", isDark(colour));
    spans[i].classList.toggle("on-light", !isDark(colour));
  };
  const span = (letter, i) => {
    const one = h("span", { class: i >= first ? "letter written" : "letter" }, letter.symbol === "\n" ? "↵\n" : letter.symbol);
    if (letter.symbol === "\n") one.classList.add("break");
    return one;
  };
  function colour(which = unit) {
    unit = which;
    largest = unit === null ? 1 : letters.reduce((most, letter) => Math.max(most, Math.abs(units(letter)[unit])), 0) || 1;
    const shade = palette("diverging");
    letters.forEach((_, i) => paint(i, shade));
  }
  function pick(to, told = true) {
    if (place !== null) spans[place]?.classList.remove("picked");
    place = to === null || !letters.length ? null : Math.max(0, Math.min(letters.length - 1, to));
    if (place !== null) {
      spans[place].classList.add("picked");
      if (element.matches(":focus-within")) spans[place].scrollIntoView({ block: "nearest" });
    }
    if (told) onpick(place);
  }
  const under = (event) => {
    const found = spans.indexOf(event.target.closest(".letter"));
    if (found >= 0 && found !== place) pick(found);
  };
  element.addEventListener("pointermove", under);
  element.addEventListener("click", under);
  element.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || !letters.length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    pick((place ?? letters.length - 1) + KEYS[event.key]);
  });
  return {
    element,
    at: () => place,
    show(found, from = found.length) {
      letters = [...found];
      first = from;
      spans = letters.map(span);
      place = null;
      put(element, spans);
      colour();
    },
    add(letter) {
      const low = element.scrollHeight - element.scrollTop - element.clientHeight < 30;
      letters.push(letter);
      spans.push(span(letter, letters.length - 1));
      element.append(spans[spans.length - 1]);
      if (unit !== null && Math.abs(units(letter)[unit]) > largest) colour();
      else paint(letters.length - 1, palette("diverging"));
      if (low) element.scrollTop = element.scrollHeight; // who has scrolled up to read stays there
    },
    colour,
    pick,
  };
}

/** Bars of the likeliest next symbols: {element, show(pairs or null, the symbol that came)}. */
export function nextBars(label) {
  const element = h("div", { class: "probabilities", role: "list", "aria-label": label });
  const bar = (p) => h("span", { class: "bar" }, h("i", { style: { width: `${100 * p}%` } }));
  return {
    element,
    show(pairs, came = null) {
      put(element, (pairs ?? []).map(([symbol, p]) =>
        h("div", { class: symbol === came ? "probability best" : "probability", role: "listitem" },
          h("span", { class: "name" }, visible(symbol)), bar(p), h("output", {}, percent(p)))));
    },
  };
}

/** Pearson's correlation of every unit with a number for each letter: the place of the largest, and it. */
export function follows(letters, wanted) {
  const n = letters.length;
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / n;
  const centre = mean(wanted);
  const own = wanted.map((v) => v - centre);
  const length = Math.sqrt(own.reduce((sum, v) => sum + v * v, 0));
  let best = { unit: 0, r: 0 };
  for (let unit = 0; unit < units(letters[0]).length; unit += 1) {
    const values = letters.map((letter) => units(letter)[unit]);
    const middle = mean(values);
    const size = Math.sqrt(values.reduce((sum, v) => sum + (v - middle) ** 2, 0));
    const r = own.reduce((sum, v, i) => sum + v * (values[i] - middle), 0) / (length * size);
    if (Math.abs(r) > Math.abs(best.r)) best = { unit, r };
  }
  return best;
}
