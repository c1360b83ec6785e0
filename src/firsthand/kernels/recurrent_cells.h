// One step of one example, forward and back: the equations of recurrent_kernel.h on vectors of units.
// All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "elementary.h"
#include "recurrent_kernel.h"

namespace firsthand {
namespace {

// A vector's place in rows of numbers for all units.
struct Lanes {
  int64_t at;
  Wide get(const float* from) const { return load_wide(from + at); }
  void put(float* to, Wide v) const { store_wide(to + at, v); }
};
// The last, which may have fewer numbers.
struct SomeLanes {
  int64_t at, count;
  Wide get(const float* from) const { return load_some(from + at, count); }
  void put(float* to, Wide v) const { store_some(to + at, v, count); }
};

template <typename Each>
inline void for_all_units(int64_t units, const Each& each) {
  int64_t at = 0;
  for (; at + kWide <= units; at += kWide) each(Lanes{at});
  if (at < units) each(SomeLanes{at, units - at});
}

// z: x W + h U, of the GRU's third gate x W alone and then h U; gates: what is saved; state: h, before and after.
template <Cell kCell>
inline void step_forward(int64_t units, const float* b, const float* z, float* gates, float* state, const float* c,
                         float* new_c) {
  const auto gate = [&](float* of, int64_t number) { return of + number * units; };
  const auto part = [&](const float* of, int64_t number) { return of + number * units; };
  for_all_units(units, [&](auto all) {
    // before its activation
    const auto sum = [&](int64_t n) { return all.get(part(z, n)) + all.get(part(b, n)); };
    if constexpr (kCell == Cell::tanh || kCell == Cell::relu) {
      const Wide before = sum(0);
      Wide after;
      if constexpr (kCell == Cell::tanh)
        after = hyperbolic_tangent(before);
      else
        after = before <= 0.0f ? Wide{} : before;  // a NaN comes through
      all.put(gates, after);
      all.put(state, after);
    } else if constexpr (kCell == Cell::lstm) {
      const Wide i = sigmoid(sum(0)), f = sigmoid(sum(1)), g = hyperbolic_tangent(sum(2)), o = sigmoid(sum(3));
      const Wide cell = f * all.get(c) + i * g;
      all.put(gate(gates, 0), i);
      all.put(gate(gates, 1), f);
      all.put(gate(gates, 2), g);
      all.put(gate(gates, 3), o);
      all.put(new_c, cell);
      all.put(state, o * hyperbolic_tangent(cell));
    } else {
      const Wide r = sigmoid(sum(0)), update = sigmoid(sum(1));
      const Wide u = sum(3), n = hyperbolic_tangent(sum(2) + r * u);
      all.put(gate(gates, 0), r);
      all.put(gate(gates, 1), update);
      all.put(gate(gates, 2), n);
      all.put(gate(gates, 3), u);
      all.put(state, (1.0f - update) * n + update * all.get(state));
    }
  });
}

// d_h: the error of h', and then the part of h's that goes around the products; d_c likewise.  errors: of what the gates
// hold, before activation; delta: of h U, one after the other as the columns of U are.
template <Cell kCell>
inline void step_backward(int64_t units, const float* gates, const float* h, const float* c, const float* new_c,
                          float* d_h, float* d_c, float* errors, float* delta) {
  const auto gate = [&](float* of, int64_t number) { return of + number * units; };
  const auto part = [&](const float* of, int64_t number) { return of + number * units; };
  for_all_units(units, [&](auto all) {
    const Wide error = all.get(d_h);
    const auto write = [&](int64_t n, Wide value) {
      all.put(gate(errors, n), value);
      all.put(gate(delta, n), value);
    };
    if constexpr (kCell == Cell::tanh || kCell == Cell::relu) {
      const Wide a = all.get(gates);
      if constexpr (kCell == Cell::tanh)
        write(0, error * (1.0f - a * a));
      else
        write(0, a <= 0.0f ? Wide{} : error);
      all.put(d_h, Wide{});
    } else if constexpr (kCell == Cell::lstm) {
      const Wide i = all.get(part(gates, 0)), f = all.get(part(gates, 1)), g = all.get(part(gates, 2)),
                 o = all.get(part(gates, 3));
      const Wide squashed = hyperbolic_tangent(all.get(new_c));
      const Wide of_cell = all.get(d_c) + error * o * (1.0f - squashed * squashed);
      write(0, of_cell * g * i * (1.0f - i));
      write(1, of_cell * all.get(c) * f * (1.0f - f));
      write(2, of_cell * i * (1.0f - g * g));
      write(3, error * squashed * o * (1.0f - o));
      all.put(d_c, of_cell * f);
      all.put(d_h, Wide{});
    } else {
      const Wide r = all.get(part(gates, 0)), z = all.get(part(gates, 1)), n = all.get(part(gates, 2)),
                 u = all.get(part(gates, 3));
      const Wide of_n = error * (1.0f - z) * (1.0f - n * n), of_u = of_n * r;
      write(0, of_n * u * r * (1.0f - r));
      write(1, error * (all.get(h) - n) * z * (1.0f - z));
      all.put(gate(errors, 2), of_n);
      all.put(gate(errors, 3), of_u);
      all.put(gate(delta, 2), of_u);
      all.put(d_h, error * z);
    }
  });
}

}  // namespace
}  // namespace firsthand
