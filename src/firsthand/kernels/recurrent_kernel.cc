// A recurrent layer over whole sequences, for one instruction set: see recurrent_kernel.h.
#include "recurrent_kernel.h"

#include "recurrent_cells.h"

namespace firsthand {
namespace {

// Rows that follow each other at a distance that is no power of two: those would share few sets of the cache.
inline int64_t padded(int64_t floats) { return divide_up(floats, kWide) * kWide + 16; }

// Memory, cut up.
struct Cut {
  float* const start;
  int64_t used = 0;
  float* take(int64_t floats) {
    float* const here = start ? start + used : nullptr;
    used += divide_up(floats, 16) * 16;
    return here;
  }
};

// A whole matrix in panels.
int64_t packed_floats(int64_t terms, int64_t columns) { return panel_floats(terms, columns); }

void pack_one(int64_t terms, int64_t columns, Matrix b, int64_t panel, float* to) {
  const int64_t n = panel * kPanel;
  pack(terms, smaller(kPanel, columns - n), {b.at + n * b.column, b.row, b.column}, to + panel_at(terms, panel));
}

// As many examples at a time as the threads leave each, but four at least, which share what is read of the weights.
int64_t example_parts(const Threads& threads, int64_t batch) {
  return larger(1, smaller(threads.count, divide_up(batch, 4)));
}

// ---- forward ----

template <Cell kCell>
void forward_examples(const RecurrentForward& f, Range mine, const float* w, const float* u, float* memory) {
  const auto [batch, steps, features, units] = f.s;
  const int64_t columns = weight_gates(kCell) * units, saved = saved_gates(kCell) * units, here = mine.end - mine.begin;
  const int64_t z_row = padded(columns), h_row = padded(units);
  float *const z = memory, *const state = memory + here * z_row;
  multiply_panels(here * steps, features, columns, {f.x + mine.begin * steps * features, features, 1}, w,
                  f.gates + mine.begin * steps * saved, saved, false);
  for (int64_t e = 0; e < here; ++e)
    std::memcpy(state + e * h_row, f.h0 + (mine.begin + e) * units, units * sizeof(float));
  for (int64_t t = 0; t < steps; ++t) {
    multiply_panels(here, units, columns, {state, h_row, 1}, u, z, z_row, false);
    for (int64_t e = 0; e < here; ++e) {
      const int64_t at = (mine.begin + e) * steps + t;
      float* const h = state + e * h_row;
      const float* const c = kCell != Cell::lstm ? nullptr
                             : t ? f.cells + (at - 1) * units : f.c0 + (mine.begin + e) * units;
      if (f.mask[at])
        step_forward<kCell>(units, f.b, z + e * z_row, f.gates + at * saved, h, c, f.cells + at * units);
      else if (kCell == Cell::lstm)
        std::memcpy(f.cells + at * units, c, units * sizeof(float));
      std::memcpy(f.outputs + at * units, h, units * sizeof(float));
    }
  }
  for (int64_t e = 0; e < here; ++e) {
    const int64_t example = mine.begin + e;
    std::memcpy(f.h + example * units, state + e * h_row, units * sizeof(float));
    if (kCell == Cell::lstm)
      std::memcpy(f.c + example * units, f.cells + ((example + 1) * steps - 1) * units, units * sizeof(float));
  }
}

template <Cell kCell>
void forward_cell(const RecurrentForward& f, const Threads& threads) {
  const int64_t columns = weight_gates(kCell) * f.s.units, panels = panels_of(columns);
  Cut memory{threads.of_call(packed_floats(f.s.features + f.s.units, columns) + 32)};
  float* const w = memory.take(packed_floats(f.s.features, columns));
  float* const u = memory.take(packed_floats(f.s.units, columns));
  const int64_t parts = example_parts(threads, f.s.batch);
  in_parallel(
      threads, 2 * panels,
      [&](int64_t part) {
        if (part < panels)
          pack_one(f.s.features, columns, {f.w, columns, 1}, part, w);
        else
          pack_one(f.s.units, columns, {f.u, columns, 1}, part - panels, u);
      },
      parts,
      [&](int64_t part) {
        const Range mine = share(f.s.batch, parts, part);
        const int64_t floats = (mine.end - mine.begin) * (padded(columns) + padded(f.s.units));
        forward_examples<kCell>(f, mine, w, u, threads.of_part(floats));
      });
}

// ---- backward ----

template <Cell kCell>
void backward_examples(const RecurrentBackward& g, Range mine, const float* u, float* x_tiles, float* h_tiles,
                       float* memory) {
  const auto [batch, steps, features, units] = g.s;
  const int64_t columns = weight_gates(kCell) * units, saved = saved_gates(kCell) * units, here = mine.end - mine.begin;
  const int64_t delta_row = padded(columns), row = padded(units);
  float *const delta = memory, *const d_h = delta + here * delta_row, *const d_c = d_h + here * row;
  for (int64_t e = 0; e < here; ++e) {
    std::memcpy(d_h + e * row, g.d_h + (mine.begin + e) * units, units * sizeof(float));
    if (kCell == Cell::lstm) std::memcpy(d_c + e * row, g.d_c + (mine.begin + e) * units, units * sizeof(float));
  }
  for (int64_t t = steps - 1; t >= 0; --t) {
    for (int64_t e = 0; e < here; ++e) {
      const int64_t example = mine.begin + e, at = example * steps + t;
      const float* const h = t ? g.outputs + (at - 1) * units : g.h0 + example * units;
      const float* const c = kCell != Cell::lstm ? nullptr : t ? g.cells + (at - 1) * units : g.c0 + example * units;
      put_into_tiles(units, h, batch * steps, at, h_tiles);
      put_into_tiles(features, g.x + at * features, batch * steps, at, x_tiles);
      float* const error = d_h + e * row;
      const float* const more = g.d_outputs + at * units;
      for_all_units(units, [&](Lanes all) { all.put(error, all.get(error) + all.get(more)); });
      if (g.mask[at]) {
        step_backward<kCell>(units, g.gates + at * saved, h, c, g.cells + at * units, error, d_c + e * row,
                             g.errors + at * saved, delta + e * delta_row);
      } else {
        std::memset(g.errors + at * saved, 0, saved * sizeof(float));
        std::memset(delta + e * delta_row, 0, columns * sizeof(float));
      }
    }
    multiply_panels(here, columns, units, {delta, delta_row, 1}, u, d_h, row, true);
  }
  for (int64_t e = 0; e < here; ++e) {
    std::memcpy(g.d_h0 + (mine.begin + e) * units, d_h + e * row, units * sizeof(float));
    if (kCell == Cell::lstm) std::memcpy(g.d_c0 + (mine.begin + e) * units, d_c + e * row, units * sizeof(float));
  }
}

constexpr int64_t kTerms = 256;  // of a sum over examples and steps, at a time: a panel of them stays in the cache

// Of the columns [first, first + columns) of the errors, at most a panel: their sums, and their products with x and h.
// `of_w` and `of_u` are the columns of W and U that they are, -1 for none.
void columns_gradient(const RecurrentBackward& g, const float* x_tiles, const float* h_tiles, int64_t saved, int64_t gates, int64_t first,
                      int64_t columns, int64_t of_w, int64_t of_u, float* panel) {
  const int64_t all = g.s.batch * g.s.steps, width = gates * g.s.units;
  std::memset(g.d_b + first, 0, columns * sizeof(float));
  for (int64_t k = 0; k < all; k += kTerms) {
    const int64_t terms = smaller(kTerms, all - k);
    pack(terms, columns, {g.errors + k * saved + first, saved, 1}, panel);
    for (int64_t n = 0; n < columns; n += kWide) {
      const int64_t count = smaller(kWide, columns - n);
      Wide sum = load_some(g.d_b + first + n, count);
      for (int64_t term = 0; term < terms; ++term)
        sum += load_wide(panel + term * divide_up(columns, kWide) * kWide + n);
      store_some(g.d_b + first + n, sum, count);
    }
    if (of_w >= 0)
      multiply_tiled(g.s.features, all, x_tiles, k, terms, panel, columns, g.d_w + of_w, width, k > 0);
    if (of_u >= 0)
      multiply_tiled(g.s.units, all, h_tiles, k, terms, panel, columns, g.d_u + of_u, width, k > 0);
  }
}

template <Cell kCell>
void backward_cell(const RecurrentBackward& g, const Threads& threads) {
  const int64_t units = g.s.units, gates = weight_gates(kCell), columns = gates * units;
  const int64_t saved = saved_gates(kCell) * units, all = g.s.batch * g.s.steps;
  const int64_t of_x = tiled_floats(all, g.s.features), of_h = tiled_floats(all, units);
  Cut memory{threads.of_call(packed_floats(columns, units) + of_x + of_h + 32)};
  float* const u = memory.take(packed_floats(columns, units));
  float *const x_tiles = memory.take(of_x), *const h_tiles = memory.take(of_h);  // x, and h before every step
  in_parallel(threads, panels_of(units), [&](int64_t part) { pack_one(columns, units, {g.u, 1, columns}, part, u); });

  // Neighbouring columns of the errors that are of the same weights: all; but the GRU's third gate is of W alone, and
  // what stands behind it is the third of U.
  const bool apart = kCell == Cell::gru;
  const int64_t together = apart ? 2 * units : columns, most = panels_of(together), more = apart ? panels_of(units) : 0;
  const int64_t parts = example_parts(threads, g.s.batch);
  in_parallel(
      threads, parts,
      [&](int64_t part) {
        const Range mine = share(g.s.batch, parts, part);
        const int64_t floats = (mine.end - mine.begin) * (padded(columns) + 2 * padded(units));
        backward_examples<kCell>(g, mine, u, x_tiles, h_tiles, threads.of_part(floats));
      },
      most + 2 * more,
      [&](int64_t part) {
        float* const panel = threads.of_part(kTerms * kPanel);
        const int64_t group = part < most ? 0 : part < most + more ? 1 : 2;
        const int64_t begin = group == 0 ? 0 : (1 + group) * units, end = group == 0 ? together : begin + units;
        const int64_t first = begin + (group == 0 ? part : part - most - (group - 1) * more) * kPanel;
        columns_gradient(g, x_tiles, h_tiles, saved, gates, first, smaller(kPanel, end - first), group == 2 ? -1 : first,
                         group == 1 ? -1 : group == 2 ? first - units : first, panel);
      });
}

template <Cell kCell>
void input_gradient_cell(const RecurrentShape& s, const float* errors, const float* w, float* d_x,
                         const Threads& threads) {
  const int64_t columns = weight_gates(kCell) * s.units, saved = saved_gates(kCell) * s.units, all = s.batch * s.steps;
  float* const packed = threads.of_call(packed_floats(columns, s.features));
  const int64_t parts = parts_of(threads, divide_up(all, kPanelRows), 2.0 * all * columns * s.features);
  in_parallel(
      threads, panels_of(s.features),
      [&](int64_t part) { pack_one(columns, s.features, {w, 1, columns}, part, packed); }, parts,
      [&](int64_t part) {
        const Range tiles = share(divide_up(all, kPanelRows), parts, part);
        const Range mine{tiles.begin * kPanelRows, smaller(tiles.end * kPanelRows, all)};
        multiply_panels(mine.end - mine.begin, columns, s.features, {errors + mine.begin * saved, saved, 1}, packed,
                        d_x + mine.begin * s.features, s.features, false);
      });
}

#define FOR_THE_CELL(function, ...)                            \
  switch (cell) {                                              \
    case Cell::tanh: return function<Cell::tanh>(__VA_ARGS__); \
    case Cell::relu: return function<Cell::relu>(__VA_ARGS__); \
    case Cell::lstm: return function<Cell::lstm>(__VA_ARGS__); \
    case Cell::gru: return function<Cell::gru>(__VA_ARGS__);   \
  }

void forward(Cell cell, const RecurrentForward& f, const Threads& threads) { FOR_THE_CELL(forward_cell, f, threads) }
void backward(Cell cell, const RecurrentBackward& g, const Threads& threads) { FOR_THE_CELL(backward_cell, g, threads) }
void input_gradient(Cell cell, const RecurrentShape& s, const float* errors, const float* w, float* d_x,
                    const Threads& threads) {
  FOR_THE_CELL(input_gradient_cell, s, errors, w, d_x, threads)
}

}  // namespace

#define TABLE(name) TABLE_OF(name)
#define TABLE_OF(name) recurrent_##name
extern const RecurrentKernel TABLE(FIRSTHAND_ISA) = {forward, backward, input_gradient};

}  // namespace firsthand
