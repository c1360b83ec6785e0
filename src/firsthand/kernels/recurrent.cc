// The doors through which XLA enters a recurrent layer.
#include "instruction_set.h"
#include "recurrent_kernel.h"
#include "threads.h"

namespace ffi = xla::ffi;

namespace firsthand {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Bytes = ffi::Buffer<ffi::U8>;
using FloatResult = ffi::ResultBuffer<ffi::F32>;

const RecurrentKernel& active() {
#if defined(__x86_64__)
  const RecurrentKernel* kernels[] = {&recurrent_x86_64_v2, &recurrent_x86_64_v3, &recurrent_x86_64_v4};
  return *kernels[instruction_set()];
#else
  return recurrent_baseline;
#endif
}

// Whether a buffer has this many numbers.
template <typename Buffer>
bool has(const Buffer& buffer, int64_t count) {
  return static_cast<int64_t>(buffer.element_count()) == count;
}

// From x (batch, steps, features) and U (units, gates x units); batch is 0 where they do not fit.
RecurrentShape shape_of(int64_t cell, ffi::Span<const int64_t> x, ffi::Span<const int64_t> u) {
  if (cell < 0 || cell > 3 || x.size() != 3 || u.size() != 2 || x[0] < 1 || x[1] < 1 || x[2] < 1 || u[0] < 1 ||
      u[1] != weight_gates(static_cast<Cell>(cell)) * u[0])
    return {0, 0, 0, 0};
  return {x[0], x[1], x[2], u[0]};
}

// Numbers in arrays of this shape.
struct Counts {
  int64_t state, cell, steps, saved, bias, w, u;
  Counts(const RecurrentShape& s, Cell cell)
      : state(s.batch * s.units),
        cell(cell == Cell::lstm ? 1 : 0),  // arrays of c are empty elsewhere
        steps(s.batch * s.steps),
        saved(saved_gates(cell) * s.units),
        bias(saved),
        w(s.features * weight_gates(cell) * s.units),
        u(s.units * weight_gates(cell) * s.units) {}
};

ffi::Error wrong() { return ffi::Error::InvalidArgument("recurrent: arguments whose shapes do not fit"); }

ffi::Error forward(ffi::ThreadPool pool, Floats x, Floats h0, Floats c0, Floats w, Floats u, Floats b, Bytes mask,
                   FloatResult outputs, FloatResult h, FloatResult c, FloatResult gates, FloatResult cells,
                   int64_t number) {
  const auto s = shape_of(number, x.dimensions(), u.dimensions());
  if (!s.batch) return wrong();
  const auto cell = static_cast<Cell>(number);
  const Counts n(s, cell);
  if (!has(h0, n.state) || !has(c0, n.cell * n.state) || !has(w, n.w) || !has(b, n.bias) || !has(mask, n.steps) ||
      !has(*outputs, n.steps * s.units) || !has(*h, n.state) || !has(*c, n.cell * n.state) ||
      !has(*gates, n.steps * n.saved) || !has(*cells, n.cell * n.steps * s.units))
    return wrong();
  active().forward(cell,
                   {s, x.typed_data(), h0.typed_data(), c0.typed_data(), w.typed_data(), u.typed_data(), b.typed_data(),
                    mask.typed_data(), outputs->typed_data(), h->typed_data(), c->typed_data(), gates->typed_data(),
                    cells->typed_data()},
                   threads_of(pool));
  return ffi::Error::Success();
}

ffi::Error backward(ffi::ThreadPool pool, Floats x, Floats h0, Floats c0, Floats u, Bytes mask, Floats outputs,
                    Floats gates, Floats cells, Floats d_outputs, Floats d_h, Floats d_c, FloatResult errors,
                    FloatResult d_w, FloatResult d_u, FloatResult d_b, FloatResult d_h0, FloatResult d_c0,
                    int64_t number) {
  const auto s = shape_of(number, x.dimensions(), u.dimensions());
  if (!s.batch) return wrong();
  const auto cell = static_cast<Cell>(number);
  const Counts n(s, cell);
  if (!has(h0, n.state) || !has(c0, n.cell * n.state) || !has(mask, n.steps) || !has(outputs, n.steps * s.units) ||
      !has(gates, n.steps * n.saved) || !has(cells, n.cell * n.steps * s.units) || !has(d_outputs, n.steps * s.units) ||
      !has(d_h, n.state) || !has(d_c, n.cell * n.state) || !has(*errors, n.steps * n.saved) || !has(*d_w, n.w) ||
      !has(*d_u, n.u) || !has(*d_b, n.bias) || !has(*d_h0, n.state) || !has(*d_c0, n.cell * n.state))
    return wrong();
  active().backward(cell,
                    {s, x.typed_data(), h0.typed_data(), c0.typed_data(), u.typed_data(), mask.typed_data(),
                     outputs.typed_data(), gates.typed_data(), cells.typed_data(), d_outputs.typed_data(),
                     d_h.typed_data(), d_c.typed_data(), errors->typed_data(), d_w->typed_data(), d_u->typed_data(),
                     d_b->typed_data(), d_h0->typed_data(), d_c0->typed_data()},
                    threads_of(pool));
  return ffi::Error::Success();
}

ffi::Error input_gradient(ffi::ThreadPool pool, Floats errors, Floats w, Floats u, FloatResult d_x, int64_t number) {
  const auto s = shape_of(number, d_x->dimensions(), u.dimensions());
  if (!s.batch) return wrong();
  const auto cell = static_cast<Cell>(number);
  const Counts n(s, cell);
  if (!has(errors, n.steps * n.saved) || !has(w, n.w)) return wrong();
  active().input_gradient(cell, s, errors.typed_data(), w.typed_data(), d_x->typed_data(), threads_of(pool));
  return ffi::Error::Success();
}

}  // namespace
}  // namespace firsthand

using firsthand::Bytes;
using firsthand::Floats;

XLA_FFI_DEFINE_HANDLER(forward_handler, firsthand::forward,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Floats>()  // x
                           .Arg<Floats>()  // h0
                           .Arg<Floats>()  // c0
                           .Arg<Floats>()  // W
                           .Arg<Floats>()  // U
                           .Arg<Floats>()  // b
                           .Arg<Bytes>()   // mask
                           .Ret<Floats>()  // outputs
                           .Ret<Floats>()  // h
                           .Ret<Floats>()  // c
                           .Ret<Floats>()  // gates
                           .Ret<Floats>()  // cells
                           .Attr<int64_t>("cell"));
XLA_FFI_DEFINE_HANDLER(backward_handler, firsthand::backward,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Floats>()  // x
                           .Arg<Floats>()  // h0
                           .Arg<Floats>()  // c0
                           .Arg<Floats>()  // U
                           .Arg<Bytes>()   // mask
                           .Arg<Floats>()  // outputs
                           .Arg<Floats>()  // gates
                           .Arg<Floats>()  // cells
                           .Arg<Floats>()  // d_outputs
                           .Arg<Floats>()  // d_h
                           .Arg<Floats>()  // d_c
                           .Ret<Floats>()  // errors
                           .Ret<Floats>()  // d_W
                           .Ret<Floats>()  // d_U
                           .Ret<Floats>()  // d_b
                           .Ret<Floats>()  // d_h0
                           .Ret<Floats>()  // d_c0
                           .Attr<int64_t>("cell"));
XLA_FFI_DEFINE_HANDLER(input_gradient_handler, firsthand::input_gradient,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<Floats>()  // errors
                           .Arg<Floats>()  // W
                           .Arg<Floats>()  // U
                           .Ret<Floats>()  // d_x
                           .Attr<int64_t>("cell"));

FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_recurrent_forward(XLA_FFI_CallFrame* frame) { return forward_handler(frame); }
FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_recurrent_backward(XLA_FFI_CallFrame* frame) {
  return backward_handler(frame);
}
FIRSTHAND_EXPORT XLA_FFI_Error* firsthand_recurrent_input_gradient(XLA_FFI_CallFrame* frame) {
  return input_gradient_handler(frame);
}
