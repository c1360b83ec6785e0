// What the fused convolution and max-pooling computes, and the interface of its implementations.
//
// Forward, for an image x, kernels W and biases b (NHWC images, HWIO kernels, float32):
//
//     z[i, j, k] = b[k] + sum over l, m, c of x[i + l, j + m, c] W[l, m, c, k]             equation (125)
//     a[p, q, k] = max of z[i, j, k] over the pooling window of (p, q), or 0 if that is less (ReLU)
//
// The maximum and the position where it was found stay in registers; z is never written to memory.  5x5 kernels with 2x2
// pooling and channels and filters enough for it take fewer products (conv_pool_winograd.h), and round differently.
// Everywhere, the first of equal positions wins; where z is equal because the pixels that a window sees are the same
// along its rows, or its columns, or both, it is equal to the last bit.  What is no number comes out as no number in the
// windows that see it, and nowhere else; an infinite pixel may come out as no number too.
//
// Backward, from delta = dC/da: the maximum passes its delta on to the one position (i*, j*) of its window where it
// was found, and ReLU passes it on only where a > 0.  With the sums over these active (p, q, k) alone,
//
//     dC/db[k]          = sum of delta[p, q, k]                                                      (BP3)
//     dC/dW[l, m, c, k] = sum of delta[p, q, k] x[i* + l, j* + m, c]                                 (BP4)
//     dC/dx[i* + l, j* + m, c] gathers delta[p, q, k] W[l, m, c, k]                                  (BP2)
//
// At most 1 in 4 convolution outputs is active after 2x2 pooling, about 1 in 8 after ReLU: the backward pass visits
// those, where a dense one would multiply by zeros.  Windows of one position are a convolution without pooling, of which
// ReLU leaves about half active.
//
// The implementation is compiled once per instruction set; everything in it has internal linkage, because two
// functions of the same name but different instruction sets must never be merged by the linker.
#pragma once

#include <cstdint>

#include "parallel.h"

namespace firsthand {

// In `winner`: the position in the pooling window, row by row, of the first maximum; or this where ReLU is off.
constexpr uint8_t kInactive = 255;

struct ConvPoolShape {
  int64_t batch, height, width, channels;      // images, already padded
  int64_t kernel_height, kernel_width, filters;
  int64_t pool_height, pool_width;             // 2 or 3 each; or 1 both
  int64_t out_height, out_width;               // of the pooled map
};

// One implementation.  All pointers are to whole, dense arrays.  The forward pass is divided over windows, the weights'
// gradient over filters, and the input's over images, so that no sum is.
struct ConvPoolKernel {
  void (*forward)(const ConvPoolShape&, const float* x, const float* weights, const float* bias, bool relu, float* a,
                  uint8_t* winner, const Threads&);
  void (*weights_gradient)(const ConvPoolShape&, const float* x, const uint8_t* winner, const float* delta,
                           float* d_weights, float* d_bias, const Threads&);
  void (*input_gradient)(const ConvPoolShape&, const float* weights, const uint8_t* winner, const float* delta,
                         float* d_x, const Threads&);
};

#if defined(__x86_64__)
extern const ConvPoolKernel conv_pool_x86_64_v2, conv_pool_x86_64_v3, conv_pool_x86_64_v4;
#else
extern const ConvPoolKernel conv_pool_baseline;
#endif

}  // namespace firsthand
