"""Families of models: one file format and one load; what version 0.1 wrote; what could not be read back."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Classification, Recipe, train
from firsthand.models import Autoencoder, Generator, LanguageModel, Model, ModelFileError, load, load_model

FILES = Path(__file__).parent / "files"  # written by version 0.1: see tests/models/files/README.md
KEY = jax.random.key(1)
ALPHABET = tuple("abcd")
LANGUAGE = nn.Network((nn.Embedding(4, 5), nn.Softmax(4, weights_init=nn.large)), (6,))
BOTTLENECK = nn.Network((nn.FullyConnected(2, "tanh"), nn.FullyConnected(9)), (3, 3, 1))


def language():
    return LanguageModel(LANGUAGE, LANGUAGE.init(key=KEY), ALPHABET, {"how": "by hand"})


def test_every_family_is_read_by_one_load(tmp_path):
    classifier = Model(
        nn.Network((nn.Softmax(2),), (3,)), ({"weights": jnp.ones((3, 2)), "bias": jnp.zeros(2)},), ("a", "b")
    )
    path = tmp_path / "model.safetensors"
    machines = nn.Network((nn.RBM(5), nn.RBM(4, labels=2)), (3, 3, 1))
    models = [
        classifier,
        language(),
        Autoencoder(BOTTLENECK, BOTTLENECK.init(key=KEY)),
        Generator(machines, machines.init(key=KEY), ("a", "b")),
    ]
    for model in models:
        assert model.save(path) == path
        found: Any = load(path)
        assert type(found) is type(model)
        assert found.network == model.network
        jax.tree.map(np.testing.assert_array_equal, found.params, model.params)
        assert found.provenance == model.provenance
        others = [type(other) for other in models if type(other) is not type(model)]
        for other in others:
            with pytest.raises(ModelFileError, match=f"family {model.family!r} found, {other.family!r} expected"):
                other.load(path)
    with pytest.raises(ModelFileError, match="Generator found, a model that names classes expected"):
        load_model(path)


def test_models_of_version_0_1_are_read():
    model = load_model(FILES / "model-0.1.safetensors")
    assert model.parameter_count == 564
    images = mnist().test.images[:100]
    assert model.probabilities(images).sum(1) == pytest.approx(1, abs=1e-5)
    accuracies = model.provenance["accuracies"]
    assert model.accuracy(mnist().validation[:100]) == pytest.approx(accuracies["validation"])


def test_checkpoints_of_version_0_1_go_on():
    """The training that wrote it has two more epochs to go; the next bits may be those of another processor."""
    data = mnist()
    data = Splits(data.train[:200], data.validation[:100], None)
    layers = (nn.ConvPool(2, 5, pool=4), nn.BatchNorm(), nn.FullyConnected(6, nn.relu), nn.Softmax(10))
    recipe = Recipe(2, 10, 0.1, momentum=0.9, l2=1e-4, average=0.9, objective=Classification(label_smoothing=0.05))
    options = {"key": jax.random.key(7), "checkpoint": FILES / "checkpoint-0.1.safetensors", "resume": True}
    training = train(nn.Network(layers), data, recipe, **options)
    assert len(training.history) == 2
    before: Any = load_model(FILES / "model-0.1.safetensors")
    jax.tree.map(np.testing.assert_array_equal, training.model.params, before.params)
    with pytest.raises(ModelFileError, match=r"this run had recipe\.l2 = 0\.0001, not 0\.5; resume it with the same"):
        train(nn.Network(layers), data, replace(recipe, l2=0.5), **options)


@dataclass(frozen=True)
class Doubled(nn.Layer):
    """A layer of a stranger, that nothing has registered."""

    def apply(self, params, x, *, key=None, train=False):
        return 2 * x


@pytest.mark.parametrize(
    "layers", [(Doubled(), nn.Softmax(10)), (nn.FullyConnected(3, jax.nn.silu), nn.Softmax(10))], ids=["layer", "silu"]
)
def test_what_is_ones_own_trains_and_is_named_when_it_is_saved(layers, tmp_path):
    data = mnist()
    data = Splits(data.train[:40], data.validation[:20], None)
    network, file = nn.Network(layers), tmp_path / "checkpoint"
    train(network, data, Recipe(1, 10, 0.1), key=KEY, checkpoint=file)
    resumed = train(network, data, Recipe(2, 10, 0.1), key=KEY, checkpoint=file, resume=True)
    whole = train(network, data, Recipe(2, 10, 0.1), key=KEY)
    jax.tree.map(np.testing.assert_array_equal, resumed.model.params, whole.model.params)
    name = "Doubled" if isinstance(layers[0], Doubled) else "silu"
    with pytest.raises(FirsthandError, match=rf"{name} is not one of firsthand's own.*nn\.register\({name}\)"):
        whole.model.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_nothing_is_written_that_could_not_be_read(tmp_path):
    model = Model(LANGUAGE, LANGUAGE.init(key=KEY), ("only", "three", "names"))
    with pytest.raises(
        FirsthandError, match=r"not written, because it could not be read back.*3 classes for 4 outputs"
    ):
        model.save(tmp_path / "model")
    params = jax.tree.map(lambda a: a * jnp.nan, LANGUAGE.init(key=KEY))
    with pytest.raises(FirsthandError, match=r"not written.*not finite"):
        replace(language(), params=params).save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_language_model_says_what_comes_next():
    model = language()
    z = np.asarray(LANGUAGE.weighted_input(model.params, np.array([[0, 1, 2, 3, 0, 1]])), np.float64)
    p = np.exp(z[0]) / np.exp(z[0]).sum(-1, keepdims=True)
    np.testing.assert_allclose(model.probabilities("abc"), p[2], rtol=1e-4)
    np.testing.assert_allclose(model.probabilities("dddddabc"), model.probabilities("dabc"), rtol=1e-5)
    expected = -np.mean(np.log2([p[0][1], p[1][2], p[2][3], p[3][0]]))
    assert model.bits("abcda") == pytest.approx(expected, rel=1e-4)
    assert model.perplexity("abcda") == pytest.approx(2**expected, rel=1e-4)
    assert model.bits("abcdabcdabcda") > 0  # more than the network takes at once


def test_samples_repeat_with_their_key_and_follow_the_temperature():
    model = language()
    one = model.sample("ab", 30, key=KEY)
    assert one == model.sample("ab", 30, key=KEY)
    assert one != model.sample("ab", 30, key=jax.random.key(2))
    likeliest, text = "", "ab"
    for _ in range(5):
        likeliest += ALPHABET[int(model.probabilities(text + likeliest).argmax())]
    assert model.sample("ab", 5, key=KEY, temperature=1e-3) == likeliest
    for prompt, temperature, message in (
        ("", 1.0, "nothing found"),
        ("xyz", 1.0, "'x' found at position 0"),
        ("a", 0.0, "is 0"),
    ):
        with pytest.raises(FirsthandError, match=message):
            model.sample(prompt, 3, key=KEY, temperature=temperature)


def test_an_autoencoder_gives_back_and_encodes():
    model = Autoencoder(BOTTLENECK, BOTTLENECK.init(key=KEY))
    images = np.arange(36, dtype=np.uint8).reshape(4, 3, 3, 1)
    back = model.reconstruct(images)
    assert back.shape == images.shape
    np.testing.assert_allclose(model.errors(images), ((images / 255 - back) ** 2).reshape(4, -1).sum(1), rtol=1e-4)
    np.testing.assert_allclose(
        model.encode(images)[0],
        np.asarray(BOTTLENECK.layers[0].apply(model.params[0], jnp.asarray(images[:1] / 255.0)))[0],
        rtol=1e-4,
    )
    with pytest.raises(FirsthandError, match=r"examples have shape \(4, 2, 2\), expected"):
        model.reconstruct(np.zeros((4, 2, 2)))


def test_a_variational_autoencoder_draws(tmp_path):
    network = nn.Network((nn.FullyConnected(4, nn.linear), nn.GaussianCode(), nn.FullyConnected(9)), (3, 3, 1))
    model = Autoencoder(network, network.init(key=KEY))
    images = np.arange(36, dtype=np.uint8).reshape(4, 3, 3, 1)
    codes = model.encode(images)
    assert codes.shape == (4, 2)
    np.testing.assert_allclose(model.decode(codes), model.reconstruct(images), rtol=1e-5)
    drawn = model.sample(5, key=KEY)
    assert drawn.shape == (5, 3, 3, 1)
    again = load(model.save(tmp_path / "model.safetensors"))
    assert isinstance(again, Autoencoder)
    np.testing.assert_array_equal(again.sample(5, key=KEY), drawn)
    with pytest.raises(FirsthandError, match=r"codes have shape \(4, 3\), expected \(n, 2\)"):
        model.decode(np.zeros((4, 3)))
    with pytest.raises(FirsthandError, match="count 0 found, expected 1 or more"):
        model.sample(0, key=KEY)
    plain = Autoencoder(BOTTLENECK, BOTTLENECK.init(key=KEY))
    with pytest.raises(FirsthandError, match=r"is layer 1, FullyConnected\(2, .*expected GaussianCode"):
        plain.sample(5, key=KEY)


def test_a_matrix_that_lies_transposed_in_memory_is_kept_as_it_is(tmp_path):
    weights = np.arange(6, dtype=np.float32).reshape(2, 3).T
    model = Model(
        nn.Network((nn.Softmax(2),), (3,)), ({"weights": weights, "bias": np.zeros(2, np.float32)},), ("a", "b")
    )
    found = Model.load(model.save(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(found.params[0]["weights"], weights)
