// The fused backward pass and update of a fully connected layer, for one instruction set: see dense_kernel.h.
#include "dense_kernel.h"

#include "vectors.h"

namespace firsthand {
namespace {

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
  for (; o + kLanes <= d.units; o += kLanes) {
    Vector error[Batch];
    UNROLL for (int n = 0; n < Batch; ++n) error[n] = load(delta + n * d.units + o);
    UNROLL for (int r = 0; r < Rows; ++r) {
      Vector weight = beta * load(from + r * d.units + o);
      UNROLL for (int n = 0; n < Batch; ++n) weight += scale[r][n] * error[n];
      store(to + r * d.units + o, weight);
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
  for (; b + kBatch <= d.batch; b += kBatch) backward<Rows, kBatch>(d, i, b);
  for (; b < d.batch; ++b) backward<Rows, 1>(d, i, b);
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

void dense_update(int64_t batch, int64_t inputs, int64_t units, const float* weights, const float* a,
                  const float* delta, float alpha, float beta, float* new_weights, float* d_a) {
  const Dense d{batch, inputs, units, weights, a, delta, alpha, beta, new_weights, d_a};
  int64_t i = 0;
  for (; i + kRows <= inputs; i += kRows) rows<kRows>(d, i);
  for (; i < inputs; ++i) rows<1>(d, i);
}

}  // namespace

#define TABLE(name) TABLE_OF(name)
#define TABLE_OF(name) dense_update_##name
extern const DenseUpdate TABLE(FIRSTHAND_ISA) = dense_update;

}  // namespace firsthand
