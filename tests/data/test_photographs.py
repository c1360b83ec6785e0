"""Photographs: found where they are said to be, and a line that says what to install where they are not."""

import numpy as np
import pytest
from PIL import Image

from firsthand.data import DataError, patches_of, photographs
from firsthand.data.photographs import PHOTOGRAPHS


@pytest.mark.tiny
def test_photographs_of_a_folder(tmp_path, monkeypatch):
    for number, name in enumerate(PHOTOGRAPHS):
        Image.new("L", (8 + number, 6), 10 * number).save(tmp_path / name)
    monkeypatch.setenv("FIRSTHAND_PHOTOGRAPHS", str(tmp_path))
    found = photographs()
    assert [image.shape for image in found] == [(6, 8 + number, 3) for number in range(len(PHOTOGRAPHS))]
    (tmp_path / PHOTOGRAPHS[3]).unlink()
    with pytest.raises(DataError, match=r"chelsea\.png: no photograph found"):
        photographs(tmp_path)


@pytest.mark.tiny
def test_without_them_a_line_says_what_to_install(monkeypatch):
    monkeypatch.delenv("FIRSTHAND_PHOTOGRAPHS", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match="`pip install scikit-image` brings them"):
        photographs()


@pytest.mark.tiny
def test_patches_are_windows_of_the_images():
    images = [np.arange(5 * 7 * 3).reshape(5, 7, 3), 1000 + np.arange(4 * 4 * 3).reshape(4, 4, 3)]
    patches = patches_of(images, 3, 200, seed=1)
    assert patches.shape == (200, 3, 3, 3)
    windows = {image[i : i + 3, j : j + 3].tobytes() for image in images for i in range(3) for j in range(5)}
    assert {patch.tobytes() for patch in patches} <= windows
    np.testing.assert_array_equal(patches, patches_of(images, 3, 200, seed=1))
    with pytest.raises(DataError, match="smaller than a patch of 5x5"):
        patches_of(images, 5, 1, seed=0)
