// Parts of a kernel on XLA's thread pool.
//
// The calling thread takes parts itself, and waits only for parts that others have begun: where all threads of the pool
// are in calls of their own, as with members of an ensemble, nothing waits for anything.
#include "threads.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "instruction_set.h"

namespace ffi = xla::ffi;

namespace firsthand {
namespace {

std::atomic<int> limit{0};  // of threads in all kernels together; 0 is as many as the pool has
std::atomic<int> busy{0};   // threads that are in a kernel now

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A little while at full attention, because parts are short, and then politely.
template <typename Ready>
void wait_until(const Ready& ready) {
  for (int turns = 0; !ready(); ++turns)
    if (turns < 4000)
      pause();
    else
      std::this_thread::yield();
}

// Outlives the call: a thread that comes late finds no part left, and touches nothing else.
struct Job {
  int64_t first, all;
  void (*part)(void*, int64_t);
  void* work;
  std::atomic<int64_t> next{0}, first_done{0}, done{0};

  void take_parts() {
    for (int64_t number; (number = next.fetch_add(1, std::memory_order_relaxed)) < all;) {
      if (number >= first) wait_until([&] { return first_done.load(std::memory_order_acquire) == first; });
      part(work, number);
      if (number < first) first_done.fetch_add(1, std::memory_order_release);
      done.fetch_add(1, std::memory_order_release);
    }
  }
};

int64_t threads_in(const ffi::ThreadPool& pool) {
  const int64_t most = limit.load(std::memory_order_relaxed), all = pool.num_threads();
  return most && most < all ? most : all;
}

void run(void* given, int64_t first, int64_t parts, void (*part)(void*, int64_t), void* work) {
  auto& pool = *static_cast<ffi::ThreadPool*>(given);
  const int64_t all = first + parts, now = busy.fetch_add(1, std::memory_order_relaxed) + 1;
  const int64_t idle = threads_in(pool) - now;
  const int64_t others = idle < all - 1 ? idle : all - 1;
  if (others <= 0) {
    for (int64_t number = 0; number < all; ++number) part(work, number);
  } else {
    const auto job = std::make_shared<Job>(first, all, part, work);
    for (int64_t n = 0; n < others; ++n)
      pool.Schedule([job] {
        busy.fetch_add(1, std::memory_order_relaxed);
        job->take_parts();
        busy.fetch_sub(1, std::memory_order_relaxed);
      });
    job->take_parts();
    wait_until([&] { return job->done.load(std::memory_order_acquire) == all; });
  }
  busy.fetch_sub(1, std::memory_order_relaxed);
}

float* scratch(int slot, int64_t floats) {
  struct Memory {
    float* at = nullptr;
    int64_t size = 0;
    ~Memory() { std::free(at); }
  };
  static thread_local Memory memories[2];
  Memory& memory = memories[slot];
  if (floats > memory.size) {
    std::free(memory.at);
    // at the beginning of a cache line, and whole ones: vectors that cross lines are slower
    memory.at = static_cast<float*>(std::aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64));
    memory.size = memory.at ? floats : 0;
    if (!memory.at) throw std::bad_alloc();
  }
  return memory.at;
}

}  // namespace

Threads threads_of(ffi::ThreadPool& pool) { return {&pool, run, scratch, threads_in(pool)}; }

}  // namespace firsthand

XLA_FFI_DEFINE_HANDLER(threads_handler,
                       [](ffi::ThreadPool pool, ffi::ResultBuffer<ffi::S32> count) {
                         if (count->element_count() != 1)
                           return ffi::Error::InvalidArgument("threads: the result is one number");
                         *count->typed_data() = static_cast<int32_t>(firsthand::threads_of(pool).count);
                         return ffi::Error::Success();
                       },
                       ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Ret<ffi::Buffer<ffi::S32>>());

FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_threads(XLA_FFI_CallFrame* frame) { return threads_handler(frame); }

// At most this many threads in all kernels together; 0 is as many as XLA's pool has.
FIRSTHAND_EXPORT void firsthand_limit_threads(int threads) { firsthand::limit = threads; }
