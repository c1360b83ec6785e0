// Which of the compiled instruction sets runs.
#pragma once

// The library is built with hidden visibility; this is what Python sees.
#define FIRSTHAND_EXPORT extern "C" __attribute__((visibility("default")))

namespace firsthand {

// Index of the active one: on x86-64, 0 for v2, 1 for v3, 2 for v4; elsewhere 0.  -1 where none can run.
int instruction_set();

}  // namespace firsthand
