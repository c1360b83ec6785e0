"""The networks of chapter 6's survey, described in full: KSH (AlexNet) and GoogLeNet, for 1,000 classes of ImageNet."""

from firsthand import nn

__all__ = ["googlenet", "inception", "ksh"]

CLASSES = 1000


def ksh() -> nn.Network:
    """The network of Krizhevsky, Sutskever and Hinton 2012, by its paper's sections 3.1 to 3.5 and 4.2.

    Windows of 224x224 out of 256x256; the first layer has 2 pixels of padding, which the paper does not name and its
    55x55 places need.  The parts on two graphics cards are two groups.
    """
    reduced = (nn.LocalResponseNormalization(5, alpha=1e-4, beta=0.75, k=2.0), nn.MaxPool(3, stride=2))
    return nn.Network(
        (
            nn.Crop(224),
            nn.Convolution(96, 11, stride=4, padding=2),
            *reduced,
            nn.Convolution(256, 5, padding=2, groups=2),
            *reduced,
            nn.Convolution(384, 3, padding=1),
            nn.Convolution(384, 3, padding=1, groups=2),
            nn.Convolution(256, 3, padding=1, groups=2),
            nn.MaxPool(3, stride=2),
            nn.Dropout(0.5),
            nn.FullyConnected(4096, nn.relu),
            nn.Dropout(0.5),
            nn.FullyConnected(4096, nn.relu),
            nn.Softmax(CLASSES),
        ),
        input_shape=(256, 256, 3),
    )


def inception(
    one: int,
    three: tuple[int, int],
    five: tuple[int, int],
    pool: int,
    *,
    weights_init: nn.Initializer = nn.he,
) -> nn.Concatenate:
    """An Inception module: 1x1, 3x3 and 5x5 convolutions and max-pooling side by side (figure 2b of its paper).

    Args:
        one: filters of the 1x1 convolution.
        three, five: (1x1 filters in front, filters) of the 3x3 and the 5x5 convolution.
        pool: 1x1 filters behind the pooling, whose windows of 3x3, one pixel apart and padded, keep the size.
        weights_init: of all convolutions.
    """

    def convolution(filters: int, size: int) -> nn.Convolution:
        return nn.Convolution(filters, size, padding=size // 2, weights_init=weights_init)

    return nn.Concatenate(
        (
            (convolution(one, 1),),
            (convolution(three[0], 1), convolution(three[1], 3)),
            (convolution(five[0], 1), convolution(five[1], 5)),
            (nn.MaxPool(3, stride=1, padding=1), convolution(pool, 1)),
        )
    )


def googlenet() -> nn.Network:
    """The network of Szegedy et al. 2015, by table 1 and section 5 of its paper, with both auxiliary classifiers."""
    smaller, response = nn.MaxPool(3, stride=2, padding=1), nn.LocalResponseNormalization(5, alpha=1e-4 / 5, k=1.0)
    return nn.Network(
        (
            nn.Convolution(64, 7, stride=2, padding=3),
            smaller,
            response,
            nn.Convolution(64, 1),
            nn.Convolution(192, 3, padding=1),
            response,
            smaller,
            inception(64, (96, 128), (16, 32), 32),  # 3a
            inception(128, (128, 192), (32, 96), 64),
            smaller,
            inception(192, (96, 208), (16, 48), 64),  # 4a
            _auxiliary(),
            inception(160, (112, 224), (24, 64), 64),
            inception(128, (128, 256), (24, 64), 64),
            inception(112, (144, 288), (32, 64), 64),  # 4d
            _auxiliary(),
            inception(256, (160, 320), (32, 128), 128),
            smaller,
            inception(256, (160, 320), (32, 128), 128),  # 5a
            inception(384, (192, 384), (48, 128), 128),
            nn.GlobalAveragePool(),
            nn.Dropout(0.4),
            nn.Softmax(CLASSES),
        ),
        input_shape=(224, 224, 3),
    )


def _auxiliary() -> nn.Auxiliary:
    return nn.Auxiliary(
        (
            nn.AveragePool(5, stride=3),
            nn.Convolution(128, 1),
            nn.FullyConnected(1024, nn.relu),
            nn.Dropout(0.7),
            nn.Softmax(CLASSES),
        )
    )
