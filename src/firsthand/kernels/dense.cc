// The doors through which XLA enters a fully connected layer: its forward pass, and its backward pass with update.
#include "dense_kernel.h"
#include "instruction_set.h"
#include "threads.h"

namespace ffi = xla::ffi;

namespace firsthand {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using FloatResult = ffi::ResultBuffer<ffi::F32>;

const DenseKernel& active() {
#if defined(__x86_64__)
  const DenseKernel* kernels[] = {&dense_x86_64_v2, &dense_x86_64_v3, &dense_x86_64_v4};
  return *kernels[instruction_set()];
#else
  return dense_baseline;
#endif
}

ffi::Error forward(ffi::ThreadPool pool, Floats a, Floats weights, FloatResult z) {
  const auto x = a.dimensions(), w = weights.dimensions();
  if (x.size() != 2 || w.size() != 2 || x[1] != w[0] || z->element_count() != static_cast<size_t>(x[0] * w[1]))
    return ffi::Error::InvalidArgument("dense_forward: arguments whose shapes do not fit");
  active().forward(x[0], w[0], w[1], a.typed_data(), weights.typed_data(), z->typed_data(), threads_of(pool));
  return ffi::Error::Success();
}

ffi::Error update(ffi::ThreadPool pool, Floats weights, Floats a, Floats delta, Floats alpha, Floats beta, FloatResult new_weights,
                  FloatResult d_a, bool zeros_are_dead, bool many) {
  const auto w = weights.dimensions(), x = a.dimensions(), d = delta.dimensions();
  if (w.size() != 2 || x.size() != 2 || d.size() != 2 || x[0] < 1 || x[0] != d[0] || x[1] != w[0] || d[1] != w[1] ||
      new_weights->element_count() != weights.element_count() || (d_a->element_count() && d_a->element_count() != a.element_count()))
    return ffi::Error::InvalidArgument("dense_update: arguments whose shapes do not fit");
  const auto floats = [](const auto& buffer) { return buffer.typed_data(); };
  float* const of_inputs = d_a->element_count() ? floats(*d_a) : nullptr;  // an empty result is one not asked for
  if (many)
    active().product_update(x[0], w[0], w[1], floats(weights), floats(a), floats(delta), *floats(alpha), *floats(beta),
                            floats(*new_weights), of_inputs, threads_of(pool));
  else
    active().update(x[0], w[0], w[1], floats(weights), floats(a), floats(delta), *floats(alpha), *floats(beta),
                    zeros_are_dead, floats(*new_weights), of_inputs, threads_of(pool));
  return ffi::Error::Success();
}

}  // namespace
}  // namespace firsthand

XLA_FFI_DEFINE_HANDLER(
    forward_handler, firsthand::forward,
    ffi::Ffi::Bind()
        .Ctx<ffi::ThreadPool>()
        .Arg<firsthand::Floats>()
        .Arg<firsthand::Floats>()
        .Ret<firsthand::Floats>());
XLA_FFI_DEFINE_HANDLER(update_handler, firsthand::update,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Floats>()
                           .Ret<firsthand::Floats>()
                           .Ret<firsthand::Floats>()
                           .Attr<bool>("zeros_are_dead")
                           .Attr<bool>("many"));

FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_dense_forward(XLA_FFI_CallFrame* frame) { return forward_handler(frame); }
FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_dense_update(XLA_FFI_CallFrame* frame) { return update_handler(frame); }
