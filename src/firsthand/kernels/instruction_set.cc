// The choice of instruction set: the best that this processor has, unless a test asks for a lesser one.
#include "instruction_set.h"

#include <cstring>

namespace firsthand {
namespace {

#if defined(__x86_64__)
constexpr const char* kNames[] = {"x86_64_v2", "x86_64_v3", "x86_64_v4"};
int best() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) return -1;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi") ||
      !__builtin_cpu_supports("bmi2"))
    return 0;
  const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  return v4 ? 2 : 1;
}
#else
constexpr const char* kNames[] = {"baseline"};
int best() { return 0; }
#endif

int active = best();

}  // namespace

int instruction_set() { return active; }

}  // namespace firsthand

// The active instruction set, or "" if this processor has none that the library was built for.
FIRSTHAND_EXPORT const char* firsthand_instruction_set() {
  return firsthand::active < 0 ? "" : firsthand::kNames[firsthand::active];
}

// Choose a lesser instruction set than the best, so that tests can run them all; false if it cannot run here.
FIRSTHAND_EXPORT bool firsthand_use_instruction_set(const char* name) {
  for (int level = firsthand::best(); level >= 0; --level)
    if (!std::strcmp(firsthand::kNames[level], name)) {
      firsthand::active = level;
      return true;
    }
  return false;
}
