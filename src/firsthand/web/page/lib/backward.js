// A small network without biases, forward and backward: figure 1 c and d of LeCun, Bengio and Hinton, with their symbols.
//   forward:   z_j = Σ_i w_ij y_i,  y_j = f(z_j)               (the inputs are the y of layer 0)
//   backward:  ∂E/∂y_l = y_l − t_l,  ∂E/∂z_j = ∂E/∂y_j f′(z_j),  ∂E/∂y_i = Σ_j w_ij ∂E/∂z_j,  ∂E/∂w_ij = y_i ∂E/∂z_j
// with E = ½ Σ (y_l − t_l)².

export const SIZES = [2, 3, 2, 1];

const logistic = (z) => 1 / (1 + Math.exp(-z));
export const FUNCTIONS = {
  relu: { f: (z) => Math.max(0, z), slope: (z) => (z > 0 ? 1 : 0), formula: "f(z) = max(0, z)" },
  tanh: { f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2, formula: "f(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)" },
  logistic: { f: logistic, slope: (z) => logistic(z) * (1 - logistic(z)), formula: "f(z) = 1 / (1 + e⁻ᶻ)" },
};

// what the page begins with: every unit is on with all three functions, and no two numbers are alike
export const START = {
  kind: "relu",
  x: [1, 0.5],
  t: 0.2,
  weights: [
    [[0.8, -0.4, 0.3], [0.2, 1.0, 0.6]], // from input i to unit j of the first hidden layer: weights[0][i][j]
    [[0.5, 0.7], [-0.6, 0.4], [0.9, -0.3]],
    [[0.6], [1.1]],
  ],
};

/** All numbers of the network: z, y, dy = ∂E/∂y, dz = ∂E/∂z by [layer][unit], dw by [layer][i][j], and the error E. */
export function look({ kind, x, t, weights }) {
  const { f, slope } = FUNCTIONS[kind];
  const z = [null];
  const y = [x];
  for (const w of weights) {
    const below = y[y.length - 1];
    z.push(w[0].map((_, j) => below.reduce((sum, value, i) => sum + w[i][j] * value, 0)));
    y.push(z[z.length - 1].map(f));
  }
  const last = weights.length;
  const dy = [];
  const dz = [];
  const dw = [];
  dy[last] = y[last].map((value) => value - t);
  for (let layer = last; layer >= 1; layer -= 1) {
    dz[layer] = dy[layer].map((d, j) => d * slope(z[layer][j]));
    dw[layer - 1] = y[layer - 1].map((value) => dz[layer].map((d) => value * d));
    dy[layer - 1] = weights[layer - 1].map((row) => row.reduce((sum, w, j) => sum + w * dz[layer][j], 0));
  }
  const error = y[last].reduce((sum, value) => sum + 0.5 * (value - t) ** 2, 0);
  return { z, y, dy, dz, dw, error };
}

/** The same network with one weight changed to a value. */
export function withWeight(state, [layer, i, j], value) {
  const weights = state.weights.map((rows, l) => (l === layer ? rows.map((row, a) => (a === i ? row.with(j, value) : row)) : rows));
  return { ...state, weights };
}

/** One step of gradient descent: w − rate ∂E/∂w for every weight. */
export function step(state, rate) {
  const { dw } = look(state);
  return { ...state, weights: state.weights.map((rows, l) => rows.map((row, i) => row.map((w, j) => w - rate * dw[l][i][j]))) };
}
