"""One picture becomes what a network expects: grey, light on dark, of its size; what cannot be is named."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from firsthand.data import DataError, load_image, mnist
from firsthand.data.pictures import decode_grey, read_grey


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
    return path


@pytest.mark.tiny
@pytest.mark.parametrize("name", ["x.png", "x.bmp", "x.pgm", "x.tiff", "x.gif"])
def test_picture_of_the_right_size_is_untouched(tmp_path, name):
    pixels = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    image = load_image(save(tmp_path / name, pixels), (28, 28, 1), invert=False)
    assert (image.pixels[..., 0] == pixels).all()
    assert image.pixels.dtype == np.uint8
    assert image.resized_from is None
    assert not image.inverted
    assert image.notes == ()


@pytest.mark.tiny
def test_dark_on_light_is_inverted_and_said(tmp_path):
    paper = np.full((28, 28), 250)
    paper[5:20, 13:16] = 10
    path = save(tmp_path / "paper.png", paper)
    image = load_image(path, (28, 28, 1))
    assert image.inverted
    assert image.notes == ("inverted, to show light strokes on a dark ground",)
    assert (image.pixels[..., 0] == 255 - paper).all()
    assert not load_image(path, (28, 28, 1), invert=False).inverted
    dark = save(tmp_path / "dark.png", 255 - paper)
    assert not load_image(dark, (28, 28, 1)).inverted
    assert (load_image(dark, (28, 28, 1), invert=True).pixels[..., 0] == paper).all()


@pytest.mark.tiny
def test_resizing_keeps_proportions_and_pads_with_the_background(tmp_path):
    wide = np.full((100, 200), 230)
    wide[20:80, 90:110] = 30
    wide[:, 0] = 0  # a stroke that touches the border does not change the background
    image = load_image(save(tmp_path / "wide.png", wide), (28, 28, 1))
    assert image.resized_from == (100, 200)
    assert image.notes[0] == "resized from 100 x 200 to 28 x 28 pixels"
    pixels = image.pixels[..., 0]
    assert pixels.shape == (28, 28)
    assert (pixels[:7] == 25).all()
    assert (pixels[21:] == 25).all()
    inside = pixels[7:21, 5:]
    assert inside.max() > 220
    stroke = inside > 125
    # 60 x 20 pixels, shrunk by 7
    assert 7 <= stroke.any(axis=1).sum() <= 9
    assert 2 <= stroke.any(axis=0).sum() <= 4


@pytest.mark.tiny
def test_shrinking_averages(tmp_path):
    board = np.indices((280, 280)).sum(axis=0) % 2 * 255  # every second pixel is white
    image = load_image(save(tmp_path / "board.png", board), (28, 28, 1), invert=False)
    assert abs(image.pixels[2:-2, 2:-2].astype(int) - 127).max() <= 3


@pytest.mark.tiny
def test_colour_transparency_and_16_bits(tmp_path):
    colour = np.zeros((2, 2, 3))
    colour[0, 0], colour[0, 1], colour[1, 0] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    image = load_image(save(tmp_path / "rgb.png", colour), (2, 2, 1), invert=False)
    assert image.pixels[..., 0].tolist() == [[76, 150], [29, 0]]
    ink = np.zeros((2, 2, 4))
    ink[0, 0, 3] = 255  # black where it is opaque, paper elsewhere
    image = load_image(save(tmp_path / "rgba.png", ink), (2, 2, 1), invert=False)
    assert image.pixels[..., 0].tolist() == [[0, 255], [255, 255]]
    deep = np.array([[0, 257], [257 * 100, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    image = load_image(tmp_path / "deep.png", (2, 2, 1), invert=False)
    assert image.pixels[..., 0].tolist() == [[0, 1], [100, 255]]
    for values in (np.array([[0, 65536]], np.int32), np.array([[0.5, 1]], np.float32)):
        Image.fromarray(values).save(tmp_path / "deeper.tiff")
        with pytest.raises(DataError, match=r"deeper.tiff: pixels .* found, 8 or 16 bits expected"):
            load_image(tmp_path / "deeper.tiff", (2, 2, 1))
    palette = Image.fromarray(np.array([[0, 200], [100, 255]], np.uint8)).convert("P")
    palette.save(tmp_path / "clear.png", transparency=palette.getpixel((0, 0)))
    image = load_image(tmp_path / "clear.png", (2, 2, 1), invert=False)
    assert image.pixels[..., 0].tolist() == [[255, 200], [100, 255]]
    palette.save(tmp_path / "palette.gif")
    image = load_image(tmp_path / "palette.gif", (2, 2, 1), invert=False)
    assert image.pixels[..., 0].tolist() == [[0, 200], [100, 255]]


@pytest.mark.tiny
def test_orientation_of_the_camera(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    pixels = np.zeros((8, 16))
    pixels[:, :8] = 255
    path = save(tmp_path / "photo.png", pixels, exif=exif)
    turned = load_image(path, (16, 8, 1), invert=False).pixels[..., 0]
    assert (turned[:8] == 255).all()
    assert (turned[8:] == 0).all()


def chunk(kind, content=b""):
    """A chunk of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb():
    """A PNG of 30000 x 30000 pixels by its header, in a few bytes."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT") + chunk(b"IEND")


@pytest.mark.tiny
def test_what_is_no_picture(tmp_path):
    good = save(tmp_path / "good.png", np.random.default_rng(1).integers(0, 256, (50, 50))).read_bytes()
    photo = save(tmp_path / "good.jpg", np.random.default_rng(1).integers(0, 256, (50, 50))).read_bytes()
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    for content, message in (
        (b"", "an empty file found, one of PNG, JPEG, .* expected"),
        (b"plain text", "no picture found"),
        (postscript, "no picture found"),
        (good[:-500], "a damaged picture found .*, a whole one expected"),
        (good[:100] + b"????" + good[104:], "a damaged picture found"),
        (photo[:-500], "a damaged picture found"),
        (bomb(), "too large a picture found, at most 64,000,000 pixels expected"),
    ):
        (tmp_path / "x.png").write_bytes(content)
        with pytest.raises(DataError, match=f"x.png: {message}") as caught:
            load_image(tmp_path / "x.png", (28, 28, 1))
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"a folder found, a picture expected"):
        load_image(tmp_path, (28, 28, 1))
    with pytest.raises(DataError, match=r"nothing.png: no such file found, a picture expected"):
        load_image(tmp_path / "nothing.png", (28, 28, 1))
    with pytest.raises(DataError, match=r"shape: 3 channels found, 1 expected"):
        load_image(tmp_path / "good.png", (28, 28, 3))


@pytest.mark.tiny
def test_a_large_photo_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (8001, 8000)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match=r"large.png: too large a picture found"):
        load_image(tmp_path / "large.png", (28, 28, 1))


def test_white_ink_on_transparent_ground_is_seen(tmp_path):
    digit = mnist().test.images[0, ..., 0]
    for ink, name in ((255, "white"), (200, "grey"), (0, "black")):
        pixels = np.full((28, 28, 4), ink, np.uint8)
        pixels[..., 3] = digit
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        found = load_image(tmp_path / f"{name}.png", (28, 28, 1)).pixels[..., 0]
        assert np.corrcoef(found.ravel(), digit.ravel())[0, 1] > 0.99
        assert found.max() >= 190


def test_bits_that_fill_less_than_sixteen(tmp_path):
    ramp = np.linspace(0, 1, 256)[None].repeat(4, axis=0)
    for bits in (10, 12, 14, 16):
        Image.fromarray(np.rint(ramp * (2**bits - 1)).astype(np.uint16)).save(tmp_path / "deep.png")
        np.testing.assert_allclose(read_grey(tmp_path / "deep.png"), ramp * 255, atol=1.01, err_msg=f"{bits} bits")


def test_a_photo_of_108_megapixels_is_scaled_down_while_it_is_decoded(tmp_path):
    Image.new("L", (12_000, 9_000), 200).save(tmp_path / "big.jpg", quality=30)
    assert read_grey(tmp_path / "big.jpg").shape == (4_500, 6_000)
    with (tmp_path / "big.jpg").open("rb") as file:
        assert decode_grey(file, "big").shape == (4_500, 6_000)
    Image.new("1", (12_000, 9_000)).save(tmp_path / "big.png")
    with pytest.raises(DataError, match="too large a picture found, at most 64,000,000 pixels"):
        read_grey(tmp_path / "big.png")


def test_heic_is_read_or_says_what_it_needs(tmp_path):
    path = tmp_path / "phone.heic"
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
        with pytest.raises(DataError, match=r"phone.heic: a HEIC picture found, which needs pillow-heif: pip install"):
            read_grey(path)
        return
    grey = np.full((64, 64), 200, np.uint8)
    pillow_heif.from_pillow(Image.fromarray(grey).convert("RGB")).save(path)
    assert np.abs(read_grey(path).astype(int) - grey).max() < 8


def test_an_empty_name_is_no_picture():
    with pytest.raises(DataError, match="an empty name found"):
        read_grey("")


@pytest.mark.parametrize("what", [None, 7, np.zeros((28, 28), np.uint8)])
def test_what_is_no_name_is_no_picture(what):
    with pytest.raises(DataError, match=r"^(None|7|array.*) found, the name of a picture expected$"):
        load_image(what, (28, 28, 1))
