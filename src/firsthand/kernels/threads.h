// Threads of XLA's own pool, for the doors.
#pragma once

#include "parallel.h"
#include "xla/ffi/api/ffi.h"

namespace firsthand {

// The calling thread, and those of the pool that have nothing else to do.
Threads threads_of(xla::ffi::ThreadPool& pool);

}  // namespace firsthand
