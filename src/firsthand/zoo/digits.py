"""Readers of digits: the networks of the texts, and the bundled ones."""

from dataclasses import replace

import optax

from firsthand import nn
from firsthand.data.augment import Affine, Distort, Elastic
from firsthand.learning import Classification, Cosine, OneCycle, Recipe, WholeNumber
from firsthand.models.numbers import outputs_of_numbers

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = [
    "DEEP",
    "DIGIT_READER",
    "DROPOUT",
    "FULLY_CONNECTED",
    "GATE",
    "PAGE_READER",
    "PAIRS",
    "QUICK",
    "RECIPES",
    "ROWS",
    "SIMARD",
    "SMALLEST",
    "UPRIGHT",
]


DIGIT_READER = NamedRecipe(
    "digit-reader",
    ABOUT["digit-reader"],
    (
        nn.ConvPool(20, weights_init=nn.he),
        nn.ConvPool(40, weights_init=nn.he),
        nn.FullyConnected(100, nn.relu, weights_init=nn.he),
        nn.Softmax(10),
    ),
    Recipe(
        epochs=8,
        batch_size=10,
        learning_rate=Cosine(0.1, 8),
        l2=1e-4,
        monitor=("validation_cost", "validation_accuracy"),
    ),
)

FULLY_CONNECTED = NamedRecipe(
    "fully-connected",
    ABOUT["fully-connected"],
    (nn.FullyConnected(30), nn.FullyConnected(10)),
    Recipe(epochs=30, batch_size=10, learning_rate=0.5, l2=5.0 / 50_000, objective=Classification(nn.cross_entropy)),
)

QUICK = NamedRecipe(
    "quick",
    ABOUT["quick"],
    DIGIT_READER.layers,
    Recipe(epochs=3, batch_size=10, learning_rate=OneCycle(0.12, 3, rise=0.2), l2=1e-4),
)

DROPOUT = NamedRecipe(
    "dropout",
    ABOUT["dropout"],
    (
        nn.ConvPool(20, weights_init=nn.he),
        nn.ConvPool(40, weights_init=nn.he),
        nn.Dropout(0.5),
        nn.FullyConnected(1000, nn.relu, weights_init=nn.he),
        nn.Dropout(0.5),
        nn.FullyConnected(1000, nn.relu, weights_init=nn.he),
        nn.Dropout(0.5),
        nn.Softmax(10),
    ),
    Recipe(epochs=40, batch_size=10, learning_rate=0.03),
    expanded=True,
)

SIMARD = NamedRecipe(
    "simard",
    ABOUT["simard"],
    (nn.FullyConnected(800, nn.relu, weights_init=nn.he), nn.Softmax(10)),
    Recipe(
        epochs=80,
        batch_size=50,
        learning_rate=Cosine(0.1, 80),
        momentum=0.9,
        nesterov=True,
        l2=1e-5,
        average=0.999,
        augment=Distort((Affine(degrees=10, scale=0.1, shear=0.1, translate=1), Elastic(sigma=6, alpha=38))),
    ),
)

SMALLEST = NamedRecipe(
    "smallest",
    ABOUT["smallest"],
    (
        nn.ConvPool(6, 5, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(9, 3, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(10, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Softmax(10),
    ),
    Recipe(
        epochs=60,
        batch_size=50,
        learning_rate=OneCycle(0.1, 60, rise=0.2),
        momentum=0.9,
        nesterov=True,
        average=0.999,
        augment=Affine(degrees=8, translate=1, scale=0.08, shear=0.08),
    ),
)

DEEP = NamedRecipe(
    "deep",
    ABOUT["deep"],
    (
        nn.Convolution(32, 5, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(32, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Convolution(64, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(64, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.SqueezeExcite(8),
        nn.Convolution(128, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Convolution(128, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.SqueezeExcite(8),
        nn.Concatenate(((nn.GlobalMaxPool(),), (nn.GlobalAveragePool(),))),
        nn.Dropout(0.3),
        nn.Softmax(10),
    ),
    Recipe(
        epochs=24,
        batch_size=50,
        # never so small that the average of the last epochs, 5,000 steps, would be one point instead of a region
        learning_rate=Cosine(0.05, 24, end=0.008, per_step=True),
        momentum=0.9,
        nesterov=True,
        l2=5e-5,
        average=0.9998,
        augment=Distort((Affine(degrees=10, translate=2, scale=0.1, shear=0.1), Elastic(sigma=5, alpha=15))),
    ),
)

ROWS = NamedRecipe(
    "rows",
    ABOUT["rows"],
    (nn.Rows(), nn.GRU(80, every_step=False), nn.Softmax(10)),
    # 4 epochs of 2,500 mini-batches
    Recipe(epochs=4, batch_size=20, optimizer=optax.adam(optax.cosine_decay_schedule(2e-3, 10_000)), clip=1.0),
)

# none of these is one of RECIPES: their examples are made by programs of tools/box
PAGE_READER = NamedRecipe(
    "page-reader",
    "trained on with digits as they come from photos: small, blurred, noisy, scaled",
    DEEP.layers,
    replace(
        DEEP.recipe,
        epochs=14,
        learning_rate=Cosine(0.03, 14, end=0.008, per_step=True),
        augment=Distort((Affine(degrees=8, translate=1, scale=0.08, shear=0.1), Elastic(sigma=5, alpha=20))),
    ),
)

GATE = NamedRecipe(
    "gate",
    "the other bundled model: whether ink is one whole digit, seen alone and in its line",
    (
        nn.ConvPool(16, 5, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(32, 5, padding=2, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(48, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Dropout(0.3),
        nn.FullyConnected(64, nn.relu, weights_init=nn.he),
        nn.Dropout(0.3),
        nn.Softmax(2),
    ),
    Recipe(
        epochs=14,
        batch_size=50,
        learning_rate=OneCycle(0.05, 14, rise=0.2),
        momentum=0.9,
        nesterov=True,
        l2=1e-4,
        average=0.999,
        augment=Affine(degrees=6, translate=1, scale=0.06, shear=0.08),
    ),
)

UPRIGHT = NamedRecipe(
    "upright",
    "also bundled: which side of a digit or letter is up",
    (
        nn.ConvPool(12, 5, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(24, 5, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Dropout(0.2),
        nn.FullyConnected(48, nn.relu, weights_init=nn.he),
        nn.Softmax(4),
    ),
    Recipe(
        epochs=4,
        batch_size=50,
        learning_rate=OneCycle(0.05, 4, rise=0.2),
        momentum=0.9,
        nesterov=True,
        l2=1e-4,
        average=0.998,
        augment=Affine(degrees=14, translate=1, scale=0.1, shear=0.15),
    ),
)

PAIRS = NamedRecipe(
    "pairs",
    "also bundled: two digits that touch, read whole",
    (
        nn.ConvPool(24, 5, padding=2, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(32, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Convolution(48, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.ConvPool(48, 3, padding=1, weights_init=nn.he),
        nn.BatchNorm(),
        nn.Dropout(0.3),
        nn.FullyConnected(128, nn.relu, weights_init=nn.he),
        nn.Dropout(0.3),
        nn.FullyConnected(outputs_of_numbers(2), nn.linear),
    ),
    Recipe(
        epochs=10,
        batch_size=50,
        learning_rate=OneCycle(0.05, 10, rise=0.2),
        momentum=0.9,
        nesterov=True,
        l2=1e-4,
        average=0.999,
        objective=WholeNumber(longest=2),
    ),
)

RECIPES = {
    recipe.name: recipe for recipe in (DIGIT_READER, QUICK, FULLY_CONNECTED, DROPOUT, SIMARD, SMALLEST, DEEP, ROWS)
}
