"""The models that come with the package, so that it can read as soon as it is installed.

`digits.safetensors` names the digit on an image of 28x28 pixels; it is `RECIPES["deep"]`, trained on MNIST's training
images, then on the same digits as they come from photos (tools/box/box_reader.py), then on digits as they are written
elsewhere (tools/box/train_elsewhere.py).  `is_digit.safetensors` tells
one whole digit from everything else; it has learned from pages made of the same digits (tools/box/train_gate.py).
`upright.safetensors` says which side of a digit or letter is up (tools/box/train_upright.py).  `pairs.safetensors`
reads two digits that touch as a whole (tools/box/train_pairs.py).  All are calibrated on validation data, and say in
their provenance how they came to be.
"""

from functools import cache
from pathlib import Path

from firsthand.models import Model, NumberModel

__all__ = ["boxed_gate", "boxed_model", "boxed_pairs", "boxed_upright", "example_page"]

HERE = Path(__file__).parent


@cache
def boxed_model() -> Model:
    """The bundled digit reader: images of 28x28 pixels, ten classes, calibrated probabilities.

    Examples:
        >>> from firsthand.data import mnist
        >>> boxed_model().predict(mnist().test.images[:3]).tolist()
        [7, 2, 1]
    """
    return Model.load(HERE / "digits.safetensors")


@cache
def boxed_gate() -> Model:
    """The model that tells digits from what is none: see `normalise.hypotheses` for its images."""
    return Model.load(HERE / "is_digit.safetensors")


@cache
def boxed_pairs() -> NumberModel:
    """The model that reads two digits that touch as a whole: see `pairs.picture` for its images."""
    return NumberModel.load(HERE / "pairs.safetensors")


def example_page() -> Path:
    """A photo of a page of handwritten digits, to try the reader on: four lines of MNIST validation digits."""
    return Path(__file__).with_name("example.jpg")


@cache
def boxed_upright() -> Model:
    """The model that says how a digit or letter on an image of 28x28 pixels is turned: by 0, 90, 180, 270 degrees."""
    return Model.load(HERE / "upright.safetensors")
