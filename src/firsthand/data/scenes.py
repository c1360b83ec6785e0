"""Scenes of a few digits with a sentence that says what is on them, made by program."""

import numpy as np
from PIL import Image

from .dataset import Dataset
from .translations import Translations, alphabet_of

__all__ = ["CAPTION_STEPS", "CAPTION_SYMBOLS", "SCENE_SIDE", "caption_scenes"]

SCENE_SIDE = 36  # pixels
CAPTION_STEPS = 20  # words of the longest sentence, commas and its end included
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PLACES = (("top", "left"), ("top", "right"), ("bottom", "left"), ("bottom", "right"))
CAPTION_SYMBOLS = alphabet_of((*DIGITS, "a", "an", "top", "bottom", "left", "right", "and", ","))


def caption_scenes(digits: Dataset, count: int, *, seed: int | list[int]) -> Translations:
    """Make scenes of two to four digits, each in a quarter of its own, with captions.

    Every number of digits is as likely.  A digit comes in a square of 14 to 18 pixels, somewhere in its quarter.  A
    caption names the digits from left to right and from top to bottom: 'a seven top left , a two top right and a five
    bottom left'.

    Args:
        digits: images of (28, 28, 1), light on black, with labels 0 to 9.
        count: how many scenes.
        seed: the same seed, the same scenes.
    Returns:
        Rows of 36 * 36 pixels and the words before those to be written, all bytes; what is to be written.
    """
    random, half = np.random.default_rng(seed), SCENE_SIDE // 2
    images = np.zeros((count, SCENE_SIDE, SCENE_SIDE), np.uint8)
    captions = []
    for image in images:
        places = sorted(random.choice(4, int(random.integers(2, 5)), replace=False))
        named = []
        for place in places:
            chosen, side = int(random.integers(len(digits))), int(random.integers(14, half + 1))
            drawn = Image.fromarray(digits.images[chosen, ..., 0]).resize((side, side), Image.Resampling.BILINEAR)
            top, left = (half * at + int(random.integers(half - side + 1)) for at in divmod(int(place), 2))
            image[top : top + side, left : left + side] = np.asarray(drawn)
            digit = DIGITS[digits.labels[chosen]]
            named.append(("an" if digit == "eight" else "a", digit, *PLACES[place]))
        captions.append(_joined(named))
    return Translations.of_given(images.reshape(count, -1), captions, CAPTION_STEPS, CAPTION_SYMBOLS)


def _joined(named: list[tuple[str, ...]]) -> list[str]:
    """Commas between all but the last two, which 'and' joins."""
    words = list(named[0])
    for number, each in enumerate(named[1:], start=1):
        words += ["and" if number == len(named) - 1 else ",", *each]
    return words
