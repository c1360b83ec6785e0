// The update of a fully connected layer of many examples, as matrix products: see dense_kernel.h for what is computed.
//
// Some rows of w at a time come into the first cache, and while they are there
//
//     d_a^T = w delta^T,     then     w_new = beta w + (alpha a)^T delta
//
// so that w is read and written once here too; what is packed is delta, both ways, which is small.
// All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "dense_kernel.h"
#include "matmul.h"

namespace firsthand {
namespace {

// delta in panels of units, and its transpose in panels of examples.
struct PackedErrors {
  int64_t batch, units;
  float *const of_units, *const of_examples;
  static int64_t floats(int64_t batch, int64_t units) {
    return panel_floats(batch, units) + 16 + panel_floats(units, batch);
  }
  PackedErrors(int64_t batch, int64_t units, float* memory)
      : batch(batch), units(units), of_units(memory), of_examples(memory + divide_up(panel_floats(batch, units), 16) * 16) {}
  int64_t panels() const { return panels_of(units) + panels_of(batch); }
  void pack_panel(int64_t number, const float* delta) const {
    const int64_t n = number * kPanel, m = n - panels_of(units) * kPanel;
    if (m < 0)
      pack(batch, smaller(kPanel, units - n), {delta + n, units, 1}, of_units + batch * n);
    else
      pack(units, smaller(kPanel, batch - m), {delta + m * units, 1, units}, of_examples + units * m);
  }
};

// Rows of w that are taken together: they stay in the cache while delta passes, twice.
constexpr int64_t kTilesTogether = 8, kRowsTogether = kTilesTogether * kPanelRows;
constexpr int64_t kFloatsOfErrors = 1 << 17;  // half of a small second cache
inline int64_t step_floats(int64_t batch) { return kRowsTogether * (batch + batch + 16); }

// Rows i to i + rows of the weights; `memory` holds step_floats(batch).  d_a may be null.
void step_rows(const PackedErrors& errors, int64_t i, int64_t rows, int64_t inputs, const float* weights,
               const float* a, float alpha, float beta, float* new_weights, float* d_a, float* memory) {
  const int64_t batch = errors.batch, units = errors.units, row = batch + 16;  // no power of two
  float *const scaled = memory, *const transposed = memory + batch * kRowsTogether;  // tiles; [row][example]
  if (d_a) {
    multiply_panels(rows, units, batch, {weights + i * units, units, 1}, errors.of_examples, transposed, row, false);
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t r = 0; r < rows; ++r) d_a[b * inputs + i + r] = transposed[r * row + b];
  }
  for (int64_t b = 0; b < batch; ++b) {
    put_into_tiles(rows, a + b * inputs + i, batch, b, scaled);
    for (int64_t r = 0; r < rows; r += kPanelRows)
      for (int64_t n = 0; n < smaller(kPanelRows, rows - r); ++n) scaled[r * batch + b * kPanelRows + n] *= alpha;
  }
  float* const to = new_weights + i * units;
  if (new_weights != weights) std::memcpy(to, weights + i * units, rows * units * sizeof(float));
  // eight rows from end to end, so that the processor foresees what is read, while all of delta stays in the cache
  const int64_t together = panel_floats(batch, units) <= kFloatsOfErrors ? kPanelRows : rows;
  for (int64_t r = 0; r < rows; r += together)
    multiply_tiled(smaller(together, rows - r), batch, scaled + r * batch, 0, batch, errors.of_units, units,
                   to + r * units, units, beta);
}

void product_update(int64_t batch, int64_t inputs, int64_t units, const float* weights, const float* a,
                    const float* delta, float alpha, float beta, float* new_weights, float* d_a,
                    const Threads& threads) {
  const PackedErrors errors(batch, units, threads.of_call(PackedErrors::floats(batch, units)));
  const int64_t tiles = divide_up(inputs, kPanelRows);
  const int64_t parts = parts_of(threads, tiles, (d_a ? 4.0 : 2.0) * batch * inputs * units);
  in_parallel(
      threads, errors.panels(), [&](int64_t panel) { errors.pack_panel(panel, delta); }, parts,
      [&](int64_t part) {
        float* const memory = threads.of_part(step_floats(batch));
        const Range mine = share(tiles, parts, part);
        for (int64_t tile = mine.begin; tile < mine.end; tile += kTilesTogether) {
          const int64_t i = tile * kPanelRows;
          const int64_t end = smaller(smaller(tile + kTilesTogether, mine.end) * kPanelRows, inputs);
          step_rows(errors, i, end - i, inputs, weights, a, alpha, beta, new_weights, d_a, memory);
        }
      });
}

}  // namespace
}  // namespace firsthand
