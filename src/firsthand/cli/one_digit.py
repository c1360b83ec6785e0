"""The answer of `firsthand predict` to a picture of one digit: as it is, or found on it by the reader."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from firsthand.models import Classifier

__all__ = ["Answer", "name_digit"]

_INK = 64  # of 255: more than the ground, and it counts as drawn
_LONGEST = (15, 22)  # pixels: MNIST scales the longer side of its digits to 20
_OFF_CENTRE = 2.5  # pixels between the centre of the picture and that of the ink, which MNIST lets coincide


class Answer(NamedTuple):
    """Classes with their probabilities, likeliest first, none where there is not one digit; and what is to be said."""

    candidates: dict[str, float]
    notes: tuple[str, ...]
    reason: str = ""  # why there are no candidates


def name_digit(path: Path, model: "Classifier", shape: tuple[int, int, int], top: int) -> Answer:
    """Name the one digit on a picture.

    A picture that looks like one of MNIST goes to the model as it is; so does every picture where the model is no
    reader of digits.  On any other, the reader looks for the digit first.

    Args:
        path: of the picture.
        model: names what is on it.
        shape: of the model's images.
        top: how many candidates.
    Raises:
        DataError: no picture.
    """
    from firsthand.data import load_image
    from firsthand.data.pictures import FLAT, read_grey

    reads_digits = shape == (28, 28, 1) and all(len(name) == 1 and name.isdecimal() for name in model.classes)
    if reads_digits:
        grey = read_grey(path)
        if int(grey.max()) - int(grey.min()) < FLAT // 2:
            return Answer({}, (), "nothing is on the picture")
        if not _is_like_mnist(grey):
            answer = _found(grey, model, top)
            if answer.candidates or grey.shape != shape[:2]:
                return answer
    image = load_image(path, shape)
    (best,) = model.top_k(image.pixels[None], top)
    return Answer(dict(best), image.notes)


def _is_like_mnist(grey: "np.ndarray") -> bool:
    """Return whether a picture is 28 x 28 pixels with one digit as in MNIST: of its size, and in the middle."""
    import numpy as np

    from firsthand.data.pictures import light_on_dark

    if grey.shape != (28, 28):
        return False
    light, _ = light_on_dark(grey)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    if np.percentile(border, 90) > _INK:
        return False
    rows, columns = np.nonzero(light > _INK)
    if not len(rows):
        return False
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    weights = light / light.sum()
    y, x = (float((weights.sum(axis) * np.arange(28)).sum()) for axis in (1, 0))
    centred = max(abs(y - 13.5), abs(x - 13.5)) <= _OFF_CENTRE
    return bool(_LONGEST[0] <= longest <= _LONGEST[1]) and centred


def _found(grey: "np.ndarray", model: "Classifier", top: int) -> Answer:
    from firsthand.reading import read

    page: Any = read(grey, model)
    digits = [digit for line in page.lines for digit in line.digits]
    if not digits:
        return Answer({}, (), page.reason or "no digit is on the picture")
    if len(digits) > 1:
        text = " ".join(line.text for line in page.lines)
        return Answer({}, (), f"{len(digits)} digits are on the picture, expected one; `firsthand read` reads {text}")
    (digit,) = digits
    candidates = {digit.value: digit.probability, **dict(digit.alternatives)}
    left, top_, right, bottom = digit.box
    return Answer(dict(list(candidates.items())[:top]), (f"found at {left},{top_} to {right},{bottom}",))
