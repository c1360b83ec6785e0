"""Pictures of a network that runs backwards, for the report of its training."""

import io

import jax
import numpy as np

from firsthand.data import Dataset, Examples
from firsthand.inspect.sheets import sheet_of
from firsthand.models import Autoencoder, Generator

__all__ = ["drawn"]

COLUMNS = 10
LABELS = 20  # of more classes, the first are drawn


def drawn(model: Generator | Autoencoder, test: Examples | None) -> dict[str, bytes]:
    """Return pictures (PNG) by what they show: samples, a row of each class; test images and what comes back of them.

    A model of something else than grey images has none.
    """
    if len(model.input_shape) != 3 or model.input_shape[2] != 1:
        return {}
    found = {}
    if isinstance(model, Generator):
        labels = model.classes[:LABELS] or (None,) * 4
        rows = [model.sample(COLUMNS, key=jax.random.key(row), label=label)[..., 0] for row, label in enumerate(labels)]
        found["samples"] = _png(rows)
    if isinstance(test, Dataset):
        given = test.images[:COLUMNS]
        found["given and given back"] = _png([given[..., 0] / 255, model.reconstruct(given)[..., 0]])
    return found


def _png(rows: list[np.ndarray]) -> bytes:
    from PIL import Image

    sheet, buffer = sheet_of(rows), io.BytesIO()
    twice = 2 * sheet.shape[1], 2 * sheet.shape[0]
    Image.fromarray(sheet).resize(twice, Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()
