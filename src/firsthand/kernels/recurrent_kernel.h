// A recurrent layer over whole sequences, forward and backward through time.
//
// With inputs x (batch, steps, features), a state h (batch, units), and s the sigmoid, at every step:
//
//     tanh, relu   h' = f(x W + h U + b)                                                   Elman 1990
//     LSTM         i, f, g, o = x W + h U + b
//                  c' = s(f) c + s(i) tanh(g),  h' = s(o) tanh(c')                         Hochreiter and Schmidhuber
//                                                                                          1997, Gers et al. 2000
//     GRU          r = s(x W_r + h U_r + b_r),  z = s(x W_z + h U_z + b_z)
//                  n = tanh(x W_n + b_n + r (h U_n + b_u)),  h' = (1 - z) n + z h          Cho et al. 2014; the reset
//                                                                                          after the product
//
// W (features, gates x units), U (units, gates x units); b has the gates in the same order, the GRU's b_u at its end.
// Where the mask is 0 the state stays as it is.
//
// The products with x are made for all steps at once.  Those with h are one matrix product per step; the kernels U lie
// packed in the cache from the first step to the last.  Examples do not touch each other, so threads take examples, and
// in the gradients of the weights, which are sums over all examples and steps, columns of the weights.
#pragma once

#include <cstdint>

#include "parallel.h"

namespace firsthand {

enum class Cell { tanh = 0, relu = 1, lstm = 2, gru = 3 };

struct RecurrentShape {
  int64_t batch, steps, features, units;
};

// What is in a step's row of `gates`, in units: the gates' values, and of the GRU h U_n + b_u.  Backward, their errors.
constexpr int64_t saved_gates(Cell cell) { return cell < Cell::lstm ? 1 : 4; }
// Columns of W and U, in units.
constexpr int64_t weight_gates(Cell cell) { return cell < Cell::lstm ? 1 : cell == Cell::lstm ? 4 : 3; }

struct RecurrentForward {
  RecurrentShape s;
  const float *x, *h0, *c0, *w, *u, *b;
  const uint8_t* mask;                           // (batch, steps)
  float *outputs, *h, *c, *gates, *cells;        // cells (batch, steps, units): every c, of the LSTM alone
};

struct RecurrentBackward {
  RecurrentShape s;
  const float *x, *h0, *c0, *u;
  const uint8_t* mask;
  const float *outputs, *gates, *cells;
  const float *d_outputs, *d_h, *d_c;
  // errors: of what `gates` holds, before its activation; may be the same memory
  float *errors, *d_w, *d_u, *d_b, *d_h0, *d_c0;
};

struct RecurrentKernel {
  void (*forward)(Cell, const RecurrentForward&, const Threads&);
  void (*backward)(Cell, const RecurrentBackward&, const Threads&);
  // d_x = errors W^T
  void (*input_gradient)(Cell, const RecurrentShape&, const float* errors, const float* w, float* d_x, const Threads&);
};

#if defined(__x86_64__)
extern const RecurrentKernel recurrent_x86_64_v2, recurrent_x86_64_v3, recurrent_x86_64_v4;
#else
extern const RecurrentKernel recurrent_baseline;
#endif

}  // namespace firsthand
