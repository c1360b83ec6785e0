"""Read a pickle of NumPy arrays without trusting it.

A pickle is a program; the usual unpickler runs it with every importable function at hand. MNIST in the book's
form is such a file. Here a pickle reaches a handful of names, and none of them is NumPy's own code: each is a
small class of this module that checks what it is given and builds a numeric array from plain bytes. (Letting
the pickle fill a real `numpy.dtype` would not do: a forged dtype makes NumPy take bytes for pointers.)

Before it is run, it is gone over step by step: no step may ask for more memory than the file is long, by a length or by
the number under which something is remembered, and nothing is made twice from the same bytes.
"""

from __future__ import annotations

import pickle
import re
import reprlib
import struct
from io import BufferedIOBase, BytesIO
from typing import Any

import numpy as np

from firsthand.errors import reading

from .bounded import read_all
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
    with reading(name, "a damaged pickle found, NumPy arrays expected", DataError):
        data = read_all(file)
        _check_steps(data)
        return _Builder(len(data)).plain(_NumpyUnpickler(BytesIO(data), encoding="latin1").load())


# opcodes with what follows them: a number of bytes, or a length of some bytes and then that many, or lines of text
_FIXED = {b"K": 1, b"M": 2, b"J": 4, b"G": 8, b"h": 1, b"j": 4, b"\x80": 1}
_COUNTED = {
    **{b"U": 1, b"C": 1, b"\x8c": 1, b"\x8a": 1},
    **{b"T": 4, b"B": 4, b"X": 4, b"\x8b": 4},
    **{b"\x8d": 8, b"\x8e": 8, b"\x96": 8},
}
_LINES = {b"I": 1, b"L": 1, b"F": 1, b"S": 1, b"V": 1, b"g": 1, b"c": 2}
_PUTS = {b"q": "<B", b"r": "<I"}
_PLAIN = frozenset(b"(.012NRabdelst}]u)oQ\x81\x85\x86\x87\x88\x89\x93\x94")
_FRAME, _PUT = b"\x95", b"p"
_FEW = 1024  # numbers that a pickler may have skipped


def _check_steps(data: bytearray) -> None:
    """Raise DataError if a step of a pickle asks for more than is there, or is one that arrays have no use for."""
    at, kept, end = 0, 0, len(data)
    while at < end:
        code = bytes(data[at : at + 1])
        at += 1
        number = None
        if code[0] in _PLAIN:
            kept += code == b"\x94"
            if code == b".":
                return
        elif code in _FIXED:
            at += _FIXED[code]
        elif code in _COUNTED:
            width = _COUNTED[code]
            length = int.from_bytes(data[at : at + width], "little")
            at += width + length
        elif code in _LINES:
            for _ in range(_LINES[code]):
                at = data.index(b"\n", at) + 1
        elif code in _PUTS:
            (number,) = struct.unpack_from(_PUTS[code], data, at)
            at += struct.calcsize(_PUTS[code])
        elif code == _PUT:
            line = data.index(b"\n", at)
            number, at = int(data[at:line]), line + 1
        elif code == _FRAME:
            length = int.from_bytes(data[at : at + 8], "little")
            at += 8
            if length > end - at:
                raise DataError(f"a damaged pickle found (a frame of {length:,} bytes), NumPy arrays expected")
        elif code in b"\x8f\x90\x91":
            raise DataError("set found, NumPy arrays expected")
        else:
            raise DataError(f"a damaged pickle found (step {code!r}), NumPy arrays expected")
        if number is not None:
            kept += 1
            if number > 2 * kept + _FEW:
                raise DataError(f"a damaged pickle found (number {number:,} of {kept:,}), NumPy arrays expected")
        if at > end:
            raise DataError("a damaged pickle found (pickle data was truncated), NumPy arrays expected")


class _StandIn:
    """The stand-in for a name in the pickle. Its state comes from the pickle, so it is checked."""

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

    parts: tuple[Any, Any, Any, Any] | None = None

    def __init__(self, *_: Any) -> None:
        pass  # the arguments make an empty array; the state brings the true ones

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, data = state
        self.parts = data, dtype, shape, "F" if is_fortran else "C"


class _ArrayFromBuffer(_StandIn):
    """numpy.ndarray in pickles of protocol 5: `_frombuffer(data, dtype, shape, order)`."""

    def __init__(self, data: Any, dtype: Any, shape: Any, order: Any) -> None:
        self.parts = data, dtype, shape, order


class _Scalar(_StandIn):
    """A number of NumPy's: `scalar(dtype, bytes)`."""

    def __init__(self, dtype: Any, data: Any) -> None:
        self.parts = data, dtype, (), "C"


class _Latin1(_StandIn):
    """Bytes in older protocols that Python 3 wrote: `_codecs.encode("...", "latin1")`, or `bytes()`."""

    def __init__(self, text: Any = "", encoding: Any = "latin1") -> None:
        if encoding != "latin1":
            raise DataError(f"text in {encoding!r} found, bytes as latin1 expected")
        self.text = text


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


class _Builder:
    """Puts arrays in the place of their stand-ins, once for each object, however often it occurs.

    Args:
        length: of the pickle; what is built from it may not have many more parts than it has bytes, which lists that
            hold each other twice would.
    """

    def __init__(self, length: int) -> None:
        self.most = 10 * length
        self.done: dict[int, tuple[Any, int]] = {}
        self.encoded: dict[int, bytes] = {}

    def plain(self, value: Any) -> Any:
        """The value without stand-ins."""
        return self._built(value)[0]

    def _built(self, value: Any) -> tuple[Any, int]:
        if id(value) in self.done:
            return self.done[id(value)]
        parts = 1
        match value:
            case _Array() | _ArrayFromBuffer():
                if value.parts is None:
                    raise DataError("an array without contents found, its shape and bytes expected")
                plain = self._array(*value.parts)
            case _Scalar():
                plain = self._array(*value.parts)[()]
            case _Dtype():
                plain = value.dtype
            case _Latin1():
                plain = self._bytes(value.text)
            case tuple() | list():
                built = [self._built(part) for part in value]
                plain, parts = type(value)(part for part, _ in built), 1 + sum(size for _, size in built)
            case dict():
                built = [(self._built(key), self._built(part)) for key, part in value.items()]
                plain = {key: part for (key, _), (part, _) in built}
                parts = 1 + sum(one + other for (_, one), (_, other) in built)
            case None | bool() | int() | float() | complex() | str() | bytes() | bytearray():
                plain = value
            case _:
                raise DataError(f"{type(value).__name__} found, NumPy arrays expected")
        if parts > self.most:
            raise DataError("lists that hold each other many times found, NumPy arrays expected")
        self.done[id(value)] = plain, parts
        return plain, parts

    def _bytes(self, text: Any) -> bytes:
        """A str of Python 2 as its bytes; of one that occurs many times, the same ones."""
        if id(text) not in self.encoded:
            self.encoded[id(text)] = text.encode("latin1")
        return self.encoded[id(text)]

    def _array(self, data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
        if not isinstance(dtype, _Dtype):
            raise DataError(f"{type(dtype).__name__} in place of a dtype found, booleans or numbers expected")
        if isinstance(data, str):
            data = self._bytes(data)
        elif isinstance(data, _Latin1):
            data = self._bytes(data.text)
        return np.frombuffer(data, dtype.dtype).reshape(shape, order=order)
