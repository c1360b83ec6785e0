"""The files that people have: what they hold, whatever form it comes in."""

import csv
import gzip
import io
import logging
import re
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from firsthand.data import DataError, downloads, load, load_csv, load_image_folder, load_splits, mnist
from firsthand.data.loaders import load_parts

N = 40
IMAGES, LABELS = mnist().train.images[:N], mnist().train.labels[:N]
FLAT = IMAGES.reshape(N, 784)


def same(data, n=N):
    assert data.digest == mnist().train[:n].digest
    return True


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES[..., 0], LABELS),
        (FLAT, LABELS[:, None]),
        (IMAGES.transpose(0, 3, 1, 2), LABELS.astype(np.float64)),
        (IMAGES / np.float32(255), LABELS.astype(np.uint8)),
        (FLAT.astype(np.float64), LABELS.astype(str)),
        (FLAT.astype(np.int64), LABELS.astype(np.int64)),
        ((FLAT / 255).astype(np.float16), LABELS),
        (FLAT, LABELS[None]),
        (FLAT, np.eye(10)[LABELS]),
        (FLAT, np.eye(10, dtype=np.uint8)[LABELS]),
    ],
    ids=["plain", "flat", "NCHW", "0..1", "0..255", "int64", "half", "row", "one-hot", "one-hot bytes"],
)
def test_arrays_in_any_form(tmp_path, images, labels):
    np.savez(tmp_path / "one.npz", images=images, labels=labels)
    assert same(load(tmp_path / "one.npz"))
    np.save(tmp_path / "X_train.npy", images)
    np.save(tmp_path / "y_train.npy", labels)
    assert same(load(tmp_path / "X_train.npy"))
    assert same(load(tmp_path)) if not list(tmp_path.glob("*/")) else True


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool, np.float32])
def test_black_and_white_as_0_and_1(tmp_path, dtype):
    np.savez(tmp_path / "bits.npz", images=(IMAGES > 127).astype(dtype), labels=LABELS)
    np.testing.assert_array_equal(load(tmp_path / "bits.npz").images, np.where(IMAGES > 127, 255, 0))


def test_arrays_are_brought_to_the_size_and_the_ground_asked_for(tmp_path, caplog):
    folder(tmp_path / "pictures")
    expected = load(tmp_path / "pictures", (14, 14), True)
    order = np.argsort(LABELS.astype("U") + np.array([f"{i}.png" for i in range(N)]).astype("U4"), kind="stable")
    images, labels = IMAGES[order], LABELS[order]
    np.savez(tmp_path / "one.npz", x=images, y=labels)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", labels)
    (tmp_path / "t.csv").write_text(table(["label", *PIXELS], np.column_stack([labels, images.reshape(N, 784)])))
    for name in ("one.npz", "x.npy", "t.csv"):
        with caplog.at_level(logging.INFO, "firsthand"):
            found = load(tmp_path / name, (14, 14), True)
        np.testing.assert_array_equal(found.images[..., 0].sum((1, 2)), expected.images[..., 0].sum((1, 2)))
        assert f"{name}: {N} images of 28 x 28 pixels brought to 14 x 14" in caplog.text
        np.testing.assert_array_equal(load(tmp_path / name, None, True).images, 255 - load(tmp_path / name).images)
        assert load(tmp_path / name, None, None).digest == load(tmp_path / name).digest
    colour = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "c.npz", x=colour, y=np.arange(5))
    assert load(tmp_path / "c.npz", (4, 6)).image_shape == (4, 6, 3)


@pytest.mark.parametrize("size", [(-3, 4), (0, 0), 14, (14,), (14.0, 14), "14"])
def test_a_size_is_height_and_width(tmp_path, size):
    np.savez(tmp_path / "one.npz", x=IMAGES, y=LABELS)
    with pytest.raises(DataError, match=r"size: .* found, \(height, width\) in pixels expected"):
        load(tmp_path / "one.npz", size)


def test_parts_of_other_sizes_and_too_few_examples_are_one_line(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:, :14], y_test=LABELS)
    with pytest.raises(
        DataError, match=r"d.npz: test images of shape \(14, 28, 1\) found, \(28, 28, 1\) expected as in"
    ):
        load_splits(tmp_path / "d.npz")
    np.savez(tmp_path / "few.npz", x=IMAGES[:3], y=LABELS[:3])
    with pytest.raises(
        DataError, match=r"few.npz: parts: .* of 3 examples found, enough for one in each part expected"
    ):
        load_splits(tmp_path / "few.npz")
    np.savez(tmp_path / "none.npz", x=np.array(3), y=np.array(1))
    with pytest.raises(DataError, match=r"none.npz: images: shape \(\) found"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize("labels", [np.ones((N, 3), int), np.zeros((N, 3)), np.full((N, 3), 0.5)])
def test_several_classes_of_an_image_are_refused(tmp_path, labels):
    np.savez(tmp_path / "one.npz", images=FLAT, labels=labels)
    with pytest.raises(DataError, match=r"labels: shape \(\d+, 3\) found, one class for each image expected"):
        load(tmp_path / "one.npz")


def test_arrays_that_were_saved_without_names(tmp_path):
    np.savez(tmp_path / "two.npz", FLAT, LABELS)
    assert same(load(tmp_path / "two.npz"))
    np.savez(tmp_path / "four.npz", FLAT, LABELS, FLAT[:9], LABELS[:9])
    parts = load_parts(tmp_path / "four.npz")
    assert [len(part) for part in parts.values()] == [N, 9]
    assert list(parts) == ["train", "test"]


def test_colour_keeps_its_channels(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "c.npz", x=colour, y=np.arange(5))
    np.testing.assert_array_equal(load(tmp_path / "c.npz").images, colour.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("X_train", "Y_train", "X_test", "Y_test"),
    ],
)
def test_parts_of_an_npz(tmp_path, names):
    a, b, c, d = names
    np.savez(
        tmp_path / "mnist.npz",
        **{a: IMAGES[:30, ..., 0], b: LABELS[:30, None], c: IMAGES[30:, ..., 0], d: LABELS[30:]},  # pyright: ignore[reportArgumentType]
    )
    parts = load_parts(tmp_path / "mnist.npz")
    assert list(parts) == ["train", "test"]
    assert same(parts["train"], 30)
    splits = load_splits(tmp_path / "mnist.npz")
    assert (len(splits.train), len(splits.validation), splits.test.digest) == (27, 3, mnist().train[30:N].digest)
    assert load(tmp_path / "mnist.npz", part="test").digest == mnist().train[30:N].digest
    with pytest.raises(DataError, match="train, test found, validation expected"):
        load(tmp_path / "mnist.npz", part="validation")


@pytest.mark.parametrize(("gz", "head", "delimiter"), [(False, True, ","), (True, True, ","), (False, False, ";")])
def test_a_table_of_pixels(tmp_path, gz, head, delimiter):
    text = io.StringIO()
    rows = csv.writer(text, delimiter=delimiter)
    if head:
        rows.writerow(["label", *(f"pixel{i}" for i in range(784))])
    rows.writerows(np.column_stack([LABELS, FLAT]).tolist())
    data = text.getvalue().encode()
    path = tmp_path / ("train.csv.gz" if gz else "train.csv")
    path.write_bytes(gzip.compress(data) if gz else data)
    assert same(load(path))


def folder(place, parts=("",)):
    for part in parts:
        for i in range(N):
            path = place / part / str(LABELS[i]) / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(IMAGES[i, ..., 0]).save(path)
    return place


@pytest.mark.parametrize(
    ("train", "held"), [("train", "test"), ("Training", "val"), ("training", "validation"), ("train", "valid")]
)
def test_folders_of_parts(tmp_path, train, held):
    parts = load_parts(folder(tmp_path, (train, held)))
    assert list(parts) == ["train", "test" if held == "test" else "validation"]
    assert all(len(part) == N and part.classes == tuple(sorted(set(map(str, LABELS)))) for part in parts.values())
    (tmp_path / held / "other").mkdir()
    Image.fromarray(IMAGES[0, ..., 0]).save(tmp_path / held / "other" / "1.png")
    with pytest.raises(DataError, match="class 'other' found, one of those in"):
        load_parts(tmp_path)


@pytest.mark.parametrize("names", [("training_set", "test_set"), ("train-images", "Test data"), ("Train", "TEST")])
def test_folders_whose_names_say_more_in_a_folder_of_their_own(tmp_path, names):
    for part in names:
        for name in "ab":
            folder = tmp_path / "digits" / "data" / part / name
            folder.mkdir(parents=True)
            Image.fromarray(IMAGES[0, ..., 0]).save(folder / "1.png")
    (tmp_path / "__MACOSX").mkdir()
    assert list(load_parts(tmp_path)) == ["train", "test"]
    assert load(tmp_path / "digits" / "data" / names[0]).classes == ("a", "b")


def table(head, rows):
    return "\n".join(",".join(map(str, row)) for row in [head, *rows]) + "\n"


PIXELS = [f"pixel{i}" for i in range(784)]


@pytest.mark.parametrize(
    ("head", "before"),
    [
        (["id", "label"], lambda i: [100 + i, LABELS[i]]),
        (["", "label"], lambda i: [i, LABELS[i]]),
        (['"label"'], lambda i: [f'"{LABELS[i]}"']),
        (["label"], lambda i: [f" {LABELS[i]}.0"]),
    ],
    ids=["id", "pandas", "quoted", "float"],
)
def test_tables_with_numbered_rows_and_quotes(tmp_path, head, before):
    rows = [[*before(i), *FLAT[i]] for i in range(N)]
    (tmp_path / "t.csv").write_text(table([*head, *PIXELS], rows))
    assert same(load(tmp_path / "t.csv"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_pixels_whose_labels_are_names(tmp_path, encoding):
    words = "零一二三四五六七八九"
    rows = [[*FLAT[i], words[LABELS[i]]] for i in range(N)]
    (tmp_path / "t.csv").write_text(table([*PIXELS, "label"], rows), encoding=encoding)
    found = load(tmp_path / "t.csv")
    assert [found.classes[label] for label in found.labels] == [words[label] for label in LABELS]
    np.testing.assert_array_equal(found.images, IMAGES)
    rows[3][-1] = "3"
    (tmp_path / "t.csv").write_text(table([*PIXELS, "label"], rows), encoding=encoding)
    with pytest.raises(DataError, match="and 3 found, names or numbers expected"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("before", ["", "\n \n"], ids=["", "blank lines"])
@pytest.mark.parametrize("head", [["label", *PIXELS], [*range(785)]], ids=["named", "numbered"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "Mac"])
def test_tables_as_other_programs_write_them(tmp_path, before, head, ends):
    """A head of numbers, which pandas writes for columns without names, is no image."""
    text = before + table(head, [[LABELS[i], *FLAT[i]] for i in range(N)])
    (tmp_path / "t.csv").write_bytes(text.replace("\n", ends).encode())
    assert same(load(tmp_path / "t.csv"))


def test_a_head_without_a_label_is_named(tmp_path):
    (tmp_path / "t.csv").write_text(table(["species", *PIXELS], [[LABELS[i], *FLAT[i]] for i in range(N)]))
    with pytest.raises(DataError, match=r"t.csv: columns 'species' found, one named labels or label or .* expected"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("head", "row", "message"),
    [
        ("id,file,what", "{i},{file},{label}", ""),
        ("file,kind", "{file},{label}", ""),
        ("file,split,what", "{file},train,{label}", "columns 'split', 'what' found beside the name of a picture"),
        ("", "{i},{file},{label}", "columns '.*', '.*' found beside the name of a picture, one, or a head with one"),
        ("file", "{file}", "columns none found beside the name of a picture, its label expected"),
        ("file,label", "{file},", "line 2: 1 filled columns found, a picture's name and its label expected"),
    ],
)
def test_no_column_is_taken_for_the_labels_by_chance(tmp_path, head, row, message):
    """The number of a row, or the part it belongs to, would train without a word."""
    folder(tmp_path)
    files = sorted(tmp_path.glob("*/*.png"))
    rows = [row.format(i=i, file=file.relative_to(tmp_path), label=file.parent.name) for i, file in enumerate(files)]
    (tmp_path / "t.csv").write_text("\n".join([head, *rows] if head else rows))
    if message:
        with pytest.raises(DataError, match=f"t.csv: {message}"):
            load(tmp_path / "t.csv")
    else:
        assert load(tmp_path / "t.csv").digest == load_image_folder(tmp_path).digest


def test_a_table_of_file_names(tmp_path):
    folder(tmp_path / "pictures")
    files = sorted((tmp_path / "pictures").glob("*/*.png"), key=lambda path: int(path.stem))
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["split", "class", "file name"])
        rows.writerows(["a", path.parent.name, path.relative_to(tmp_path)] for path in files)
    data = load(tmp_path / "labels.csv")
    np.testing.assert_array_equal(data.images, IMAGES)
    assert [data.classes[label] for label in data.labels] == [str(label) for label in LABELS]
    files[7].unlink()
    with pytest.raises(DataError, match=r"labels.csv: line 9: no file .*7.png found, a picture expected"):
        load(tmp_path / "labels.csv")


def test_what_other_programs_leave_is_left_out_and_counted(tmp_path, caplog):
    folder(tmp_path)
    clean = load(tmp_path).digest
    for name in (
        "Thumbs.db",
        "labels.csv",
        "3/desktop.ini",
        "3/Thumbs.db",
        "3/notes.txt",
        "__MACOSX/3/._1.png",
        ".git/x/1",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("no picture")
    with caplog.at_level(logging.INFO, "firsthand"):
        data = load(tmp_path)
    assert data.digest == clean
    assert "6 files left out: Thumbs.db (2), __MACOSX, desktop.ini, labels.csv, notes.txt" in caplog.text


def test_dark_on_light_is_decided_once_and_said(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    for i in range(30):
        grey = np.random.default_rng(i).integers(100, 155, (28, 28), np.uint8)
        Image.fromarray(grey).save(tmp_path / "a" / f"{i:02}.png")
    kept = load(tmp_path, invert=False)
    with caplog.at_level(logging.INFO, "firsthand"):
        decided = load(tmp_path, invert=None)
    assert decided.digest in (kept.digest, load(tmp_path, invert=True).digest)
    assert "of 30 pictures are dark on light: " in caplog.text
    np.testing.assert_array_equal(load(tmp_path, invert=True).images, 255 - kept.images)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def test_idx_of_emnist_is_turned_and_said(tmp_path, caplog):
    (tmp_path / "emnist-letters-test-images-idx3-ubyte").write_bytes(idx(IMAGES[..., 0].transpose(0, 2, 1)))
    (tmp_path / "emnist-letters-test-labels-idx1-ubyte").write_bytes(idx(LABELS))
    with caplog.at_level(logging.INFO, "firsthand"):
        assert same(load(tmp_path / "emnist-letters-test-images-idx3-ubyte"))
    assert "the name says EMNIST, whose images lie on their side: turned" in caplog.text
    many = np.zeros((14_800, 28, 28), np.uint8)
    many[0] = IMAGES[0, ..., 0].T
    (tmp_path / "test-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(many), 1))
    (tmp_path / "test-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(14_800)), 1))
    np.testing.assert_array_equal(load(tmp_path / "test-images-idx3-ubyte.gz").images[0], IMAGES[0])


def test_small_files_that_claim_or_hold_gigabytes_are_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (700, 1024, 1024)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            for _ in range(700):
                member.write(bytes(2**20))
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(DataError, match=r"bomb.npz: arrays of 734,\d+,\d+ bytes found, at most 536,870,912 expected"):
        load(tmp_path / "bomb.npz")
    (tmp_path / "t-images-idx3-ubyte.gz").write_bytes(gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 2**20, 1024, 1)))
    (tmp_path / "t-labels-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError, match="a header of 1,073,741,824 bytes found, at most 536,870,912 expected"):
        load(tmp_path / "t-images-idx3-ubyte.gz")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"a,b\n1,2", b"1,2\n\n3", b"x" * 200_000, b"label,p\n", b'"', b"1," * 999]
)
def test_no_table_is_one_line(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"t.csv: ") as caught:
        load(tmp_path / "t.csv")
    assert "\n" not in str(caught.value)


def test_fashion_mnist_is_found_by_what_it_holds(tmp_path, monkeypatch):
    """The files need not be packed as published; others are refused, and the network is not asked."""
    monkeypatch.setenv("FIRSTHAND_FASHION_MNIST", str(tmp_path))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz: no readable file found .No such file"):
        downloads.fashion_mnist()
    import hashlib

    content = []
    for name, array in zip(
        downloads._IDX_NAMES, (np.zeros((10_001, 2, 2)), np.zeros(10_001), IMAGES[..., 0], LABELS), strict=True
    ):
        content.append(hashlib.sha256(idx(array)).hexdigest())
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(array), 3))
    with pytest.raises(DataError, match=r"content with SHA-256 .* found, c59f468a"):
        downloads.fashion_mnist()
    monkeypatch.setattr(downloads, "FASHION_MNIST_CONTENT", tuple(content))
    found = downloads.fashion_mnist()
    assert (len(found.train), len(found.validation), found.test.images.shape) == (1, 10_000, (N, 28, 28, 1))
    assert found.test.classes[0] == "T-shirt/top"


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("1,3,oops,3,3,3,3,3,3,3", "column 3: 'oops' found, a number expected"),
        ("1,3,3,3,3,3,3,3,3", "9 columns found, 10 expected as before"),
        (",3,3,3,3,3,3,3,3,3", "column 1: no label found, one for each image expected"),
    ],
    ids=["a word", "a short row", "no label"],
)
def test_a_fault_among_pixels_names_its_line_of_the_file(tmp_path, head, row, fault):
    named, right = "label," + ",".join(f"p{i}" for i in range(9)), "0,1,2,3,4,5,6,7,8,9"
    rows = [named] * head + [right, "", right, row, right]
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    separator = ", " if fault.startswith("column") else ": "
    with pytest.raises(DataError, match=re.escape(f"table.csv: line {4 + head}{separator}{fault}")):
        load_csv(tmp_path / "table.csv")
