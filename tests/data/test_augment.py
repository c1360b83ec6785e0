"""Augmentations: exact where they can be, within stated bounds where they are random, and told from one key."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from firsthand.book import expand_mnist
from firsthand.data import (
    Affine,
    Augmentation,
    ColourNoise,
    Compose,
    Dataset,
    Distort,
    Elastic,
    Erase,
    HorizontalFlip,
    Noise,
    RandomCrop,
    Rotate,
    Scale,
    Shear,
    Shift,
    Translate,
    Warp,
    expanded,
    mnist,
)
from firsthand.data.augment.warps import affine_displacement, inverse_matrix, resample, smoothing
from firsthand.errors import FirsthandError

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(1)

# every augmentation, but those that are another one by a second name: at the strength used for digits, without any
# effect, and bounds of mean ink after : before
EVERY = (
    (Shift(1), Shift(0), (0.99, 1.01)),
    (HorizontalFlip(0.5), HorizontalFlip(0.0), (0.999, 1.001)),
    (Erase(0.5, fill=0.0), Erase(0.0), (0.7, 0.95)),  # half of the images lose a fifth of their area
    (Noise(0.1), Noise(0.0), (1.1, 1.4)),  # 0.04 on background, that is on four fifths of all pixels; ink is 0.13
    (Affine(15.0, 1.0, 0.15, 0.1), Affine(), (0.9, 1.1)),
    (Elastic(4.0, 34.0), Elastic(4.0, 0.0), (0.95, 1.05)),
    (Distort((Affine(15.0, 1.0, 0.15, 0.1), Elastic(5.0, 36.0))), Distort((Affine(), Elastic(5, 0))), (0.9, 1.1)),
    (Compose((Shift(1), Rotate(10.0), Erase(0.2, fill=0.0))), Compose(()), (0.8, 1.02)),
)
PARTLY = (Shift, Erase, Distort)
CHANGING = [pytest.param(some, id=type(some).__name__) for some, _, _ in EVERY]


@pytest.fixture(scope="module")
def digits():
    """The first 200 training images, 0 to 1."""
    return jnp.asarray(mnist().train.images[:200].astype(np.float32) / 255)


def scipy_image(image, function, **arguments):
    """SciPy's result for one plane, bilinear, background outside."""
    return function(np.asarray(image), order=1, mode="grid-constant", **arguments)


@pytest.mark.parametrize("augmentation", CHANGING)
def test_each_depends_on_its_key_and_treats_each_image_by_itself(digits, augmentation):
    change = jax.jit(augmentation)
    batch = jnp.tile(digits[:1], (len(digits), 1, 1, 1))  # the same digit again and again
    changed = change(batch, key=KEY)
    assert changed.shape == batch.shape
    assert changed.dtype == batch.dtype
    assert jnp.array_equal(changed, change(batch, key=KEY))
    assert not jnp.array_equal(changed, change(batch, key=jax.random.key(2)))
    assert len(np.unique(np.asarray(changed), axis=0)) > (1 if isinstance(augmentation, HorizontalFlip) else 5)


@pytest.mark.parametrize("none", [pytest.param(none, id=type(none).__name__) for _, none, _ in EVERY])
def test_without_strength_no_bit_changes(digits, none):
    assert jnp.array_equal(jax.jit(none)(digits, key=KEY), digits)


@pytest.mark.parametrize(("augmentation", "_", "bounds"), EVERY)
def test_ink_stays_within_bounds(digits, augmentation, _, bounds):
    changed = jax.jit(augmentation)(digits, key=KEY)
    assert jnp.min(changed) >= 0
    assert jnp.max(changed) <= 1
    assert bounds[0] <= jnp.mean(changed) / jnp.mean(digits) <= bounds[1]


# the others consist of the same operations
@pytest.mark.parametrize("augmentation", [some for some in CHANGING if isinstance(some.values[0], PARTLY)])
def test_each_works_under_vmap(digits, augmentation):
    batches, keys = jnp.stack([digits, digits[::-1]]), jax.random.split(KEY, 2)
    together = jax.jit(jax.vmap(lambda images, key: augmentation(images, key=key)))(batches, keys)
    for images, key, changed in zip(batches, keys, together, strict=True):
        np.testing.assert_allclose(changed, jax.jit(augmentation)(images, key=key), atol=1e-5)


@pytest.mark.tiny
def test_each_is_a_value_that_its_repr_spells():
    for augmentation, none, _ in EVERY:
        assert hash(augmentation) == hash(dataclasses.replace(augmentation))
        assert augmentation != none
        assert eval(repr(augmentation)) == augmentation
    assert hash(Compose([Shift(1)])) == hash(Compose((Shift(1),)))  # pyright: ignore[reportArgumentType]


def test_a_shift_is_exact_and_each_is_as_likely():
    n = 900
    images = jnp.arange(1, 21, dtype=jnp.float32).reshape(1, 4, 5, 1)
    changed = np.asarray(Shift(1)(jnp.repeat(images, n, axis=0), key=KEY))
    padded = np.pad(np.asarray(images), ((0, 0), (1, 1), (1, 1), (0, 0)))
    counts = [
        np.all(changed == padded[:, i : i + 4, j : j + 5], axis=(1, 2, 3)).sum() for i in range(3) for j in range(3)
    ]
    assert sum(counts) == n
    assert min(counts) > 70  # of 100 each; the standard deviation is 9.4
    assert max(counts) < 130


@pytest.mark.parametrize(
    ("one", "affine"),
    [
        (Rotate(15), Affine(degrees=15)),
        (Translate(2.5), Affine(translate=2.5)),
        (Scale(0.2), Affine(scale=0.2)),
        (Shear(0.3), Affine(shear=0.3)),
    ],
)
def test_the_parts_of_affine_are_affine(one, affine):
    found, expected = (warp.displacement((3, 4, 5), jnp.float32, key=KEY) for warp in (one, affine))
    assert jnp.array_equal(jnp.stack(found), jnp.stack(expected))
    assert eval(repr(one)) == one != affine


def test_a_random_crop_is_a_shift(digits):
    assert jnp.array_equal(RandomCrop(3)(digits, key=KEY), Shift(3)(digits, key=KEY))


def test_a_shift_by_a_fraction_lies_between_two_pixels():
    image = jnp.zeros((1, 3, 4, 1)).at[0, 1, 1, 0].set(1)
    found = resample(image, jnp.full((1, 3, 4), 0.25), jnp.full((1, 3, 4), -0.5))[0, :, :, 0]
    expected = np.outer([0.25, 0.75, 0], [0, 0.5, 0.5, 0])  # moved up by a quarter and right by a half
    assert jnp.array_equal(found, expected)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("far", [0.5, 3.0, 1e4, 1e9])
def test_resampling_agrees_with_scipy_wherever_pixels_come_from(channels, far):
    rng = np.random.default_rng(1)
    images = rng.random((2, 7, 9, channels), np.float32)
    down, right = rng.uniform(-far, far, (2, 2, 7, 9)).astype(np.float32)
    found = jax.jit(resample)(images, down, right)
    i, j = np.meshgrid(np.arange(7), np.arange(9), indexing="ij")
    for n in range(2):
        for channel in range(channels):
            expected = scipy_image(
                images[n, ..., channel], ndimage.map_coordinates, coordinates=[i + down[n], j + right[n]]
            )
            np.testing.assert_allclose(found[n, ..., channel], expected, atol=1e-5)


@pytest.mark.parametrize("degrees", [0.0, 12.0, -90.0])
def test_a_rotation_is_that_of_scipy(digits, degrees):
    size = (5, 28, 28)
    angle, zero, one = jnp.full(5, np.deg2rad(degrees), jnp.float32), jnp.zeros(5), jnp.ones(5)
    found = resample(digits[:5], *affine_displacement(size, inverse_matrix(angle, zero, one, one), zero, zero))
    for image, turned in zip(digits[:5], found, strict=True):
        # SciPy, too, turns anticlockwise
        expected = scipy_image(image[..., 0], ndimage.rotate, angle=degrees, reshape=False)
        np.testing.assert_allclose(turned[..., 0], expected, atol=1e-5)


def test_an_affine_map_is_that_of_scipy(digits):
    angle, shear, high, wide = 0.2, 0.3, 1.1, 0.8
    shift = np.array([1.5, -2.25])
    # scale, then shear, then rotate; (down, right)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(rotation @ np.array([[1, 0], [-shear, 1]]) @ np.diag([high, wide]))
    middle = np.array([13.5, 13.5])
    expected = scipy_image(
        digits[3, ..., 0], ndimage.affine_transform, matrix=inverse, offset=middle - inverse @ (middle + shift)
    )
    each = lambda value: jnp.full(1, value, jnp.float32)  # noqa: E731
    matrix = inverse_matrix(each(angle), each(shear), each(high), each(wide))
    found = resample(digits[3:4], *affine_displacement((1, 28, 28), matrix, each(shift[0]), each(shift[1])))
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-5)


def test_an_affine_map_stays_within_its_bounds():
    size = (2000, 3, 3)  # displacement at the four neighbours of the middle tells the whole map
    down, right = Affine(degrees=20, translate=2).displacement(size, jnp.float32, key=KEY)
    # a turned and moved image is as large as before: p + d(p) keeps distances
    across = jnp.stack([down[:, 1, 2] - down[:, 1, 0], 2 + right[:, 1, 2] - right[:, 1, 0]])
    np.testing.assert_allclose(jnp.linalg.norm(across, axis=0), 2, atol=1e-5)
    angle = jnp.rad2deg(jnp.arctan2(across[0], across[1]))
    moved = jnp.hypot(down[:, 1, 1], right[:, 1, 1])
    assert 19 < jnp.max(jnp.abs(angle)) <= 20.001
    assert 2 < jnp.max(moved) <= 2 * np.sqrt(2) + 1e-4
    assert abs(jnp.mean(angle)) < 1  # its standard deviation is 11.5 / sqrt(2000) = 0.26

    down, right = Scale(0.2).displacement(size, jnp.float32, key=KEY)
    for factor in (1 / (1 + down[:, 2, 1]), 1 / (1 + right[:, 1, 2])):
        assert 0.8 - 1e-5 <= jnp.min(factor) < 0.81
        assert 1.19 < jnp.max(factor) <= 1.2 + 1e-5

    down, right = Shear(0.3).displacement(size, jnp.float32, key=KEY)
    assert not down.any()
    assert 0.29 < jnp.max(jnp.abs(right[:, 0, 1])) <= 0.3 + 1e-6
    np.testing.assert_allclose(right[:, 0, 1], -right[:, 2, 1], atol=1e-6)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0, 20.0])
def test_the_smoothing_is_that_of_scipy(sigma):
    noise = np.random.default_rng(1).uniform(-1, 1, (9, 28))
    expected = ndimage.gaussian_filter(noise, sigma, mode="constant", truncate=8)
    np.testing.assert_allclose(smoothing(9, sigma) @ noise @ smoothing(28, sigma), expected, atol=1e-12)


@pytest.mark.parametrize("sigma", [2.0, 4.0])
def test_the_elastic_field_is_simards(sigma):
    alpha, n = 34.0, 1500
    field = np.stack(Elastic(sigma, alpha).displacement((n, 28, 28), jnp.float32, key=KEY), axis=1)
    uniform = np.random.default_rng(1).uniform(-1, 1, (n, 2, 28, 28))
    reference = alpha * ndimage.gaussian_filter(uniform, (0, 0, sigma, sigma), mode="constant", truncate=8)

    def statistics(field):
        """Root mean square in the middle and in the corner, correlations along an axis and between down and right."""
        middle, corner = field[:, :, 12:16, 12:16], field[:, :, 0, 0]
        rms = np.sqrt(np.mean(middle**2))
        pairs = [np.mean(field[:, :, 13, 13] * field[:, :, 13, 13 - r]) / rms**2 for r in (2, 4, 8)]
        across = np.mean(field[:, 0] * field[:, 1]) / np.mean(field**2)
        return np.array([np.mean(middle) / rms, np.sqrt(np.mean(corner**2)) / rms, *pairs, across]), rms

    (found, found_rms), (expected, expected_rms) = statistics(field), statistics(reference)
    # 2 n draws: their standard error is 1 / sqrt(3000) = 0.02
    np.testing.assert_allclose(found, expected, atol=0.08)
    corner = 0.5 * (1 + 1 / (np.sqrt(np.pi) * sigma))  # in each direction half of the noise, and what is in between
    theory = [0, corner, *(np.exp(-(r**2) / (4 * sigma**2)) for r in (2, 4, 8)), 0]
    np.testing.assert_allclose(found, theory, atol=0.06)
    assert found_rms == pytest.approx(expected_rms, rel=0.04)
    assert found_rms == pytest.approx(alpha / (2 * np.sqrt(3 * np.pi) * sigma), rel=0.04)


def test_warps_together_resample_once(digits):
    # the sum of two opposite motions by half a pixel is none; one after the other, they blur
    @dataclasses.dataclass(frozen=True)
    class By(Warp):
        pixels: float

        def displacement(self, size, dtype, *, key):
            return jnp.full(size, self.pixels, dtype), jnp.zeros(size, dtype)

    there, back = By(0.5), By(-0.5)
    assert jnp.array_equal(Distort((there, back))(digits, key=KEY), digits)
    assert not jnp.allclose(Compose((there, back))(digits, key=KEY), digits, atol=0.1)


def test_composition_is_one_after_the_other(digits):
    parts = Shift(2), Rotate(20.0)
    first, second = jax.random.split(KEY)
    expected = parts[1](parts[0](digits, key=first), key=second)
    assert jnp.array_equal(Compose(parts)(digits, key=KEY), expected)


def test_a_flip_exchanges_left_and_right(digits):
    assert jnp.array_equal(HorizontalFlip(1.0)(digits, key=KEY), digits[:, :, ::-1])
    half = HorizontalFlip(0.5)(digits, key=KEY)
    flipped = jnp.sum(jnp.all(half == digits[:, :, ::-1], axis=(1, 2, 3)))
    assert 70 < flipped < 130  # of 200; the standard deviation is 7


def test_what_is_erased_is_a_rectangle_of_the_area_asked_for():
    erased = np.asarray(jax.jit(Erase(1.0, 0.1, 0.3, 0.5, fill=1.0))(jnp.zeros((500, 40, 30, 2)), key=KEY))
    assert np.array_equal(erased[..., 0], erased[..., 1])
    rows, columns = (np.max(erased[..., 0], axis=axis) > 0 for axis in (2, 1))
    assert np.array_equal(erased[..., 0] > 0, rows[:, :, None] & columns[:, None, :])
    for lines in (rows, columns):  # each without a gap, and everywhere
        assert np.all(np.abs(np.diff(lines.astype(int), axis=1)).sum(axis=1) <= 2)
        assert lines.any(axis=0).all()
    high, wide = rows.sum(axis=1), columns.sum(axis=1)
    assert 0.09 < (high * wide).min() / 1200 < 0.12
    assert 0.28 < (high * wide).max() / 1200 < 0.32
    assert 0.45 < (high / wide).min() < 0.6
    assert 1.7 < (high / wide).max() < 2.2
    assert 0.19 < np.mean(high * wide) / 1200 < 0.21

    noise = np.asarray(jax.jit(Erase(1.0, 0.9, 1.0, 1.0))(jnp.zeros((20, 40, 40, 1)), key=KEY))
    assert noise[noise > 0].mean() == pytest.approx(0.5, abs=0.01)
    assert len(np.unique(noise)) == 256


def test_noise_has_its_deviation():
    grey = jnp.full((50, 28, 28, 1), 0.5)
    added = Noise(0.1)(grey, key=KEY) - grey
    assert jnp.std(added) == pytest.approx(0.1, rel=0.02)
    assert jnp.mean(added) == pytest.approx(0, abs=0.002)
    assert jnp.mean(Noise(0.1)(jnp.zeros_like(grey), key=KEY)) == pytest.approx(0.04, rel=0.03)


@settings(max_examples=20, deadline=None)
@given(st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 40), st.integers(1, 4)), st.sampled_from(EVERY))
def test_any_size_will_do(shape, row):
    images = jax.ShapeDtypeStruct(shape, jnp.float32)
    assert jax.eval_shape(lambda x: row[0](x, key=KEY), images).shape == shape


def test_the_smallest_images_stay_within_0_and_1():
    shape = (2, 3, 1, 3)
    every = Compose((Shift(3), Distort((Affine(180, 5, 0.9, 2), Elastic(3, 100))), Erase(0.9), Noise(0.5)))
    changed = jax.jit(every)(jax.random.uniform(jax.random.key(3), shape), key=KEY)
    assert changed.shape == shape
    assert jnp.all((changed >= 0) & (changed <= 1))


def test_double_precision_stays(float64):
    images = jax.random.uniform(KEY, (2, 6, 6, 1), jnp.float64)
    for augmentation, _, _ in EVERY:
        assert jax.eval_shape(lambda x, change=augmentation: change(x, key=KEY), images).dtype == jnp.float64


@given(
    st.sampled_from(
        [
            (kind, name)
            for kind, name in (
                (Shift, "pixels"),
                (RandomCrop, "padding"),
                (HorizontalFlip, "probability"),
                (Erase, "probability"),
                (Erase, "smallest"),
                (Erase, "largest"),
                (Erase, "aspect"),
                (Erase, "fill"),
                (Noise, "deviation"),
                (Translate, "pixels"),
                (Rotate, "degrees"),
                (Scale, "scale"),
                (Shear, "shear"),
                (Affine, "degrees"),
                (Affine, "translate"),
                (Affine, "scale"),
                (Affine, "shear"),
                (Elastic, "sigma"),
                (Elastic, "alpha"),
            )
        ]
    ),
    st.floats(max_value=0, exclude_max=True) | st.sampled_from([np.nan, np.inf, True, "1", (1,)]),
)
def test_what_makes_no_sense_is_refused_in_one_line(field, value):
    kind, name = field
    with pytest.raises(FirsthandError, match=rf"^{kind.__name__}: {name} is .* expected$") as caught:
        kind(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shift(1.5), "Shift: pixels is 1.5, a whole number, 0 or more expected"),  # pyright: ignore
        (lambda: Scale(1.0), "Scale: scale is 1.0, 0 or more and below 1 expected"),
        (lambda: Elastic(0), "Elastic: sigma is 0, above 0 expected"),
        (lambda: HorizontalFlip(1.5), "HorizontalFlip: probability is 1.5, 0 to 1 expected"),
        (lambda: Erase(largest=0.01), r"Erase: largest is 0.01, at least smallest \(0.02\) expected"),
        (lambda: Compose((Shift(1), 3)), "Compose: parts has 3, Augmentations expected"),  # pyright: ignore
        (lambda: Distort((Shift(1),)), r"Distort: warps has Shift\(pixels=1\), Warps expected"),  # pyright: ignore
        (lambda: Shift(1)(jnp.zeros((1, 2, 2, 1), jnp.uint8), key=KEY), "Shift: images of uint8 found, floats from"),
        (lambda: Shift(1)(jnp.zeros((2, 2, 1)), key=KEY), r"Shift: images \(2, 2, 1\) found, \(batch, height, width"),
    ],
)
def test_messages_say_what_was_found_and_expected(make, message):
    with pytest.raises(FirsthandError, match=message):
        make()


@pytest.mark.tiny
def test_an_augmentation_of_your_own_needs_one_method(digits):
    @dataclasses.dataclass(frozen=True)
    class Invert(Augmentation):
        def changed(self, images, key):
            return 1 - images

    twice = Compose((Invert(), Invert()))
    np.testing.assert_allclose(twice(digits, key=KEY), digits, atol=1e-6)


@pytest.mark.tiny
def test_the_expanded_set_is_the_books():
    data = mnist().train[:50]
    found = expanded(data)
    assert len(found) == 250
    assert found.images.dtype == np.uint8
    assert found.labels.tolist() == np.repeat(data.labels, 5).tolist()
    assert found.classes == data.classes
    # the images are those of the book's program, whose displacements tests/book/test_book.py compares with its listing
    assert np.array_equal(found.images.reshape(250, 784), expand_mnist.displaced(data.images.reshape(50, 784)))
    image, down, up, right, left = found.images[:5, :, :, 0].astype(int)
    assert np.array_equal(image, data.images[0, :, :, 0])
    assert np.array_equal(down[1:], image[:-1])
    assert np.array_equal(up[:-1], image[1:])
    assert np.array_equal(right[:, 1:], image[:, :-1])
    assert np.array_equal(left[:, :-1], image[:, 1:])
    assert down[0].sum() == up[-1].sum() == right[:, 0].sum() == left[:, -1].sum() == 0


@pytest.mark.tiny
def test_any_images_can_be_expanded():
    data = Dataset(np.full((2, 1, 2, 3), 7, np.uint8), np.array([0, 1]), ("a", "b"))
    assert expanded(data).images.sum(axis=(1, 2, 3)).tolist() == 2 * [42, 0, 0, 21, 21]


def test_colour_noise_goes_where_colours_differ():
    rng = np.random.default_rng(0)
    light = rng.normal(size=(40, 8, 8, 1)) * [0.5, 0.3, 0.1] + rng.normal(size=(40, 8, 8, 3)) * 0.01
    images = np.clip(128 + 60 * light, 0, 255).astype(np.uint8)
    noise = ColourNoise.of(images)
    largest = np.array(noise.directions[int(np.argmax(noise.strengths))])
    expected = np.array([0.5, 0.3, 0.1]) / np.linalg.norm([0.5, 0.3, 0.1])
    assert abs(largest @ expected) > 0.999
    grey = jnp.full((500, 2, 2, 3), 0.5)
    added = np.asarray(noise(grey, key=KEY) - grey)
    assert np.ptp(added, axis=(1, 2)).max() < 1e-6  # of one image, all pixels alike
    spread = np.std(added[:, 0, 0] @ largest)
    assert spread == pytest.approx(0.1 * max(noise.strengths), rel=0.1)
    with pytest.raises(FirsthandError, match="ColourNoise: strengths is"):
        ColourNoise(((1.0, 0.0, 0.0),), (1.0, 2.0))
