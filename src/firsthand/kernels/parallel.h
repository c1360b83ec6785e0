// How a kernel divides its work: into parts that other threads may take, each a range of results.
//
// A sum is never divided.  So its order is the same however the results are cut into parts and whoever takes one, and
// the bits are the same on 1, 2 or 16 threads.
#pragma once

#include <cstdint>

namespace firsthand {

// Who runs the parts, and where they find memory.  Plain functions: this is compiled once, kernels once per instruction
// set.
struct Threads {
  void* pool;
  // part(work, 0) ... part(work, first + parts - 1), in any order and at the same time; but those from `first` on begin
  // when the first have ended.  Returns when all have ended.
  void (*run)(void* pool, int64_t first, int64_t parts, void (*part)(void* work, int64_t number), void* work);
  // memory of the calling thread, at a multiple of 64 bytes, until it asks for the same slot again: of the two one is
  // for a whole call, the other for a part
  float* (*scratch)(int slot, int64_t floats);
  int64_t count;  // threads that there are, busy or not

  float* of_call(int64_t floats) const { return scratch(0, floats); }
  float* of_part(int64_t floats) const { return scratch(1, floats); }
};

namespace {

struct Range {
  int64_t begin, end;
};

// The part `number` of `parts` nearly equal ones of 0 ... count.
inline Range share(int64_t count, int64_t parts, int64_t number) {
  return {number * count / parts, (number + 1) * count / parts};
}

// So many parts of `count` results that each is worth the handing over, and that no thread waits long for another.
inline int64_t parts_of(const Threads& threads, int64_t count, double operations) {
  constexpr double kWorthIt = 4e5;  // operations: some microseconds
  const int64_t wanted = threads.count > 1 ? 4 * threads.count : 1;
  const int64_t worth = operations < kWorthIt * wanted ? static_cast<int64_t>(operations / kWorthIt) : wanted;
  const int64_t most = worth < count ? worth : count;
  return most > 1 ? most : 1;
}

// before(0) ... before(first - 1), then main(0) ... main(parts - 1), each of the two in any order and at the same time.
template <typename Before, typename Main>
inline void in_parallel(const Threads& threads, int64_t first, const Before& before, int64_t parts, const Main& main) {
  struct Work {
    int64_t first;
    const Before& before;
    const Main& main;
  } work{first, before, main};
  threads.run(
      threads.pool, first, parts,
      [](void* given, int64_t number) {
        const Work& w = *static_cast<const Work*>(given);
        number < w.first ? w.before(number) : w.main(number - w.first);
      },
      &work);
}

template <typename Main>
inline void in_parallel(const Threads& threads, int64_t parts, const Main& main) {
  in_parallel(threads, 0, [](int64_t) {}, parts, main);
}

}  // namespace
}  // namespace firsthand
