// The doors through which XLA enters the fused convolution and max-pooling.
//
// Handlers are re-entrant: XLA may run several at once, on threads of its own.  They start no threads but share XLA's
// own, and their scratch memory belongs to the thread that uses it.
#include "conv_pool_kernel.h"
#include "instruction_set.h"
#include "threads.h"

namespace ffi = xla::ffi;

namespace firsthand {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Bytes = ffi::Buffer<ffi::U8>;
using FloatResult = ffi::ResultBuffer<ffi::F32>;
using ByteResult = ffi::ResultBuffer<ffi::U8>;

const ConvPoolKernel& active() {
#if defined(__x86_64__)
  const ConvPoolKernel* kernels[] = {&conv_pool_x86_64_v2, &conv_pool_x86_64_v3, &conv_pool_x86_64_v4};
  return *kernels[instruction_set()];
#else
  return conv_pool_baseline;
#endif
}

// Images (..., batch, height, width, channels) and kernels (..., height, width, channels, filters): leading axes come
// from vmap, and count independent members.
ffi::ErrorOr<ConvPoolShape> shape_of(ffi::Span<const int64_t> x, ffi::Span<const int64_t> w, int64_t pool_height,
                                     int64_t pool_width, int64_t* members) {
  const auto wrong = [](const char* what) { return ffi::Unexpected(ffi::Error::InvalidArgument(what)); };
  if (x.size() < 4 || w.size() != x.size()) return wrong("conv_pool: images and kernels must have 4 axes or more");
  const int64_t* xs = x.end() - 4;
  const int64_t* ws = w.end() - 4;
  *members = 1;
  for (size_t axis = 0; axis + 4 < x.size(); ++axis) {
    if (x[axis] != w[axis]) return wrong("conv_pool: images and kernels have different leading axes");
    *members *= x[axis];
  }
  ConvPoolShape s{xs[0], xs[1], xs[2], xs[3], ws[0], ws[1], ws[3], pool_height, pool_width, 0, 0};
  s.out_height = (s.height - s.kernel_height + 1) / pool_height;
  s.out_width = (s.width - s.kernel_width + 1) / pool_width;
  const bool pools = pool_height >= 2 && pool_height <= 3 && pool_width >= 2 && pool_width <= 3;
  const bool plain = pool_height == 1 && pool_width == 1;
  if (ws[2] != s.channels || !(pools || plain) || s.out_height < 1 || s.out_width < 1)
    return wrong("conv_pool: a shape that the kernel does not take");
  if (s.height * s.width * s.channels > INT32_MAX / 8 || s.kernel_height * s.kernel_width * s.channels * s.filters > INT32_MAX / 8)
    return wrong("conv_pool: an image or a kernel too large for 32-bit offsets");
  return s;
}

int64_t image_floats(const ConvPoolShape& s) { return s.batch * s.height * s.width * s.channels; }
int64_t weight_floats(const ConvPoolShape& s) {
  return s.kernel_height * s.kernel_width * s.channels * s.filters;
}
int64_t pooled_floats(const ConvPoolShape& s) { return s.batch * s.out_height * s.out_width * s.filters; }

#define FIRSTHAND_TRY(declaration, expression)   \
  auto declaration##_or = expression;            \
  if (!declaration##_or) return declaration##_or.error(); \
  const auto declaration = *declaration##_or

ffi::Error forward(ffi::ThreadPool pool, Floats x, Floats w, Floats bias, FloatResult a, ByteResult winner, int64_t pool_height,
                   int64_t pool_width, bool relu) {
  int64_t members;
  FIRSTHAND_TRY(s, shape_of(x.dimensions(), w.dimensions(), pool_height, pool_width, &members));
  if (static_cast<int64_t>(a->element_count()) != members * pooled_floats(s) ||
      winner->element_count() != a->element_count() ||
      static_cast<int64_t>(bias.element_count()) != members * s.filters)
    return ffi::Error::InvalidArgument("conv_pool: biases or results of another shape");
  const Threads threads = threads_of(pool);
  for (int64_t m = 0; m < members; ++m)
    active().forward(s, x.typed_data() + m * image_floats(s), w.typed_data() + m * weight_floats(s),
                    bias.typed_data() + m * s.filters, relu, a->typed_data() + m * pooled_floats(s),
                    winner->typed_data() + m * pooled_floats(s), threads);
  return ffi::Error::Success();
}

ffi::Error weights_gradient(ffi::ThreadPool pool, Floats x, Bytes winner, Floats delta, FloatResult d_w, FloatResult d_bias,
                            int64_t pool_height, int64_t pool_width) {
  int64_t members;
  FIRSTHAND_TRY(s, shape_of(x.dimensions(), d_w->dimensions(), pool_height, pool_width, &members));
  if (static_cast<int64_t>(delta.element_count()) != members * pooled_floats(s) ||
      winner.element_count() != delta.element_count() ||
      static_cast<int64_t>(d_bias->element_count()) != members * s.filters)
    return ffi::Error::InvalidArgument("conv_pool: arguments of another shape");
  const Threads threads = threads_of(pool);
  for (int64_t m = 0; m < members; ++m)
    active().weights_gradient(s, x.typed_data() + m * image_floats(s), winner.typed_data() + m * pooled_floats(s),
                             delta.typed_data() + m * pooled_floats(s), d_w->typed_data() + m * weight_floats(s),
                             d_bias->typed_data() + m * s.filters, threads);
  return ffi::Error::Success();
}

ffi::Error input_gradient(ffi::ThreadPool pool, Floats w, Bytes winner, Floats delta, FloatResult d_x, int64_t pool_height,
                          int64_t pool_width) {
  int64_t members;
  FIRSTHAND_TRY(s, shape_of(d_x->dimensions(), w.dimensions(), pool_height, pool_width, &members));
  if (static_cast<int64_t>(delta.element_count()) != members * pooled_floats(s) ||
      winner.element_count() != delta.element_count())
    return ffi::Error::InvalidArgument("conv_pool: arguments of another shape");
  const Threads threads = threads_of(pool);
  for (int64_t m = 0; m < members; ++m)
    active().input_gradient(s, w.typed_data() + m * weight_floats(s), winner.typed_data() + m * pooled_floats(s),
                           delta.typed_data() + m * pooled_floats(s), d_x->typed_data() + m * image_floats(s), threads);
  return ffi::Error::Success();
}

}  // namespace
}  // namespace firsthand

XLA_FFI_DEFINE_HANDLER(forward_handler, firsthand::forward,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Floats>()
                           .Ret<firsthand::Floats>()
                           .Ret<firsthand::Bytes>()
                           .Attr<int64_t>("pool_height")
                           .Attr<int64_t>("pool_width")
                           .Attr<bool>("relu"));
XLA_FFI_DEFINE_HANDLER(weights_gradient_handler, firsthand::weights_gradient,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Bytes>()
                           .Arg<firsthand::Floats>()
                           .Ret<firsthand::Floats>()
                           .Ret<firsthand::Floats>()
                           .Attr<int64_t>("pool_height")
                           .Attr<int64_t>("pool_width"));
XLA_FFI_DEFINE_HANDLER(input_gradient_handler, firsthand::input_gradient,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<firsthand::Floats>()
                           .Arg<firsthand::Bytes>()
                           .Arg<firsthand::Floats>()
                           .Ret<firsthand::Floats>()
                           .Attr<int64_t>("pool_height")
                           .Attr<int64_t>("pool_width"));

FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_conv_pool_forward(XLA_FFI_CallFrame* frame) { return forward_handler(frame); }
FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_conv_pool_weights_gradient(XLA_FFI_CallFrame* frame) {
  return weights_gradient_handler(frame);
}
FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_conv_pool_input_gradient(XLA_FFI_CallFrame* frame) {
  return input_gradient_handler(frame);
}
