// The fused convolution and max-pooling, for one instruction set.  Compiled once for each, with FIRSTHAND_ISA set to the
// name of the table it defines; see conv_pool_kernel.h for the formulas.
//
// Vectors are the compiler's own (GCC and Clang), so that one source serves all instruction sets.  Where a row of values
// is not a multiple of the vector, the last vector overlaps the one before: both compute the same values there, so
// nothing is read or written outside the arrays and no masks are needed.
#include "conv_pool_kernel.h"

#include "conv_pool_backward.h"
#include "conv_pool_windows.h"
#include "conv_pool_winograd.h"
#include "vectors.h"

namespace firsthand {
namespace {

// ---------------------------------------------------------------------------------------------------- forward

// `Windows` pooling windows times `Vectors` vectors of filters, all of their convolution outputs in registers.
// Filters are at `first`, `first` + one vector, ...; the last vector at `last`.  `stride` separates the weights of
// neighbouring taps, and `count` filters are written (fewer than a vector only if there are no more in all).
template <int PoolHeight, int PoolWidth, int Vectors, int Windows>
inline __attribute__((always_inline)) void forward_tile(const ConvPoolShape& s, const Sizes& size,
                                                        const float* const (&corner)[Windows], const float* weights,
                                                        const float* bias, int64_t stride, int64_t first, int64_t last,
                                                        int64_t count, bool relu, float* a, uint8_t* winner) {
  constexpr int kPositions = PoolHeight * PoolWidth;
  int64_t filter[Vectors];
  UNROLL for (int v = 0; v < Vectors; ++v) filter[v] = v < Vectors - 1 ? first + v * kLanes : last;

  Vector sum[Windows][kPositions][Vectors];
  UNROLL for (int n = 0; n < Windows; ++n)
  UNROLL for (int p = 0; p < kPositions; ++p)
  UNROLL for (int v = 0; v < Vectors; ++v) sum[n][p][v] = Vector{};

  const float* tap = weights;
  for (int64_t l = 0; l < s.kernel_height; ++l) {
    for (int64_t t = 0; t < size.kernel_row; ++t, tap += stride) {
      Vector w[Vectors];
      UNROLL for (int v = 0; v < Vectors; ++v) w[v] = load(tap + filter[v]);
      UNROLL for (int n = 0; n < Windows; ++n)
      UNROLL for (int p = 0; p < kPositions; ++p) {
        const float pixel = corner[n][(l + p / PoolWidth) * size.row + p % PoolWidth * s.channels + t];
        const Vector x = broadcast(pixel);
        UNROLL for (int v = 0; v < Vectors; ++v) sum[n][p][v] += x * w[v];
      }
    }
  }

  UNROLL for (int n = 0; n < Windows; ++n)
  UNROLL for (int v = 0; v < Vectors; ++v) {
    Vector z[kPositions];
    UNROLL for (int p = 0; p < kPositions; ++p) z[p] = sum[n][p][v];
    const int64_t at = n * s.filters + filter[v];
    write_maximum(z, load(bias + filter[v]), relu, count, a + at, winner + at);
  }
}

template <int PoolHeight, int PoolWidth, int Vectors>
void forward_filters(const ConvPoolShape& s, Range windows, const float* x, const float* weights, const float* bias,
                     int64_t stride, int64_t first, int64_t last, bool relu, float* a, uint8_t* winner) {
  constexpr int kWindows = larger(1, kAccumulators / (PoolHeight * PoolWidth * Vectors));
  const Sizes size(s);
  WindowCursor at(s, windows.begin);
  int64_t u = windows.begin;
  if (s.filters < kLanes) {  // the last bytes of a vector are not ours
    for (; u < windows.end; ++u, at.next()) {
      const float* const corner[1] = {x + at.corner};
      forward_tile<PoolHeight, PoolWidth, Vectors, 1>(s, size, corner, weights, bias, stride, first, last, s.filters,
                                                      relu, a + u * s.filters, winner + u * s.filters);
    }
    return;
  }
  for (; u + kWindows <= windows.end; u += kWindows) {
    const float* corner[kWindows];
    for (int n = 0; n < kWindows; ++n, at.next()) corner[n] = x + at.corner;
    forward_tile<PoolHeight, PoolWidth, Vectors, kWindows>(s, size, corner, weights, bias, stride, first, last, kLanes,
                                                           relu, a + u * s.filters, winner + u * s.filters);
  }
  for (; u < windows.end; ++u, at.next()) {
    const float* const corner[1] = {x + at.corner};
    forward_tile<PoolHeight, PoolWidth, Vectors, 1>(s, size, corner, weights, bias, stride, first, last, kLanes, relu,
                                                    a + u * s.filters, winner + u * s.filters);
  }
}

template <int PoolHeight, int PoolWidth>
void forward_pooled(const ConvPoolShape& s, Range windows, const float* x, const float* weights, const float* bias,
                    int64_t stride, bool relu, float* a, uint8_t* winner) {
  constexpr int kMost = smaller(3, larger(1, kAccumulators / (PoolHeight * PoolWidth)));
  const int64_t vectors = divide_up(s.filters, kLanes);
  for (int64_t v = 0; v < vectors; v += kMost) {
    const int64_t here = smaller(kMost, vectors - v), first = v * kLanes;
    const int64_t last = larger(0, smaller(first + (here - 1) * kLanes, s.filters - kLanes));
    const auto run = here == 1   ? forward_filters<PoolHeight, PoolWidth, 1>
                     : here == 2 ? forward_filters<PoolHeight, PoolWidth, smaller(2, kMost)>
                                 : forward_filters<PoolHeight, PoolWidth, smaller(3, kMost)>;
    run(s, windows, x, weights, bias, stride, first, last, relu, a, winner);
  }
}

void forward(const ConvPoolShape& s, const float* x, const float* weights, const float* bias, bool relu, float* a,
             uint8_t* winner, const Threads& threads) {
  if (winograd_pays(s)) return winograd_forward(s, x, weights, bias, relu, a, winner, threads);
  int64_t stride = s.filters;
  if (s.filters < kLanes) {  // fill every tap up to a whole vector
    const int64_t taps = s.kernel_height * Sizes(s).kernel_row;
    stride = kLanes;
    float* const scratch = threads.of_call(kLanes * (taps + 1));
    std::memset(scratch, 0, kLanes * (taps + 1) * sizeof(float));
    for (int64_t t = 0; t < taps; ++t) std::memcpy(scratch + t * kLanes, weights + t * s.filters, s.filters * 4);
    std::memcpy(scratch + taps * kLanes, bias, s.filters * sizeof(float));
    weights = scratch;
    bias = scratch + taps * kLanes;
  }
  const bool tall = s.pool_height == 3, wide = s.pool_width == 3;
  const auto run = s.pool_height == 1 ? forward_pooled<1, 1>
                   : tall             ? (wide ? forward_pooled<3, 3> : forward_pooled<3, 2>)
                                      : (wide ? forward_pooled<2, 3> : forward_pooled<2, 2>);
  const int64_t windows = s.batch * Sizes(s).windows, parts = parts_of(threads, windows, windows * window_operations(s));
  in_parallel(threads, parts, [&](int64_t part) {
    run(s, share(windows, parts, part), x, weights, bias, stride, relu, a, winner);
  });
}

}  // namespace

#define TABLE(name) TABLE_OF(name)
#define TABLE_OF(name) conv_pool_##name
extern const ConvPoolKernel TABLE(FIRSTHAND_ISA) = {forward, weights_gradient, input_gradient};

}  // namespace firsthand
