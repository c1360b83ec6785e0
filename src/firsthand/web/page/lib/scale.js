// From numbers to places on paper: linear and logarithmic scales, their ticks, and how numbers are written.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const superscript = (n) => (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((d) => SUPERSCRIPTS[d]).join("");

/** A number with `digits` significant digits, a true minus sign, and powers of ten outside 0.001 to 100,000. */
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (power < -3 || power > 5) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${mantissa.replace("-", "−")} × 10${superscript(Number(exponent))}`;
  }
  return value.toFixed(Math.max(0, digits - 1 - power)).replace("-", "−");
}

/** A number with a fixed count of decimals and a true minus sign. */
export const fixed = (value, decimals) =>
  Number.isFinite(value) ? value.toFixed(decimals).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−") : number(value);

/** Smallest and largest finite number (positive, for a logarithmic axis); [0, 1] where there is none. */
export function extent(values, log = false) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  return [low, high];
}

/** The round step (1, 2 or 5 times a power of ten) that divides an interval into at most `count` parts. */
function roundStep(length, count) {
  const rough = length / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((m) => m * power >= rough * 0.999) * power;
}

function linearTicks([low, high], count) {
  const step = roundStep(high - low, count);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
    const at = i * step;
    const far = Math.max(Math.abs(low), Math.abs(high)) >= 1e6 || decimals > 4;
    ticks.push({ at, text: far ? number(at, 2) : fixed(at, decimals) });
  }
  return ticks;
}

function logTicks([low, high], count) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  // less than two powers of ten in sight say too little: their 2 and 5 are ticks, too
  const within = last - first < 1 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((last - first + 1) / count));
  const ticks = [];
  for (let power = first - 1; power <= last; power += 1) {
    for (const m of within) {
      const at = m * 10 ** power;
      if (at < low * 0.999 || at > high * 1.001 || (m === 1 && (power - first) % every)) continue;
      const text = power >= -3 && power <= 4 ? String(Number(at.toPrecision(1))) : `${m > 1 ? `${m}×` : ""}10${superscript(power)}`;
      ticks.push({ at, text });
    }
  }
  return ticks.length > 1 ? ticks : [low, high].map((at) => ({ at, text: number(at, 2) }));
}

/** Domain that ends on round numbers and is never empty. */
export function rounded([low, high], log = false) {
  if (log) {
    const room = low === high ? 2 : 1.05;
    return [low / room, high * room];
  }
  if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const step = roundStep(high - low, 8);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

/** From `domain` to `range` (pixels): a function with domain, range, invert(pixel) and ticks(count). */
export function scale(domain, range, log = false) {
  const to = log ? Math.log10 : (v) => v;
  const from = log ? (v) => 10 ** v : (v) => v;
  const [d0, d1] = domain.map(to);
  const [r0, r1] = range;
  const place = (value) => r0 + ((to(value) - d0) / (d1 - d0)) * (r1 - r0);
  place.domain = domain;
  place.range = range;
  place.invert = (pixel) => from(d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0));
  place.ticks = (count) => (log ? logTicks(domain, count) : linearTicks(domain, count));
  return place;
}
