// Vectors of the compiler's own (GCC and Clang), for whatever instruction set a file is compiled for.  All of it has
// internal linkage: see conv_pool_kernel.h.
#pragma once

#include <cstdint>
#include <cstring>

#define UNROLL _Pragma("GCC unroll 32")

namespace firsthand {
namespace {

#if defined(__AVX__)
constexpr int kLanes = 8;  // not 16: 20 or 40 channels waste fewer lanes of 8, and many processors split 16 anyway
#else
constexpr int kLanes = 4;
#endif
#if defined(__AVX512VL__) || defined(__aarch64__)
constexpr int kAccumulators = 24;  // of 32 registers; the rest hold operands
#else
constexpr int kAccumulators = 12;  // of 16
#endif

using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));
using Integers = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
using Bytes = uint8_t __attribute__((vector_size(kLanes)));

inline Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }
inline Vector broadcast(float value) { return value - Vector{}; }
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace
}  // namespace firsthand
