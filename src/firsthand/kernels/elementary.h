// exp, the sigmoid and tanh on vectors, to about two units in the last place (Cephes' polynomials, Moshier 1989).
// What is no number stays so.  All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "matmul.h"

namespace firsthand {
namespace {

using WideIntegers = int32_t __attribute__((vector_size(kWide * sizeof(int32_t))));

inline Wide exponential(Wide x) {
  x = x > 88.0f ? Wide{} + 88.0f : x;
  x = x < -87.0f ? Wide{} - 87.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: the sum has no bits left behind the point
  const Wide shifted = x * 1.44269504088896341f + kRound, n = shifted - kRound;
  const Wide r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // x - n log 2, in two steps
  Wide p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  WideIntegers power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power - 0x4b400000 + 127) << 23;  // 2^n, from the bits in which `shifted` holds n
  Wide scale;
  std::memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

inline Wide sigmoid(Wide x) { return 1.0f / (1.0f + exponential(-x)); }

inline Wide hyperbolic_tangent(Wide x) {
  const Wide size = x < 0.0f ? -x : x;
  const Wide far = 1.0f - 2.0f / (exponential(2.0f * size) + 1.0f);
  const Wide y = x * x;
  Wide p = -5.70498872745e-3f * y + 2.06390887954e-2f;
  p = p * y - 5.37397155531e-2f;
  p = p * y + 1.33314422036e-1f;
  p = p * y - 3.33332819422e-1f;
  const Wide near = p * y * x + x;
  return size < 0.625f ? near : (x < 0.0f ? -far : far);
}

}  // namespace
}  // namespace firsthand
