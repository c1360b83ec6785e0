"""Data of one's own, with any number of classes and any names: what is trained can be read, evaluated and used."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

from firsthand import nn
from firsthand.cli.common import DATA_NAMES
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.inspect.names import shown_names
from firsthand.inspect.plots import plot_confusion
from firsthand.learning import Classification, Recipe, train
from firsthand.models import Model, load_model
from firsthand.search import Range, search
from firsthand.zoo import RECIPES, NamedRecipe


@pytest.fixture
def folder(tmp_path):
    def made(*names):
        for label, name in enumerate(names):
            (tmp_path / "own" / name).mkdir(parents=True)
            for i in np.flatnonzero(mnist().train.labels[:600] == label % 10)[:20]:
                Image.fromarray(mnist().train.images[i, ..., 0]).save(tmp_path / "own" / name / f"{i}.png")
        return tmp_path / "own"

    return made


def names_classes(recipe):
    return recipe.data in DATA_NAMES and isinstance(recipe.recipe.objective, Classification)


@pytest.mark.parametrize("classes", [2, 9, 47, 300])
@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if names_classes(recipe)])
def test_every_recipe_has_a_unit_for_every_class(name, classes):
    data = Dataset(np.zeros((2, 28, 28, 1), np.uint8), np.array([0, 1]), tuple(map(str, range(classes))))
    network = RECIPES[name].network(data)
    assert network.num_classes == classes
    assert network.layers[:-1] == RECIPES[name].layers[:-1]


def test_a_belief_net_has_a_label_unit_for_every_class():
    data = Dataset(np.zeros((2, 28, 28, 1), np.uint8), np.array([0, 1]), ("a", "b", "c"))
    recipe = RECIPES["dbn"]
    assert recipe.network(data).layers == recipe.machines(data).machines
    last = recipe.network(data).layers[-1]
    assert isinstance(last, nn.RBM)
    assert last.labels == 3


@pytest.mark.parametrize("names", [("猫", "狗 $"), tuple(f"class {i}" for i in range(12))], ids=["two", "twelve"])
@pytest.mark.parametrize("members", [None, 2])
def test_what_is_trained_on_a_folder_can_be_used(folder, tmp_path, command, names, members):
    own = folder(*names)
    more = () if members is None else ("--members", members)
    options = ("--recipe", "fully-connected", "--epochs", 1, "--data", own, "--out", tmp_path / "run", *more)
    code, _, err = command("train", *options)
    assert code == 0, err
    assert all(line.startswith("firsthand: probabilities are not calibrated") for line in err.splitlines())
    model = tmp_path / "run" / "model.safetensors"
    assert load_model(model).classes == tuple(sorted(names))
    assert "kernels" in load_model(model).provenance or members
    code, out, err = command("evaluate", "--model", model, "--data", own, "--json")
    assert code == 0, err
    assert json.loads(out)["n"] == 20 * len(names)


def test_pictures_of_several_sizes_are_brought_to_one(folder, tmp_path, command):
    own = folder("a", "b")
    Image.new("L", (40, 50)).save(own / "b" / "large.png")
    train = ("train", "--data", own, "--recipe", "fully-connected", "--epochs", 1, "--out", tmp_path / "run")
    code, _, err = command(*train)
    assert (code, err.count("\n")) == (2, 1)
    assert "50 x 40 pixels found, 28 x 28 expected" in err
    assert "train --size N" in err
    assert command(*train, "--size", 20)[0] == 0
    model = tmp_path / "run" / "model.safetensors"
    assert load_model(model).input_shape == (20, 20, 1)
    assert command("evaluate", model, "--data", own)[0] == 0
    assert command("train", "--resume", tmp_path / "run", "--size", 28)[0] == 2


@pytest.mark.parametrize(
    "given",
    [
        ("sweep", "--values", "l2=0,1e-4"),
        ("search", "--space", "learning_rate=0.1:0.2", "--trials", 1, "--storage", "s.journal"),
    ],
    ids=["sweep", "search"],
)
def test_a_comparison_brings_pictures_to_one_size(folder, tmp_path, command, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    own = folder("a", "b")
    Image.new("L", (40, 50)).save(own / "b" / "large.png")
    options = (*given, "--recipe", "fully-connected", "--epochs", 1, "--data", own, "--size", 14)
    code, out, err = command(*options)
    assert code == 0, err
    assert given[0] == "sweep" or "--size 14" in out


def test_one_class_is_refused_and_nothing_is_left(folder, tmp_path, command):
    options = ("--recipe", "fully-connected", "--data", folder("3"), "--out", tmp_path / "run")
    code, _, err = command("train", *options)
    assert code == 2
    assert err == "firsthand: data: 1 class found, two or more expected\n"
    assert not (tmp_path / "run").exists()


def test_a_model_is_not_measured_on_classes_that_it_does_not_know(folder, command):
    own = folder("a", "b")
    code, _, err = command("evaluate", "--data", own)
    assert code == 2
    assert f"firsthand: {own}: classes: 'a', 'b' found, only '0'" in err
    assert "expected by the model" in err


def test_a_search_has_a_unit_for_every_class(tmp_path):
    pytest.importorskip("optuna")
    some = mnist().train[:200]
    three = some[some.labels < 3]
    named = Dataset(three.images, three.labels, ("a", "b", "c"))
    data = Splits(named[:40], named[40:], None)
    small = NamedRecipe("small", "", (nn.Softmax(10),), Recipe(1, 10, 0.1))
    found = search(small, data, {"learning_rate": Range(0.1, 0.2)}, trials=1, storage=tmp_path / "s")
    assert found.best is not None


def test_a_model_that_could_not_be_read_is_not_written(tmp_path):
    network = nn.Network((nn.Softmax(3),), (2, 2, 1))
    good = Model(network, network.init(key=jax.random.key(0)), ("a", "b", "c"))
    path = good.save(tmp_path / "model.safetensors")
    before = path.read_bytes()
    endless = tuple({name: array * np.inf for name, array in layer.items()} for layer in good.params)
    for bad in (
        Model(network, good.params, ("a", "b")),
        Model(network, good.params, ("a", "b", "b")),
        Model(network, endless, good.classes),
        Model(network, good.params, good.classes, {"made": object()}),
    ):
        with pytest.raises(FirsthandError, match="not written, because it could not be read back"):
            bad.save(path)
        assert path.read_bytes() == before


@pytest.mark.parametrize("names", [["七", "a$b", "", "long " * 9], [str(i) for i in range(300)]], ids=["odd", "many"])
def test_figures_show_names_that_their_font_can_draw(names):
    """Matplotlib warns of what it cannot, and a warning is an error here; dollars would begin a formula."""
    count = len(names)
    plot_confusion(np.eye(count, dtype=int) + 1, names).savefig("/dev/null", format="png")
    assert shown_names(["七", "a$b", ""]) == ["#0", r"a\$b", "#2"]


def test_more_classes_than_outputs_are_refused():
    network = nn.Network((nn.Softmax(3),), (28, 28, 1))
    with pytest.raises(FirsthandError, match="10 classes, the network has 3 outputs"):
        train(network, Splits(mnist().train[:20], None, None), Recipe(1, 10, 0.1, monitor=()), key=jax.random.key(0))
