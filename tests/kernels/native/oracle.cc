// Compares the kernels with their formulas, in double precision and without a vector: the convolution and the dense
// layer term by term, the recurrent layers' gradients with differences of their forward formula.  It needs no Python, so
// that it also runs under an emulator of another processor (tools/measure/arm_kernels.py).
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "conv_pool_kernel.h"
#include "dense_kernel.h"
#include "recurrent_kernel.h"

using namespace firsthand;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

static Floats numbers(int64_t n, float scale = 1) {
  Floats values(n);
  for (float& value : values) value = scale * (float(std::rand() % 65536) / 65536 - 0.5f);
  return values;
}
static Doubles wide(const Floats& values) { return {values.begin(), values.end()}; }

// Threads, one after the other; `count` of them divide the work as so many would.
static void run_parts(void*, int64_t first, int64_t parts, void (*part)(void*, int64_t), void* work) {
  for (int64_t number = 0; number < first + parts; ++number) part(work, number);
}
static float* memory_of(int slot, int64_t floats) {
  static Floats memory[2];
  memory[slot].resize(floats + 16);
  const auto at = reinterpret_cast<uintptr_t>(memory[slot].data());
  return memory[slot].data() + (64 - at % 64) % 64 / sizeof(float);
}
static const Threads threads{nullptr, run_parts, memory_of, 3};

static int compared = 0;
static double largest = 0;

// The distance relative to what is expected; `every` number that was computed.
static void same(const char* what, const Floats& found, const Doubles& expected, int64_t every = 1) {
  double distance = 0, size = 0;
  for (size_t n = 0; n < found.size(); n += every) {
    distance += (found[n] - expected[n / every]) * (found[n] - expected[n / every]);
    size += expected[n / every] * expected[n / every];
  }
  const double relative = std::sqrt(distance) / (std::sqrt(size) + 1e-3);
  ++compared;
  largest = std::fmax(largest, relative);
  if (relative < 2e-5) return;
  std::printf("%s: %.2e away from the formula\n", what, relative);
  std::exit(1);
}

static void convolution(const ConvPoolKernel& kernel, const ConvPoolShape& s) {
  const auto x = numbers(s.batch * s.height * s.width * s.channels), bias = numbers(s.filters);
  const auto w = numbers(s.kernel_height * s.kernel_width * s.channels * s.filters);
  const int64_t pooled = s.batch * s.out_height * s.out_width * s.filters;
  const auto delta = numbers(pooled);
  Floats a(pooled), d_w(w.size()), d_bias(s.filters), d_x(x.size());
  std::vector<uint8_t> winner(pooled);
  kernel.forward(s, x.data(), w.data(), bias.data(), true, a.data(), winner.data(), threads);
  kernel.weights_gradient(s, x.data(), winner.data(), delta.data(), d_w.data(), d_bias.data(), threads);
  kernel.input_gradient(s, w.data(), winner.data(), delta.data(), d_x.data(), threads);
  Doubles e_a(pooled), e_w(w.size()), e_bias(s.filters), e_x(x.size());
  int64_t at = 0;
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t p = 0; p < s.out_height; ++p)
      for (int64_t q = 0; q < s.out_width; ++q)
        for (int64_t k = 0; k < s.filters; ++k, ++at) {
          const auto visit = [&](int64_t place, const auto& each) {
            const int64_t i = p * s.pool_height + place / s.pool_width, j = q * s.pool_width + place % s.pool_width;
            for (int64_t l = 0; l < s.kernel_height; ++l)
              for (int64_t m = 0; m < s.kernel_width; ++m)
                for (int64_t c = 0; c < s.channels; ++c)
                  each(((b * s.height + i + l) * s.width + j + m) * s.channels + c,
                       ((l * s.kernel_width + m) * s.channels + c) * s.filters + k);
          };
          for (int64_t place = 0; place < s.pool_height * s.pool_width; ++place) {
            double z = bias[k];
            visit(place, [&](int64_t of_x, int64_t of_w) { z += double(x[of_x]) * w[of_w]; });
            e_a[at] = std::fmax(e_a[at], z);
          }
          // where two positions nearly tie, single precision may choose the other: the gradient follows the kernel
          if (winner[at] == kInactive) continue;
          e_bias[k] += delta[at];
          visit(winner[at], [&](int64_t of_x, int64_t of_w) {
            e_w[of_w] += double(delta[at]) * x[of_x];
            e_x[of_x] += double(delta[at]) * w[of_w];
          });
        }
  same("convolution, forward", a, e_a);
  same("convolution, weights' gradient", d_w, e_w);
  same("convolution, biases' gradient", d_bias, e_bias);
  same("convolution, input's gradient", d_x, e_x);
}

static void dense(const DenseKernel& kernel, int64_t batch, int64_t inputs, int64_t units) {
  auto a = numbers(batch * inputs);
  for (float& value : a) value = std::fmax(value, 0.0f);
  const auto w = numbers(inputs * units), delta = numbers(batch * units);
  const float alpha = -0.1f, beta = 0.9f;
  Floats z(batch * units), d_a(a.size()), stepped(w.size()), all(a.size()), by_products(w.size());
  kernel.forward(batch, inputs, units, a.data(), w.data(), z.data(), threads);
  kernel.update(batch, inputs, units, w.data(), a.data(), delta.data(), alpha, beta, true, stepped.data(), d_a.data(),
                threads);
  kernel.product_update(batch, inputs, units, w.data(), a.data(), delta.data(), alpha, beta, by_products.data(),
                        all.data(), threads);
  Doubles e_z(z.size()), e_all(a.size()), e_alive(a.size()), e_w(w.size());
  for (size_t n = 0; n < w.size(); ++n) e_w[n] = double(beta) * w[n];
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < inputs; ++i) {
      for (int64_t o = 0; o < units; ++o) {
        e_z[b * units + o] += double(a[b * inputs + i]) * w[i * units + o];
        e_all[b * inputs + i] += double(delta[b * units + o]) * w[i * units + o];
        e_w[i * units + o] += double(alpha) * a[b * inputs + i] * delta[b * units + o];
      }
      if (a[b * inputs + i] != 0) e_alive[b * inputs + i] = e_all[b * inputs + i];
    }
  same("dense, forward", z, e_z);
  same("dense, input's gradient without zeros", d_a, e_alive);
  same("dense, step", stepped, e_w);
  same("dense, input's gradient of products", all, e_all);
  same("dense, step of products", by_products, e_w);
}

static double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

struct Recurrent {
  Cell cell;
  RecurrentShape s;
  Doubles x, h0, c0, w, u, b, d_outputs, d_h, d_c;
  std::vector<uint8_t> mask;

  // Sum of everything that comes out, each times its slope: its gradient is what the kernel computes.
  double total(Doubles* expected = nullptr) const {
    const int64_t units = s.units, columns = weight_gates(cell) * units;
    double sum = 0;
    for (int64_t e = 0; e < s.batch; ++e) {
      Doubles h(h0.begin() + e * units, h0.begin() + (e + 1) * units), c(units);
      if (cell == Cell::lstm) c.assign(c0.begin() + e * units, c0.begin() + (e + 1) * units);
      for (int64_t t = 0; t < s.steps; ++t) {
        const int64_t at = e * s.steps + t;
        Doubles xw(columns), hu(columns), old = h;
        for (int64_t n = 0; n < columns; ++n) {
          for (int64_t k = 0; k < s.features; ++k) xw[n] += x[at * s.features + k] * w[k * columns + n];
          for (int64_t k = 0; k < units; ++k) hu[n] += old[k] * u[k * columns + n];
        }
        for (int64_t j = 0; j < units && mask[at]; ++j) {
          const auto gate = [&](int64_t n) { return xw[n * units + j] + hu[n * units + j] + b[n * units + j]; };
          if (cell == Cell::tanh) h[j] = std::tanh(gate(0));
          if (cell == Cell::relu) h[j] = std::fmax(gate(0), 0);
          if (cell == Cell::lstm) {
            c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * std::tanh(gate(2));
            h[j] = sigmoid(gate(3)) * std::tanh(c[j]);
          }
          if (cell == Cell::gru) {
            const double r = sigmoid(gate(0)), z = sigmoid(gate(1));
            const double n = std::tanh(xw[2 * units + j] + b[2 * units + j] + r * (hu[2 * units + j] + b[3 * units + j]));
            h[j] = (1 - z) * n + z * old[j];
          }
        }
        for (int64_t j = 0; j < units; ++j) {
          sum += h[j] * d_outputs[at * units + j];
          if (expected) (*expected)[at * units + j] = h[j];
        }
      }
      for (int64_t j = 0; j < units; ++j) sum += h[j] * d_h[e * units + j];
      for (int64_t j = 0; j < units && cell == Cell::lstm; ++j) sum += c[j] * d_c[e * units + j];
    }
    return sum;
  }

  Doubles slopes(Doubles& of, int64_t every) {
    Doubles found;
    for (size_t n = 0; n < of.size(); n += every) {
      const double before = of[n], step = 1e-5;
      of[n] = before + step;
      const double above = total();
      of[n] = before - step;
      found.push_back((above - total()) / (2 * step));
      of[n] = before;
    }
    return found;
  }
};

static void recurrent(const RecurrentKernel& kernel, Cell cell, const RecurrentShape& s) {
  const int64_t steps = s.batch * s.steps, state = s.batch * s.units, saved = saved_gates(cell) * s.units;
  const int64_t columns = weight_gates(cell) * s.units, of_c = cell == Cell::lstm;
  const auto x = numbers(steps * s.features), h0 = numbers(state), c0 = numbers(of_c * state);
  const auto w = numbers(s.features * columns), u = numbers(s.units * columns, 0.5), b = numbers(saved);
  const auto d_outputs = numbers(steps * s.units), d_h = numbers(state), d_c = numbers(of_c * state);
  std::vector<uint8_t> mask(steps);
  for (int64_t at = 0; at < steps; ++at) mask[at] = at % 5 != 1;
  Floats outputs(steps * s.units), h(state), c(of_c * state), gates(steps * saved), cells(of_c * steps * s.units);
  Floats d_w(w.size()), d_u(u.size()), d_b(saved), d_h0(state), d_c0(c.size()), d_x(x.size());
  kernel.forward(cell,
                 {s, x.data(), h0.data(), c0.data(), w.data(), u.data(), b.data(), mask.data(), outputs.data(),
                  h.data(), c.data(), gates.data(), cells.data()},
                 threads);
  kernel.backward(cell,
                  {s, x.data(), h0.data(), c0.data(), u.data(), mask.data(), outputs.data(), gates.data(),
                   cells.data(), d_outputs.data(), d_h.data(), d_c.data(), gates.data(), d_w.data(), d_u.data(),
                   d_b.data(), d_h0.data(), d_c0.data()},
                  threads);
  kernel.input_gradient(cell, s, gates.data(), w.data(), d_x.data(), threads);
  Recurrent formula{cell,    s,       wide(x),         wide(h0),  wide(c0),  wide(w),
                    wide(u), wide(b), wide(d_outputs), wide(d_h), wide(d_c), mask};
  Doubles expected(outputs.size());
  formula.total(&expected);
  same("recurrent, forward", outputs, expected);
  same("recurrent, d_w", d_w, formula.slopes(formula.w, 5), 5);
  same("recurrent, d_u", d_u, formula.slopes(formula.u, 29), 29);
  same("recurrent, d_b", d_b, formula.slopes(formula.b, 3), 3);
  same("recurrent, d_x", d_x, formula.slopes(formula.x, 3), 3);
  same("recurrent, d_h0", d_h0, formula.slopes(formula.h0, 3), 3);
  if (of_c) same("recurrent, d_c0", d_c0, formula.slopes(formula.c0, 3), 3);
}

int main() {
#if defined(__x86_64__)
  const ConvPoolKernel& of_images = conv_pool_x86_64_v2;
  const DenseKernel& of_vectors = dense_x86_64_v2;
  const RecurrentKernel& of_sequences = recurrent_x86_64_v2;
#else
  const ConvPoolKernel& of_images = conv_pool_baseline;
  const DenseKernel& of_vectors = dense_baseline;
  const RecurrentKernel& of_sequences = recurrent_baseline;
#endif
  convolution(of_images, {3, 28, 28, 1, 5, 5, 20, 2, 2, 12, 12});
  convolution(of_images, {2, 12, 12, 20, 5, 5, 40, 2, 2, 4, 4});  // fewer products
  convolution(of_images, {2, 13, 11, 3, 3, 3, 7, 3, 3, 3, 3});
  convolution(of_images, {2, 9, 10, 16, 3, 3, 24, 1, 1, 7, 8});
  convolution(of_images, {2, 6, 6, 9, 1, 1, 33, 1, 1, 6, 6});
  for (int64_t batch : {1, 10, 33})
    for (int64_t units : {3, 45, 130}) dense(of_vectors, batch, 61, units);
  for (Cell cell : {Cell::tanh, Cell::relu, Cell::lstm, Cell::gru}) {
    recurrent(of_sequences, cell, {3, 4, 5, 19});
    recurrent(of_sequences, cell, {9, 3, 2, 16});
  }
  std::printf("%d arrays compared, the largest distance %.1e\n", compared, largest);
  return 0;
}
