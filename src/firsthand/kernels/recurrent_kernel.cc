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
// Where there are many, each thread has several parts, so that none waits long for one that is called away.
int64_t example_parts(const Threads& threads, int64_t batch) {
  if (threads.count == 1) return 1;
  const int64_t rounds = smaller(4, batch / (threads.count * kPanelRows));
  return larger(1, smaller(threads.count * larger(1, rounds), divide_up(batch, 4)));
}

// ---- forward ----

constexpr int64_t kStepsAtOnce = 8;  // whose products with x are made together, and wait in the cache

// Columns of U that are added to those of x W, and the GRU's last, which are not.
constexpr int64_t added_gates(Cell cell) { return cell == Cell::gru ? 2 : weight_gates(cell); }

// W and U in panels.  U's columns that are added to x W stand apart from the others.
struct PackedWeights {
  int64_t features, units, added, alone;
  Cut memory;
  float *const w, *const u, *const rest;
  PackedWeights(Cell cell, const RecurrentShape& s, float* start)
      : features(s.features),
        units(s.units),
        added(added_gates(cell) * units),
        alone(weight_gates(cell) * units - added),
        memory{start},
        w(memory.take(packed_floats(features, added + alone))),
        u(memory.take(packed_floats(units, added))),
        rest(memory.take(packed_floats(units, alone))) {}
  int64_t panels() const { return panels_of(added + alone) + panels_of(added) + panels_of(alone); }
  void pack_panel(int64_t number, const float* from_w, const float* from_u) const {
    const int64_t columns = added + alone, of_w = panels_of(columns), of_u = panels_of(added);
    if (number < of_w)
      pack_one(features, columns, {from_w, columns, 1}, number, w);
    else if (number < of_w + of_u)
      pack_one(units, added, {from_u, columns, 1}, number - of_w, u);
    else
      pack_one(units, alone, {from_u + added, columns, 1}, number - of_w - of_u, rest);
  }
};

int64_t example_floats(Cell cell, const RecurrentShape& s) {
  return kStepsAtOnce * padded(saved_gates(cell) * s.units) + padded(s.units);
}

template <Cell kCell>
void forward_examples(const RecurrentForward& f, Range mine, const PackedWeights& packed, float* memory) {
  const auto [batch, steps, features, units] = f.s;
  const int64_t columns = packed.added + packed.alone, saved = saved_gates(kCell) * units;
  const int64_t here = mine.end - mine.begin, z_row = padded(saved), h_row = padded(units);
  float *const z = memory, *const state = memory + here * kStepsAtOnce * z_row;  // z[example][step]
  for (int64_t e = 0; e < here; ++e)
    std::memcpy(state + e * h_row, f.h0 + (mine.begin + e) * units, units * sizeof(float));
  for (int64_t t = 0; t < steps; ++t) {
    if (t % kStepsAtOnce == 0)
      for (int64_t n = 0; n < columns; n += kPanel)
        for (int64_t e = 0; e < here; ++e)
          multiply_panel(smaller(kStepsAtOnce, steps - t), features,
                         {f.x + ((mine.begin + e) * steps + t) * features, features, 1}, packed.w + features * n,
                         smaller(kPanel, columns - n), z + e * kStepsAtOnce * z_row + n, z_row, false);
    float* const now = z + t % kStepsAtOnce * z_row;
    multiply_panels(here, units, packed.added, {state, h_row, 1}, packed.u, now, kStepsAtOnce * z_row, true);
    multiply_panels(here, units, packed.alone, {state, h_row, 1}, packed.rest, now + columns, kStepsAtOnce * z_row,
                    false);
    for (int64_t e = 0; e < here; ++e) {
      const int64_t at = (mine.begin + e) * steps + t;
      float* const h = state + e * h_row;
      const float* const c = kCell != Cell::lstm ? nullptr
                             : t ? f.cells + (at - 1) * units : f.c0 + (mine.begin + e) * units;
      if (f.mask[at])
        step_forward<kCell>(units, f.b, now + e * kStepsAtOnce * z_row, f.gates + at * saved, h, c,
                            f.cells + at * units);
      else
        std::memset(f.gates + at * saved, 0, saved * sizeof(float));
      if (kCell == Cell::lstm && !f.mask[at]) std::memcpy(f.cells + at * units, c, units * sizeof(float));
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
  const PackedWeights packed(kCell, f.s, threads.of_call(PackedWeights(kCell, f.s, nullptr).memory.used));
  const int64_t parts = example_parts(threads, f.s.batch);
  in_parallel(
      threads, packed.panels(), [&](int64_t panel) { packed.pack_panel(panel, f.w, f.u); }, parts,
      [&](int64_t part) {
        const Range mine = share(f.s.batch, parts, part);
        const int64_t floats = (mine.end - mine.begin) * example_floats(kCell, f.s);
        forward_examples<kCell>(f, mine, packed, threads.of_part(floats));
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
      for_all_units(units, [&](auto all) { all.put(error, all.get(error) + all.get(more)); });
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

constexpr int64_t kTerms = 256;      // of a sum over examples and steps, at a time
constexpr int64_t kPanelsAtOnce = 4;  // with that many terms they stay in the cache while all rows pass

// Columns of the errors that belong to the same weights; where in W and U they stand, -1 for not at all.
struct Columns {
  int64_t begin, end, of_w, of_u;
};

// The sums of some of them, at most this many panels, and their products with x and h.
void columns_gradient(const RecurrentBackward& g, const float* x_tiles, const float* h_tiles, int64_t saved,
                      int64_t width, Columns some, float* panels) {
  const int64_t all = g.s.batch * g.s.steps, count = some.end - some.begin;
  std::memset(g.d_b + some.begin, 0, count * sizeof(float));
  for (int64_t k = 0; k < all; k += kTerms) {
    const int64_t terms = smaller(kTerms, all - k);
    for (int64_t p = 0; p < panels_of(count); ++p) {
      pack_one(terms, count, {g.errors + k * saved + some.begin, saved, 1}, p, panels);
      const int64_t columns = smaller(kPanel, count - p * kPanel), row = divide_up(columns, kWide) * kWide;
      for (int64_t n = 0; n < columns; n += kWide) {
        float* const to = g.d_b + some.begin + p * kPanel + n;
        const float* const from = panels + panel_at(terms, p) + n;
        Wide sum = load_some(to, smaller(kWide, columns - n));
        for (int64_t term = 0; term < terms; ++term) sum += load_wide(from + term * row);
        store_some(to, sum, smaller(kWide, columns - n));
      }
    }
    if (some.of_w >= 0)
      multiply_tiled(g.s.features, all, x_tiles, k, terms, panels, count, g.d_w + some.of_w, width, k > 0);
    if (some.of_u >= 0)
      multiply_tiled(g.s.units, all, h_tiles, k, terms, panels, count, g.d_u + some.of_u, width, k > 0);
  }
}

template <Cell kCell>
void backward_cell(const RecurrentBackward& g, const Threads& threads) {
  const int64_t units = g.s.units, columns = weight_gates(kCell) * units, all = g.s.batch * g.s.steps;
  const int64_t saved = saved_gates(kCell) * units;
  const int64_t of_x = tiled_floats(all, g.s.features), of_h = tiled_floats(all, units);
  Cut memory{threads.of_call(packed_floats(columns, units) + of_x + of_h + 32)};
  float* const u = memory.take(packed_floats(columns, units));
  float *const x_tiles = memory.take(of_x), *const h_tiles = memory.take(of_h);  // x, and h before every step
  in_parallel(threads, panels_of(units), [&](int64_t part) { pack_one(columns, units, {g.u, 1, columns}, part, u); });

  // the GRU's third gate is of W alone, and what stands behind it in the errors is the third of U
  constexpr bool kApart = kCell == Cell::gru;
  const Columns groups[] = {{0, added_gates(kCell) * units, 0, 0},
                            {2 * units, 3 * units, 2 * units, -1},
                            {3 * units, 4 * units, -1, 2 * units}};
  const int64_t wide = larger(1, smaller(kPanelsAtOnce, panels_of(columns) / (3 * threads.count))) * kPanel;
  const auto parts_in = [&](const Columns& c) { return divide_up(c.end - c.begin, wide); };
  const int64_t products = parts_in(groups[0]) + (kApart ? parts_in(groups[1]) + parts_in(groups[2]) : 0);
  const int64_t parts = example_parts(threads, g.s.batch);
  in_parallel(
      threads, parts,
      [&](int64_t part) {
        const Range mine = share(g.s.batch, parts, part);
        const int64_t floats = (mine.end - mine.begin) * (padded(columns) + 2 * padded(units));
        backward_examples<kCell>(g, mine, u, x_tiles, h_tiles, threads.of_part(floats));
      },
      products,
      [&](int64_t part) {
        const Columns* group = groups;
        for (; part >= parts_in(*group); ++group) part -= parts_in(*group);
        const auto [begin, end, of_w, of_u] = *group;
        const int64_t first = part * wide;
        const Columns some{begin + first, smaller(begin + first + wide, end), of_w < 0 ? -1 : of_w + first,
                           of_u < 0 ? -1 : of_u + first};
        columns_gradient(g, x_tiles, h_tiles, saved, columns, some, threads.of_part(kTerms * wide));
      });
}

constexpr int64_t kTilesAtOnce = 8;  // of errors, which stay in the cache while all panels pass

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
        for (int64_t tile = tiles.begin; tile < tiles.end; tile += kTilesAtOnce) {
          const int64_t begin = tile * kPanelRows;
          const int64_t end = smaller(smaller(tile + kTilesAtOnce, tiles.end) * kPanelRows, all);
          multiply_panels(end - begin, columns, s.features, {errors + begin * saved, saved, 1}, packed,
                          d_x + begin * s.features, s.features, false);
        }
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
