"""Dataset: checks, slices, splits, digest. MNIST in the box, and the script that made it."""

import hashlib
import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firsthand.data import DataError, Dataset, mnist
from firsthand.data.mnist import BOX, read_box
from firsthand.errors import FirsthandError

ROOT = Path(__file__).parents[2]


def numbered(n, classes=("even", "odd")):
    """A data set in which the pixels of image i spell i."""
    images = np.arange(n, dtype=">u4").view(np.uint8).reshape(n, 2, 2, 1)
    return Dataset(images, np.arange(n) % len(classes), classes)


def numbers(data):
    """The numbers of the images of a data set that came out of `numbered`."""
    return data.images.reshape(-1, 4).view(">u4").ravel().tolist()


@pytest.mark.tiny
def test_dataset_knows_its_sizes():
    data = numbered(5)
    assert len(data) == 5
    assert data.image_shape == (2, 2, 1)
    assert data.num_classes == 2
    assert data.class_counts().tolist() == [3, 2]
    assert repr(data) == "Dataset(5 images of 2x2x1, 2 classes)"
    assert data.labels.dtype == np.int32


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 4, 4, 1))}, r"images: dtype float64 found, uint8 \(0 to 255\) expected"),
        (
            {"images": np.zeros((2, 4, 4), np.uint8)},
            r"images: shape \(2, 4, 4\) found, \(n, height, width, ch",
        ),
        ({"images": np.zeros((0, 4, 4, 1), np.uint8), "labels": np.zeros(0, int)}, "at least one image"),
        ({"images": np.zeros((2, 4, 0, 1), np.uint8)}, "at least one image and one pixel expected"),
        ({"labels": np.zeros(3, int)}, "labels: 3 found for 2 images, one each expected"),
        ({"labels": np.array([0, 2])}, "labels: 2 found at index 1 .1 such., 0 to 1 expected for 2 classes"),
        ({"labels": np.array([-1, 0])}, "labels: -1 found at index 0"),
        (
            {"labels": np.array([0.0, 1.0])},
            r"labels: float64 of shape \(2,\) found, integers \(n,\) expected",
        ),
        ({"labels": np.eye(2, dtype=int)}, r"labels: int64 of shape \(2, 2\) found"),
        ({"labels": np.array([True, False])}, "labels: bool"),
        ({"labels": np.array([2**32, 0])}, "labels: 4294967296 found at index 0"),
        ({"classes": ()}, r"classes: \(\) found, at least one name expected"),
        ({"classes": ("a", "b", "a")}, "classes: 'a' found 2 times, distinct names expected"),
        ({"classes": (0, 1)}, "classes: .* found, at least one name expected"),
    ],
)
def test_bad_data_are_refused_in_one_line(change, message):
    good = {"images": np.zeros((2, 4, 4, 1), np.uint8), "labels": np.array([0, 1]), "classes": ("a", "b")}
    with pytest.raises(DataError, match=message) as caught:
        Dataset(**good | change)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, FirsthandError)


@pytest.mark.tiny
def test_dataset_cannot_change():
    images, labels = np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 1], np.int32)
    data = Dataset(images, labels, ("a", "b"))
    images[:], labels[:] = 9, 1  # the arrays of the caller stay the caller's
    assert data.images.max() == 0
    assert data.labels.tolist() == [0, 1]
    for array in (data.images, data.labels, data[:1].images, data[[1]].images, (data + data).labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.tiny
def test_slices_are_views():
    data = numbered(10)
    assert np.shares_memory(data[2:4].images, data.images)
    assert np.shares_memory(data[::2].labels, data.labels)


@pytest.mark.tiny
def test_index_of_each_kind():
    data = numbered(10)
    assert numbers(data[7:]) == [7, 8, 9]
    assert numbers(data[::-3]) == [9, 6, 3, 0]
    assert numbers(data[np.array([3, 3, 1])]) == [3, 3, 1]
    assert numbers(data[[2, -1]]) == [2, 9]
    assert numbers(data[data.labels == 1]) == [1, 3, 5, 7, 9]
    image, label = data[np.int64(7)]
    assert (image == data.images[7]).all()
    assert label == 1
    assert type(label) is int
    assert [label for _, label in data] == data.labels.tolist()


@pytest.mark.tiny
@pytest.mark.parametrize("index", [(1, 2), None, True, 1.5, [[1, 2]], [], "a"])
def test_other_indices_are_refused(index):
    with pytest.raises(IndexError, match=r"index: .* found, an integer, a slice, or a 1-D array"):
        numbered(5)[index]


@pytest.mark.tiny
def test_index_out_of_range():
    for index in (5, -6, [5]):
        with pytest.raises(IndexError, match="out of bounds"):
            numbered(5)[index]
    with pytest.raises(DataError, match="at least one image"):
        numbered(5)[5:]


@given(st.integers(2, 60), st.data())
def test_concatenation_undoes_slicing(n, draw):
    data = numbered(n)
    cut = draw.draw(st.integers(1, n - 1))
    whole = data[:cut] + data[cut:]
    assert whole.digest == data.digest
    assert (whole.images == data.images).all()


@pytest.mark.tiny
def test_concatenation_of_unlike_data():
    data = numbered(4)
    with pytest.raises(DataError, match=r"classes: \('a', 'b'\) found in the data set added, \('even', 'odd'\)"):
        _ = data + numbered(4, ("a", "b"))
    wide = Dataset(np.zeros((1, 2, 3, 1), np.uint8), np.array([0]), data.classes)
    with pytest.raises(DataError, match=r"image_shape: \(2, 3, 1\) found in the data set added, \(2, 2, 1\)"):
        _ = data + wide
    with pytest.raises(TypeError):
        _ = data + 1  # pyright: ignore[reportOperatorIssue]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(0, 2**32))
def test_split_by_sizes_partitions(sizes, seed):
    data = numbered(sum(sizes))
    parts = data.split(*sizes, seed=seed)
    assert [len(part) for part in parts] == sizes
    assert sorted(number for part in parts for number in numbers(part)) == list(range(len(data)))
    for part in parts:  # images keep their labels
        assert part.labels.tolist() == [number % 2 for number in numbers(part)]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.integers(100, 200))
def test_split_by_fractions_partitions(shares, n):
    fractions = [share / sum(shares) for share in shares]
    data = numbered(n)
    parts = data.split(*fractions, seed=1)
    assert sorted(number for part in parts for number in numbers(part)) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * n) <= 1


@pytest.mark.tiny
def test_split_depends_on_its_seed_alone():
    data = numbered(100)
    first, again, other = (data.split(50, 50, seed=seed)[0] for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest


@pytest.mark.tiny
@pytest.mark.parametrize("parts", [(), (5, 4), (0.5, 0.6), (1.0, 9), (float("nan"),), (11, -1), (10, 0), (0.01, 0.99)])
def test_split_that_does_not_add_up(parts):
    with pytest.raises(DataError, match=r"parts: .* found, .* expected"):
        numbered(10).split(*parts, seed=1)


@pytest.mark.tiny
def test_digest_is_of_content_alone():
    data = numbered(6)
    assert len(data.digest) == 64
    assert data.digest == numbered(6).digest == data[:].digest == data[::-1][::-1].digest
    assert data[:3].digest != data[3:].digest
    relabelled = Dataset(data.images, 1 - data.labels, data.classes)
    reshaped = Dataset(data.images.reshape(6, 4, 1, 1), data.labels, data.classes)
    assert len({data.digest, relabelled.digest, reshaped.digest}) == 3


@pytest.mark.tiny
def test_mnist_is_in_the_box():
    train, validation, test = mnist()
    assert [len(part) for part in (train, validation, test)] == [50_000, 10_000, 10_000]
    assert test.class_counts().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.image_shape == (28, 28, 1)
    assert train.classes == tuple("0123456789")
    # the first images of the published files
    assert train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert test.labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    assert train.images.max() == 255
    assert not train.images[:, 0].mean() > 1  # a dark ground
    assert np.shares_memory(train.images, test.images.base)
    assert mnist() is mnist()


def test_mnist_is_the_published_one():
    # Written as the IDX files of yann.lecun.com, unpacked, it has their MD5.
    train, validation, test = mnist()
    published = train + validation

    def md5(array):
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        return hashlib.md5(header + array.astype(np.uint8).tobytes()).hexdigest()

    assert md5(published.images[..., 0]) == "6bbc9ace898e44ae57da46a324031adb"
    assert md5(published.labels) == "a25bea736e30d166cdddb491f175f624"
    assert md5(test.images[..., 0]) == "2646ac647ad5339dbf082846283269ea"
    assert md5(test.labels) == "27ae3e4e09519cfbb04c329615203637"


def test_a_damaged_box_says_so(tmp_path):
    box = tmp_path / "mnist.npz"
    with pytest.raises(DataError, match=r"mnist.npz: .*No such file.*; .* reinstall firsthand"):
        read_box(box)
    content = bytearray(BOX.read_bytes())
    for damaged in (content[: len(content) // 2], content[:5_000_000] + b"?" + content[5_000_001:], b""):
        box.write_bytes(damaged)
        with pytest.raises(DataError, match=r"mnist.npz: .*; MNIST comes with the package: reinstall") as caught:
            read_box(box)
        assert "\n" not in str(caught.value)


def test_a_box_with_other_images_says_so(tmp_path):
    box = tmp_path / "mnist.npz"
    with np.load(BOX) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    images[60_000, 0, 0] += 1
    np.savez(box, images=images, labels=labels)
    with pytest.raises(DataError, match=r"test images with SHA-256 .* found, 8e4f653f.* expected"):
        read_box(box)
    np.savez(box, images=images[:60_000], labels=labels[:60_000])
    with pytest.raises(DataError, match="at least one image"):
        read_box(box)


@pytest.fixture(scope="module")
def build_mnist():
    spec = importlib.util.spec_from_file_location("build_mnist", ROOT / "tools" / "box" / "build_mnist.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_build_script_refuses_another_file(build_mnist):
    with pytest.raises(DataError, match=r"mnist.pkl.gz: SHA-256 .* found, f11bb9e4.* expected"):
        build_mnist.decode(b"another file")


def test_build_script_writes_what_loads(build_mnist, tmp_path):
    arrays = {"images": np.arange(8, dtype=np.uint8).reshape(2, 2, 2), "labels": np.arange(2)}
    content = build_mnist.npz(**arrays)
    assert content == build_mnist.npz(**arrays)
    (tmp_path / "box.npz").write_bytes(content)
    with np.load(tmp_path / "box.npz") as found:
        assert all((found[name] == array).all() for name, array in arrays.items())
