// A small network in the browser: two inputs, hidden layers, one sigmoid output; cross-entropy, mini-batch gradient
// descent.  Written out by backpropagation's four equations (Nielsen, chapter 2), one example at a time.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

// a = f(z), and da/dz told from a alone
const HIDDEN = {
  tanh: { f: Math.tanh, slope: (a) => 1 - a * a, scale: 1 },
  sigmoid: { f: sigmoid, slope: (a) => a * (1 - a), scale: 1 },
  relu: { f: (z) => Math.max(0, z), slope: (a) => (a > 0 ? 1 : 0), scale: 2 }, // half of the units are silent
};

/** Numbers in [0, 1) that are the same for the same seed: a counter, well mixed (32 bits). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** One number from N(0, 1), by Box and Muller. */
export const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * {sizes, activation, weights, biases}: weights[l][j][k] leads from unit k to unit j.
 * Weights from N(0, scale / inputs), chapter 3's better initialization; biases from N(0, 1/4), so that the folds of the
 * units lie apart.
 */
export function network({ hidden, activation, seed }) {
  const random = generator(seed);
  const sizes = [2, ...hidden, 1];
  const weights = [];
  const biases = [];
  for (let l = 1; l < sizes.length; l += 1) {
    const spread = Math.sqrt(HIDDEN[activation].scale / sizes[l - 1]);
    weights.push(Array.from({ length: sizes[l] }, () => Array.from({ length: sizes[l - 1] }, () => spread * normal(random))));
    biases.push(Array.from({ length: sizes[l] }, () => 0.5 * normal(random)));
  }
  return { sizes, activation, weights, biases };
}

/** Activations of all layers for an input [x1, x2], the input first and the output [a] last. */
export function forward({ activation, weights, biases }, x) {
  const layers = [x];
  const last = weights.length - 1;
  for (let l = 0; l <= last; l += 1) {
    const f = l === last ? sigmoid : HIDDEN[activation].f;
    const before = layers[l];
    layers.push(weights[l].map((row, j) => {
      let z = biases[l][j];
      for (let k = 0; k < row.length; k += 1) z += row[k] * before[k];
      return f(z);
    }));
  }
  return layers;
}

/** Mean gradient over examples {x: [x1, x2], y: 0 or 1}, shaped like weights and biases. */
export function gradient(net, examples) {
  const dw = net.weights.map((layer) => layer.map((row) => row.map(() => 0)));
  const db = net.biases.map((layer) => layer.map(() => 0));
  const { slope } = HIDDEN[net.activation];
  for (const { x, y } of examples) {
    const a = forward(net, x);
    let delta = [a[a.length - 1][0] - y]; // (BP1), for the cross-entropy: equation (66)
    for (let l = net.weights.length - 1; l >= 0; l -= 1) {
      const below = a[l];
      const back = below.map(() => 0);
      delta.forEach((d, j) => {
        db[l][j] += d / examples.length; // (BP3)
        for (let k = 0; k < below.length; k += 1) {
          dw[l][j][k] += (below[k] * d) / examples.length; // (BP4)
          back[k] += net.weights[l][j][k] * d;
        }
      });
      delta = l > 0 ? back.map((d, k) => d * slope(below[k])) : []; // (BP2)
    }
  }
  return { dw, db };
}

/** w - rate dC/dw and b - rate dC/db, in place. */
export function descend(net, { dw, db }, rate) {
  net.weights.forEach((layer, l) => layer.forEach((row, j) => {
    row.forEach((_, k) => { row[k] -= rate * dw[l][j][k]; });
    net.biases[l][j] -= rate * db[l][j];
  }));
}

/** One epoch of mini-batches over the examples in a new order. */
export function epoch(net, examples, { rate, batch, random }) {
  const order = [...examples];
  for (let i = order.length - 1; i > 0; i -= 1) { // Fisher and Yates
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  for (let i = 0; i < order.length; i += batch) descend(net, gradient(net, order.slice(i, i + batch)), rate);
}

/** Mean cross-entropy and share of right answers. */
export function score(net, examples) {
  let cost = 0;
  let right = 0;
  for (const { x, y } of examples) {
    const layers = forward(net, x);
    const a = layers[layers.length - 1][0];
    cost -= Math.log(Math.max(y ? a : 1 - a, Number.MIN_VALUE)) / examples.length;
    right += (a > 0.5) === (y === 1) ? 1 : 0;
  }
  return { cost, accuracy: right / examples.length };
}
