// Elements from a tag, attributes and children; nothing here ever reads HTML from a string.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value); // by CSSOM: a style attribute is refused
    else if (name === "value" && "value" in element) element.value = value;
    else if (name === "checked" || name === "selected" || name === "disabled") element[name] = Boolean(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element: h("button", {onclick: go, class: "main"}, "Go"). */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** An SVG element, in the same way. */
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** Replace all that is in an element. */
export const put = (element, ...children) => {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

/** A labelled slider that shows its value: {element, input, set(value)}. */
export function slider({ label, min, max, step, value, show = String, oninput }) {
  const output = h("output", {}, show(value));
  const input = h("input", { type: "range", min, max, step, "aria-label": label });
  input.value = value; // after min, max and step, which would clip it
  const changed = () => {
    output.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    changed();
    oninput?.(Number(input.value));
  });
  changed();
  const set = (to) => {
    input.value = to;
    changed();
  };
  return { element: h("div", { class: "field" }, h("span", {}, label), output, input), input, set };
}

/** A labelled choice: options are [value, text]; {element, select}. */
export function choice({ label, options, value, onchange }) {
  const select = h("select", { "aria-label": label }, options.map(([key, text]) => h("option", { value: key }, text)));
  if (value !== undefined) select.value = value;
  select.addEventListener("change", () => onchange?.(select.value));
  return { element: h("div", { class: "field" }, h("span", {}, label), select), select };
}

/** The value of a colour of style.css, for a canvas: colour("ink"). */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
