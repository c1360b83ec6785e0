// One neuron with one input, a = f(z), z = w x + b, that learns to turn the input x = 1 into the target y = 0 by
// gradient descent: Nielsen, chapter 3, "The cross-entropy cost function", equations (54) to (62).

export const X = 1;
export const Y = 0;

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
// ln(1 + e^z) without overflow; in terms of z no logarithm of the cross-entropy ever meets a zero
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

// what a neuron does with its weighted input: a = f(z), and the slope da/dz there
export const ACTIVATIONS = {
  sigmoid: { f: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)), formula: "σ(z) = 1 / (1 + e⁻ᶻ)" },
  tanh: { f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2, formula: "tanh z = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)" },
  relu: { f: (z) => Math.max(0, z), slope: (z) => (z > 0 ? 1 : 0), formula: "max(0, z)" },
  linear: { f: (z) => z, slope: () => 1, formula: "z" },
};

// C and dC/dz for one example; `of` names the activations for which the formula is defined
export const COSTS = {
  quadratic: {
    of: Object.keys(ACTIVATIONS),
    cost: (z, activation) => (Y - activation.f(z)) ** 2 / 2, // (54)
    slope: (z, activation) => (activation.f(z) - Y) * activation.slope(z), // (55), (56)
    formula: "C = (y − a)² / 2",
    gradient: "∂C/∂w = (a − y) f′(z) x",
  },
  crossEntropy: {
    of: ["sigmoid"],
    cost: (z) => softplus(z) - Y * z, // (57)
    slope: (z) => sigmoid(z) - Y, // (61), (62): f'(z) has cancelled
    formula: "C = −[y ln a + (1 − y) ln(1 − a)]",
    gradient: "∂C/∂w = (a − y) x",
  },
};

// The four runs of the text, two starts and two costs, with the outputs that it states at the start and at the end.
const RUN = { activation: "sigmoid", epochs: 300 };
export const PRESETS = [
  { ...RUN, w: 0.6, b: 0.9, cost: "quadratic", rate: 0.15 },
  { ...RUN, w: 2, b: 2, cost: "quadratic", rate: 0.15 },
  { ...RUN, w: 0.6, b: 0.9, cost: "crossEntropy", rate: 0.005 },
  { ...RUN, w: 2, b: 2, cost: "crossEntropy", rate: 0.005 },
];
export const PUBLISHED = [[0.82, 0.09], [0.98, null], [0.82, null], [0.98, null]];

// What the neuron is and does with weight w and bias b: z, a, cost C, slope f'(z), gradients dw and db.
export function look({ w, b, activation, cost }) {
  const f = ACTIVATIONS[activation];
  const c = COSTS[cost];
  const z = w * X + b;
  const dz = c.slope(z, f);
  return { w, b, z, a: f.f(z), cost: c.cost(z, f), slope: f.slope(z), dw: dz * X, db: dz };
}

// One epoch of gradient descent: w - rate dC/dw, b - rate dC/db.
export function step({ w, b, activation, cost, rate }) {
  const { dw, db } = look({ w, b, activation, cost });
  return { w: w - rate * dw, b: b - rate * db };
}

// All epochs at once: what `look` sees before the first (at 0) and after each, epochs + 1 entries.
export function learn(settings) {
  const history = [look(settings)];
  let at = settings;
  for (let epoch = 0; epoch < settings.epochs; epoch += 1) {
    at = { ...at, ...step(at) };
    history.push(look(at));
  }
  return history;
}
