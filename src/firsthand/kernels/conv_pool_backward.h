// The backward pass of the fused convolution and max-pooling.
// All of it has internal linkage: see conv_pool_kernel.h.
#pragma once

#include "conv_pool_windows.h"

namespace firsthand {
namespace {

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

// Entries that are summed up in one place: the offset of its first row.
struct List {
  const Entry *begin, *end;
  int64_t to;
};

// For every list: rows += sum over its entries of delta * source[offset ...], `Rows` rows of `Vectors` vectors each,
// held in registers from the first entry to the last.  Both gradients are such sums: for the weights the source is the
// image, for the input it is the kernels.  The last vector is `last` floats from the first.
template <int Rows, int Vectors>
void add_scaled(const List* list, int64_t lists, float* rows, int64_t row_stride, const float* source,
                int64_t source_stride, int64_t last) {
  // few sums would wait for each other's latency: take the entries in pairs, into sums of their own
  constexpr int kSets = Rows * Vectors <= kAccumulators / 2 ? 2 : 1;
  for (const List* const end = list + lists; list < end; ++list) {
    float* const to = rows + list->to;
    Vector sum[kSets][Rows][Vectors];
    UNROLL for (int r = 0; r < Rows; ++r)
    UNROLL for (int v = 0; v < Vectors; ++v) {
      sum[0][r][v] = load(to + r * row_stride + (v < Vectors - 1 ? v * kLanes : last));
      if constexpr (kSets == 2) sum[1][r][v] = Vector{};
    }
    const Entry* entry = list->begin;
    const auto add = [&](int set, const Entry& e) {
      const float* from = source + e.offset;
      const Vector by = broadcast(e.delta);
      UNROLL for (int r = 0; r < Rows; ++r, from += source_stride) {
        UNROLL for (int v = 0; v < Vectors - 1; ++v) sum[set][r][v] += by * load(from + v * kLanes);
        sum[set][r][Vectors - 1] += by * load(from + last);
      }
    };
    for (; list->end - entry >= kSets; entry += kSets)
      UNROLL for (int set = 0; set < kSets; ++set) add(set, entry[set]);
    if (kSets == 2 && entry < list->end) add(0, *entry);
    UNROLL for (int r = 0; r < Rows; ++r)
    UNROLL for (int v = 0; v < Vectors; ++v) {
      if constexpr (kSets == 2) sum[0][r][v] += sum[1][r][v];
      store(to + r * row_stride + (v < Vectors - 1 ? v * kLanes : last), sum[0][r][v]);
    }
  }
}

using AddScaled = decltype(&add_scaled<1, 1>);
constexpr int kMostRows = 6, kMostVectors = smaller(16, kAccumulators);

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
      add_scaled_if_it_fits<Rows, 7>(), add_scaled_if_it_fits<Rows, 8>(), add_scaled_if_it_fits<Rows, 9>(),
      add_scaled_if_it_fits<Rows, 10>(), add_scaled_if_it_fits<Rows, 11>(), add_scaled_if_it_fits<Rows, 12>(),
      add_scaled_if_it_fits<Rows, 13>(), add_scaled_if_it_fits<Rows, 14>(), add_scaled_if_it_fits<Rows, 15>(),
      add_scaled_if_it_fits<Rows, 16>()};
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

// Rows of sums cut into blocks that fit into registers.
struct Block {
  int64_t row, column, last;  // the first row and column, and from there to the last vector
  AddScaled add;
};

int64_t most_blocks(int64_t rows, int64_t width) { return rows * divide_up(width, kLanes); }

// `rows` rows of `width` floats; returns how many blocks.
int64_t cut(int64_t rows, int64_t width, Block* block) {
  const int64_t vectors = divide_up(width, kLanes);
  const int64_t across = divide_up(vectors, kMostVectors), wide = divide_up(vectors, across);
  const int64_t down = divide_up(rows, smaller(kMostRows, kAccumulators / wide)), tall = divide_up(rows, down);
  int64_t blocks = 0;
  for (int64_t row = 0; row < rows; row += tall)
    for (int64_t n = 0; n < across; ++n) {
      // evenly: a last block of one vector would overlap the block before it, whose columns have their sums already
      const int64_t v = n * vectors / across, here = (n + 1) * vectors / across - v;
      const int64_t last = smaller((here - 1) * kLanes, width - kLanes - v * kLanes);
      block[blocks++] = {row, v * kLanes, last, pick(smaller(tall, rows - row), here)};
    }
  return blocks;
}

// Offset, from a window's first pixel, of each of its positions; the one for kInactive is never used.
struct PositionOffsets {
  int32_t at[256] = {};
  PositionOffsets(const ConvPoolShape& s, const Sizes& size) {
    for (int64_t p = 0; p < s.pool_height * s.pool_width; ++p)
      at[p] = static_cast<int32_t>(p / s.pool_width * size.row + p % s.pool_width * s.channels);
  }
};

// Hands out the scratch memory piece by piece, each beginning at a multiple of 64 bytes from the first.
struct Scratch {
  float* const start;
  int64_t used = 0;
  template <typename T>
  T* take(int64_t count) {
    float* const here = start ? start + used : nullptr;
    used += divide_up(count * sizeof(T), 64) * 16;
    return reinterpret_cast<T*>(here);
  }
};

// Images that are taken together: many enough for long lists, few enough for them and their windows to stay in the
// cache.
int64_t images_at_a_time(const ConvPoolShape& s) {
  return larger(1, smaller(s.batch, 24000 / (Sizes(s).image + Sizes(s).windows * s.filters)));
}

// What all parts of the weights' gradient share.
struct WeightsPlan {
  const Sizes size;
  const int64_t images;
  Scratch scratch;
  int64_t blocks = 0;
  Block* const block;
  int32_t* const corners;  // [window]
  float* const copy;
  WeightsPlan(const ConvPoolShape& s, float* memory)
      : size(s),
        images(images_at_a_time(s)),
        scratch{memory},
        block(scratch.take<Block>(most_blocks(s.kernel_height, size.wide_row))),
        corners(scratch.take<int32_t>(images * size.windows)),
        copy(scratch.take<float>(size.kernel_row < kLanes ? s.batch * size.image + kLanes : 0)) {}
};

// What a part needs for this many filters.
struct FiltersPlan {
  Scratch scratch;
  float* const sums;     // [filter][kernel row][wide row]
  Entry* const entries;  // [filter][entry]
  List* const lists;     // [filter]
  FiltersPlan(const ConvPoolShape& s, const WeightsPlan& plan, int64_t filters, float* memory)
      : scratch{memory},
        sums(scratch.take<float>(filters * s.kernel_height * plan.size.wide_row)),
        entries(scratch.take<Entry>(plan.images * plan.size.windows * filters)),
        lists(scratch.take<List>(filters)) {}
};

// The gradients of the filters in `mine`.
void filters_gradient(const ConvPoolShape& s, const WeightsPlan& plan, const PositionOffsets& position, Range mine,
                      const float* x, const uint8_t* winner, const float* delta, float* d_weights, float* d_bias,
                      const FiltersPlan& own) {
  const Sizes& size = plan.size;
  const int64_t kernel = s.kernel_height * size.wide_row, filters = s.filters, here = mine.end - mine.begin;
  std::memset(own.sums, 0, here * kernel * sizeof(float));
  std::memset(d_bias + mine.begin, 0, here * sizeof(float));

  for (int64_t first = 0; first < s.batch; first += plan.images) {
    const int64_t windows = smaller(plan.images, s.batch - first) * size.windows;
    const int64_t from = first * size.windows * filters + mine.begin, capacity = plan.images * size.windows;
    const auto fill = [&]<int Filters>(int64_t k) {
      Entry* entry[Filters];
      UNROLL for (int n = 0; n < Filters; ++n) entry[n] = own.entries + (k + n) * capacity;
      const uint8_t* won = winner + from + k;
      const float* error = delta + from + k;
      for (int64_t u = 0; u < windows; ++u, won += filters, error += filters) {
        const int32_t corner = plan.corners[u];
        // without a branch, which would be mispredicted: an inactive window is overwritten by the next
        UNROLL for (int n = 0; n < Filters; ++n) {
          write(entry[n], corner + position.at[won[n]], error[n]);
          entry[n] += won[n] != kInactive;
        }
      }
      UNROLL for (int n = 0; n < Filters; ++n) {
        Entry* const list = own.entries + (k + n) * capacity;
        own.lists[k + n] = {list, entry[n], (k + n) * kernel};
        d_bias[mine.begin + k + n] += sum_of_deltas(list, entry[n] - list);
      }
    };
    int64_t k = 0;
    for (; k + 4 <= here; k += 4) fill.template operator()<4>(k);
    for (; k + 2 <= here; k += 2) fill.template operator()<2>(k);
    for (; k < here; ++k) fill.template operator()<1>(k);
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const Block& block = plan.block[b];
      block.add(own.lists, here, own.sums + block.row * size.wide_row + block.column, size.wide_row,
                x + first * size.image + block.row * size.row + block.column, size.row, block.last);
    }
  }

  for (int64_t l = 0; l < s.kernel_height; ++l)  // to HWIO
    for (int64_t t = 0; t < size.kernel_row; ++t)
      for (int64_t k = 0; k < here; ++k)
        d_weights[(l * size.kernel_row + t) * filters + mine.begin + k] = own.sums[k * kernel + l * size.wide_row + t];
}

void weights_gradient(const ConvPoolShape& s, const float* x, const uint8_t* winner, const float* delta,
                      float* d_weights, float* d_bias, const Threads& threads) {
  WeightsPlan plan(s, threads.of_call(WeightsPlan(s, nullptr).scratch.used));
  const Sizes& size = plan.size;
  const PositionOffsets position(s, size);
  plan.blocks = cut(s.kernel_height, size.wide_row, plan.block);
  if (size.kernel_row < kLanes) {  // a vector reaches beyond the row: let it end inside a copy
    std::memcpy(plan.copy, x, s.batch * size.image * sizeof(float));
    std::memset(plan.copy + s.batch * size.image, 0, kLanes * sizeof(float));
    x = plan.copy;
  }
  WindowCursor at(s);
  for (int64_t u = 0; u < plan.images * size.windows; ++u, at.next()) plan.corners[u] = static_cast<int32_t>(at.corner);

  const int64_t parts = parts_of(threads, divide_up(s.filters, 2), s.batch * size.windows * active_operations(s));
  in_parallel(threads, parts, [&](int64_t part) {
    // whole pairs of filters
    const Range pairs = share(divide_up(s.filters, 2), parts, part);
    const Range mine{2 * pairs.begin, smaller(2 * pairs.end, s.filters)};
    const int64_t here = mine.end - mine.begin;
    float* const memory = threads.of_part(FiltersPlan(s, plan, here, nullptr).scratch.used);
    filters_gradient(s, plan, position, mine, x, winner, delta, d_weights, d_bias, FiltersPlan(s, plan, here, memory));
  });
}

// The input's gradient is summed strip by strip: what one row of a kernel reaches from all positions in one row of a
// window.  A kernel's row stands between `pad` zeros on both sides, so that a position is an offset into it, and lists
// are twice as long as if each position had its own: the end of a list is mispredicted, and costs as much as an entry.
struct InputPlan {
  const int64_t pad, strip, wide, row;
  const Sizes size;
  Scratch scratch;
  int64_t blocks = 0;
  float* const kernels;  // [kernel row][filter][row]
  Block* const block;
  InputPlan(const ConvPoolShape& s, float* memory)
      : pad((s.pool_width - 1) * s.channels),
        strip(s.kernel_width * s.channels + pad),
        wide(larger(strip, kLanes)),
        row(pad + wide),
        size(s),
        scratch{memory},
        kernels(scratch.take<float>(s.kernel_height * s.filters * row)),
        block(scratch.take<Block>(most_blocks(s.kernel_height, wide))) {}
};

// What a part needs for this many images at a time.
struct ImagesPlan {
  Scratch scratch;
  Entry* const entries;  // [window][row of the window][entry]
  List* const lists;     // [window][row of the window]
  float* const copy;
  ImagesPlan(const ConvPoolShape& s, const InputPlan& plan, int64_t images, float* memory)
      : scratch{memory},
        entries(scratch.take<Entry>(images * plan.size.windows * s.pool_height * s.filters)),
        lists(scratch.take<List>(images * plan.size.windows * s.pool_height)),
        copy(scratch.take<float>(plan.strip < kLanes ? images * plan.size.image + kLanes : 0)) {}
};

// The gradients of the images in `mine`, few enough to be taken together.
void images_gradient(const ConvPoolShape& s, const InputPlan& plan, Range mine, const uint8_t* winner,
                     const float* delta, float* d_x, const ImagesPlan& own) {
  const Sizes& size = plan.size;
  const int64_t filters = s.filters, images = mine.end - mine.begin, floats = images * size.image;
  d_x += mine.begin * size.image;
  winner += mine.begin * size.windows * filters;
  delta += mine.begin * size.windows * filters;
  float* const sums = plan.strip < kLanes ? own.copy : d_x;  // a vector reaches beyond the strip: see above
  std::memset(sums, 0, (floats + (sums == d_x ? 0 : kLanes)) * sizeof(float));
  Entry* begin = own.entries;
  List* list = own.lists;
  WindowCursor at(s);
  for (int64_t u = 0; u < images * size.windows; ++u, at.next(), winner += filters, delta += filters)
    for (int64_t i = 0; i < s.pool_height; ++i, begin += filters) {
      Entry* entry = begin;
      for (int64_t k = 0; k < filters; ++k) {
        const int64_t j = winner[k] - i * s.pool_width;
        write(entry, k * plan.row + plan.pad - j * s.channels, delta[k]);
        entry += static_cast<uint64_t>(j) < static_cast<uint64_t>(s.pool_width);
      }
      *list++ = {begin, entry, at.corner + i * size.row};
    }
  for (int64_t b = 0; b < plan.blocks; ++b) {
    const Block& block = plan.block[b];
    block.add(own.lists, list - own.lists, sums + block.row * size.row + block.column, size.row,
              plan.kernels + block.row * filters * plan.row + block.column, filters * plan.row, block.last);
  }
  if (sums != d_x) std::memcpy(d_x, sums, floats * sizeof(float));
}

// Row l of every kernel in `mine`, between zeros.
void lay_out_kernels(const ConvPoolShape& s, const InputPlan& plan, int64_t l, Range mine, const float* weights) {
  float* const to = plan.kernels + l * s.filters * plan.row;
  std::memset(to + mine.begin * plan.row, 0, (mine.end - mine.begin) * plan.row * sizeof(float));
  for (int64_t k = mine.begin; k < mine.end; ++k)
    for (int64_t t = 0; t < plan.size.kernel_row; ++t)
      to[k * plan.row + plan.pad + t] = weights[(l * plan.size.kernel_row + t) * s.filters + k];
}

void input_gradient(const ConvPoolShape& s, const float* weights, const uint8_t* winner, const float* delta, float* d_x,
                    const Threads& threads) {
  InputPlan plan(s, threads.of_call(InputPlan(s, nullptr).scratch.used));
  plan.blocks = cut(s.kernel_height, plan.wide, plan.block);
  const int64_t most = images_at_a_time(s), rows = s.kernel_height * s.filters;
  const int64_t first = parts_of(threads, rows, 20.0 * rows * plan.row);  // strided: a value costs as much as 20 operations
  const int64_t parts = parts_of(threads, s.batch, s.batch * plan.size.windows * active_operations(s));
  in_parallel(
      threads, first,
      [&](int64_t part) {
        const Range mine = share(rows, first, part);
        for (int64_t l = mine.begin / s.filters; l * s.filters < mine.end; ++l) {
          const int64_t begin = larger(mine.begin - l * s.filters, 0), end = smaller(mine.end - l * s.filters, s.filters);
          lay_out_kernels(s, plan, l, {begin, end}, weights);
        }
      },
      parts,
      [&](int64_t part) {
        const Range mine = share(s.batch, parts, part);
        for (int64_t begin = mine.begin; begin < mine.end; begin += most) {
          const Range some{begin, smaller(begin + most, mine.end)};
          const int64_t images = some.end - some.begin;
          float* const memory = threads.of_part(ImagesPlan(s, plan, images, nullptr).scratch.used);
          images_gradient(s, plan, some, winner, delta, d_x, ImagesPlan(s, plan, images, memory));
        }
      });
}

}  // namespace
}  // namespace firsthand
