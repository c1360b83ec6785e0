// A fully connected layer's forward pass, and its backward pass together with its step of gradient descent.
//
// With inputs a (batch, inputs), errors delta (batch, units), and weights w (inputs, units):
//
//     z      = a w
//     d_a    = delta w^T                          (BP2)
//     w_new  = beta w + alpha a^T delta           equation (93), with alpha = -eta/m and beta = 1 - eta lambda/n
//
// (the factor 1/m is in delta already).  A layer of 1,000 x 1,000 is larger than most caches: written as a gradient and
// an update, it is read and written five times; here it is read once and written once, and no gradient is ever stored.
//
// Behind a ReLU many inputs are exactly 0, and behind dropout even more.  Such an input adds nothing to z, and nothing
// to w_new.  Its error d_a is multiplied by the slope of the ReLU, which is 0 there (or by that of dropout, which is 0
// as well): whatever it is, nobody will know.  So with `zeros_are_dead` it is left at 0, and in all three products only
// the inputs that are not 0 take part.  (The formula differs where a weight or an error is no finite number: 0 times
// that would be NaN.)
#pragma once

#include <cstdint>

#include "parallel.h"

namespace firsthand {

// The forward pass is divided over units, the update over inputs, so that no sum is.
struct DenseKernel {
  // without the inputs that are zero
  void (*forward)(int64_t batch, int64_t inputs, int64_t units, const float* a, const float* weights, float* z,
                  const Threads&);
  // weights and new_weights may be the same memory; d_a may be null
  void (*update)(int64_t batch, int64_t inputs, int64_t units, const float* weights, const float* a, const float* delta,
                 float alpha, float beta, bool zeros_are_dead, float* new_weights, float* d_a, const Threads&);
  // the same for many examples, whether zero or not
  void (*product_update)(int64_t batch, int64_t inputs, int64_t units, const float* weights, const float* a,
                         const float* delta, float alpha, float beta, float* new_weights, float* d_a, const Threads&);
};

#if defined(__x86_64__)
extern const DenseKernel dense_x86_64_v2, dense_x86_64_v3, dense_x86_64_v4;
#else
extern const DenseKernel dense_baseline;
#endif

}  // namespace firsthand
