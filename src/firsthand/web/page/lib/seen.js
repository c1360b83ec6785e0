// The digit that was drawn last, as the network sees it: Draw finds it, Inside looks at what becomes of it.

let digit = null;

/** {pixels, shape, label, probabilities} or null. */
export const get = () => digit;

export const set = (found) => {
  digit = found;
};
