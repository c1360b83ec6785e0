"""`conv` of the book: the networks of chapter 6, from no convolution to an ensemble with dropout.

    import conv
    conv.basic_conv(n=1, epochs=3)

Names, arguments, settings and printed lines are the original's, on this package's engine; every function also takes
`epochs`.  The later ones need the expanded data: run `expand_mnist` first.  What came out is in `results/experiments`
(`firsthand run conv-1` and others), with more runs than here.
"""

from collections import Counter

import numpy as np

from firsthand.book import network3
from firsthand.book.network3 import ConvPoolLayer, FullyConnectedLayer, Network, ReLU, SoftmaxLayer, sigmoid

training_data, validation_data, test_data = network3.load_data_shared()
mini_batch_size = 10

EXPANDED = "../data/mnist_expanded.pkl.gz"
LAMBDAS = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)


def shallow(n=3, epochs=60):
    """One hidden layer of 100 sigmoid neurons; n networks."""

    def layers():
        return [FullyConnectedLayer(n_in=784, n_out=100), SoftmaxLayer(n_in=100, n_out=10)]

    return [_trained("A shallow net with 100 hidden neurons", layers(), epochs, 0.1) for _ in range(n)]


def basic_conv(n=3, epochs=60):
    """Convolution and a fully connected layer, n times; the last network."""

    def layers():
        return [_first(), FullyConnectedLayer(n_in=20 * 12 * 12, n_out=100), SoftmaxLayer(n_in=100, n_out=10)]

    return [_trained("Conv + FC architecture", layers(), epochs, 0.1) for _ in range(n)][-1]


def omit_FC(epochs=60):
    """Convolution without the fully connected layer, three times; the last network."""

    def layers():
        return [_first(), SoftmaxLayer(n_in=20 * 12 * 12, n_out=10)]

    return [_trained("Conv only, no FC", layers(), epochs, 0.1) for _ in range(3)][-1]


def dbl_conv(activation_fn=sigmoid, epochs=60):
    """Two convolutional layers, three times; the last network."""
    return [_trained("Conv + Conv + FC architecture", _double(activation_fn), epochs, 0.1) for _ in range(3)][-1]


def regularized_dbl_conv(epochs=60):
    """Two convolutional layers with seven amounts of L2, three times each: what the chapter leaves out."""
    for lmbda in LAMBDAS:
        for j in range(3):
            about = f"Conv + Conv + FC num {j}, with regularization {lmbda}"
            _trained(about, _double(sigmoid), epochs, 0.1, lmbda)


def dbl_conv_relu(epochs=60):
    """Two convolutional layers of rectified linear units, with no L2 and seven amounts of it, three times each."""
    for lmbda in (0.0, *LAMBDAS):
        for j in range(3):
            about = f"Conv + Conv + FC num {j}, relu, with regularization {lmbda}"
            _trained(about, _double(ReLU), epochs, 0.03, lmbda)


def expanded_data(n=100, epochs=20):
    """The expanded data, with n neurons in the fully connected layer, three times; the last network."""
    expanded = network3.load_data_shared(EXPANDED)[0]
    about = f"Training with expanded data, {n} neurons in the FC layer, run num"
    return [_trained(f"{about} {j}", _double(ReLU, n), epochs, 0.03, 0.1, expanded) for j in range(3)][-1]


def expanded_data_double_fc(n=100, epochs=60):
    """The expanded data, with two fully connected layers of n neurons, three times; the last network."""
    expanded = network3.load_data_shared(EXPANDED)[0]
    about = f"Training with expanded data, {n} neurons in two FC layers, run num"
    return [_trained(f"{about} {j}", _double_fc(n), epochs, 0.03, 0.1, expanded) for j in range(3)][-1]


def double_fc_dropout(p0, p1, p2, repetitions, epochs=40):
    """Two fully connected layers of 1,000 neurons with dropout p0, p1 and p2; as many networks as repetitions."""
    expanded = network3.load_data_shared(EXPANDED)[0]
    nets = []
    for j in range(repetitions):
        print(f"\n\nTraining using a dropout network with parameters  {p0} {p1} {p2}")
        about = f"Training with expanded data, run num {j}"
        nets.append(_trained(about, _double_fc(1000, (p0, p1, p2)), epochs, 0.03, 0.0, expanded))
    return nets


def ensemble(nets):
    """Let networks vote on the test images, and print how many they get right together.

    Returns:
        The places of the test images that they get wrong, and what they say there; the digit of the first network
        among those with equally many votes.
    """
    votes = zip(*(net.predict(test_data[0]) for net in nets), strict=True)
    said = [Counter(vote).most_common(1)[0][0] for vote in votes]
    error_locations = [j for j, digit in enumerate(test_data[1]) if said[j] != digit]
    print(f"Accuracy is {1 - len(error_locations) / len(said):.2%}")
    return error_locations, [said[j] for j in error_locations]


def plot_errors(error_locations, erroneous_predictions=None):
    """Draw the first 40 of some test images, each with its digit above and what was said below.

    Returns:
        `matplotlib.pyplot`, as in the original: `plot_errors(...).savefig(filename)`.
    """
    import matplotlib
    import matplotlib.pyplot as plt

    row, col = 4, 10
    plt.figure()
    for j, place in enumerate(error_locations[: row * col]):
        ax = plt.subplot2grid((row, col), divmod(j, col))
        ax.matshow(np.reshape(test_data[0][place], (28, 28)), cmap=matplotlib.colormaps["binary"])
        ax.text(24, 5, str(test_data[1][place]))
        if erroneous_predictions:
            ax.text(24, 24, str(erroneous_predictions[j]))
        ax.set_xticks([])
        ax.set_yticks([])
    plt.tight_layout()
    return plt


def plot_filters(net, layer, x, y):
    """Draw the kernels of a convolutional layer, the layer's number, in x columns and y rows.

    Of kernels for several maps, that for the first is drawn.

    Returns:
        `matplotlib.pyplot`, as in the original.
    """
    import matplotlib
    import matplotlib.pyplot as plt

    fig = plt.figure()
    for j, kernel in enumerate(net.layers[layer].w.eval()):
        ax = fig.add_subplot(y, x, j + 1)
        ax.matshow(kernel[0], cmap=matplotlib.colormaps["binary"])
        ax.set_xticks([])
        ax.set_yticks([])
    plt.tight_layout()
    return plt


def run_experiments():
    """Run all of the chapter's experiments: many hours."""
    shallow()
    basic_conv()
    omit_FC()
    dbl_conv()
    dbl_conv_relu()
    for n in (100, 300, 1000):
        expanded_data(n=n)
    for n in (100, 300, 1000):
        expanded_data_double_fc(n=n)
    nets = double_fc_dropout(0.5, 0.5, 0.5, 5)
    error_locations, erroneous_predictions = ensemble(nets)
    plot_errors(error_locations, erroneous_predictions).savefig("ensemble_errors.png")
    plot_filters(nets[0], 0, 5, 4).savefig("net_full_layer_0.png")
    plot_filters(nets[0], 1, 8, 5).savefig("net_full_layer_1.png")


def _first(activation_fn=sigmoid):
    return ConvPoolLayer(
        image_shape=(mini_batch_size, 1, 28, 28), filter_shape=(20, 1, 5, 5), activation_fn=activation_fn
    )


def _two(activation_fn):
    second = ConvPoolLayer(
        image_shape=(mini_batch_size, 20, 12, 12), filter_shape=(40, 20, 5, 5), activation_fn=activation_fn
    )
    return [_first(activation_fn), second]


def _double(activation_fn, n=100):
    return [
        *_two(activation_fn),
        FullyConnectedLayer(n_in=40 * 4 * 4, n_out=n, activation_fn=activation_fn),
        SoftmaxLayer(n_in=n, n_out=10),
    ]


def _double_fc(n, dropout=(0.0, 0.0, 0.0)):
    return [
        *_two(ReLU),
        FullyConnectedLayer(n_in=40 * 4 * 4, n_out=n, activation_fn=ReLU, p_dropout=dropout[0]),
        FullyConnectedLayer(n_in=n, n_out=n, activation_fn=ReLU, p_dropout=dropout[1]),
        SoftmaxLayer(n_in=n, n_out=10, p_dropout=dropout[2]),
    ]


def _trained(about, layers, epochs, eta, lmbda=0.0, data=None):
    print(about)
    net = Network(layers, mini_batch_size)
    data = training_data if data is None else data
    net.SGD(data, epochs, mini_batch_size, eta, validation_data, test_data, lmbda=lmbda)
    return net
