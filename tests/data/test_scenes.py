"""Scenes of digits with captions: what is said is what is there."""

import numpy as np

from firsthand.data import Dataset
from firsthand.data.scenes import CAPTION_SYMBOLS, DIGITS, SCENE_SIDE, caption_scenes

# a digit n is a square of brightness 20 (n + 1)
FLAT = Dataset(
    np.repeat(20 * np.arange(1, 11, dtype=np.uint8), 28 * 28).reshape(10, 28, 28, 1), np.arange(10), tuple("0123456789")
)


def test_captions_name_what_is_in_every_quarter():
    found = caption_scenes(FLAT, 60, seed=1)
    assert found.inputs.dtype == np.uint8
    numbers = set()
    for pixels, words in zip(found.given, found.references, strict=True):
        scene, named = pixels.reshape(2, SCENE_SIDE // 2, 2, SCENE_SIDE // 2), []
        for row, top in enumerate(("top", "bottom")):
            for column, left in enumerate(("left", "right")):
                if light := int(scene[row, :, column].max()):
                    digit = DIGITS[light // 20 - 1]
                    named.append(f"{'an' if digit == 'eight' else 'a'} {digit} {top} {left}")
        *first, last = named
        assert " ".join(words) == f"{' , '.join(first)} and {last}"
        numbers.add(len(named))
    assert numbers == {2, 3, 4}
    assert len(CAPTION_SYMBOLS) == len(set(CAPTION_SYMBOLS))


def test_the_same_seed_gives_the_same_scenes():
    one, two, other = (caption_scenes(FLAT, 5, seed=seed) for seed in (1, 1, 2))
    assert one.digest == two.digest != other.digest
    assert one[:2].digest == caption_scenes(FLAT, 2, seed=1).digest
