// A fully connected layer's forward pass, and its backward pass with update, for one instruction set: see dense_kernel.h.
#include "dense_kernel.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dense_product.h"
#include "vectors.h"

namespace firsthand {
namespace {

// ---- forward, without the inputs that are zero ----
//
// A tile of the weights, kTileRows inputs by kTileVectors vectors of units, is brought into the first cache, and one
// example after the other picks out of it the rows whose inputs are not zero, its sums in registers.

constexpr int kTileVectors = kAccumulators >= 24 ? 16 : 8;
constexpr int64_t kTileRows = 48;
constexpr int64_t kListed = 32;  // examples at a time

struct Input {
  int64_t row;  // where its weights begin, from those of the tile's first row
  float value;
};

// z[o] += sum over inputs of value w[row + o], for `Vectors` vectors of units.
template <int Vectors>
inline void gather(const Input* inputs, int64_t count, const float* w, float* z) {
  Vector sum[Vectors];
  UNROLL for (int k = 0; k < Vectors; ++k) sum[k] = load(z + k * kLanes);
  for (const Input* input = inputs; input < inputs + count; ++input) {
    const float* const row = w + input->row;
    UNROLL for (int k = 0; k < Vectors; ++k) sum[k] += input->value * load(row + k * kLanes);
  }
  UNROLL for (int k = 0; k < Vectors; ++k) store(z + k * kLanes, sum[k]);
}

// The inputs that are not zero, of a tile's rows.
struct Listed {
  Input inputs[kListed][kTileRows];
  int64_t count[kListed];
};

// All units from `o` to `end`, in steps of `Vectors` vectors while they fit, and then of half as many.
template <int Vectors>
inline void columns(const Listed& list, int64_t examples, int64_t units, const float* w, float* z, int64_t o,
                    int64_t end) {
  for (; o + Vectors * kLanes <= end; o += Vectors * kLanes)
    for (int64_t b = 0; b < examples; ++b) gather<Vectors>(list.inputs[b], list.count[b], w + o, z + b * units + o);
  if constexpr (Vectors > 1)
    columns<Vectors / 2>(list, examples, units, w, z, o, end);
  else
    for (int64_t b = 0; b < examples; ++b)
      for (int64_t rest = o; rest < end; ++rest)
        for (int64_t n = 0; n < list.count[b]; ++n)
          z[b * units + rest] += list.inputs[b][n].value * w[list.inputs[b][n].row + rest];
}

// The units in `mine`.
void forward_units(int64_t batch, int64_t inputs, int64_t units, const float* a, const float* weights, float* z,
                   Range mine) {
  for (int64_t b = 0; b < batch; ++b) std::fill(z + b * units + mine.begin, z + b * units + mine.end, 0.0f);
  Listed list;
  for (int64_t i = 0; i < inputs; i += kTileRows) {
    const int64_t rows = smaller(kTileRows, inputs - i);
    for (int64_t b = 0; b < batch; b += kListed) {
      const int64_t examples = smaller(kListed, batch - b);
      for (int64_t n = 0; n < examples; ++n) {
        const float* const from = a + (b + n) * inputs + i;
        int64_t count = 0;
        for (int64_t r = 0; r < rows; ++r) {
          list.inputs[n][count] = {r * units, from[r]};
          count += from[r] != 0;  // no branch: nobody could foresee it
        }
        list.count[n] = count;
      }
      columns<kTileVectors>(list, examples, units, weights + i * units, z + b * units, mine.begin, mine.end);
    }
  }
}

void forward(int64_t batch, int64_t inputs, int64_t units, const float* a, const float* weights, float* z,
             const Threads& threads) {
  constexpr int64_t kTogether = kTileVectors * kLanes;
  const int64_t tiles = divide_up(units, kTogether);
  const int64_t parts = smaller(8, parts_of(threads, tiles, 1.0 * batch * inputs * units));  // each lists all inputs
  in_parallel(threads, parts, [&](int64_t part) {
    const Range mine = share(tiles, parts, part);
    forward_units(batch, inputs, units, a, weights, z,
                  {mine.begin * kTogether, smaller(mine.end * kTogether, units)});
  });
}

// ---- backward and update, with every input ----

constexpr int kBatch = kAccumulators >= 24 ? 5 : 3;  // examples at a time
constexpr int kRows = 4;                             // rows of weights at a time

struct Dense {
  int64_t batch, inputs, units;
  const float* weights;
  const float* a;
  const float* delta;
  float alpha, beta;
  float* new_weights;
  float* d_a;
};

// d_a[b, i] = sum over o of delta[b, o] w[i, o], for `Rows` inputs and `Batch` examples.
template <int Rows, int Batch>
inline void backward(const Dense& d, int64_t i, int64_t b) {
  const float* const w = d.weights + i * d.units;
  const float* const delta = d.delta + b * d.units;
  Vector sum[Rows][Batch];
  UNROLL for (int r = 0; r < Rows; ++r) UNROLL for (int n = 0; n < Batch; ++n) sum[r][n] = Vector{};
  int64_t o = 0;
  for (; o + kLanes <= d.units; o += kLanes) {
    Vector error[Batch];
    UNROLL for (int n = 0; n < Batch; ++n) error[n] = load(delta + n * d.units + o);
    UNROLL for (int r = 0; r < Rows; ++r) {
      const Vector weight = load(w + r * d.units + o);
      UNROLL for (int n = 0; n < Batch; ++n) sum[r][n] += weight * error[n];
    }
  }
  UNROLL for (int r = 0; r < Rows; ++r)
  UNROLL for (int n = 0; n < Batch; ++n) {
    float total = 0;
    UNROLL for (int lane = 0; lane < kLanes; ++lane) total += sum[r][n][lane];
    for (int64_t rest = o; rest < d.units; ++rest) total += w[r * d.units + rest] * delta[n * d.units + rest];
    d.d_a[(b + n) * d.inputs + i + r] = total;
  }
}

// to[i, o] = beta from[i, o] + alpha sum over b of a[b, i] delta[b, o], for `Rows` inputs and `Batch` examples.
template <int Rows, int Batch>
inline void update(const Dense& d, int64_t i, int64_t b, const float* from, float beta) {
  float* const to = d.new_weights + i * d.units;
  const float* const delta = d.delta + b * d.units;
  float scale[Rows][Batch];
  UNROLL for (int r = 0; r < Rows; ++r)
  UNROLL for (int n = 0; n < Batch; ++n) scale[r][n] = d.alpha * d.a[(b + n) * d.inputs + i + r];
  int64_t o = 0;
  for (; o + kWide <= d.units; o += kWide) {
    Wide error[Batch];
    UNROLL for (int n = 0; n < Batch; ++n) error[n] = load_wide(delta + n * d.units + o);
    UNROLL for (int r = 0; r < Rows; ++r) {
      Wide weight = beta * load_wide(from + r * d.units + o);
      UNROLL for (int n = 0; n < Batch; ++n) weight += scale[r][n] * error[n];
      store_wide(to + r * d.units + o, weight);
    }
  }
  for (; o < d.units; ++o)
    UNROLL for (int r = 0; r < Rows; ++r) {
      float weight = beta * from[r * d.units + o];
      UNROLL for (int n = 0; n < Batch; ++n) weight += scale[r][n] * delta[n * d.units + o];
      to[r * d.units + o] = weight;
    }
}

template <int Rows>
void rows(const Dense& d, int64_t i) {
  int64_t b = 0;
  if (d.d_a) {
    for (; b + kBatch <= d.batch; b += kBatch) backward<Rows, kBatch>(d, i, b);
    for (; b < d.batch; ++b) backward<Rows, 1>(d, i, b);
  }
  // only now: new_weights may be the same memory as weights
  const float* from = d.weights + i * d.units;
  float beta = d.beta;
  for (b = 0; b < d.batch; from = d.new_weights + i * d.units, beta = 1)
    if (b + kBatch <= d.batch) {
      update<Rows, kBatch>(d, i, b, from, beta);
      b += kBatch;
    } else {
      update<Rows, 1>(d, i, b, from, beta);
      ++b;
    }
}

// ---- backward and update, without the inputs that are zero ----

constexpr int kExamples = kAccumulators >= 24 ? 8 : 5;  // examples at a time
constexpr int64_t kActive = 256;                        // examples whose inputs are looked at, at a time
constexpr int64_t kUnits = 1024;                        // units at a time; fewer would be summed up too often

struct Active {
  int64_t example;
  float scale;  // alpha a[example, i]
};

inline float total(Vector v) {
  float lane[kLanes];
  store(lane, v);
  UNROLL for (int n = kLanes / 2; n; n /= 2)
    UNROLL for (int k = 0; k < n; ++k) lane[k] += lane[k + n];
  return lane[0];
}

// For row i of the weights, the units from o to `end`, and `Examples` examples:
//
//     d_a[b, i] += sum over o of delta[b, o] old[o]
//     to[o]      = beta from[o] + sum over b of alpha a[b, i] delta[b, o]
template <int Examples>
void visit(const Dense& d, int64_t i, const Active* active, const float* old, const float* from, float beta, float* to,
           int64_t o, int64_t end) {
  constexpr int kApart = Examples <= 1 ? 4 : Examples <= 3 ? 2 : 1;  // sums per example, so that none waits for itself
  constexpr int kSome = Examples ? Examples : 1;
  Vector sum[kSome][kApart];
  const float* delta[kSome];
  float scale[kSome];
  UNROLL for (int n = 0; n < Examples; ++n) {
    delta[n] = d.delta + active[n].example * d.units;
    scale[n] = active[n].scale;
    UNROLL for (int k = 0; k < kApart; ++k) sum[n][k] = Vector{};
  }
  const auto step = [&](int64_t at, int k) __attribute__((always_inline)) {
    const Vector before = load(old - o + at);
    Vector weight = beta * load(from + at);
    UNROLL for (int n = 0; n < Examples; ++n) {
      const Vector error = load(delta[n] + at);
      weight += scale[n] * error;
      sum[n][k] += before * error;
    }
    store(to + at, weight);
  };
  int64_t at = o;
  for (; at + kApart * kLanes <= end; at += kApart * kLanes)
    UNROLL for (int k = 0; k < kApart; ++k) step(at + k * kLanes, k);
  for (; at + kLanes <= end; at += kLanes) step(at, 0);
  float sums[kSome];
  UNROLL for (int n = 0; n < Examples; ++n) {
    UNROLL for (int k = 1; k < kApart; ++k) sum[n][0] += sum[n][k];
    sums[n] = total(sum[n][0]);
  }
  for (; at < end; ++at) {
    const float before = old[at - o];
    float weight = beta * from[at];
    UNROLL for (int n = 0; n < Examples; ++n) {
      weight += scale[n] * delta[n][at];
      sums[n] += before * delta[n][at];
    }
    to[at] = weight;
  }
  UNROLL for (int n = 0; n < Examples; ++n) d.d_a[active[n].example * d.inputs + i] += sums[n];
}

using Visit = void (*)(const Dense&, int64_t, const Active*, const float*, const float*, float, float*, int64_t, int64_t);
template <int... Examples>
constexpr std::array<Visit, sizeof...(Examples)> visits(std::integer_sequence<int, Examples...>) {
  return {visit<Examples>...};
}
constexpr auto kVisits = visits(std::make_integer_sequence<int, kExamples + 1>());

// Row i of the weights, the units from o to `end`, with the examples whose input i is not 0.
void row(const Dense& d, int64_t i, int64_t o, int64_t end) {
  const float* from = d.weights + i * d.units;
  float* const to = d.new_weights + i * d.units;
  float beta = d.beta;
  const float* old = from + o;
  float copy[kUnits];
  Active active[kActive];
  for (int64_t b = 0; b < d.batch; b += kActive) {
    int64_t count = 0;
    for (int64_t n = b; n < smaller(b + kActive, d.batch); ++n) {
      const float value = d.a[n * d.inputs + i];
      active[count] = {n, d.alpha * value};
      count += value != 0;  // no branch: nobody could foresee it
    }
    if (b == 0 && (count > kExamples || d.batch > kActive)) {
      std::copy(old, old + (end - o), copy);  // the first visit may change what later ones read
      old = copy;
    }
    for (int64_t n = 0; n < count; n += kExamples, from = to, beta = 1)
      kVisits[smaller(kExamples, count - n)](d, i, active + n, old, from, beta, to, o, end);
  }
  if (from != to || beta != 1) kVisits[0](d, i, active, old, from, beta, to, o, end);  // nobody was here
}

void update(int64_t batch, int64_t inputs, int64_t units, const float* weights, const float* a, const float* delta,
            float alpha, float beta, bool zeros_are_dead, float* new_weights, float* d_a, const Threads& threads) {
  const Dense d{batch, inputs, units, weights, a, delta, alpha, beta, new_weights, d_a};
  const int64_t blocks = divide_up(inputs, kRows);
  const int64_t parts = parts_of(threads, blocks, (zeros_are_dead ? 2.0 : 4.0) * batch * inputs * units);
  in_parallel(threads, parts, [&](int64_t part) {
    const Range some = share(blocks, parts, part);
    const Range mine{some.begin * kRows, smaller(some.end * kRows, inputs)};
    if (zeros_are_dead && d_a) {
      for (int64_t b = 0; b < batch; ++b) std::fill(d_a + b * inputs + mine.begin, d_a + b * inputs + mine.end, 0.0f);
      for (int64_t o = 0; o < units; o += kUnits)
        for (int64_t i = mine.begin; i < mine.end; ++i) row(d, i, o, smaller(o + kUnits, units));
    } else {
      int64_t i = mine.begin;
      for (; i + kRows <= mine.end; i += kRows) rows<kRows>(d, i);
      for (; i < mine.end; ++i) rows<1>(d, i);
    }
  });
}

}  // namespace

#define TABLE(name) TABLE_OF(name)
#define TABLE_OF(name) dense_##name
extern const DenseKernel TABLE(FIRSTHAND_ISA) = {forward, update, product_update};

}  // namespace firsthand
