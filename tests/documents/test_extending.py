"""The programs of docs/extending.md, in both languages, do what the page says."""

import re
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Arrays, Splits
from firsthand.learning import Objective, Quantity, Recipe, train

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["extending.md", "extending.zh-CN.md"])
def test_what_the_page_shows_trains(page):
    names = {"nn": nn, "jnp": jnp, "dataclass": dataclass, "Objective": Objective, "Quantity": Quantity}
    layer, objective = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    exec(layer + objective, names)  # the page's own words
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    data = Splits(Arrays((x[:30], 3 * x[:30])), Arrays((x[30:], 3 * x[30:])), None)
    network = nn.Network((names["Scale"](), nn.FullyConnected(2, "linear")), (2,))
    recipe = Recipe(15, 5, 0.05, objective=names["Distance"](), clip=5.0)
    _, history = train(network, data, recipe, key=jax.random.key(0))
    assert history["validation_distance"][-1] < 0.1 < history["validation_distance"][0]
