// The forward pass for 5x5 kernels and 2x2 pooling with 36 products instead of 100 per window, channel and filter.
//
// Two neighbouring outputs y0, y1 of a correlation with 5 weights w see 6 inputs d.  They are coefficients of a product
// of polynomials, found from its values at 6 points (Winograd 1980; Toom and Cook before him), with * by element:
//
//     y = A^T [(G w) * (B^T d)],      in two dimensions      Y = A^T [(G W G^T) * (B^T D B)] A
//
// the latter for one pooling window, whose four outputs see 6x6 pixels (Lavin and Gray, "Fast algorithms for
// convolutional neural networks", 2016, sections 4.1 and 4.2).  Summed over the channels before A^T is applied, the
// products are 36 matrix products, (windows x channels) (channels x filters), one for each pair of points.
//
// The points are 0, 1, -1, 1/2, -2 and infinity: of the small ones those with the smallest error, about 2.5 times that
// of the direct sum (0, 1, -1, 2, -2 have 4 times).
//
// Ties stay ties: B^T is written in differences, so that six equal inputs give exactly zero but at the point 1, where
// all outputs have the same coefficient.  So windows of constant rows, or columns, or both, have equal outputs to the
// last bit, and the first wins as in the direct sum; only outputs that are equal along a diagonal may differ by
// rounding.  And no output depends on a pixel that it does not see, so that what is no number stays where it belongs.
#pragma once

#include "conv_pool_windows.h"

namespace firsthand {
namespace {

constexpr int kPoints = 6, kTaps = 5;
constexpr int kTilesTogether = 4;   // windows whose products are in registers together
constexpr int64_t kTilesAtOnce = 16;  // at least this many go through all stages together: few enough for the cache

// B^T: values at the points of the inputs' polynomial.
inline void transform_input(const Vector (&d)[kPoints], Vector (&v)[kPoints]) {
  const Vector p = d[3] - d[1], q = d[4] - d[2];
  v[0] = ((d[0] - d[2]) + q) + 1.5f * p;
  v[1] = (p + q) + 1.5f * (d[2] + d[3]);
  v[2] = (q - p) + 1.5f * (d[3] - d[2]);
  v[3] = q + 2.0f * p;
  v[4] = q - 0.5f * p;
  v[5] = ((d[5] - d[3]) - p) + 1.5f * q;
}

// G: values at the points of the weights' polynomial, divided by what the points are apart.
inline void transform_weights(const Vector (&w)[kTaps], Vector (&u)[kPoints]) {
  const Vector even = (w[0] + w[2]) + w[4], odd = w[1] + w[3];
  u[0] = w[0];
  u[1] = (even + odd) * (1 / 3.0f);
  u[2] = (odd - even) * (1 / 3.0f);
  u[3] = (w[0] + 0.5f * (w[1] + 0.5f * (w[2] + 0.5f * (w[3] + 0.5f * w[4])))) * (-16 / 15.0f);
  u[4] = (w[0] - 2.0f * (w[1] - 2.0f * (w[2] - 2.0f * (w[3] - 2.0f * w[4])))) * (1 / 15.0f);
  u[5] = w[4];
}

// A^T: two outputs from six products.
inline void transform_output(const Vector (&m)[kPoints], Vector* y) {
  y[0] = (m[0] + (m[1] + m[2])) + (m[3] + m[4]);
  y[1] = ((m[1] - m[2]) + m[5]) + (0.5f * m[3] - 2.0f * m[4]);
}

bool winograd_pays(const ConvPoolShape& s) {
  return s.kernel_height == kTaps && s.kernel_width == kTaps && s.pool_height == 2 && s.pool_width == 2 &&
         s.channels >= 8 && s.filters >= 8 && s.batch * s.out_height * s.out_width >= kTilesAtOnce;
}

// The scratch memory, cut up.
struct WinogradPlan {
  int64_t rows, tiles;                             // rows of windows that are taken together, and their windows
  int64_t used;                                    // floats in a row of pixels that some window sees
  int64_t weights;                                 // floats of the kernels' values, which all parts share
  int64_t strips, inputs, products, halves, end;   // where each array of a part begins
  explicit WinogradPlan(const ConvPoolShape& s) {
    rows = divide_up(kTilesAtOnce, s.out_width);
    tiles = rows * s.out_width;
    used = (2 * s.out_width + kTaps - 1) * s.channels;
    weights = kPoints * kPoints * s.channels * s.filters;                // [point][point][channel][filter]
    strips = 0;                                                          // [point][column][channel]
    inputs = strips + kPoints * used;                                    // [point][point][tile][channel]
    products = inputs + kPoints * kPoints * tiles * s.channels;          // [point][tile][filter]
    halves = products + kPoints * tiles * s.filters;                     // [point][output][tile][filter]
    end = halves + 2 * kPoints * tiles * s.filters;
  }
};

// One of two transforms: `Transform` on every vector of `count` floats, taken from `from` + k * from_stride.
template <int From, int To, typename Transform>
inline void transform_all(const Transform& transform, int64_t count, const float* from, int64_t from_stride, float* to,
                          int64_t to_stride) {
  for (int64_t c = 0; c < count; c += kLanes) {
    const int64_t at = smaller(c, count - kLanes);
    Vector in[From], out[To];
    UNROLL for (int k = 0; k < From; ++k) in[k] = load(from + k * from_stride + at);
    transform(in, out);
    UNROLL for (int k = 0; k < To; ++k) store(to + k * to_stride + at, out[k]);
  }
}

// m[tile][filter] = sum over c of v[tile][c] u[c][filter], for some tiles and `Vectors` vectors of filters.
template <int Vectors>
void multiply(int64_t channels, int64_t filters, const float* v, const float* u, float* m, int64_t first,
              int64_t last) {
  int64_t filter[Vectors];
  UNROLL for (int i = 0; i < Vectors; ++i) filter[i] = i < Vectors - 1 ? first + i * kLanes : last;
  Vector sum[kTilesTogether][Vectors];
  UNROLL for (int t = 0; t < kTilesTogether; ++t)
  UNROLL for (int i = 0; i < Vectors; ++i) sum[t][i] = Vector{};
  for (int64_t c = 0; c < channels; ++c) {
    Vector w[Vectors];
    UNROLL for (int i = 0; i < Vectors; ++i) w[i] = load(u + c * filters + filter[i]);
    UNROLL for (int t = 0; t < kTilesTogether; ++t) {
      const Vector x = broadcast(v[t * channels + c]);
      UNROLL for (int i = 0; i < Vectors; ++i) sum[t][i] += x * w[i];
    }
  }
  UNROLL for (int t = 0; t < kTilesTogether; ++t)
  UNROLL for (int i = 0; i < Vectors; ++i) store(m + t * filters + filter[i], sum[t][i]);
}

void multiply_all(int64_t tiles, int64_t channels, int64_t filters, const float* v, const float* u, float* m) {
  constexpr int kMost = kAccumulators / kTilesTogether;
  const int64_t vectors = divide_up(filters, kLanes), across = divide_up(vectors, kMost);
  for (int64_t n = 0; n < across; ++n) {
    const int64_t begin = n * vectors / across, here = (n + 1) * vectors / across - begin;
    const int64_t last = smaller((begin + here - 1) * kLanes, filters - kLanes);
    const auto run = here == 1   ? multiply<1>
                     : here == 2 ? multiply<smaller(2, kMost)>
                     : here == 3 ? multiply<smaller(3, kMost)>
                     : here == 4 ? multiply<smaller(4, kMost)>
                     : here == 5 ? multiply<smaller(5, kMost)>
                                 : multiply<smaller(6, kMost)>;
    for (int64_t t = 0; t < tiles; t += kTilesTogether) {
      const int64_t tile = smaller(t, tiles - kTilesTogether);
      run(channels, filters, v + tile * channels, u, m + tile * filters, begin * kLanes, last);
    }
  }
}

// The kernels' values at the points, for the weights [at, at + kLanes) of every tap.
void transform_kernels(int64_t kernel, int64_t at, const float* weights, float* u) {
  Vector rows[kPoints][kTaps];
  UNROLL for (int j = 0; j < kTaps; ++j) {
    Vector w[kTaps], column[kPoints];
    UNROLL for (int i = 0; i < kTaps; ++i) w[i] = load(weights + (i * kTaps + j) * kernel + at);
    transform_weights(w, column);
    UNROLL for (int i = 0; i < kPoints; ++i) rows[i][j] = column[i];
  }
  for (int i = 0; i < kPoints; ++i) {
    Vector values[kPoints];
    transform_weights(rows[i], values);
    UNROLL for (int j = 0; j < kPoints; ++j) store(u + (i * kPoints + j) * kernel + at, values[j]);
  }
}

// plan.rows rows of windows, from `first` on.
void winograd_rows(const ConvPoolShape& s, const WinogradPlan& plan, int64_t first, const float* x, const float* u,
                   const float* bias, bool relu, float* a, uint8_t* winner, float* scratch) {
  const Sizes size(s);
  const int64_t kernel = s.channels * s.filters, tiles = plan.tiles, in = tiles * s.channels, out = tiles * s.filters;
  float *const strips = scratch + plan.strips, *const v = scratch + plan.inputs, *const m = scratch + plan.products,
               *const halves = scratch + plan.halves;
  for (int64_t r = 0; r < plan.rows; ++r) {
    const int64_t image = (first + r) / s.out_height, i = (first + r) % s.out_height;
    transform_all<kPoints, kPoints>(transform_input, plan.used, x + image * size.image + 2 * i * size.row, size.row,
                                    strips, plan.used);
    for (int64_t point = 0; point < kPoints; ++point)
      for (int64_t j = 0; j < s.out_width; ++j)
        transform_all<kPoints, kPoints>(transform_input, s.channels, strips + point * plan.used + 2 * j * s.channels,
                                        s.channels, v + point * kPoints * in + (r * s.out_width + j) * s.channels, in);
  }
  for (int64_t i = 0; i < kPoints; ++i) {
    for (int64_t j = 0; j < kPoints; ++j)
      multiply_all(tiles, s.channels, s.filters, v + (i * kPoints + j) * in, u + (i * kPoints + j) * kernel,
                   m + j * out);
    transform_all<kPoints, 2>(transform_output, out, m, out, halves + 2 * i * out, out);
  }
  for (int64_t t = 0; t < tiles; ++t)
    for (int64_t k = 0; k < s.filters; k += kLanes) {
      const int64_t filter = smaller(k, s.filters - kLanes), at = t * s.filters + filter;
      Vector z[4];
      UNROLL for (int q = 0; q < 2; ++q) {
        Vector points[kPoints], y[2];
        UNROLL for (int i = 0; i < kPoints; ++i) points[i] = load(halves + (2 * i + q) * out + at);
        transform_output(points, y);
        z[q] = y[0];
        z[2 + q] = y[1];
      }
      const int64_t to = first * s.out_width * s.filters + at;
      write_maximum(z, load(bias + filter), relu, kLanes, a + to, winner + to);
    }
}

void winograd_forward(const ConvPoolShape& s, const float* x, const float* weights, const float* bias, bool relu,
                      float* a, uint8_t* winner, const Threads& threads) {
  const WinogradPlan plan(s);
  float* const u = threads.of_call(plan.weights);
  const int64_t kernel = s.channels * s.filters, vectors = divide_up(kernel, kLanes);
  // the last vector overlaps the one before, and is that one's part's
  const int64_t pairs = larger(1, vectors - 1);
  const int64_t first = parts_of(threads, pairs, vectors * 150.0 * kLanes);  // some 11 transforms of 6 values
  const int64_t all = s.batch * s.out_height;  // rows of windows
  // a block of rows is one unit; the last block overlaps the one before, and is that one's
  const int64_t units = larger(1, divide_up(all, plan.rows) - 1);
  const int64_t parts = parts_of(threads, units, 0.4 * all * s.out_width * window_operations(s));
  in_parallel(
      threads, first,
      [&](int64_t part) {
        const Range mine = share(pairs, first, part);
        for (int64_t v = mine.begin; v < (mine.end == pairs ? vectors : mine.end); ++v)
          transform_kernels(kernel, smaller(v * kLanes, kernel - kLanes), weights, u);
      },
      parts,
      [&](int64_t part) {
        float* const scratch = threads.of_part(plan.end);
        const Range mine = share(units, parts, part);
        const int64_t end = mine.end == units ? all : mine.end * plan.rows;
        for (int64_t begin = mine.begin * plan.rows; begin < end; begin += plan.rows)
          winograd_rows(s, plan, smaller(begin, all - plan.rows), x, u, bias, relu, a, winner, scratch);
      });
}

}  // namespace
}  // namespace firsthand
