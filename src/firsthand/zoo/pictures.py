"""Classifiers of photos of clothes: the networks of chapter 6's survey, in small."""

from firsthand import nn
from firsthand.data.augment import Compose, HorizontalFlip, Shift
from firsthand.learning import OneCycle, Recipe

from .about import ABOUT
from .image_net import inception
from .named_recipe import NamedRecipe

__all__ = ["INCEPTION_SMALL", "KSH_SMALL", "RECIPES", "ksh_small"]


def ksh_small(
    *,
    activation: nn.Activation | None = None,
    response: bool = True,
    overlap: bool = True,
    dropout: bool = True,
) -> tuple[nn.Layer, ...]:
    """The layers of KSH for images of 28x28: five convolutions, three poolings, two hidden layers, two groups.

    Args:
        activation: of all hidden layers, as a layer's; None: rectified linear units.
        response: whether the first two convolutions are followed by local response normalization.
        overlap: whether pooling has windows of 3x3, 2 pixels apart, or else of 2x2; both halve the image.
        dropout: whether the hidden layers have it.
    """
    function = nn.relu if activation is None else activation.function
    start = nn.he if function is nn.relu else nn.scaled

    def convolution(filters: int, size: int, groups: int = 1) -> nn.Convolution:
        return nn.Convolution(filters, size, padding=size // 2, groups=groups, activation=function, weights_init=start)

    normalized = (nn.LocalResponseNormalization(),) if response else ()
    pooled = nn.MaxPool(3, stride=2, padding=1) if overlap else nn.MaxPool(2)
    dropped = (nn.Dropout(0.5),) if dropout else ()
    hidden = nn.FullyConnected(256, function, weights_init=start)
    return (
        nn.Crop(24),
        convolution(48, 5),
        *normalized,
        pooled,
        convolution(64, 5, groups=2),
        *normalized,
        pooled,
        convolution(96, 3),
        convolution(96, 3, groups=2),
        convolution(64, 3, groups=2),
        pooled,
        *dropped,
        hidden,
        *dropped,
        hidden,
        nn.Softmax(10),
    )


KSH_SMALL = NamedRecipe(
    "ksh-small",
    ABOUT["ksh-small"],
    # without dropout: on validation images so small a network still learns too little of the training data
    ksh_small(dropout=False),
    Recipe(
        epochs=24,
        batch_size=50,
        learning_rate=OneCycle(0.05, 24, rise=0.2),
        momentum=0.9,
        nesterov=True,
        l2=1e-4,
        average=0.999,
        augment=HorizontalFlip(),
    ),
    data="fashion-mnist",
)

INCEPTION_SMALL = NamedRecipe(
    "inception-small",
    ABOUT["inception-small"],
    (
        nn.ConvPool(32, 5, padding=2, weights_init=nn.he),
        nn.BatchNorm(),
        inception(16, (16, 32), (8, 16), 16),
        nn.BatchNorm(),
        nn.MaxPool(3, stride=2, padding=1),
        inception(32, (32, 64), (12, 24), 24),
        nn.BatchNorm(),
        nn.Auxiliary((nn.GlobalAveragePool(), nn.Softmax(10))),
        inception(48, (40, 80), (16, 32), 32),
        nn.BatchNorm(),
        nn.GlobalAveragePool(),
        nn.Dropout(0.25),
        nn.Softmax(10),
    ),
    Recipe(
        epochs=24,
        batch_size=50,
        learning_rate=OneCycle(0.08, 24, rise=0.2),
        momentum=0.9,
        nesterov=True,
        l2=3e-4,
        average=0.999,
        augment=Compose((HorizontalFlip(), Shift(2))),
    ),
    data="fashion-mnist",
)

RECIPES = {recipe.name: recipe for recipe in (KSH_SMALL, INCEPTION_SMALL)}
