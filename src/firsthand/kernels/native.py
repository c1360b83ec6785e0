"""The compiled kernels: found, loaded, and offered to JAX, or a reason why not.

The choice is made once, when it is first asked for; a CPU that goes without them is told of in one line on standard
error (the logger 'firsthand').  The environment variable FIRSTHAND_KERNELS forces it: `plain`
never uses the compiled kernels, `native` makes their absence an error.
"""

import ctypes
import logging
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jax

from firsthand.errors import FirsthandError

__all__ = ["Status", "library", "limit_threads", "status", "threads"]

_LIBRARY = Path(__file__).with_name("_native.so")
_TARGETS = (
    "firsthand_conv_pool_forward",
    "firsthand_conv_pool_weights_gradient",
    "firsthand_conv_pool_input_gradient",
    "firsthand_dense_forward",
    "firsthand_dense_update",
    "firsthand_recurrent_forward",
    "firsthand_recurrent_backward",
    "firsthand_recurrent_input_gradient",
    "firsthand_threads",
)


@dataclass(frozen=True)
class Status:
    """The convolutions that are active on the CPU, and the reason: `firsthand doctor` prints it."""

    active: str  # "native" or "plain"
    instruction_set: str  # of the native kernels; "" for plain
    reason: str


def status() -> Status:
    """Return which convolutions are active on the CPU, and why."""
    return _load()[1]


def library() -> ctypes.CDLL | None:
    """The loaded library of compiled kernels; None where the plain path is active."""
    return _load()[0]


def threads() -> int:
    """Number of threads that a kernel divides its work among; 1 where the plain path is active.

    They are those of XLA's own pool.  XLA makes as many as the process may use cores (`taskset`, a container's cpuset),
    or as the variable NPROC says, both at the moment when JAX starts; `limit_threads` lowers what the kernels take of
    them.  XLA's own operations are not limited by that, but few of them are divided at all.
    """
    if library() is None:
        return 1
    with jax.default_device(jax.devices("cpu")[0]):
        return int(jax.jit(jax.ffi.ffi_call("firsthand_threads", jax.ShapeDtypeStruct((), jax.numpy.int32)))())


def limit_threads(most: int | None) -> None:
    """Limit all kernels together to this many threads of XLA's pool; None is as many as it has.

    The results are the same, to the last bit, with any number of threads.

    Raises:
        FirsthandError: less than one thread.
    """
    if most is not None and most < 1:
        raise FirsthandError(f"threads: found {most}, expected 1 or more")
    native = library()
    if native is not None:
        native.firsthand_limit_threads(ctypes.c_int(most or 0))


@cache
def _load() -> tuple[ctypes.CDLL | None, Status]:
    wanted = os.environ.get("FIRSTHAND_KERNELS", "")
    if wanted not in ("", "native", "plain"):
        raise FirsthandError(f"FIRSTHAND_KERNELS: found {wanted!r}, expected native or plain")
    if wanted == "plain":
        return None, Status("plain", "", "FIRSTHAND_KERNELS=plain")
    try:
        native = _open()
    except _Unavailable as error:
        if wanted == "native":
            raise FirsthandError(f"FIRSTHAND_KERNELS=native, but {error}") from None
        if jax.default_backend() == "cpu":  # an accelerator does not use them
            logging.getLogger("firsthand").warning(
                "training uses plain JAX, which takes two to three times as long on a CPU: %s; "
                "FIRSTHAND_KERNELS=plain asks for it and ends this message",
                error,
            )
        return None, Status("plain", "", str(error))
    name = native.firsthand_instruction_set().decode()
    return native, Status("native", name, "FIRSTHAND_KERNELS=native" if wanted else "the best that runs here")


class _Unavailable(Exception):
    pass


def _open() -> ctypes.CDLL:
    if not _LIBRARY.exists():
        raise _Unavailable(
            "the kernels were not compiled when firsthand was installed: no C++ compiler, or it failed (see pip -v)"
        )
    try:
        native = ctypes.CDLL(str(_LIBRARY))
        native.firsthand_instruction_set.restype = ctypes.c_char_p
        native.firsthand_use_instruction_set.restype = ctypes.c_bool
        if not native.firsthand_instruction_set():
            raise _Unavailable("the kernels need a processor with SSE4.2 (x86-64-v2)")
        # once there is a backend, JAX refuses what it cannot take here and now; before, only when it makes one, fatally
        jax.devices()
        native.firsthand_limit_threads.restype = None
        for target in _TARGETS:
            jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(getattr(native, target)), platform="cpu")
    except (OSError, AttributeError) as error:
        raise _Unavailable(f"the compiled kernels cannot be loaded: {error}") from None
    except Exception as error:  # JAX names no narrower type for a library built against another of its versions
        raise _Unavailable(f"JAX {jax.__version__} refuses the compiled kernels: {error}") from None
    return native
