// Softmax with a temperature: a_j = e^{c z_j} / sum_k e^{c z_k}.  Nielsen, chapter 3, 'Softmax', equations (78), (83).

export function softmax(z, c = 1) {
  // subtracting the largest z from all changes nothing and keeps e^z finite
  const largest = Math.max(...z);
  const e = z.map((zj) => Math.exp(c * (zj - largest)));
  const sum = e.reduce((total, ej) => total + ej, 0);
  return e.map((ej) => ej / sum);
}

// da_j/dz_k = c a_j ([j = k] - a_k): row j, column k.  Positive on the diagonal, negative off it, and nowhere zero.
export function slopes(z, c = 1) {
  const a = softmax(z, c);
  return a.map((aj, j) => a.map((ak, k) => c * aj * ((j === k ? 1 : 0) - ak)));
}

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

// The three rows of the text, with the activations that it prints.
export const PRESETS = [
  { z: [2.5, -1, 3.2, 0.5], published: [0.315, 0.009, 0.633, 0.043] },
  { z: [2.5, -1, 3.2, 1.6], published: [0.29, 0.009, 0.584, 0.118] },
  { z: [2.5, -1, 3.2, 3.5], published: [0.174, 0.005, 0.349, 0.472] },
];
