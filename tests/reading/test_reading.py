"""Pictures are read: a small page, crops, every kind of file, and everything that is no picture."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import firsthand
from firsthand.data import DataError, mnist
from firsthand.models import Model
from firsthand.reading import Page, analyse, boxed_gate, boxed_model, read, read_many
from firsthand.reading.load import load_grey


def ink_of(rows, gap=10):
    """Rows of digits of the test images as ink, 0 to 1, each digit once as large again: the image, and the texts."""
    images, labels = mnist().test.images[..., 0], mnist().test.labels
    strips = []
    for row in rows:
        parts = [np.asarray(Image.fromarray(images[i]).resize((56, 56), Image.Resampling.BICUBIC)) for i in row]
        strips.append(np.hstack([np.pad(part, ((8, 8), (gap, 0))) for part in parts]))
    wide = max(strip.shape[1] for strip in strips)
    page = np.vstack([np.pad(strip, ((0, 0), (0, wide - strip.shape[1]))) for strip in strips])
    return np.pad(page, 20) / 255, ["".join(str(labels[i]) for i in row) for row in rows]


def on_paper(ink, level=230, noise=2.0):
    rng = np.random.default_rng(0)
    return np.clip(level * (1 - 0.8 * ink) + rng.normal(0, noise, ink.shape), 0, 255).astype(np.uint8)


ROWS = [[0, 1, 2, 3, 4, 5], [10, 11, 12, 13, 14, 15]]


@pytest.fixture(scope="module")
def page():
    ink, texts = ink_of(ROWS)
    return on_paper(ink), texts


def test_a_small_page_is_read(page):
    image, texts = page
    found = read(image)
    assert isinstance(found, Page)
    assert found.text.split("\n") == texts
    assert [line.text for line in found.lines] == texts
    assert found.reason == ""
    assert found.size == image.shape
    for line in found.lines:
        assert 0 < line.probability <= min(digit.probability for digit in line.digits)
        lefts = [digit.box.left for digit in line.digits]
        assert lefts == sorted(lefts)
    first = found.digits[0]
    assert first.value == "7"
    assert first.alternatives[0][1] < first.probability
    assert first.probability + sum(p for _, p in first.alternatives) <= first.is_digit + 1e-6
    # the ink of the first digit is within its box
    inside = image[first.box.top : first.box.bottom, first.box.left : first.box.right]
    assert inside.min() < 100
    assert 30 < first.box.bottom - first.box.top < 60


def test_the_package_reads(page):
    assert firsthand.read(page[0]).text == read(page[0]).text


def test_shadow_ruling_and_a_dark_board_do_not_matter(page):
    ink, texts = ink_of(ROWS)
    light = np.linspace(1, 0.45, ink.shape[1])
    lined = ink.copy()
    lined[30::36] = np.maximum(lined[30::36], 0.25)
    lined[31::36] = np.maximum(lined[31::36], 0.25)
    for image in (on_paper(lined) * light, 255 - on_paper(ink)):
        found = read(image.astype(np.uint8))
        assert found.text.split("\n") == texts
    assert found.light_on_dark


def test_a_turned_page_is_read_and_boxes_are_where_the_digits_are(page):
    image = Image.fromarray(page[0]).rotate(7, expand=True, fillcolor=230, resample=Image.Resampling.BICUBIC)
    found = read(image)
    assert found.text.split("\n") == page[1]
    assert found.degrees == pytest.approx(7, abs=1)
    pixels = np.asarray(image)
    for digit in found.digits:
        box = digit.box
        assert pixels[box.top : box.bottom, box.left : box.right].min() < 110


def test_touching_digits_are_told_apart():
    touching = np.zeros((96, 220))
    images = mnist().test.images[..., 0]
    # 7, 2 and 4 pushed together until their ink meets
    x = 20
    for i in (0, 1, 4):
        part = np.asarray(Image.fromarray(images[i]).resize((56, 56), Image.Resampling.BICUBIC)) / 255
        columns = np.flatnonzero(part.max(0) > 0.5)
        part = part[:, columns[0] : columns[-1] + 1]
        window = touching[20:76, x : x + part.shape[1]]
        np.maximum(window, part, out=window)
        x += part.shape[1] - 2
    assert read(on_paper(touching)).text == "724"


@pytest.mark.parametrize("invert", [False, True])
def test_single_digits_of_the_validation_images_are_read(invert):
    data = mnist().validation
    pictures = [255 - image[..., 0] if invert else image[..., 0] for image in data.images[:40]]
    values = [page.text for page in read_many(pictures) if isinstance(page, Page)]
    assert np.mean([value == str(label) for value, label in zip(values, data.labels, strict=False)]) >= 0.9


def test_scribbles_are_no_digits():
    from PIL import ImageDraw

    image = Image.new("L", (400, 200), 240)
    draw = ImageDraw.Draw(image)
    draw.line([(20 + 9 * i, 60 + (40 if i % 2 else -30)) for i in range(20)], fill=20, width=4)
    draw.rectangle((260, 40, 370, 150), outline=20, width=4)
    found = read(image)
    assert found.digits == ()
    assert found.reason == "nothing that was found is a digit"
    assert found.rejected


def test_unsure_digits_can_be_left_out(page):
    found = read(page[0])
    weakest = min(digit.probability for digit in found.digits)
    strict = found.sure(weakest + 1e-9)
    assert len(strict.digits) == len(found.digits) - 1
    assert "?" in strict.text
    assert strict.rejected[-1].reason == "not sure"
    nothing = found.sure(1.0)
    assert nothing.text == ""
    assert nothing.reason == "no digit has a probability of 1 or more"
    assert found.sure(0.0) == found


def test_a_digit_of_which_a_pen_left_pieces_is_one_digit_in_a_small_picture():
    image = mnist().validation.images[0, ..., 0].copy()
    image[::5] = 0  # three in every five rows of its strokes are left, and hang together nowhere
    image[1::5] = 0
    whole = read(255 - mnist().validation.images[0, ..., 0]).text
    assert whole == str(mnist().validation.labels[0])
    assert read(255 - image).text == whole


# --- the models in the box


def test_the_models_in_the_box_are_small_calibrated_and_say_how_they_came_to_be():
    from firsthand.reading import box

    size = sum(path.stat().st_size for path in box.HERE.glob("*.safetensors"))
    assert size < 4_000_000
    for model in (boxed_model(), boxed_gate()):
        assert isinstance(model, Model)
        assert model.temperature is not None
        assert {"recipe", "training_data", "versions", "machine", "accuracies", "calibration"} <= set(model.provenance)
    assert boxed_model().classes == tuple("0123456789")
    assert {"recipe", "training_data", "versions", "machine", "scores", "temperature"} <= set(
        box.boxed_pairs().provenance
    )


@pytest.mark.slow
def test_the_model_in_the_box_is_as_accurate_as_it_says():
    data = mnist()
    model = boxed_model()
    said = model.provenance["accuracies"]
    assert said["test"] >= 0.996
    assert said["test"] == pytest.approx(model.accuracy(data.test), abs=2e-4)
    assert model.provenance["started_from"]["training_data"] == data.train.digest  # then the same digits, drawn
    assert said["validation"] == pytest.approx(model.accuracy(data.validation), abs=2e-4)


# --- what is read as a picture


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_every_kind_of_file_is_read_alike(page, tmp_path):
    image = Image.fromarray(page[0])
    deep = Image.fromarray(page[0].astype(np.uint16) * 257)
    clear = Image.new("RGBA", image.size, (0, 0, 0, 0))
    clear.putalpha(Image.fromarray(255 - page[0]))
    exif = Image.Exif()
    exif[0x0112] = 6
    other = Image.new("L", image.size, 255)
    kinds = {
        "plain.png": saved(image, "PNG"),
        "colour.jpg": saved(image.convert("RGB"), "JPEG", quality=90),
        "print.jpg": saved(image.convert("CMYK"), "JPEG", quality=95),
        "deep.png": saved(deep, "PNG"),
        "clear.png": saved(clear, "PNG"),
        "moving.gif": saved(image, "GIF", save_all=True, append_images=[other], duration=100, loop=0),
        "several.tif": saved(image, "TIFF", save_all=True, append_images=[other]),
        "turned.jpg": saved(image.rotate(90, expand=True), "JPEG", quality=95, exif=exif),
        "wrong-ending.txt": saved(image, "WEBP", quality=90),
    }
    for name, content in kinds.items():
        (tmp_path / name).write_bytes(content)
    found = dict(zip(kinds, read_many(tmp_path / name for name in kinds), strict=True))
    for name, result in found.items():
        assert isinstance(result, Page), name
        assert result.text.split("\n") == page[1], name


def test_bytes_open_files_pictures_and_arrays_are_the_same(page, tmp_path):
    image = Image.fromarray(page[0])
    content = saved(image, "PNG")
    (tmp_path / "x.png").write_bytes(content)
    with open(tmp_path / "x.png", "rb") as file:
        ways = [content, io.BytesIO(content), file, image, page[0], page[0][..., None], str(tmp_path / "x.png")]
        for way in ways:
            np.testing.assert_array_equal(load_grey(way), page[0])
    np.testing.assert_array_equal(load_grey(np.dstack([page[0]] * 3)), page[0])


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["L", "RGB", "RGBA", "CMYK", "1", "P", "LA"]),
    st.integers(0, 9),
)
def test_any_small_picture_has_stages(high, wide, mode, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (high, wide), np.uint8)
    grey = load_grey(Image.fromarray(pixels).convert(mode))
    assert grey.shape == (high, wide)
    assert grey.dtype == np.uint8
    sheet = analyse(grey)
    assert sheet.reason or sheet.spans or sheet.others or not sheet.rows


@pytest.mark.tiny
@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_a_clear_error(content):
    try:
        assert load_grey(content).ndim == 2
    except DataError as error:
        message = str(error)
    else:
        message = "image: "
    assert message.startswith("image: ")
    assert "\n" not in message


# --- what is not


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((1, 1), 7, np.uint8), "of one grey"),
        (np.full((300, 200), 255, np.uint8), "of one grey"),
        (np.random.default_rng(0).normal(200, 4, (300, 400)).astype(np.uint8), "nothing is darker than"),
        (np.full((1, 500), 3, np.uint8), "of one grey"),
    ],
    ids=["1x1", "white", "noise", "a line"],
)
def test_a_picture_without_writing_is_an_empty_page_with_the_reason(image, reason):
    found = read(image)
    assert found.lines == ()
    assert found.text == ""
    assert reason in found.reason


def bomb():
    """A PNG of 30000 x 30000 pixels by its header."""

    def chunk(kind, content=b""):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
        + chunk(b"IDAT")
        + chunk(b"IEND")
    )


@pytest.mark.tiny
def test_what_cannot_be_read_is_an_error_of_one_line(tmp_path):
    good = saved(Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50), np.uint8)), "PNG")
    for content, message in (
        (b"", "no picture found"),
        (b"plain text", "no picture found"),
        (good[:-300], "a damaged picture found"),
        (bomb(), "too large a picture found, at most 64,000,000 pixels expected"),
    ):
        with pytest.raises(DataError, match=f"image: {message}"):
            read(content)
    with pytest.raises(DataError, match="no such file found"):
        read(tmp_path / "nothing.png")
    with pytest.raises(DataError, match="a folder found"):
        read(tmp_path)
    for array, message in (
        (np.zeros((5, 5), np.float32), "an array of float32 found"),
        (np.zeros((5, 5, 2), np.uint8), r"an array of shape \(5, 5, 2\) found"),
        (np.zeros((0, 5), np.uint8), r"an array of shape \(0, 5\) found"),
    ):
        with pytest.raises(DataError, match=message):
            read(array)


def test_one_bad_file_does_not_stop_the_others(page):
    found = list(read_many([page[0], b"nonsense", page[0]]))
    assert [type(one).__name__ for one in found] == ["Page", "DataError", "Page"]
    assert list(read_many([])) == []


def test_a_model_for_other_images_is_refused(page):
    import jax

    from firsthand import Network, nn

    network = Network((nn.Softmax(10),), input_shape=(8, 8, 1))
    other = Model(network, network.init(key=jax.random.key(0)), tuple("0123456789"))
    with pytest.raises(firsthand.FirsthandError, match=r"it reads inputs of shape \(8, 8, 1\), expected \(28, 28, 1\)"):
        read(page[0], other)


@pytest.mark.parametrize(("wide", "text"), [(40, ""), (30, ""), (16, "1")])
def test_a_thick_bar_is_a_blot_and_a_thinner_one_is_a_1(wide, text):
    picture = Image.new("L", (200, 150), 255)
    ImageDraw.Draw(picture).ellipse((60, 40, 60 + wide, 100), fill=30)
    assert read(np.array(picture)).text == text
