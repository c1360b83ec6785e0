// The backward pass of a fully connected layer and its step of gradient descent, in one visit to the weights.
//
// With inputs a (batch, inputs), errors delta (batch, units), and weights w (inputs, units):
//
//     d_a    = delta w^T                          (BP2)
//     w_new  = beta w + alpha a^T delta           equation (93), with alpha = -eta/m and beta = 1 - eta lambda/n
//
// (the factor 1/m is in delta already).  A layer of 1,000 x 1,000 is larger than most caches: written as a gradient and
// an update, it is read and written five times; here it is read once and written once, and no gradient is ever stored.
#pragma once

#include <cstdint>

namespace firsthand {

struct DenseKernel {
  void (*forward)(int64_t batch, int64_t inputs, int64_t units, const float* a, const float* weights, float* z);
  // weights and new_weights may be the same memory
  void (*update)(int64_t batch, int64_t inputs, int64_t units, const float* weights, const float* a, const float* delta,
                 float alpha, float beta, bool zeros_are_dead, float* new_weights, float* d_a);
};

#if defined(__x86_64__)
extern const DenseKernel dense_x86_64_v2, dense_x86_64_v3, dense_x86_64_v4;
#else
extern const DenseKernel dense_baseline;
#endif

}  // namespace firsthand
