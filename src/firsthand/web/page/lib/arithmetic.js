// The arithmetic of one unit, as the server has found it, for people.

import { h, put, s } from "./dom.js";
import { t } from "./i18n.js";
import { channel, most, numbers, picture, rows, short } from "./numbers.js";

const TERMS = 8; // of a sum that are written out
const SHOWN = 3; // channels of a kernel that are shown

/** Where in the input a number is, for people: "map 3 (1, 2)". */
function placeOf(index, shape) {
  if (shape.length === 1) return t({ en: `unit ${index}`, zh: `神经元 ${index}` });
  const [, width, channels] = shape;
  const at = `(${Math.floor(index / (width * channels))}, ${Math.floor(index / channels) % width})`;
  return channels === 1 ? t({ en: `pixel ${at}`, zh: `像素 ${at}` }) : t({ en: `map ${(index % channels) + 1} ${at}`, zh: `映射 ${(index % channels) + 1} ${at}` });
}

function tables(inputs, weights, products, [, , channels]) {
  // of several channels those that matter most
  const sums = Array.from({ length: channels }, (_, c) => ({ c, sum: channel(products, c).flat().reduce((a, b) => a + b, 0) }));
  const shown = sums.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, SHOWN);
  const scales = { inputs: most(inputs.values), weights: most(weights.values), products: most(products.values) };
  const one = (array, c, colours, scale, name) => {
    const table = channel(array, c);
    return picture(table, { colours, scale, "aria-label": name, title: `${name}\n${table.length <= 7 ? table.map((row) => row.map((v) => short(v)).join("  ")).join("\n") : ""}` });
  };
  return [
    shown.map(({ c, sum }) => h("div", { class: "product" },
      channels > 1 ? h("span", { class: "note" }, t({ en: `map ${c + 1}`, zh: `映射 ${c + 1}` })) : null,
      h("div", {}, one(inputs, c, "diverging", scales.inputs, t({ en: "inputs", zh: "输入" }))), "×",
      h("div", {}, one(weights, c, "diverging", scales.weights, t({ en: "weights", zh: "权重" }))), "=",
      h("div", {}, one(products, c, "diverging", scales.products, t({ en: "products", zh: "乘积" }))),
      h("output", {}, `Σ ${short(sum)}`))),
    channels > SHOWN ? h("p", { class: "note" }, t({
      en: `the ${SHOWN} of ${channels} input maps that add most; all others together: ${short(sums.slice(SHOWN).reduce((a, { sum }) => a + sum, 0))}`,
      zh: `${channels} 个输入映射中贡献最大的 ${SHOWN} 个；其余合计：${short(sums.slice(SHOWN).reduce((a, { sum }) => a + sum, 0))}` })) : null,
  ];
}

function terms(inputs, weights, products) {
  const order = [...products.values.keys()].sort((a, b) => Math.abs(products.values[b]) - Math.abs(products.values[a]));
  const rest = order.slice(TERMS);
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, [t({ en: "input", zh: "输入" }), "x", "w", "x · w"].map((text, i) => h("th", { class: i ? "number" : "" }, text)))),
    h("tbody", {},
      order.slice(0, TERMS).map((i) => h("tr", {}, h("td", {}, placeOf(i, inputs.shape)), [inputs, weights, products].map(({ values }) => h("td", { class: "number" }, short(values[i]))))),
      rest.length ? h("tr", {}, h("td", { colspan: 3 }, t({ en: `${rest.length} others`, zh: `其余 ${rest.length} 项` })), h("td", { class: "number" }, short(rest.reduce((sum, i) => sum + products.values[i], 0)))) : null)));
}

/** Show in an element how a unit comes to its output; `unit` is {layer, unit}. */
export function showArithmetic(place, { unit, layer }, found) {
  const inputs = numbers(found.inputs);
  const weights = numbers(found.weights);
  const products = { shape: inputs.shape, values: inputs.values.map((x, i) => x * weights.values[i]) };
  const pooled = found.kept ? rows(numbers(found.window)) : null;
  const sum = products.values.reduce((a, b) => a + b, 0);
  const name = unit.length === 3
    ? t({ en: `Layer ${layer}, map ${unit[2] + 1}, row ${unit[0]}, column ${unit[1]}`, zh: `第 ${layer} 层，映射 ${unit[2] + 1}，第 ${unit[0]} 行，第 ${unit[1]} 列` })
    : t({ en: `Layer ${layer}, unit ${unit[0]}`, zh: `第 ${layer} 层，神经元 ${unit[0]}` });
  const f = found.activation;
  put(place,
    h("h3", { id: "unit-name" }, name),
    inputs.values.length ? [
      h("p", { class: "sum", id: "unit-sum" },
        `z = Σ x·w + b = ${short(sum, 4)} ${found.bias < 0 ? "−" : "+"} ${short(Math.abs(found.bias), 4)} = ${short(found.z, 4)}`, h("br"), `a = ${f}(z) = ${short(found.output, 4)}`),
      inputs.shape.length === 3 && inputs.shape[0] > 1 ? tables(inputs, weights, products, inputs.shape) : null,
      inputs.shape.length === 3 && inputs.values.length <= 25 ? null : terms(inputs, weights, products),
    ] : h("p", { class: "sum" }, `a = ${short(found.output)}`),
    pooled ? [
      h("p", { class: "note" }, t({ en: "Max-pooling kept the largest of these:", zh: "最大值混合保留了其中最大的一个：" })),
      h("table", { class: "window" }, h("tbody", {}, pooled.map((row, i) => h("tr", {}, row.map((v, j) =>
        h("td", { class: found.kept[0] === i && found.kept[1] === j ? "number kept" : "number" }, short(v))))))),
    ] : null);
}

/** A map before pooling, with a dot on every value that was kept. */
export function showPooling(place, found) {
  const before = numbers(found.before);
  const kept = numbers(found.kept);
  const [height, width] = before.shape;
  const dots = [...kept.values.keys()].filter((k) => kept.values[k]).map((k) => s("circle", { cx: (k % width) + 0.5, cy: Math.floor(k / width) + 0.5, r: 0.22 }));
  put(place, h("h3", {}, t({ en: "What pooling kept of this map", zh: "混合从该映射中保留了什么" })),
    h("div", { class: "map-stage pooling" }, picture(rows(before), { colours: "diverging", "aria-label": t({ en: "map before pooling", zh: "混合之前的映射" }) }),
      s("svg", { class: "dots", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, dots)),
    h("p", { class: "note" }, t({
      en: `${dots.length} of ${height * width} values (dots) go on; the gradient comes back through these alone (chapter 6, “Pooling layers”).`,
      zh: `${height * width} 个值中只有 ${dots.length} 个（圆点）继续向后传；梯度也只经由它们返回（第六章“混合层”）。` })));
}
