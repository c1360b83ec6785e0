// The fused convolution and max-pooling, for one instruction set.  Compiled once for each, with FIRSTHAND_ISA set to the
// name of the table it defines; see conv_pool_kernel.h for the formulas.
//
// Vectors are the compiler's own (GCC and Clang), so that one source serves all instruction sets.  Where a row of values
// is not a multiple of the vector, the last vector overlaps the one before: both compute the same values there, so
// nothing is read or written outside the arrays and no masks are needed.
#include "conv_pool_kernel.h"

#include "conv_pool_windows.h"
#include "conv_pool_winograd.h"
#include "vectors.h"

namespace firsthand {
namespace {

// ---------------------------------------------------------------------------------------------------- forward

// `Windows` pooling windows times `Vectors` vectors of filters, all of their convolution outputs in registers.
// Filters are at `first`, `first` + one vector, ...; the last vector at `last`.  `stride` separates the weights of
// neighbouring taps, and `count` filters are written (fewer than a vector only if there are no more in all).
template <int PoolHeight, int PoolWidth, int Vectors, int Windows>
inline __attribute__((always_inline)) void forward_tile(const ConvPoolShape& s, const Sizes& size,
                                                        const float* const (&corner)[Windows], const float* weights,
                                                        const float* bias, int64_t stride, int64_t first, int64_t last,
                                                        int64_t count, bool relu, float* a, uint8_t* winner) {
  constexpr int kPositions = PoolHeight * PoolWidth;
  int64_t filter[Vectors];
  UNROLL for (int v = 0; v < Vectors; ++v) filter[v] = v < Vectors - 1 ? first + v * kLanes : last;

  Vector sum[Windows][kPositions][Vectors];
  UNROLL for (int n = 0; n < Windows; ++n)
  UNROLL for (int p = 0; p < kPositions; ++p)
  UNROLL for (int v = 0; v < Vectors; ++v) sum[n][p][v] = Vector{};

  const float* tap = weights;
  for (int64_t l = 0; l < s.kernel_height; ++l) {
    for (int64_t t = 0; t < size.kernel_row; ++t, tap += stride) {
      Vector w[Vectors];
      UNROLL for (int v = 0; v < Vectors; ++v) w[v] = load(tap + filter[v]);
      UNROLL for (int n = 0; n < Windows; ++n)
      UNROLL for (int p = 0; p < kPositions; ++p) {
        const float pixel = corner[n][(l + p / PoolWidth) * size.row + p % PoolWidth * s.channels + t];
        const Vector x = broadcast(pixel);
        UNROLL for (int v = 0; v < Vectors; ++v) sum[n][p][v] += x * w[v];
      }
    }
  }

  UNROLL for (int n = 0; n < Windows; ++n)
  UNROLL for (int v = 0; v < Vectors; ++v) {
    Vector z[kPositions];
    UNROLL for (int p = 0; p < kPositions; ++p) z[p] = sum[n][p][v];
    const int64_t at = n * s.filters + filter[v];
    write_maximum(z, load(bias + filter[v]), relu, count, a + at, winner + at);
  }
}

template <int PoolHeight, int PoolWidth, int Vectors>
void forward_filters(const ConvPoolShape& s, const float* x, const float* weights, const float* bias, int64_t stride,
                     int64_t first, int64_t last, bool relu, float* a, uint8_t* winner) {
  constexpr int kWindows = larger(1, kAccumulators / (PoolHeight * PoolWidth * Vectors));
  const Sizes size(s);
  const int64_t windows = s.batch * size.windows;
  WindowCursor at(s);
  int64_t u = 0;
  if (s.filters < kLanes) {  // the last bytes of a vector are not ours
    for (; u < windows; ++u, at.next()) {
      const float* const corner[1] = {x + at.corner};
      forward_tile<PoolHeight, PoolWidth, Vectors, 1>(s, size, corner, weights, bias, stride, first, last, s.filters,
                                                      relu, a + u * s.filters, winner + u * s.filters);
    }
    return;
  }
  for (; u + kWindows <= windows; u += kWindows) {
    const float* corner[kWindows];
    for (int n = 0; n < kWindows; ++n, at.next()) corner[n] = x + at.corner;
    forward_tile<PoolHeight, PoolWidth, Vectors, kWindows>(s, size, corner, weights, bias, stride, first, last, kLanes,
                                                           relu, a + u * s.filters, winner + u * s.filters);
  }
  for (; u < windows; ++u, at.next()) {
    const float* const corner[1] = {x + at.corner};
    forward_tile<PoolHeight, PoolWidth, Vectors, 1>(s, size, corner, weights, bias, stride, first, last, kLanes, relu,
                                                    a + u * s.filters, winner + u * s.filters);
  }
}

template <int PoolHeight, int PoolWidth>
void forward_pooled(const ConvPoolShape& s, const float* x, const float* weights, const float* bias, int64_t stride,
                    bool relu, float* a, uint8_t* winner) {
  constexpr int kMost = smaller(3, larger(1, kAccumulators / (PoolHeight * PoolWidth)));
  const int64_t vectors = divide_up(s.filters, kLanes);
  for (int64_t v = 0; v < vectors; v += kMost) {
    const int64_t here = smaller(kMost, vectors - v), first = v * kLanes;
    const int64_t last = larger(0, smaller(first + (here - 1) * kLanes, s.filters - kLanes));
    const auto run = here == 1   ? forward_filters<PoolHeight, PoolWidth, 1>
                     : here == 2 ? forward_filters<PoolHeight, PoolWidth, smaller(2, kMost)>
                                 : forward_filters<PoolHeight, PoolWidth, smaller(3, kMost)>;
    run(s, x, weights, bias, stride, first, last, relu, a, winner);
  }
}

int64_t forward_scratch(const ConvPoolShape& s) {
  if (winograd_pays(s)) return WinogradPlan(s).end;
  return s.filters < kLanes ? kLanes * (s.kernel_height * Sizes(s).kernel_row + 1) : 0;
}

void forward(const ConvPoolShape& s, const float* x, const float* weights, const float* bias, bool relu, float* a,
             uint8_t* winner, float* scratch) {
  if (winograd_pays(s)) return winograd_forward(s, x, weights, bias, relu, a, winner, scratch);
  int64_t stride = s.filters;
  if (s.filters < kLanes) {  // fill every tap up to a whole vector
    const int64_t taps = s.kernel_height * Sizes(s).kernel_row;
    stride = kLanes;
    std::memset(scratch, 0, forward_scratch(s) * sizeof(float));
    for (int64_t t = 0; t < taps; ++t) std::memcpy(scratch + t * kLanes, weights + t * s.filters, s.filters * 4);
    std::memcpy(scratch + taps * kLanes, bias, s.filters * sizeof(float));
    weights = scratch;
    bias = scratch + taps * kLanes;
  }
  const bool tall = s.pool_height == 3, wide = s.pool_width == 3;
  const auto run = tall ? (wide ? forward_pooled<3, 3> : forward_pooled<3, 2>)
                        : (wide ? forward_pooled<2, 3> : forward_pooled<2, 2>);
  run(s, x, weights, bias, stride, relu, a, winner);
}

// --------------------------------------------------------------------------------------------------- backward

// An active window: its delta, and the offset of what is to be multiplied by it.
struct Entry {
  int32_t offset;
  float delta;
};

inline void write(Entry* to, int64_t offset, float delta) {
  uint32_t bits;  // one store of 64 bits: lists are written faster than they are read, and stores are the limit
  std::memcpy(&bits, &delta, sizeof bits);
  const uint64_t both = static_cast<uint64_t>(bits) << 32 | static_cast<uint32_t>(offset);
  std::memcpy(to, &both, sizeof both);
}

// rows += sum over the entries of delta * source[offset ...]: `Rows` rows of `Vectors` vectors each, held in registers
// from the first entry to the last.  Both gradients are such sums: for the weights the source is the image, for the
// input it is the kernels.
template <int Rows, int Vectors>
void add_scaled(float* rows, int64_t row_stride, const float* source, int64_t source_stride, const Entry* entry,
                int64_t entries, int64_t first, int64_t last) {
  int64_t column[Vectors];
  UNROLL for (int v = 0; v < Vectors; ++v) column[v] = v < Vectors - 1 ? first + v * kLanes : last;
  // few sums would wait for each other's latency: take the entries in pairs, into sums of their own
  constexpr int kSets = Rows * Vectors <= kAccumulators / 2 ? 2 : 1;
  Vector sum[kSets][Rows][Vectors];
  UNROLL for (int r = 0; r < Rows; ++r)
  UNROLL for (int v = 0; v < Vectors; ++v) {
    sum[0][r][v] = load(rows + r * row_stride + column[v]);
    if constexpr (kSets == 2) sum[1][r][v] = Vector{};
  }
  int64_t e = 0;
  for (; e + kSets <= entries; e += kSets) {
    UNROLL for (int set = 0; set < kSets; ++set) {
      const float* from = source + entry[e + set].offset;
      const Vector by = broadcast(entry[e + set].delta);
      UNROLL for (int r = 0; r < Rows; ++r)
      UNROLL for (int v = 0; v < Vectors; ++v) sum[set][r][v] += by * load(from + r * source_stride + column[v]);
    }
  }
  if (kSets == 2 && e < entries) {
    const float* from = source + entry[e].offset;
    const Vector by = broadcast(entry[e].delta);
    UNROLL for (int r = 0; r < Rows; ++r)
    UNROLL for (int v = 0; v < Vectors; ++v) sum[0][r][v] += by * load(from + r * source_stride + column[v]);
  }
  UNROLL for (int r = 0; r < Rows; ++r)
  UNROLL for (int v = 0; v < Vectors; ++v) {
    if constexpr (kSets == 2) sum[0][r][v] += sum[1][r][v];
    store(rows + r * row_stride + column[v], sum[0][r][v]);
  }
}

using AddScaled = decltype(&add_scaled<1, 1>);
constexpr int kMostRows = 6, kMostVectors = 8;

template <int Rows, int Vectors>
constexpr AddScaled add_scaled_if_it_fits() {
  if constexpr (Rows * Vectors <= kAccumulators) return add_scaled<Rows, Vectors>;
  return nullptr;
}
template <int Rows>
constexpr AddScaled pick_vectors(int64_t vectors) {
  constexpr AddScaled table[] = {
      add_scaled_if_it_fits<Rows, 1>(), add_scaled_if_it_fits<Rows, 2>(), add_scaled_if_it_fits<Rows, 3>(),
      add_scaled_if_it_fits<Rows, 4>(), add_scaled_if_it_fits<Rows, 5>(), add_scaled_if_it_fits<Rows, 6>(),
      add_scaled_if_it_fits<Rows, 7>(), add_scaled_if_it_fits<Rows, 8>()};
  return table[vectors - 1];
}
AddScaled pick(int64_t rows, int64_t vectors) {
  switch (rows) {
    case 1: return pick_vectors<1>(vectors);
    case 2: return pick_vectors<2>(vectors);
    case 3: return pick_vectors<3>(vectors);
    case 4: return pick_vectors<4>(vectors);
    case 5: return pick_vectors<5>(vectors);
    default: return pick_vectors<6>(vectors);
  }
}

// In four sums at a time, which need not wait for each other.
float sum_of_deltas(const Entry* entry, int64_t entries) {
  float sum[4] = {};
  int64_t e = 0;
  for (; e + 4 <= entries; e += 4)
    UNROLL for (int i = 0; i < 4; ++i) sum[i] += entry[e + i].delta;
  for (; e < entries; ++e) sum[0] += entry[e].delta;
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// A kernel's rows cut into blocks that fit into registers: calls visit(first row, rows, first column, last column,
// add_scaled of that size) for each.
template <typename Visit>
inline void for_each_block(const ConvPoolShape& s, const Sizes& size, const Visit& visit) {
  const int64_t vectors = divide_up(size.wide_row, kLanes);
  const int64_t across = divide_up(vectors, kMostVectors), wide = divide_up(vectors, across);
  const int64_t down = divide_up(s.kernel_height, smaller(kMostRows, kAccumulators / wide));
  const int64_t tall = divide_up(s.kernel_height, down);
  for (int64_t row = 0; row < s.kernel_height; row += tall)
    for (int64_t n = 0; n < across; ++n) {
      // evenly: a last block of one vector would overlap the block before it, whose columns have their sums already
      const int64_t v = n * vectors / across, here = (n + 1) * vectors / across - v;
      const int64_t rows = smaller(tall, s.kernel_height - row);
      const int64_t last = smaller((v + here - 1) * kLanes, size.wide_row - kLanes);
      visit(row, v * kLanes, last, pick(rows, here));
    }
}

// Images whose active windows are listed at a time: enough to fill the lists, few enough to stay in the cache.
int64_t images_at_a_time(const ConvPoolShape& s) {
  return larger(1, smaller(s.batch, 6000 / (Sizes(s).image + 1)));
}

// Offset, from a window's first pixel, of each of its positions; the one for kInactive is never used.
struct PositionOffsets {
  int32_t at[256] = {};
  PositionOffsets(const ConvPoolShape& s, const Sizes& size) {
    for (int64_t p = 0; p < s.pool_height * s.pool_width; ++p)
      at[p] = static_cast<int32_t>(p / s.pool_width * size.row + p % s.pool_width * s.channels);
  }
};

int64_t weights_scratch(const ConvPoolShape& s) {
  const Sizes size(s);
  const int64_t entries = images_at_a_time(s) * size.windows;
  const int64_t copy = size.kernel_row < kLanes ? s.batch * size.image + kLanes : 0;
  return s.filters * (s.kernel_height * size.wide_row + 2 * entries + 1) + copy;
}

void weights_gradient(const ConvPoolShape& s, const float* x, const uint8_t* winner, const float* delta,
                      float* d_weights, float* d_bias, float* scratch) {
  const Sizes size(s);
  const PositionOffsets position(s, size);
  const int64_t images = images_at_a_time(s), capacity = images * size.windows, filters = s.filters;
  const int64_t kernel = s.kernel_height * size.wide_row;
  float* sums = scratch;                                   // [filter][kernel row][wide row]
  Entry* const list = reinterpret_cast<Entry*>(sums + s.filters * kernel);             // [filter][entry]
  int32_t* const count = reinterpret_cast<int32_t*>(list + s.filters * capacity);      // [filter]
  std::memset(sums, 0, s.filters * kernel * sizeof(float));
  std::memset(d_bias, 0, s.filters * sizeof(float));
  if (size.kernel_row < kLanes) {  // a vector reaches beyond the row: let it end inside a copy
    float* copy = scratch + weights_scratch(s) - (s.batch * size.image + kLanes);
    std::memcpy(copy, x, s.batch * size.image * sizeof(float));
    std::memset(copy + s.batch * size.image, 0, kLanes * sizeof(float));
    x = copy;
  }

  WindowCursor at(s);
  for (int64_t first = 0; first < s.batch; first += images) {
    const int64_t windows = smaller(images, s.batch - first) * size.windows;
    std::memset(count, 0, s.filters * sizeof(int32_t));
    const int64_t block = first * size.image;
    for (int64_t u = 0; u < windows; ++u, at.next(), winner += s.filters, delta += s.filters) {
      const int32_t corner = static_cast<int32_t>(at.corner - block);
      Entry* to = list;
      for (int64_t k = 0; k < filters; ++k, to += capacity) {
        // without a branch, which would be mispredicted: an inactive window is overwritten by the next
        write(to + count[k], corner + position.at[winner[k]], delta[k]);
        count[k] += winner[k] != kInactive;
      }
    }
    for (int64_t k = 0; k < s.filters; ++k) {
      const Entry* const entries = list + k * capacity;
      d_bias[k] += sum_of_deltas(entries, count[k]);
      for_each_block(s, size, [&](int64_t row, int64_t column, int64_t last, AddScaled add) {
        add(sums + k * kernel + row * size.wide_row, size.wide_row, x + block + row * size.row, size.row, entries,
            count[k], column, last);
      });
    }
  }

  for (int64_t l = 0; l < s.kernel_height; ++l)  // to HWIO
    for (int64_t t = 0; t < size.kernel_row; ++t)
      for (int64_t k = 0; k < s.filters; ++k)
        d_weights[(l * size.kernel_row + t) * s.filters + k] = sums[k * kernel + l * size.wide_row + t];
}

int64_t input_scratch(const ConvPoolShape& s) {
  const Sizes size(s);
  const int64_t copy = size.kernel_row < kLanes ? size.image + kLanes : 0;
  const int64_t positions = s.pool_height * s.pool_width;
  return s.filters * s.kernel_height * size.wide_row + size.windows * positions * (2 * s.filters + 1) + copy;
}

void input_gradient(const ConvPoolShape& s, const float* weights, const uint8_t* winner, const float* delta, float* d_x,
                    float* scratch) {
  const Sizes size(s);
  const PositionOffsets position(s, size);
  const int64_t kernel = s.kernel_height * size.wide_row, positions = s.pool_height * s.pool_width;
  float* kernels = scratch;                        // [filter][kernel row][wide row]
  Entry* const list = reinterpret_cast<Entry*>(kernels + s.filters * kernel);          // [window][position][entry]
  int32_t* const count = reinterpret_cast<int32_t*>(list + size.windows * positions * s.filters);  // [window][position]
  std::memset(kernels, 0, s.filters * kernel * sizeof(float));     // what fills up a short row adds nothing
  for (int64_t l = 0; l < s.kernel_height; ++l)
    for (int64_t k = 0; k < s.filters; ++k)
      for (int64_t t = 0; t < size.kernel_row; ++t)
        kernels[k * kernel + l * size.wide_row + t] = weights[(l * size.kernel_row + t) * s.filters + k];

  float* const copy = size.kernel_row < kLanes ? scratch + input_scratch(s) - (size.image + kLanes) : nullptr;
  for (int64_t image = 0; image < s.batch; ++image, d_x += size.image) {
    float* const d_image = copy ? copy : d_x;
    std::memset(d_image, 0, (size.image + (copy ? kLanes : 0)) * sizeof(float));
    std::memset(count, 0, size.windows * positions * sizeof(int32_t));
    for (int64_t u = 0; u < size.windows; ++u, winner += s.filters, delta += s.filters)
      for (int64_t k = 0; k < s.filters; ++k) {
        if (winner[k] == kInactive) continue;
        const int64_t bin = u * positions + winner[k];
        write(list + bin * s.filters + count[bin]++, k * kernel, delta[k]);
      }
    for_each_block(s, size, [&](int64_t row, int64_t column, int64_t last, AddScaled add) {
      WindowCursor at(s);
      for (int64_t u = 0; u < size.windows; ++u, at.next())
        for (int64_t p = 0; p < positions; ++p) {
          const int64_t bin = u * positions + p;
          if (count[bin])
            add(d_image + at.corner + position.at[p] + row * size.row, size.row, kernels + row * size.wide_row,
                size.wide_row, list + bin * s.filters, count[bin], column, last);
        }
    });
    if (copy) std::memcpy(d_x, copy, size.image * sizeof(float));
  }
}

}  // namespace

#define TEXT(name) TEXT_OF(name)
#define TEXT_OF(name) #name
#define TABLE(name) TABLE_OF(name)
#define TABLE_OF(name) conv_pool_##name
extern const ConvPoolKernel TABLE(FIRSTHAND_ISA) = {TEXT(FIRSTHAND_ISA), forward_scratch, forward,
                                                    weights_scratch,     weights_gradient, input_scratch,
                                                    input_gradient};

}  // namespace firsthand
