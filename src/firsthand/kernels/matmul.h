// Matrix products whose sums have one order, whatever the shape is cut into: C = A B, or C += A B.
//
// B lies in panels as wide as three vectors, and its rows one after the other.  A tile
// of C is held in registers over all terms of its sums.  Every sum is one chain of multiply-adds in the order of its
// terms, so its bits depend neither on the tile it is in nor on the thread that takes it.
// All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "vectors.h"

namespace firsthand {
namespace {

#if defined(__AVX512F__)
constexpr int kWide = 16;  // matrices fill vectors of any length, unlike 20 filters (vectors.h)
#else
constexpr int kWide = kLanes;
#endif
using Wide = float __attribute__((vector_size(kWide * sizeof(float))));

inline Wide load_wide(const float* from) {
  Wide v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline void store_wide(float* to, Wide v) { std::memcpy(to, &v, sizeof v); }
// `count` floats, the others 0.
inline Wide load_some(const float* from, int64_t count) {
  if (count == kWide) return load_wide(from);
  Wide v = {};
  std::memcpy(&v, from, count * sizeof(float));
  return v;
}
inline void store_some(float* to, Wide v, int64_t count) {
  if (count == kWide) return store_wide(to, v);
  std::memcpy(to, &v, count * sizeof(float));
}

constexpr int kPanelVectors = 3, kPanelRows = kAccumulators / kPanelVectors;  // of a tile
constexpr int64_t kPanel = kPanelVectors * kWide;

// Element (i, j) is at[i * row + j * column].  Of B one of the two is 1; of A the column, but in tiles the row.
struct Matrix {
  const float* at;
  int64_t row, column;
};

inline int64_t panels_of(int64_t columns) { return divide_up(columns, kPanel); }
inline int64_t panel_floats(int64_t terms, int64_t columns) { return terms * divide_up(columns, kWide) * kWide; }
// Where panel `p` begins in a whole matrix of packed panels.
inline int64_t panel_at(int64_t terms, int64_t p) { return terms * p * kPanel; }

// Lay out `columns` columns of B, at most a panel's.
inline void pack(int64_t terms, int64_t columns, Matrix b, float* to) {
  const int64_t width = divide_up(columns, kWide) * kWide;
  if (b.column == 1) {
    for (int64_t k = 0; k < terms; ++k, to += width)
      for (int64_t n = 0; n < width; n += kWide)
        store_wide(to + n, load_some(b.at + k * b.row + n, smaller(kWide, columns - n)));
    return;
  }
  for (int64_t n = 0; n < width; ++n)
    for (int64_t k = 0; k < terms; ++k) to[k * width + n] = n < columns ? b.at[k * b.row + n * b.column] : 0.0f;
}

// C = keep C + A B, for `Rows` rows of C and a panel of `Vectors` vectors.
template <int Rows, int Vectors, bool Transposed>
void multiply_tile(int64_t terms, Matrix a, const float* panel, int64_t columns, float* c, int64_t c_row, float keep) {
  const int64_t rest = columns - (Vectors - 1) * kWide;
  const float* from[Rows];
  Wide sum[Rows][Vectors];
  UNROLL for (int r = 0; r < Rows; ++r) {
    from[r] = a.at + r * a.row;
    UNROLL for (int v = 0; v < Vectors; ++v)
      sum[r][v] = keep == 0 ? Wide{} : keep * load_some(c + r * c_row + v * kWide, v < Vectors - 1 ? kWide : rest);
  }
  for (int64_t k = 0; k < terms; ++k, panel += Vectors * kWide) {
    Wide w[Vectors];
    UNROLL for (int v = 0; v < Vectors; ++v) w[v] = load_wide(panel + v * kWide);
    UNROLL for (int r = 0; r < Rows; ++r) {
      const Wide x = (Transposed ? a.at[k * a.column + r] : from[r][k]) - Wide{};
      UNROLL for (int v = 0; v < Vectors; ++v) sum[r][v] += x * w[v];
    }
  }
  UNROLL for (int r = 0; r < Rows; ++r)
  UNROLL for (int v = 0; v < Vectors; ++v)
    store_some(c + r * c_row + v * kWide, sum[r][v], v < Vectors - 1 ? kWide : rest);
}

using MultiplyTile = decltype(&multiply_tile<1, 1, false>);
template <int Rows, bool Transposed>
MultiplyTile pick_tile(int64_t rows, int64_t vectors) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return pick_tile<Rows - 1, Transposed>(rows, vectors);
  }
  return vectors == 1   ? multiply_tile<Rows, 1, Transposed>
         : vectors == 2 ? multiply_tile<Rows, 2, Transposed>
                        : multiply_tile<Rows, 3, Transposed>;
}

// C = A B, or C += A B, for all rows of C and the columns of one panel.
inline void multiply_panel(int64_t rows, int64_t terms, Matrix a, const float* panel, int64_t columns, float* c,
                           int64_t c_row, bool add) {
  const int64_t tiles = divide_up(rows, kPanelRows), vectors = divide_up(columns, kWide);
  for (int64_t n = 0; n < tiles; ++n) {
    const int64_t begin = n * rows / tiles, here = (n + 1) * rows / tiles - begin;  // nearly equal
    const auto run = pick_tile<kPanelRows, false>(here, vectors);
    run(terms, {a.at + begin * a.row, a.row, a.column}, panel, columns, c + begin * c_row, c_row, add);
  }
}

// A^T in tiles: kPanelRows columns of A side by side, term after term, then the next.  Read along its columns where it
// lies, a matrix of 256 columns would share four sets of the first cache.
inline int64_t tiled_floats(int64_t terms, int64_t rows) { return terms * divide_up(rows, kPanelRows) * kPanelRows; }

// Put a term's values for all rows of A^T into their tiles, of `terms` terms each.
inline void put_into_tiles(int64_t rows, const float* from, int64_t terms, int64_t term, float* tiles) {
  for (int64_t m = 0; m < rows; m += kPanelRows) {
    float* const to = tiles + m * terms + term * kPanelRows;
    if (m + kPanelRows <= rows)
      std::memcpy(to, from + m, kPanelRows * sizeof(float));
    else
      std::memcpy(to, from + m, (rows - m) * sizeof(float));
  }
}

// C = keep C + A^T B, for the terms [first, first + count) of `terms` that lie in tiles, and B in panels.
inline void multiply_tiled(int64_t rows, int64_t terms, const float* tiles, int64_t first, int64_t count,
                           const float* panels, int64_t columns, float* c, int64_t c_row, float keep) {
  for (int64_t n = 0; n < columns; n += kPanel) {
    const int64_t here = smaller(kPanel, columns - n), vectors = divide_up(here, kWide);
    for (int64_t m = 0; m < rows; m += kPanelRows)
      pick_tile<kPanelRows, true>(smaller(kPanelRows, rows - m), vectors)(
          count, {tiles + m * terms + first * kPanelRows, 1, kPanelRows}, panels + count * n, here,
          c + m * c_row + n, c_row, keep);
  }
}

// The same for all panels of a packed B.
inline void multiply_panels(int64_t rows, int64_t terms, int64_t columns, Matrix a, const float* panels, float* c,
                            int64_t c_row, bool add) {
  for (int64_t n = 0; n < columns; n += kPanel)
    multiply_panel(rows, terms, a, panels + terms * n, smaller(kPanel, columns - n), c + n, c_row, add);
}

}  // namespace
}  // namespace firsthand
