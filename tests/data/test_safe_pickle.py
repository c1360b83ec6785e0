"""Pickles of arrays are read; everything else in a pickle is refused and never run."""

import contextlib
import gzip
import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from firsthand.data import DataError
from firsthand.data.safe_pickle import load_numpy_pickle


def load(pickled):
    return load_numpy_pickle(io.BytesIO(pickled))


ARRAYS = npst.arrays(
    st.one_of(npst.integer_dtypes(), npst.unsigned_integer_dtypes(), npst.floating_dtypes(), npst.boolean_dtypes()),
    npst.array_shapes(max_dims=3, max_side=4, min_side=0),
)


@given(ARRAYS, st.sampled_from(range(pickle.HIGHEST_PROTOCOL + 1)), st.sampled_from("CF"))
def test_arrays_come_back(array, protocol, order):
    array = np.array(array, order=order)
    found = load(pickle.dumps({"x": [array, (array, None)], "y": "name"}, protocol))
    assert found["y"] == "name"
    assert found["x"][0] is found["x"][1][0]
    assert type(found["x"][0]) is np.ndarray
    assert found["x"][0].dtype == array.dtype
    np.testing.assert_array_equal(found["x"][0], array)


# what Python 2 and NumPy 1 write for ((array([[0, 0.5]], "f4"), array([7])), "caf\xe9"), protocol 2
PYTHON_2 = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
    b"(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x04U\x02f4K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xff"
    b"J\xff\xff\xff\xffK\x00tb\x89U\x08\x00\x00\x00\x00\x00\x00\x00\x3ftb"
    b"h\x01h\x02K\x00\x85U\x01b\x87Rq\x06(K\x01K\x01\x85h\x04U\x02i8K\x00K\x01\x87Rq\x07(K\x03U\x01<NNN"
    b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08\x07\x00\x00\x00\x00\x00\x00\x00tb\x86"
    b"U\x04caf\xe9\x86."
)


@pytest.mark.tiny
def test_python_2_pickle():
    (images, labels), text = load(PYTHON_2)
    assert images.dtype == np.float32
    assert images.tolist() == [[0, 0.5]]
    assert labels.tolist() == [7]
    assert text == "café"


@pytest.mark.tiny
def test_numpys_numbers_come_back():
    """In a list of them, as in the book's own expanded data, from NumPy 1 and 2, Python 2 and 3."""
    numbers = [np.int64(7), np.float32(0.5), np.bool_(True)]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        found = load(pickle.dumps(numbers, protocol))
        assert found == numbers
        assert [value.dtype for value in found] == [value.dtype for value in numbers]
    dtype = b"cnumpy\ndtype\nq\x04U\x02i8K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    assert load(b"\x80\x02cnumpy.core.multiarray\nscalar\n" + dtype + b"U\x08\x07" + 7 * b"\x00" + b"\x86R.") == 7


class Attack:
    """Pickles as a call of the given function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.tiny
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_not_run(tmp_path, protocol):
    proof = tmp_path / "it ran"
    pickled = pickle.dumps((np.zeros(2), Attack(os.system, f"touch '{proof}'")), protocol)
    with pytest.raises(DataError):
        load(pickled)
    assert not proof.exists()
    alone = pickle.dumps(Attack(os.system, f"touch '{proof}'"), protocol)
    with pytest.raises(DataError, match=r"pickle: (posix|nt).system found, NumPy arrays expected"):
        load(alone)
    assert not proof.exists()


@pytest.mark.tiny
@pytest.mark.parametrize(
    "name",
    [
        "builtins\neval",
        "__builtin__\neval",
        "numpy\nload",
        "numpy\nfromfile",
        "numpy\nndarray.tofile",  # dotted: an allowed name leads to another
        "numpy\ndtype.__class__",
        "numpy.core.multiarray\n_reconstruct.__globals__",
        "numpy.core.multiarray\nscalar",
        "numpy.core.multiarray\nfromfile",
        "numpy._core.multiarray\n_vec_string",
        "numpy.testing._private.utils\nrunstring",
        "numpy.ndarray\n__class__",
        "numpy\nndarray ",
        "firsthand.data.safe_pickle\n_Array",
        "collections\nOrderedDict",
        "codecs\nencode",
    ],
)
def test_names_beside_the_allowed_ones(name):
    with pytest.raises(DataError, match=r"found, NumPy arrays expected"):
        load(b"c" + name.encode() + b"\n.")
    # protocol 4 splits dotted names, so it is the one to fool a list of allowed names with
    module, _, attribute = name.partition("\n")
    short = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, attribute))
    with pytest.raises(DataError, match=r"found, NumPy arrays expected"):
        load(b"\x80\x04" + short + b"\x93.")


DTYPE = b"cnumpy\ndtype\n"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (pickle.dumps(np.array([{}, []], object), 2), "dtype 'O8' found, booleans or numbers expected"),
        (pickle.dumps(np.zeros(2, [("a", "O")]), 2), "dtype 'V8' found"),
        (pickle.dumps(np.array(["text"]), 2), "dtype 'U4' found"),
        (pickle.dumps(np.datetime64("2020"), 2), "dtype 'M8' found, booleans or numbers expected"),
        # a number with the fields of a structure, by which a forged dtype would pass bytes off as objects
        (
            DTYPE + b"U\x02f8\x85R(K\x03U\x01<N(U\x01at}(U\x01a(U\x01OK\x00tuK\x08K\x08K\x3ftb.",
            "a structured or unknown dtype found",
        ),
        (DTYPE + b"U\x02f8\x85R(K\x03U\x03junkNNNK\x00K\x00K\x00tb.", "found"),
        (DTYPE + b"U\x03i99\x85R.", "a damaged pickle found"),
        (ARRAY + b".", "an array without contents found"),
        (ARRAY + b"(K\x01K\x01\x85U\x02f8\x89U\x08abcdefghtb.", "str in place of a dtype found"),
        (ARRAY + b"(K\x01K\x63\x85" + DTYPE + b"U\x02f8\x85R\x89U\x08abcdefghtb.", "a damaged pickle found"),
        (b"c_codecs\nencode\n(U\x04textU\x04zlibtR.", "text in 'zlib' found, bytes as latin1 expected"),
        (DTYPE + b".", "type found, NumPy arrays expected"),
        (pickle.dumps({1, 2}), "set found, NumPy arrays expected"),
        (b"Pnowhere\n.", "a damaged pickle found"),
        (b"]q\x00h\x00a.", "a damaged pickle found"),  # a list that holds itself
        (b"", "a damaged pickle found, NumPy arrays expected .Ran out of input."),
        (b"no pickle", "a damaged pickle found"),
        (PYTHON_2[:-20], "a damaged pickle found"),
    ],
)
def test_what_is_no_array_is_refused(pickled, message):
    with pytest.raises(DataError, match=message) as caught:
        load(pickled)
    assert "\n" not in str(caught.value)


@pytest.mark.tiny
@pytest.mark.parametrize("name", ["numpy\ndtype", "numpy.core.multiarray\n_reconstruct", "_codecs\nencode"])
@pytest.mark.parametrize("state", [b"}U\x01aK\x01s", b"N}U\x0c__setstate__K\x01s\x86"])
def test_a_pickle_cannot_change_the_reader(name, state):
    with pytest.raises(DataError):
        load(b"c" + name.encode() + b"\n" + state + b"b.")
    assert load(PYTHON_2)[1] == "café"


@pytest.mark.tiny
def test_a_part_that_recurs_costs_nothing():
    array = np.arange(1000)
    first, second, *_ = load(pickle.dumps([array] * 100))
    assert first is second
    nested = [0]
    for _ in range(100):
        nested = [nested, nested]  # 2**100 numbers for whoever goes through them
    with pytest.raises(DataError, match="lists that hold each other many times found"):
        load(pickle.dumps(nested))


BOMBS = {
    "memo": b"\x80\x02]r\xff\xff\xff\x0f.",
    "memo in words": b"]p4294967295\n.",
    "bytearray": b"\x80\x05\x96\x00\x00\x00\x00\x04\x00\x00\x00.",
    "bytes": b"\x80\x04\x8e\x00\x00\x00\x00\x04\x00\x00\x00.",
    "text": b"\x80\x04\x8d\x00\x00\x00\x00\x04\x00\x00\x00.",
    "frame": b"\x80\x04\x95\x00\x00\x00\x00\x04\x00\x00\x00.",
    "whole number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    # a megabyte of text, as bytes ten thousand times
    "bytes made many times": b"\x80\x02X\x00\x00\x10\x00"
    + b"a" * 2**20
    + b"q\x000]("
    + b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 10_000
    + b"e.",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=list(BOMBS))
def test_bombs_take_no_memory(bomb):
    code = "import resource, sys, io\nfrom firsthand.data.safe_pickle import load_numpy_pickle\n"
    code += "from firsthand.errors import FirsthandError\n"
    code += "taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
    code += "resource.setrlimit(resource.RLIMIT_AS, (taken + 300 * 2**20,) * 2)\n"
    code += "try: print(len(load_numpy_pickle(io.BytesIO(sys.stdin.buffer.read()))))\n"
    code += "except FirsthandError as error: print('refused', error)\n"
    done = subprocess.run([sys.executable, "-c", code], input=bomb, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"10000" if len(bomb) > 2**20 else b"refused"), done.stdout
    assert b"ran out of memory" not in done.stdout.lower()
    assert b"MemoryError" not in done.stdout


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / "mnist.pkl.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(513):
            file.write(bytes(2**20))  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError, match=r"bytes that unpack to more than 536,870,912 found"), gzip.open(path) as packed:
        load_numpy_pickle(packed)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_one_error(content):
    before = set(sys.modules)
    with contextlib.suppress(DataError):
        load(content)
    assert set(sys.modules) == before


@pytest.mark.tiny
def test_the_message_names_the_file(tmp_path):
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(Attack(os.getcwd)))
    with path.open("rb") as file, pytest.raises(DataError, match=r"net.pkl: \w+.getcwd found"):
        load_numpy_pickle(file)
