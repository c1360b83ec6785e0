"""Read a pickle of NumPy arrays without trusting it.

A pickle is a program; the usual unpickler runs it with every importable function at hand. MNIST in the book's
form is such a file. Here a pickle reaches a handful of names, and none of them is NumPy's own code: each is a
small class of this module that checks what it is given and builds a numeric array from plain bytes. (Letting
the pickle fill a real `numpy.dtype` would not do: a forged dtype makes NumPy take bytes for pointers.)
"""

from __future__ import annotations

import pickle
import re
import reprlib
from io import BufferedIOBase
from typing import Any

import numpy as np

from .examples import DataError

__all__ = ["load_numpy_pickle"]


def load_numpy_pickle(file: BufferedIOBase) -> Any:
    """Read arrays in plain containers from a pickle, of Python 2 or 3; nothing in it is executed.

    Args:
        file: open for reading bytes, unpacked already (`gzip.open(path)` for a .gz file).

    Returns:
        What was pickled: NumPy arrays of booleans or numbers (read-only ones), str, bytes, numbers and None,
        in tuples, lists and dicts. The str of Python 2 is decoded as Latin-1.

    Raises:
        DataError: a damaged pickle, or one that holds anything else, named in the message.

    Examples:
        >>> import io
        >>> pickled = pickle.dumps((np.arange(3), "labels"))
        >>> load_numpy_pickle(io.BytesIO(pickled))
        (array([0, 1, 2]), 'labels')
    """
    name = getattr(file, "name", None) or "pickle"
    try:
        return _plain(_NumpyUnpickler(file, encoding="latin1").load(), {})
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except Exception as error:  # the pickle module promises no narrower list for a damaged file
        reason = str(error) or type(error).__name__
        raise DataError(f"{name}: a damaged pickle found ({reason}), NumPy arrays expected") from error


class _StandIn:
    """What a name in the pickle stands for. Its state comes from the pickle, so it is checked."""

    def __setstate__(self, state: Any) -> None:
        # Defined on every stand-in: without it a pickle could set attributes of the class itself.
        raise DataError(f"state for {type(self).__name__} found, none expected")


class _Dtype(_StandIn):
    """numpy.dtype, for booleans and numbers only: `dtype("f4", False, True)`, then its byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[biufc][0-9]{1,2}", code):
            raise DataError(f"dtype {reprlib.repr(code)} found, booleans or numbers expected")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        _, byte_order, *fields = state
        if byte_order not in ("<", ">", "=", "|") or any(field is not None for field in fields[:3]):
            raise DataError("a structured or unknown dtype found, booleans or numbers expected")
        if byte_order in "<>":
            self.dtype = self.dtype.newbyteorder(byte_order)


class _Array(_StandIn):
    """numpy.ndarray: `_reconstruct(ndarray, (0,), b"b")`, then shape, dtype, order and bytes as its state."""

    array: np.ndarray | None = None

    def __init__(self, *_: Any) -> None:
        pass  # the arguments make an empty array; the state brings the true ones

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, data = state
        self.array = _array(data, dtype, shape, "F" if is_fortran else "C")


class _ArrayFromBuffer(_StandIn):
    """numpy.ndarray in pickles of protocol 5: `_frombuffer(data, dtype, shape, order)`."""

    def __init__(self, data: Any, dtype: Any, shape: Any, order: Any) -> None:
        self.array = _array(data, dtype, shape, order)


class _Scalar(_StandIn):
    """A number of NumPy's: `scalar(dtype, bytes)`."""

    def __init__(self, dtype: Any, data: Any) -> None:
        self.value = _array(data, dtype, (), "C")[()]


class _Latin1(_StandIn, bytes):
    """Bytes in older protocols that Python 3 wrote: `_codecs.encode("...", "latin1")`, or `bytes()`."""

    def __new__(cls, text: Any = "", encoding: Any = "latin1") -> _Latin1:
        if encoding != "latin1":
            raise DataError(f"text in {encoding!r} found, bytes as latin1 expected")
        return super().__new__(cls, text.encode("latin1"))


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): "numpy.ndarray",  # only ever an argument
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("numpy._core.multiarray", "scalar"): _Scalar,
    ("numpy.core.numeric", "_frombuffer"): _ArrayFromBuffer,
    ("numpy._core.numeric", "_frombuffer"): _ArrayFromBuffer,
    ("_codecs", "encode"): _Latin1,
    ("__builtin__", "bytes"): _Latin1,
}


class _NumpyUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _STAND_INS[module_name, global_name]
        except KeyError:
            raise DataError(f"{module_name}.{global_name} found, NumPy arrays expected") from None


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    """Build an array from the bytes that a pickle holds."""
    if not isinstance(dtype, _Dtype):
        raise DataError(f"{type(dtype).__name__} in place of a dtype found, booleans or numbers expected")
    if isinstance(data, str):  # a str of Python 2
        data = data.encode("latin1")
    return np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """Put the arrays in the place of their stand-ins, once for each object, however often it occurs."""
    if id(value) in done:
        return done[id(value)]
    match value:
        case _Array() | _ArrayFromBuffer():
            plain = value.array
            if plain is None:
                raise DataError("an array without contents found, its shape and bytes expected")
        case _Dtype():
            plain = value.dtype
        case _Scalar():
            plain = value.value
        case _Latin1():
            plain = bytes(value)
        case tuple() | list():
            plain = type(value)(_plain(part, done) for part in value)
        case dict():
            plain = {_plain(key, done): _plain(part, done) for key, part in value.items()}
        case None | bool() | int() | float() | complex() | str() | bytes() | bytearray():
            plain = value
        case _:
            raise DataError(f"{type(value).__name__} found, NumPy arrays expected")
    done[id(value)] = plain
    return plain
