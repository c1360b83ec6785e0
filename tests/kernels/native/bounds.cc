// Runs the kernels on arrays of exactly the size that they are promised, for many shapes.  Built with the address and
// undefined-behaviour sanitizers, it ends with an error at the first access outside an array.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "conv_pool_kernel.h"
#include "dense_kernel.h"
#include "recurrent_kernel.h"

using firsthand::ConvPoolKernel;
using firsthand::ConvPoolShape;

static std::vector<float> numbers(int64_t n) {
  std::vector<float> values(n);
  for (float& value : values) value = std::rand() / (RAND_MAX + 1.0f) - 0.5f;
  return values;
}

// Three threads, one after the other: parts in the reverse order, each with memory of exactly the size that it asks for.
static void run_parts(void*, int64_t first, int64_t parts, void (*part)(void*, int64_t), void* work) {
  for (int64_t number = first; number--;) part(work, number);
  for (int64_t number = parts; number--;) part(work, first + number);
}
static float* exactly(int slot, int64_t floats) {
  static std::vector<float> memory[2];
  memory[slot] = std::vector<float>(floats);
  memory[slot].shrink_to_fit();
  return memory[slot].data();
}
static const firsthand::Threads threads{nullptr, run_parts, exactly, 3};

static void run(const ConvPoolKernel& kernel, const ConvPoolShape& s, bool relu) {
  const int64_t pooled = s.batch * s.out_height * s.out_width * s.filters;
  const int64_t taps = s.kernel_height * s.kernel_width * s.channels * s.filters;
  const auto x = numbers(s.batch * s.height * s.width * s.channels), w = numbers(taps), bias = numbers(s.filters);
  const auto delta = numbers(pooled);
  std::vector<float> a(pooled), d_w(taps), d_bias(s.filters), d_x(x.size());
  std::vector<uint8_t> winner(pooled);
  kernel.forward(s, x.data(), w.data(), bias.data(), relu, a.data(), winner.data(), threads);
  kernel.weights_gradient(s, x.data(), winner.data(), delta.data(), d_w.data(), d_bias.data(), threads);
  kernel.input_gradient(s, w.data(), winner.data(), delta.data(), d_x.data(), threads);
  for (const auto& values : {a, d_w, d_bias, d_x})
    for (float value : values)
      if (!std::isfinite(value)) std::abort();
}

static void run(const firsthand::DenseKernel& kernel, int64_t batch, int64_t inputs, int64_t units, bool dead) {
  auto a = numbers(batch * inputs), weights = numbers(inputs * units);
  const auto delta = numbers(batch * units);
  for (float& value : a)
    if (dead && value < 0) value = 0;
  std::vector<float> z(batch * units), d_a(batch * inputs);
  kernel.forward(batch, inputs, units, a.data(), weights.data(), z.data(), threads);
  kernel.update(batch, inputs, units, weights.data(), a.data(), delta.data(), -0.1f, 0.9f, dead, weights.data(),
                d_a.data(), threads);
  kernel.product_update(batch, inputs, units, weights.data(), a.data(), delta.data(), -0.1f, 0.9f, weights.data(),
                        dead ? d_a.data() : nullptr, threads);
  for (const auto& values : {z, weights, d_a})
    for (float value : values)
      if (!std::isfinite(value)) std::abort();
}

static void run(const firsthand::RecurrentKernel& kernel, firsthand::Cell cell, const firsthand::RecurrentShape& s) {
  const int64_t steps = s.batch * s.steps, state = s.batch * s.units, saved = firsthand::saved_gates(cell) * s.units;
  const int64_t columns = firsthand::weight_gates(cell) * s.units, of_c = cell == firsthand::Cell::lstm;
  const auto x = numbers(steps * s.features), h0 = numbers(state), c0 = numbers(of_c * state);
  const auto w = numbers(s.features * columns), u = numbers(s.units * columns), b = numbers(saved);
  const auto d_outputs = numbers(steps * s.units), d_h = numbers(state), d_c = numbers(of_c * state);
  std::vector<uint8_t> mask(steps);
  for (int64_t at = 0; at < steps; ++at) mask[at] = at % 3 != 1;
  std::vector<float> outputs(steps * s.units), h(state), c(of_c * state), gates(steps * saved);
  std::vector<float> cells(of_c * steps * s.units), errors(gates.size()), d_w(w.size()), d_u(u.size()), d_b(saved);
  std::vector<float> d_h0(state), d_c0(c.size()), d_x(x.size());
  kernel.forward(cell,
                 {s, x.data(), h0.data(), c0.data(), w.data(), u.data(), b.data(), mask.data(), outputs.data(),
                  h.data(), c.data(), gates.data(), cells.data()},
                 threads);
  kernel.backward(cell,
                  {s, x.data(), h0.data(), c0.data(), u.data(), mask.data(), outputs.data(), gates.data(),
                   cells.data(), d_outputs.data(), d_h.data(), d_c.data(), errors.data(), d_w.data(), d_u.data(),
                   d_b.data(), d_h0.data(), d_c0.data()},
                  threads);
  kernel.input_gradient(cell, s, errors.data(), w.data(), d_x.data(), threads);
  for (const auto& values : {outputs, h, c, d_w, d_u, d_b, d_h0, d_c0, d_x})
    for (float value : values)
      if (!std::isfinite(value)) std::abort();
}

int main() {
  const ConvPoolKernel* kernels[] = {
#if defined(__x86_64__)
      __builtin_cpu_supports("avx512vl") ? &firsthand::conv_pool_x86_64_v4 : nullptr,
      __builtin_cpu_supports("avx2") ? &firsthand::conv_pool_x86_64_v3 : nullptr, &firsthand::conv_pool_x86_64_v2
#else
      &firsthand::conv_pool_baseline
#endif
  };
  int shapes = 0;
  for (const ConvPoolKernel* kernel : kernels)
    for (int64_t size : {1, 2, 3, 5, 8, 11})
      for (int64_t channels : {1, 2, 3, 7, 20})
        for (int64_t filters : {1, 3, 4, 7, 8, 9, 20})
          for (int64_t pool : {2, 3}) {
            if (!kernel || size * channels > 120) continue;
            ConvPoolShape s{3, size + pool + 1, size + pool + 2, channels, size, size + 1, filters, pool, 5 - pool, 0, 0};
            s.out_height = (s.height - s.kernel_height + 1) / s.pool_height;
            s.out_width = (s.width - s.kernel_width + 1) / s.pool_width;
            if (s.out_height < 1 || s.out_width < 1) continue;
            run(*kernel, s, filters % 2);
            ++shapes;
          }
  for (const ConvPoolKernel* kernel : kernels)  // 5x5 kernels and 2x2 pooling have a forward pass of their own
    for (int64_t channels : {8, 9, 20})
      for (int64_t filters : {8, 9, 20, 61})
        for (int64_t rows : {1, 3})
          for (int64_t columns : {1, 4, 17}) {
            if (!kernel) continue;
            const int64_t batch = 16 / columns + 1, height = 2 * rows + 5, width = 2 * columns + 4;
            run(*kernel, {batch, height, width, channels, 5, 5, filters, 2, 2, rows, columns}, filters % 2);
            ++shapes;
          }
  const firsthand::DenseKernel* dense[] = {
#if defined(__x86_64__)
      kernels[0] ? &firsthand::dense_x86_64_v4 : nullptr, kernels[1] ? &firsthand::dense_x86_64_v3 : nullptr,
      &firsthand::dense_x86_64_v2
#else
      &firsthand::dense_baseline
#endif
  };
  for (const firsthand::DenseKernel* kernel : dense)
    for (int64_t batch : {1, 3, 5, 11, 33, 300})
      for (int64_t inputs : {1, 4, 9, 50})
        for (int64_t units : {1, 3, 8, 21, 1030}) {
          if (!kernel || batch * inputs * units > 1000000) continue;
          run(*kernel, batch, inputs, units, true);
          run(*kernel, batch, inputs, units, false);
          shapes += 2;
        }
  const firsthand::RecurrentKernel* recurrent[] = {
#if defined(__x86_64__)
      kernels[0] ? &firsthand::recurrent_x86_64_v4 : nullptr, kernels[1] ? &firsthand::recurrent_x86_64_v3 : nullptr,
      &firsthand::recurrent_x86_64_v2
#else
      &firsthand::recurrent_baseline
#endif
  };
  for (const firsthand::RecurrentKernel* kernel : recurrent)
    for (int cell = 0; cell < 4; ++cell)
      for (int64_t batch : {1, 5, 21})
        for (int64_t features : {1, 7, 50})
          for (int64_t units : {1, 16, 37}) {
            if (!kernel) continue;
            run(*kernel, static_cast<firsthand::Cell>(cell), {batch, units % 16 + 3, features, units});
            ++shapes;
          }
  std::printf("%d shapes\n", shapes);
  return shapes == 0;
}
