"""The training loop: against a plain loop, against golden numbers, stopped, killed, resumed, and led astray."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from firsthand import nn
from firsthand.data import Dataset, Splits, mnist
from firsthand.errors import FirsthandError
from firsthand.learning import Classification, Cosine, Diverged, OneCycle, Recipe, RecipeError, train
from firsthand.learning.checkpoint import epochs_done
from firsthand.learning.parameters import penalty, with_penalties
from firsthand.learning.step import Carry, Own, Rule, Shared, step_program
from firsthand.models import Model, ModelFileError
from firsthand.zoo import DIGIT_READER
from tests.processes import PATIENCE, kill_and_resume, read_until, running

pytestmark = pytest.mark.usefixtures("compiled_quickly")

GOLDEN = Path(__file__).parent / "golden" / "digit_reader.json"
SMALL = nn.Network((nn.FullyConnected(12), nn.Softmax(10)))
KEY = jax.random.key(7)


def some(n=100, validation=50):
    splits = mnist()
    return Splits(splits.train[:n], splits.validation[:validation], splits.test[:validation])


def steps_by_hand(network, recipe, params, images, labels, batches):
    """The plain loop that the compiled one must agree with: equation (93) with momentum, one step at a time."""
    velocity = jax.tree.map(jnp.zeros_like, params)
    costs = []
    for at in batches:

        def mean_cost(params, x=images[at], y=labels[at]):
            z = network.weighted_input(params, x, train=True)
            return jnp.mean(recipe.objective.cost(z, y, network.activation))

        value, gradient = jax.value_and_grad(mean_cost)(params)
        gradient = with_penalties(gradient, params, recipe.l2, recipe.l1)
        velocity = jax.tree.map(lambda v, g: recipe.momentum * v + g, velocity, gradient)
        params = jax.tree.map(lambda w, v: w - recipe.learning_rate_at(0) * v, params, velocity)
        costs.append(float(value))
    return params, costs


@pytest.mark.parametrize("n", [60, 55], ids=["whole batches", "a last batch of 5"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_epoch_is_the_plain_loop(n, momentum):
    data = some(n)
    recipe = Recipe(1, 10, 0.2, momentum, l2=0.01, l1=0.001, shuffle=False, keep_best=False)
    params = SMALL.init(key=jax.random.key(3))
    model, history = train(SMALL, data, recipe, key=KEY, params=params)
    batches = [slice(i, min(i + 10, n)) for i in range(0, n, 10)]
    expected, costs = steps_by_hand(SMALL, recipe, params, data.train.images, data.train.labels, batches)
    assert history["batch_cost"][0] == pytest.approx(np.mean(costs), rel=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6), model.params, expected)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_large_layers_take_the_same_steps(momentum):
    """150,000 weights and more are updated during the backward pass, where there is no momentum."""
    network = nn.Network((nn.FullyConnected(200, nn.relu), nn.FullyConnected(600, nn.relu), nn.Softmax(10)))
    data = some(55)
    recipe = Recipe(1, 10, 0.1, momentum, l2=0.01, shuffle=False, keep_best=False)
    params = network.init(key=jax.random.key(3))
    model, history = train(network, data, recipe, key=KEY, params=params)
    batches = [slice(i, i + 10) for i in range(0, 55, 10)]
    expected, costs = steps_by_hand(network, recipe, params, data.train.images, data.train.labels, batches)
    assert history["batch_cost"][0] == pytest.approx(np.mean(costs), rel=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6), model.params, expected)


def golden_trace():
    """Costs of the digit reader's first ten steps on the first hundred training images."""
    data = mnist().train[:100]
    network = nn.Network(DIGIT_READER.layers)
    rule = Rule(Classification(), 10, l2=1e-4)
    params = network.init(key=jax.random.key(0))
    carry = Carry(params, (rule.optimizer.init(params), None), jnp.zeros(10))
    own = Own(jnp.arange(100), np.full(10, 0.1, np.float32), jax.random.key(1))
    shared = Shared(tuple(map(jnp.asarray, data.arrays)), *(np.int32(number) for number in (100, 0, 10)))
    after, reached, _ = step_program(network, rule)(carry, own, shared)
    assert int(reached) == 10
    return np.asarray(after.costs).tolist()


def test_golden_trace_of_the_first_ten_steps():
    # moves when the initialization, the formulas or the update change; other processors differ in the last digits
    np.testing.assert_allclose(golden_trace(), json.loads(GOLDEN.read_text()), rtol=2e-4)


def test_learns_and_is_reproducible():
    recipe = Recipe(8, 10, 0.5, monitor=("training_accuracy", "validation_cost", "validation_accuracy"))
    one, history = train(SMALL, some(200), recipe, key=KEY)
    two, _ = train(SMALL, some(200), recipe, key=KEY)
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)
    other, _ = train(SMALL, some(200), recipe, key=jax.random.key(8))
    assert not np.array_equal(one.params[0]["weights"], other.params[0]["weights"])
    assert history["training_accuracy"][-1] > 0.9
    assert history["batch_cost"][-1] < history["batch_cost"][0] / 3
    best = max(history["validation_accuracy"])
    assert history["validation_accuracy"][history.best_epoch - 1] == best
    assert one.provenance["accuracies"]["validation"] == best
    assert one.accuracy(some().validation) == best


def test_progress_does_not_change_the_result():
    recipe = Recipe(2, 10, 0.5)
    seen = []
    with_progress, _ = train(SMALL, some(1000), recipe, key=KEY, progress=seen.append)
    without, _ = train(SMALL, some(1000), recipe, key=KEY)
    jax.tree.map(np.testing.assert_array_equal, with_progress.params, without.params)
    assert [p.record is not None for p in seen].count(True) == 2
    assert all(1 <= p.step <= p.steps == 100 for p in seen)


def test_every_epoch_has_its_own_order_unless_told_otherwise():
    data = some(100)
    orders = set()
    for seed in range(2):
        for shuffle in (True, False):
            _, history = train(SMALL, data, Recipe(1, 10, 0.5, shuffle=shuffle), key=KEY, params=SMALL.init(key=KEY))
            orders.add((shuffle, history["batch_cost"][0]))
            assert seed in (0, 1)
    assert len(orders) == 2  # shuffled and not; each the same both times


def test_any_optax_transformation():
    recipe = Recipe(6, 10, optimizer=optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.01)))
    with jax.numpy_dtype_promotion("standard"):  # Optax itself relies on promotion
        _, history = train(SMALL, some(200), recipe, key=KEY)
    assert history["batch_cost"][-1] < history["batch_cost"][0] / 2


def test_nesterov_differs_from_momentum():
    costs = {
        nesterov: train(SMALL, some(), Recipe(2, 10, 0.1, 0.9, nesterov), key=KEY).history["batch_cost"][-1]
        for nesterov in (False, True)
    }
    assert costs[False] != costs[True]


def test_learning_rate_can_follow_the_epoch():
    _, history = train(SMALL, some(), Recipe(4, 10, Cosine(1.0, 4)), key=KEY)
    np.testing.assert_allclose(history["learning_rate"], [1, 0.853553, 0.5, 0.146447], rtol=1e-5)


def test_halving_then_early_stopping():
    """No improvement is possible with a tiny rate: one epoch improves on nothing, then patience runs out."""
    recipe = Recipe(100, 10, 1e-12, patience=2, halvings=3)
    _, history = train(SMALL, some(), recipe, key=KEY)
    assert history["learning_rate"] == [1e-12] * 3 + [5e-13] * 2 + [2.5e-13] * 2 + [1.25e-13] * 2
    assert len(history) == 9
    assert history.stopped.startswith("stopped early after epoch 9")


def test_costs_include_the_penalties():
    recipe = Recipe(1, 10, 0.1, l2=0.3, l1=0.2, monitor=("validation_cost",), keep_best=False)
    model, history = train(SMALL, some(), recipe, key=KEY)
    weights = np.concatenate([np.ravel(p["weights"]) for p in model.params])
    expected = 0.15 * np.sum(weights**2) + 0.2 * np.sum(np.abs(weights))
    assert penalty(model.params, 0.3, 0.2) == pytest.approx(expected, rel=1e-5)
    data = some().validation
    z = SMALL.weighted_input(model.params, data.images)
    cost = float(jnp.mean(nn.log_likelihood(z, jnp.asarray(data.labels))))
    assert history["validation_cost"][0] == pytest.approx(cost + expected, rel=1e-5)


def test_evaluation_counts_every_image():
    """One more than two whole chunks: the odd one must count, and count once."""
    data = mnist().test[:1001]
    model, _ = train(SMALL, some(), Recipe(1, 10, 0.5), key=KEY)
    predicted = np.array([model.predict(data.images[i : i + 1])[0] for i in (0, 499, 500, 1000)])
    assert predicted.tolist() == model.predict(data.images)[[0, 499, 500, 1000]].tolist()
    assert model.accuracy(data) == np.mean(model.predict(data.images) == data.labels)
    assert model.outputs(data.images).shape == (1001, 10)


def test_too_large_a_learning_rate_is_named():
    recipe = Recipe(5, 10, lambda epoch: 0.1 if epoch < 2 else 1e30)
    network = nn.Network((nn.FullyConnected(12, nn.relu), nn.FullyConnected(10, nn.linear)))
    recipe = Recipe(5, 10, recipe.learning_rate, objective=Classification(nn.quadratic))
    with pytest.raises(
        Diverged, match=r"cost is (inf|nan) in epoch 3, step \d+ of 10; the learning rate \(1e\+30\)"
    ) as e:
        train(network, some(), recipe, key=KEY)
    kept = e.value.training
    assert kept is not None
    assert len(kept.history) == 2
    assert np.all(np.isfinite(kept.model.outputs(some().test.images)))


def test_interrupt_keeps_the_last_completed_epoch():
    def press(at):
        if at.epoch == 3:
            raise KeyboardInterrupt

    recipe = Recipe(5, 10, 0.5, keep_best=False)
    model, history = train(SMALL, some(), recipe, key=KEY, progress=press)
    assert history.stopped == "interrupted: kept epoch 2 of 5"
    whole, _ = train(SMALL, some(), Recipe(2, 10, 0.5, keep_best=False), key=KEY)
    jax.tree.map(np.testing.assert_array_equal, model.params, whole.params)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, some(), recipe, key=KEY, progress=lambda at: (_ for _ in ()).throw(KeyboardInterrupt()))


def test_an_interrupt_at_the_end_of_an_epoch_keeps_it_in_the_checkpoint_too(tmp_path):
    def press(at):
        if at.epoch == 2 and at.record is not None:  # measured, and not written yet
            raise KeyboardInterrupt

    recipe, file = Recipe(4, 10, 0.5, keep_best=False), tmp_path / "checkpoint.safetensors"
    _, history = train(SMALL, some(), recipe, key=KEY, progress=press, checkpoint=file)
    assert (history.stopped, epochs_done(file)) == ("interrupted: kept epoch 2 of 4", 2)
    model, _ = train(SMALL, some(), recipe, key=KEY, checkpoint=file, resume=True)
    whole, _ = train(SMALL, some(), recipe, key=KEY)
    jax.tree.map(np.testing.assert_array_equal, model.params, whole.params)


RUN = """
import sys, jax, time
from pathlib import Path
from firsthand import nn
from firsthand.data import Splits, mnist
from firsthand.learning import Recipe, train
d = mnist()
network = nn.Network((nn.FullyConnected(12), nn.Dropout(0.2), nn.Softmax(10)))
recipe = Recipe(6, 10, 0.5, 0.5, patience=1, halvings=7)
def slow(at):
    print(at.epoch, flush=True)
    time.sleep(float(sys.argv[2]))
model, history = train(network, Splits(d.train[:300], d.validation[:100], None), recipe, key=jax.random.key(1),
                       checkpoint=Path(sys.argv[1]), resume=Path(sys.argv[1]).exists(), progress=slow)
model.save(sys.argv[3])
"""


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(tmp_path):
    from firsthand.models import Model

    def start(name, pause):
        command = [
            sys.executable,
            "-c",
            RUN,
            str(tmp_path / f"{name}.ckpt"),
            str(pause),
            str(tmp_path / name),
        ]
        return running(command)

    kill_and_resume(start)
    one, two = (Model.load(tmp_path / name) for name in ("whole", "killed"))
    jax.tree.map(np.testing.assert_array_equal, one.params, two.params)
    assert not list(tmp_path.glob(".*"))


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    train(SMALL, some(), Recipe(1, 10, 0.5), key=KEY, checkpoint=path)
    with pytest.raises(ModelFileError, match=r"had recipe\.learning_rate = 0\.5, not 0\.4"):
        train(SMALL, some(), Recipe(2, 10, 0.4), key=KEY, checkpoint=path, resume=True)
    with pytest.raises(ModelFileError, match="had key"):
        train(SMALL, some(), Recipe(2, 10, 0.5), key=jax.random.key(0), checkpoint=path, resume=True)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelFileError, match="not a checkpoint file, or a damaged one"):
        train(SMALL, some(), Recipe(2, 10, 0.5), key=KEY, checkpoint=path, resume=True)


def test_a_finished_run_can_be_continued_for_longer(tmp_path):
    path = tmp_path / "checkpoint"
    train(SMALL, some(), Recipe(2, 10, 0.5), key=KEY, checkpoint=path)
    longer, _ = train(SMALL, some(), Recipe(4, 10, 0.5), key=KEY, checkpoint=path, resume=True)
    straight, _ = train(SMALL, some(), Recipe(4, 10, 0.5), key=KEY)
    jax.tree.map(np.testing.assert_array_equal, longer.params, straight.params)


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"learning_rate": -1}, "learning_rate is -1, expected a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate is nan, expected a positive number"),
        ({"learning_rate": 1e39}, "learning_rate is 1e\\+39, expected a positive number of 32 bits"),
        ({"learning_rate": None}, "learning_rate is None, expected a number or a function"),
        ({"momentum": 1.0}, "momentum is 1.0"),
        ({"nesterov": True}, "nesterov is True, expected a momentum"),
        ({"l2": -1}, "l2 is -1"),
        ({"halvings": 7}, "halvings is 7, expected a patience"),
        ({"patience": 0}, "patience is 0"),
        ({"monitor": ("speed",)}, "monitor is 'speed', expected one of"),
        ({"optimizer": optax.sgd(0.1)}, 'optimizer is "one of Optax\'s", expected no learning_rate'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_recipes_refuse_what_makes_no_sense(fields, message):
    with pytest.raises(RecipeError, match=message):
        Recipe(**{"epochs": 1, "learning_rate": 0.1, **fields})


def test_data_must_fit_the_network():
    data = mnist()
    wide = Dataset(np.zeros((3, 28, 30, 1), np.uint8), np.zeros(3, np.int32), data.train.classes)
    with pytest.raises(ValueError, match=r"training data: each has shape \(28, 30, 1\)"):
        train(SMALL, Splits(wide, None, None), Recipe(1, 10, 0.1, monitor=()), key=KEY)
    few = nn.Network((nn.Softmax(3),))
    with pytest.raises(ValueError, match="10 classes, the network has 3 outputs"):
        train(few, some(), Recipe(1, 10, 0.1), key=KEY)
    with pytest.raises(ValueError, match="monitor has validation_accuracy, but there are no validation data"):
        train(SMALL, Splits(data.train[:10], None, None), Recipe(1, 10, 0.1), key=KEY)


@pytest.mark.slow
def test_waiting_for_the_device_leaves_time_for_a_signal(tmp_path):
    """Ctrl-C on the command line: the last completed epoch is kept, and the run can go on."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "firsthand", "train", "--recipe", "fully-connected", "--out", str(out)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with running([*command, "--epochs", 400], stderr=subprocess.PIPE, env=environment) as process:
        read_until(process, lambda line: line.startswith("epoch 2/"))
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "interrupted: kept epoch" in rest
    assert f"--resume {out}" in errors
    assert (out / "model.safetensors").exists()
    assert (out / "checkpoint.safetensors").exists()


WITH_STATISTICS = nn.Network((nn.ConvPool(3, 5, pool=3), nn.BatchNorm(momentum=0.5), nn.Softmax(10)))


def test_batch_norm_is_carried_through_training_saving_and_resuming(tmp_path):
    recipe = Recipe(4, 10, 0.3, momentum=0.5, average=0.9)
    whole, _ = train(WITH_STATISTICS, some(200), recipe, key=KEY)
    assert float(jnp.max(jnp.abs(whole.params[1]["mean"]))) > 0.01
    path = tmp_path / "checkpoint"
    train(WITH_STATISTICS, some(200), dataclasses.replace(recipe, epochs=2), key=KEY, checkpoint=path)
    resumed, _ = train(WITH_STATISTICS, some(200), recipe, key=KEY, checkpoint=path, resume=True)
    jax.tree.map(np.testing.assert_array_equal, resumed.params, whole.params)
    loaded = Model.load(whole.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.outputs(some().test.images), whole.outputs(some().test.images))


def test_a_checkpoint_that_is_further_on_belongs_to_another_training(tmp_path):
    path, recipe = tmp_path / "checkpoint", Recipe(2, 10, 0.3)
    train(WITH_STATISTICS, some(200), recipe, key=KEY, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match="epochs is 1, but 2 are done; expected 2 or more"):
        train(WITH_STATISTICS, some(200), recipe.changed(epochs=1), key=KEY, checkpoint=path, resume=True)
    assert path.read_bytes() == before


def test_the_average_is_that_of_the_formula():
    recipe = Recipe(1, 10, 0.5, shuffle=False, keep_best=False)
    steps = 7
    path = [SMALL.init(key=jax.random.split(KEY)[0])]
    for n in range(1, steps + 1):
        # without shuffling the first n mini-batches are a training of their own
        path.append(train(SMALL, some(10 * n), recipe, key=KEY)[0].params)
    mean = path[0]
    for t, params in enumerate(path[1:]):
        d = min(0.3, (1 + t) / (10 + t))
        mean = jax.tree.map(lambda a, p, d=d: d * a + (1 - d) * p, mean, params)
    averaged, _ = train(SMALL, some(10 * steps), dataclasses.replace(recipe, average=0.3), key=KEY)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), averaged.params, mean)


@dataclasses.dataclass(frozen=True)
class Upside:
    """Turns some of the images upside down."""

    def __call__(self, images, *, key):
        turned = jax.random.bernoulli(key, 0.5, (len(images), 1, 1, 1))
        return jnp.where(turned, images[:, ::-1], images)


def test_augmentation_sees_floats_and_keys_of_every_step():
    seen = []

    def watch(images, *, key):
        assert images.dtype == jnp.float32
        jax.debug.callback(lambda x, k: seen.append((float(x.max()), k.tobytes())), images, jax.random.key_data(key))
        return images

    plain, _ = train(SMALL, some(50), Recipe(2, 10, 0.5), key=KEY)
    watched, _ = train(SMALL, some(50), Recipe(2, 10, 0.5, augment=watch), key=KEY)
    jax.effects_barrier()
    assert len({key for _, key in seen}) == 10
    assert max(value for value, _ in seen) == 1.0
    # a network without dropout: what only looks changes nothing
    jax.tree.map(np.testing.assert_array_equal, plain.params, watched.params)
    turned, _ = train(SMALL, some(50), Recipe(2, 10, 0.5, augment=Upside()), key=KEY)
    assert not np.array_equal(turned.params[0]["weights"], plain.params[0]["weights"])


@pytest.mark.tiny
def test_schedules_may_move_with_every_step():
    recipe = Recipe(2, learning_rate=Cosine(1.0, 2, per_step=True))
    np.testing.assert_allclose(recipe.learning_rates(1, 2), [0.5, Cosine(1.0, 2)(1.5)])
    assert Recipe(2, learning_rate=Cosine(1.0, 2)).learning_rates(1, 3).tolist() == [0.5] * 3
    rates = [OneCycle(2.0, 10)(epoch) for epoch in np.linspace(0, 10, 101)]
    assert max(rates) == 2.0
    assert rates[0] == pytest.approx(2 / 25)
    assert rates[-1] == pytest.approx(0)


@pytest.mark.tiny
@pytest.mark.parametrize(("field", "value"), [("average", -0.1), ("average", 1.0), ("augment", "elastic")])
def test_refuses_values_out_of_range(field, value):
    with pytest.raises(RecipeError, match=field):
        Recipe(1, learning_rate=0.1, **{field: value})


def test_smoothing_of_labels_stays_below_one():
    with pytest.raises(FirsthandError, match=r"label_smoothing is 1\.0, expected 0 <= label_smoothing < 1"):
        Classification(label_smoothing=1.0)
