// exp, the sigmoid and tanh on vectors, to about two units in the last place (Cephes' polynomials, Moshier 1989).
// What is no number stays so.  All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "matmul.h"

namespace firsthand {
namespace {

using WideIntegers = int32_t __attribute__((vector_size(kWide * sizeof(int32_t))));

// e^x = 2^n + 2^n m, with 2^n and m = e^r - 1 for r = x - n log 2.
struct Exponential {
  Wide power, rest;
};

inline Exponential exponential_parts(Wide x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: the sum has no bits left behind the point
  const Wide shifted = x * 1.44269504088896341f + kRound, n = shifted - kRound;
  const Wide r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // in two steps
  Wide p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  WideIntegers power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power - 0x4b400000 + 127) << 23;  // 2^n, from the bits in which `shifted` holds n
  Wide scale;
  std::memcpy(&scale, &power, sizeof scale);
  return {scale, p * (r * r) + r};
}

inline Wide exponential(Wide x) {
  x = x > 88.0f ? Wide{} + 88.0f : x;
  x = x < -87.0f ? Wide{} - 87.0f : x;
  const auto [power, rest] = exponential_parts(x);
  return power * (rest + 1.0f);
}

inline Wide sigmoid(Wide x) { return 1.0f / (1.0f + exponential(-x)); }

// (e^2x - 1) / (e^2x + 1), whose numerator has all its digits where x is small.
inline Wide hyperbolic_tangent(Wide x) {
  Wide twice = x + x;
  twice = twice > 40.0f ? Wide{} + 40.0f : twice;  // it is 1 long before
  twice = twice < -40.0f ? Wide{} - 40.0f : twice;
  const auto [power, rest] = exponential_parts(twice);
  const Wide less_one = power * rest + (power - 1.0f);
  return less_one / (less_one + 2.0f);
}

}  // namespace
}  // namespace firsthand
