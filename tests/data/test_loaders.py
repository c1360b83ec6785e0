"""IDX, .npz and folders of pictures: what was written comes back; what is damaged is named."""

import gzip
import io
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from firsthand.data import DataError, load, load_idx, load_image, load_image_folder, load_npz

# a highest value of 1 means black and white
IMAGES = npst.arrays(np.uint8, npst.array_shapes(min_dims=3, max_dims=3, max_side=5)).filter(lambda a: a.max() != 1)


def idx(array):
    """The bytes of an IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def one_line(caught):
    return "\n" not in str(caught.value)


@pytest.fixture
def digits():
    """Three images of 4 x 3 pixels and their labels."""
    return np.arange(36, dtype=np.uint8).reshape(3, 4, 3), np.array([1, 0, 2], np.uint8)


@pytest.fixture
def idx_files(tmp_path, digits):
    """A pair of IDX files, named like those of MNIST."""
    paths = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    for path, array in zip(paths, digits, strict=True):
        path.write_bytes(idx(array))
    return paths


@given(images=IMAGES, compress=st.booleans())
def test_idx_comes_back(tmp_path_factory, images, compress):
    folder = tmp_path_factory.mktemp("idx")
    labels = np.arange(len(images))[::-1]
    for name, array in (("images", images), ("labels", labels)):
        (folder / name).write_bytes(gzip.compress(idx(array), 1) if compress else idx(array))
    data = load_idx(folder / "images", folder / "labels")
    assert (data.images[..., 0] == images).all()
    assert data.labels.tolist() == labels.tolist()
    assert data.classes == tuple(str(label) for label in range(len(images)))


@pytest.mark.tiny
def test_load_finds_the_labels_of_idx_images(idx_files, digits):
    images_path, labels_path = idx_files
    assert load(images_path).labels.tolist() == digits[1].tolist()
    labels_path.unlink()
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte: no readable file found .No such file"):
        load(images_path)


@pytest.mark.tiny
def test_idx_classes(idx_files):
    assert load_idx(*idx_files, classes=["a", "b", "c", "d"]).class_counts().tolist() == [1, 1, 1, 0]
    with pytest.raises(DataError, match=r"images-.* and .*labels-.*: labels: 2 found at index 2 .*, 0 to 1 expected"):
        load_idx(*idx_files, classes=["a", "b"])


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda good: good[:-1], "35 bytes found after the IDX header, 3 x 4 x 3 expected"),
        (lambda good: good + b"?", "more than 36 bytes found after the IDX header, 3 x 4 x 3 expected"),
        (lambda good: good[:10], "an IDX header of 10 bytes found, 16 expected"),
        (lambda good: b"", r"first bytes b'' found, an IDX file \(00 00 ...\) expected"),
        (lambda good: b"\x89PNG" + good, r"first bytes b'\\x89PNG' found, an IDX file"),
        (
            lambda good: b"\0\0\x0d\3" + good[4:],
            r"IDX elements of type 0x0d found, unsigned bytes \(0x08\) expected",
        ),
        (lambda good: idx(np.zeros(3)), "an IDX file of 1 dimensions found, 3 expected"),
        (
            lambda good: idx(np.zeros((0, 4, 3))),
            "an IDX file of 0 x 4 x 3 elements found, at least one expected",
        ),
        (
            lambda good: good[:4] + b"\xff" * 12 + good[16:],
            "36 bytes found after .*, 4294967295 x 4294967295 x 4294967295",
        ),
        (lambda good: gzip.compress(good)[:-9], "a damaged gzip file found .*, a whole one expected"),
        (lambda good: gzip.compress(good)[:20], "a damaged gzip file found"),
        (
            lambda good: gzip.compress(good)[:-6] + b"??" + gzip.compress(good)[-4:],
            "a damaged gzip file found",
        ),
        (lambda good: b"\x1f\x8b\x08\0" + good, "a damaged gzip file found"),
    ],
)
def test_damaged_idx(idx_files, digits, damage, message):
    images_path, labels_path = idx_files
    images_path.write_bytes(damage(idx(digits[0])))
    with pytest.raises(DataError, match=rf"train-images-idx3-ubyte: {message}") as caught:
        load_idx(images_path, labels_path)
    assert one_line(caught)


@pytest.mark.tiny
def test_idx_files_that_do_not_belong_together(idx_files):
    images_path, labels_path = idx_files
    with pytest.raises(DataError, match=r"labels-idx1-ubyte: an IDX file of 1 dimensions found, 3 expected"):
        load_idx(labels_path, images_path)
    labels_path.write_bytes(idx(np.zeros(5)))
    with pytest.raises(DataError, match=r"images-.* and .*labels-.*: labels: 5 found for 3 images"):
        load_idx(images_path, labels_path)


@given(images=IMAGES, compress=st.booleans(), channel=st.booleans())
def test_npz_comes_back(tmp_path_factory, images, compress, channel):
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    labels = np.arange(len(images))
    classes = np.array([f"class {label}" for label in labels])
    save = np.savez_compressed if compress else np.savez
    save(path, images=images[..., np.newaxis] if channel else images, labels=labels, classes=classes)
    data = load(path)
    assert (data.images[..., 0] == images).all()
    assert data.labels.tolist() == labels.tolist()
    assert data.classes == tuple(classes)


@pytest.mark.tiny
def test_npz_names(tmp_path, digits):
    images, labels = digits
    path = tmp_path / "data.npz"
    np.savez(path, x=images, y=labels)
    assert len(load_npz(path)) == 3
    np.savez(path, x_train=images, y_train=labels, x_test=images[:1], y_test=labels[:1])
    assert len(load_npz(path, part="train")) == 3
    assert len(load_npz(path, part="test", classes="abc")) == 1
    assert len(load_npz(path)) == 3
    with pytest.raises(DataError, match=r"found, images_validation and labels_validation or x_.* expected$"):
        load_npz(path, part="valid")


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.full((2, 4, 4), -0.5), "labels": [0, 1]}, "images: values from -0.5 to -0.5 found, 0 to 1 or"),
        ({"images": np.full((2, 4, 4), np.nan), "labels": [0, 1]}, "images: 32 values are NaN, 0 to 1"),
        ({"images": np.full((2, 4, 4), 256), "labels": [0, 1]}, "images: values from 256 to 256 found"),
        ({"images": np.zeros((2, 4, 4)), "labels": [0, 0.5]}, "labels: 0.5 found, whole numbers expected"),
        ({"images": np.zeros((2, 15), np.uint8), "labels": [0, 1]}, r"images: shape \(2, 15\) found"),
        (
            {"images": np.zeros((2, 4, 4), np.uint8), "labels": [[1, 0], [1, 1]]},
            r"labels: shape \(2, 2\) found, one class for each image expected",
        ),
        ({"images": np.zeros((0, 4, 4), np.uint8), "labels": np.zeros(0, int)}, "images: shape .* found"),
        (
            {"images": np.zeros((2, 4, 4), np.uint8), "labels": [0, 10**12]},
            "labels: 1000000000000 found at index 1",
        ),
        (
            {"images": np.zeros((2, 4, 4), np.uint8), "labels": np.array([None, None])},
            "an array of objects found",
        ),
        (
            {"images": np.zeros((2, 4, 4), np.uint8)},
            "arrays images found, images and labels or x and y expected",
        ),
        ({}, "arrays none found"),
    ],
)
def test_npz_with_other_arrays(tmp_path, arrays, message):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=f"data.npz: {message}") as caught:
        load(path)
    assert one_line(caught)


@pytest.mark.tiny
def test_damaged_npz(tmp_path, digits):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, images=np.random.default_rng(1).integers(0, 256, (9, 9, 9), np.uint8), labels=[0] * 9)
    good = path.read_bytes()
    np.save(tmp_path / "one.npy", digits[0])
    for bad in (
        b"",
        b"not at all",
        good[:200],
        good[:150] + b"????" + good[154:],
        (tmp_path / "one.npy").read_bytes(),
    ):
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"data.npz: .* found") as caught:
            load_npz(path)
        assert one_line(caught)


@pytest.mark.tiny
def test_npz_that_claims_to_be_huge(tmp_path):
    path = tmp_path / "data.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**17, 1, 1)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header.getvalue())
        archive.writestr("labels.npy", header.getvalue())
    with pytest.raises(DataError, match=r"data.npz: an array of 100,000,000,000,000,000 bytes by its header"):
        load(path)


@pytest.mark.tiny
def test_load_of_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("no data")
    with pytest.raises(DataError, match=r"notes.txt: a file of unknown kind found, a folder of pictures with"):
        load(tmp_path / "notes.txt")
    with pytest.raises(DataError, match=r"nowhere: nothing found"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"nowhere.npz: no readable .npz file found .No such file"):
        load_npz(tmp_path / "nowhere.npz")
    with pytest.raises(DataError, match=r"an empty name found"):
        load("")


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
    return path


@pytest.mark.tiny
def test_folder_of_pictures(tmp_path):
    for name, grey in (("b/2.png", 20), ("b/1.bmp", 10), ("a/x.png", 30), ("b/3.pgm", 40)):
        save(tmp_path / name, np.full((3, 2), grey))
    (tmp_path / "b" / ".hidden").write_text("no picture")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.txt").write_text("beside the classes")
    data = load(tmp_path)
    assert data.classes == ("a", "b")
    assert data.images[:, 0, 0, 0].tolist() == [30, 10, 20, 40]
    assert data.labels.tolist() == [0, 1, 1, 1]
    assert data.image_shape == (3, 2, 1)


@pytest.mark.tiny
def test_folder_that_cannot_be_used(tmp_path):
    with pytest.raises(DataError, match=r"no folders found, one folder of pictures per class expected"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"nowhere: no readable folder found .No such file"):
        load_image_folder(tmp_path / "nowhere")
    save(tmp_path / "a" / "1.png", np.zeros((3, 2)))
    (tmp_path / "b").mkdir()
    with pytest.raises(DataError, match=r"b: no pictures found, at least one per class expected"):
        load(tmp_path)
    save(tmp_path / "b" / "2.png", np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"b.2.png: 2 x 3 pixels found, 3 x 2 expected as in .*a.1.png") as caught:
        load(tmp_path)
    assert one_line(caught)
    assert load(tmp_path, size=(4, 4)).image_shape == (4, 4, 1)
    (tmp_path / "b" / "notes.png").write_text("no picture")
    with pytest.raises(DataError, match=r"b.notes.png: no picture found, one of PNG, .* expected"):
        load(tmp_path, size=(4, 4))


@given(st.binary(max_size=300), st.sampled_from(["x.png", "x.npz", "x-images-idx3-ubyte"]))
def test_any_bytes_give_one_error(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_image(path, (28, 28, 1)) if name == "x.png" else load(path)
    assert one_line(caught)
    assert name in str(caught.value)


@pytest.mark.parametrize("path", [None, 7, True, b"x", np.zeros(3)])
def test_what_is_no_path_is_one_line(path):
    with pytest.raises(DataError, match=f"path: {type(path).__name__} found, a folder of pictures"):
        load(path)


def test_a_number_is_no_open_file():
    """Python's open would read descriptor 1, and close it for the whole process."""
    with pytest.raises(DataError, match="1: a number found, a path expected"):
        load_npz(1)  # type: ignore[arg-type]
    assert os.fstat(1)
