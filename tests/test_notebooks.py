"""Objects show themselves in notebooks: short, without addresses of functions, as tables and pictures."""

import sys
import types
from html.parser import HTMLParser

import numpy as np
import pytest

import firsthand
from firsthand import Recipe, mnist, nn, notebooks, train
from firsthand.inspect import plots
from firsthand.learning import History, shown
from firsthand.models import Ensemble

pytestmark = pytest.mark.usefixtures("compiled_quickly")


class Balance(HTMLParser):
    """Tags that are opened and closed in their order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("img", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "rect":
            assert self.open.pop() == tag


def tags(html):
    parser = Balance()
    parser.feed(html)
    assert not parser.open
    return parser.seen


@pytest.fixture(scope="module")
def training():
    network = nn.Network((nn.ConvPool(3), nn.FullyConnected(10, "relu"), nn.Softmax(10)))
    return train(network, mnist().train[:300], Recipe(2, learning_rate=0.1), key=0)


def test_a_network(training):
    network = training.model.network
    shown = "Network((ConvPool(3, activation=relu), FullyConnected(10, activation=relu), "
    assert repr(network) == shown + "Softmax(10, activation=softmax)), (28, 28, 1))"
    assert repr(network.layers[1]) == "FullyConnected(10, activation=relu)"
    assert tags(network._repr_html_()).count("tr") == 6  # head, input, three layers, total


def test_a_model_and_an_ensemble(training):
    model = training.model
    assert repr(model).startswith("<Model: 10 classes, 4,518 parameters, training accuracy ")
    assert len(repr(model)) < 150
    assert "validation accuracy" in model._repr_html_()
    assert tags(model._repr_html_()).count("tr") == 6
    several = Ensemble((model, model))
    assert repr(several).startswith("<Ensemble of 2: 10 classes, 9,036 parameters")
    assert tags(several._repr_html_()).count("tr") == 3


def test_a_history(training):
    history = training.history
    assert repr(history).startswith("<History: 2 epochs, best epoch ")
    assert "validation accuracy 0." in repr(history)
    assert repr(History()) == str(History()) == "<History: no epoch>"
    head, *rows, ended = str(history).splitlines()
    assert head.split()[:2] == ["epoch", "batch"]
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert ended == "finished: 2 epochs"
    assert "img" in tags(history._repr_html_())
    figure = history.plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert [axes.get_ylabel() for axes in figure.axes] == ["cost", "accuracy"]
    assert plots.plot_history(history)._repr_png_().startswith(b"\x89PNG")


def test_a_history_of_costs_alone():
    history = History([{"epoch": n, "learning_rate": 1.0, "batch_cost": 1 / n} for n in (1, 2)])
    assert repr(history) == "<History: 2 epochs; at the last cost 0.5>"
    assert history.plot().axes[1].get_ylabel() == "cost"


def test_a_page_that_was_read():
    sevens = np.hstack([np.pad(mnist().test.images[0, ..., 0], 6)] * 3)
    page = firsthand.read(255 - sevens)
    assert repr(page) == "<Page 120 x 40: 1 lines of 3 digits, 0 rejected>"
    seen = tags(page._repr_html_())
    assert (seen.count("rect"), seen.count("text")) == (4, 3)  # the page, and a box for every digit


def test_a_bar_where_somebody_looks(training, monkeypatch):
    """In a notebook, a bar and lines that are replaced; nothing in a program."""
    displayed = []

    class Handle:
        def update(self, data, raw):
            displayed.append(data)

    def display(data, raw, display_id):
        displayed.append(data)
        return Handle()

    Shell = type("ZMQInteractiveShell", (), {})
    IPython = types.ModuleType("IPython")
    vars(IPython)["get_ipython"] = Shell
    inner = types.ModuleType("IPython.display")
    vars(inner)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython", IPython)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    assert notebooks.in_notebook()
    assert notebooks.someone_looks()
    data, recipe = mnist().train[:300], Recipe(2, learning_rate=0.1)
    train(training.model.network, data, recipe, key=0)
    assert len(displayed) >= 2
    assert "epoch 2/2" in displayed[-1]["text/plain"]
    assert tags(displayed[-1]["text/html"]) == ["div", "progress", "pre"]
    displayed.clear()
    train(training.model.network, data, recipe, key=0, verbose=False)
    assert not displayed


def test_verbose_prints_in_a_program(training, capsys):
    train(training.model.network, mnist().train[:300], Recipe(1, learning_rate=0.1), key=0)
    assert capsys.readouterr().out == ""
    train(training.model.network, mnist().train[:300], Recipe(1, learning_rate=0.1), key=0, verbose=True)
    assert capsys.readouterr().out.startswith("epoch 1/1  ")
    assert shown.all_of(None) is None
