// What all parts of the fused convolution and max-pooling share: the pooling windows of a batch, and their maximum.
// All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "conv_pool_kernel.h"
#include "parallel.h"
#include "vectors.h"

namespace firsthand {
namespace {

// Lengths that everything is written in.
struct Sizes {
  int64_t row, image;        // floats in a row of pixels, in an image
  int64_t kernel_row;        // floats in a row of a kernel: contiguous in the image too
  int64_t wide_row;          // the same, or one vector where that is longer
  int64_t windows;           // pooling windows of an image
  explicit Sizes(const ConvPoolShape& s)
      : row(s.width * s.channels),
        image(s.height * row),
        kernel_row(s.kernel_width * s.channels),
        wide_row(larger(kernel_row, kLanes)),
        windows(s.out_height * s.out_width) {}
};

// Walks over the pooling windows of a batch in the order of memory; `corner` is the offset of a window's first pixel.
struct WindowCursor {
  const ConvPoolShape& s;
  const Sizes size;
  int64_t corner = 0, row_start = 0, image_start = 0, i = 0, j = 0;
  explicit WindowCursor(const ConvPoolShape& shape, int64_t window = 0) : s(shape), size(shape) {
    image_start = window / size.windows * size.image;
    i = window % size.windows / s.out_width;
    j = window % s.out_width;
    row_start = image_start + i * s.pool_height * size.row;
    corner = row_start + j * s.pool_width * s.channels;
  }
  void next() {
    corner += s.pool_width * s.channels;
    if (++j < s.out_width) return;
    j = 0;
    corner = row_start += s.pool_height * size.row;
    if (++i < s.out_height) return;
    i = 0;
    corner = row_start = image_start += size.image;
  }
};

// Multiply-adds, in operations, of the direct forward pass of one window.
inline double window_operations(const ConvPoolShape& s) {
  return 2.0 * s.pool_height * s.pool_width * s.kernel_height * s.kernel_width * s.channels * s.filters;
}

// The same of either gradient: at one position of a window, and of them ReLU leaves about half.
inline double active_operations(const ConvPoolShape& s) {
  return window_operations(s) / (2.0 * s.pool_height * s.pool_width);
}

// From the convolution's outputs in a window (without bias) to a and winner, of which `count` lanes are written.
template <int Positions>
inline __attribute__((always_inline)) void write_maximum(const Vector (&z)[Positions], Vector bias, bool relu,
                                                         int64_t count, float* a, uint8_t* winner) {
  Vector best = z[0];
  Integers at = {};
  UNROLL for (int p = 1; p < Positions; ++p) {
    // strictly greater: the first of equals wins; and what is no number wins over all, as in the plain formula
    const auto more = (z[p] > best) | (z[p] != z[p]);
    best = more ? z[p] : best;
    at = more ? Integers{} + p : at;
  }
  best += bias;
  if (relu) {
    const auto off = best <= 0.0f;  // not the complement of > 0: a NaN must come through
    best = off ? Vector{} : best;
    at = off ? Integers{} + kInactive : at;
  }
  const Bytes bytes = __builtin_convertvector(at, Bytes);
  std::memcpy(a, &best, count * sizeof(float));
  std::memcpy(winner, &bytes, count);
}

}  // namespace
}  // namespace firsthand
