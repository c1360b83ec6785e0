"""Fine-tuning: what is learned, what is not forgotten, of which images, and what the command line says of it."""

import json
import sys
from contextlib import contextmanager

import jax
import numpy as np
import pytest
from PIL import Image

from firsthand import FirsthandError, Recipe, learning, nn, train
from firsthand.cli import main
from firsthand.data import DataError, Dataset, Splits, load, mnist
from firsthand.learning import Classification
from firsthand.models import Ensemble, Model, fit_temperature
from firsthand.zoo import FineTuning, fine_tune, fine_tuning_recipe

pytestmark = pytest.mark.usefixtures("compiled_quickly")

KEY = jax.random.key(0)
DIGITS = tuple("0123456789")
ORIGINAL = Splits(mnist().train[:2000], mnist().validation[:500], mnist().test[:1000])
FAST = Recipe(epochs=3, learning_rate=0.03)


def moved(data):
    """Digits at another place than those of MNIST, so that a fully connected network has something to learn."""
    return Dataset(np.roll(data.images, 5, axis=2), data.labels, data.classes)


OWN = Splits(
    *(moved(part) for part in (mnist().train[3000:3200], mnist().validation[500:560], mnist().test[1000:1500]))
)


@pytest.fixture(scope="module")
def start():
    network = nn.Network((nn.FullyConnected(30, nn.relu, weights_init=nn.he), nn.Softmax(10)))
    model, _ = train(network, ORIGINAL, Recipe(epochs=5, learning_rate=0.1), key=KEY)
    return fit_temperature(model, ORIGINAL.validation)


@pytest.mark.slow
def test_what_is_rehearsed_is_not_forgotten(start):
    tuned, history = fine_tune(start, OWN, ORIGINAL, FAST, key=KEY)
    about = tuned.provenance["fine_tuning"]
    assert about["before"]["own"] == {"accuracy": start.accuracy(OWN.test), "n": 500}
    assert about["after"]["original"] == {"accuracy": tuned.accuracy(ORIGINAL.test), "n": 1000}
    assert about["after"]["own"]["accuracy"] > about["before"]["own"]["accuracy"] + 0.2
    lost = about["before"]["original"]["accuracy"] - about["after"]["original"]["accuracy"]
    assert lost < 0.05
    assert about["start"] == start.provenance
    assert history.best_epoch == tuned.provenance["best_epoch"] > 0
    forgetful, _ = fine_tune(start, OWN, ORIGINAL, FAST, share=0, key=KEY)
    after = forgetful.provenance["fine_tuning"]["after"]
    assert after["own"]["accuracy"] > about["before"]["own"]["accuracy"] + 0.2
    assert about["before"]["original"]["accuracy"] - after["original"]["accuracy"] > 2 * lost


@pytest.mark.parametrize(("share", "rehearsed"), [(0.5, 3000), (0.2, 750), (0.75, 9000), (0, 0)])
def test_an_epoch_has_the_share_asked_for(start, share, rehearsed):
    tuning = FineTuning(start, OWN, ORIGINAL, share, KEY)
    mixture = tuning.splits.train
    assert len(mixture) == 3000 + rehearsed
    own = {image.tobytes() for image in OWN.train.images}
    assert [image.tobytes() in own for image in mixture.images] == [True] * 3000 + [False] * rehearsed
    different = {image.tobytes() for image in mixture.images[3000:]}
    assert len(different) == min(rehearsed, len(ORIGINAL.train))
    np.testing.assert_array_equal(mixture.images[200:400], OWN.train.images)


def test_more_own_images_than_an_epoch_needs_are_all_shown_once(start):
    many = OWN._replace(train=mnist().train[:3300])
    assert len(FineTuning(start, many, ORIGINAL, 0.5, KEY).splits.train) == 6600


def test_own_and_original_validation_images_weigh_alike(start):
    chosen_by = FineTuning(start, OWN, ORIGINAL, 0.5, KEY).splits.validation
    assert len(chosen_by) == 1000
    np.testing.assert_array_equal(chosen_by.images[:60], OWN.validation.images)
    np.testing.assert_array_equal(chosen_by.labels[60:120], OWN.validation.labels)
    again = chosen_by.images[60:120].astype(float)
    assert np.all(np.any(again != OWN.validation.images, axis=(1, 2, 3)))
    assert 0.8 < again.mean() / OWN.validation.images.mean() < 1.2
    np.testing.assert_array_equal(chosen_by.images[500:], ORIGINAL.validation.images)


def test_running_averages_follow_and_the_temperature_is_fitted_again():
    network = nn.Network((nn.FullyConnected(10), nn.BatchNorm(), nn.Softmax(10)))
    params = network.init(key=KEY)
    start = Model(network, jax.device_get(params), DIGITS, temperature=3.0)
    tuned, _ = fine_tune(start, OWN, ORIGINAL, Recipe(epochs=1, learning_rate=0.1), key=KEY)
    for name in ("mean", "variance"):
        assert np.all(np.asarray(tuned.params[1][name]) != np.asarray(start.params[1][name]))
    assert tuned.temperature != 3.0
    assert tuned.provenance["calibration"]["n"] == 60 + 500


def test_where_validation_images_are_all_right_the_temperature_stays(start):
    easy = OWN.train[[int(np.flatnonzero(start.predict(OWN.train.images) == OWN.train.labels)[0])]]
    assert easy.num_classes == 10
    tuned, _ = fine_tune(start, OWN._replace(validation=easy), None, Recipe(epochs=1, learning_rate=1e-6), key=KEY)
    assert tuned.temperature == start.temperature
    assert set(tuned.provenance["fine_tuning"]["after"]) == {"own"}


def test_the_cost_is_that_of_the_output_layer():
    for last, cost in ((nn.Softmax(10), nn.log_likelihood), (nn.FullyConnected(10), nn.cross_entropy),
                       (nn.FullyConnected(10, nn.tanh), nn.quadratic)):  # fmt: skip
        assert fine_tuning_recipe(nn.Network((last,))).objective == Classification(cost)
    assert fine_tuning_recipe(nn.Network((nn.Softmax(2),), (5,))).augment is None


def test_an_interrupted_tuning_goes_on_to_the_same_bits(start, tmp_path):
    whole, _ = fine_tune(start, OWN, ORIGINAL, FAST, key=KEY)

    def stop(at):
        if at.epoch == 2 and at.record is None:
            raise KeyboardInterrupt

    file = tmp_path / "checkpoint"
    fine_tune(start, OWN, ORIGINAL, FAST, key=KEY, checkpoint=file, progress=stop)
    again, _ = fine_tune(start, OWN, ORIGINAL, FAST, key=KEY, checkpoint=file, resume=True)
    np.testing.assert_array_equal(again.params[0]["weights"], whole.params[0]["weights"])
    assert again.temperature == whole.temperature


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": 1.0}, r"share of rehearsed images is 1\.0, expected 0 <= share < 1"),
        ({"original": None}, r"share is 0\.5, but there are no images to rehearse"),
        ({"own": OWN._replace(validation=None)}, "no validation images of your own"),
        ({"start": None}, "Ensemble found, expected a single model"),
        (
            {"own": Splits(*(Dataset(p.images[:, 1:], p.labels, p.classes) for p in OWN))},
            r"own data: .*\(27, 28, 1\)",
        ),
        (
            {"original": Splits(*(Dataset(p.images, p.labels, ("shirt", *DIGITS[1:])) for p in ORIGINAL))},
            "classes: 'shirt' found, only '0', '1'",
        ),
    ],
    ids=["share", "nothing to rehearse", "no validation", "ensemble", "shape", "new class"],
)
def test_what_cannot_be_tuned_is_named(start, changes, message):
    given = {"start": start, "own": OWN, "original": ORIGINAL, "share": 0.5, "key": KEY} | changes
    if given["start"] is None:
        given["start"] = Ensemble((start,))
    with pytest.raises(FirsthandError, match=message):
        FineTuning(**given)


def test_classes_are_found_by_name():
    data = Dataset(np.zeros((3, 2, 2, 1), np.uint8), np.array([0, 2, 2]), ("b", "unused", "a"))
    assert data.with_classes(("a", "b", "c")).labels.tolist() == [1, 0, 0]
    with pytest.raises(DataError, match=r"classes: 'a' found, only 'b', 'x' expected"):
        data.with_classes(("b", "x"))


def command(monkeypatch, capsys, *arguments):
    """Exit code, standard output and standard error of the command line, without the price of a process."""
    monkeypatch.setattr(sys, "argv", ["firsthand", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory, start):
    """A model, and pictures as people have them: dark on light, of several sizes, and of two digits only."""
    place = tmp_path_factory.mktemp("own")
    start.save(place / "start.safetensors")
    for name in ("3", "8"):
        (place / "crops" / name).mkdir(parents=True)
        some = moved(mnist().train[mnist().train.labels == int(name)][:40])
        for number, image in enumerate(some.images[..., 0]):
            picture = Image.fromarray(255 - image)
            picture.resize((side := 28 * (1 + number % 2), side)).save(place / "crops" / name / f"{number:02}.png")
    return place


@pytest.mark.slow
def test_the_front_door(folder, tmp_path, monkeypatch, capsys):
    options = ["--from", folder / "start.safetensors", "--data", folder / "crops", "--epochs", 2]
    code, out, err = command(monkeypatch, capsys, "train", *options, "--out", tmp_path / "run")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "48 images to learn; an epoch shows 3,000 of them and 9,000 rehearsed ones"
    assert lines[3].split() == ["accuracy", "before", "after"]
    tuned = Model.load(tmp_path / "run" / "model.safetensors")
    about = tuned.provenance["fine_tuning"]
    assert (about["after"]["own"]["n"], about["after"]["original"]["n"]) == (16, 10_000)
    assert f"mnist (10,000 test images)  {about['before']['original']['accuracy']:10.2%}"[-8:].strip() in lines[5]
    assert lines[5].endswith(f"{tuned.accuracy(mnist().test):.2%}")
    assert tuned.classes == DIGITS
    assert "test accuracy, own images" in (tmp_path / "run" / "report.html").read_text()
    # as `evaluate` and `predict` read the same pictures
    asked = ["--data", folder / "crops", "--model", tmp_path / "run" / "model.safetensors", "--json"]
    code, out, err = command(monkeypatch, capsys, "evaluate", *asked)
    result = json.loads(out)
    own = load(folder / "crops", (28, 28), invert=None).with_classes(DIGITS)
    assert (result["n"], result["accuracy"]) == (80, tuned.accuracy(own))
    assert result["accuracy"] > 0.85


@pytest.mark.slow
def test_a_stopped_run_is_resumed_with_its_start(folder, tmp_path, monkeypatch, capsys):
    @contextmanager
    def stopping(*about):
        def progress(at):
            if at.epoch == 2 and at.record is None:
                raise KeyboardInterrupt

        yield progress

    options = ["--from", folder / "start.safetensors", "--data", folder / "crops", "--epochs", 2, "--rehearsal", 0.25]
    with monkeypatch.context() as patched:
        patched.setattr(learning, "show_progress", stopping)
        code, _, err = command(patched, capsys, "train", *options, "--out", tmp_path / "run")
    assert code == 130
    assert f"--resume {tmp_path / 'run'}" in err
    code, out, err = command(monkeypatch, capsys, "train", "--resume", tmp_path / "run")
    assert code == 0, err
    assert "an epoch shows 3,000 of them and 1,000 rehearsed ones" in out
    assert Model.load(tmp_path / "run" / "model.safetensors").provenance["epochs"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rehearsal", "0.5"], "--rehearsal: needs a model to start from (--from MODEL)"),
        (["--from", "START", "--recipe", "quick"], "--recipe: does not go together with --from"),
        (["--from", "START", "--members", "2"], "--members: does not go together with --from"),
        (["--from", "START"], "--data: mnist is what is rehearsed; expected images of your own"),
        (["--from", "START", "--data", "CROPS", "--rehearsal", "1"], "--rehearsal: found 1.0, expected 0 <= share < 1"),
        (["--from", "none", "--data", "CROPS"], "none: no such model file"),
        (["--from", "TWO", "--data", "CROPS"], "two.safetensors is an ensemble, expected a single model"),
        (["--frozen", "1"], "--frozen: needs a model to start from (--from MODEL)"),
        (["--from", "START", "--data", "NEW", "--frozen", "2"], "frozen is 2, expected -1 (all) or 0 to 1 layers"),
        (
            ["--from", "START", "--data", "NEW", "--rehearsal", "0.5"],
            "--rehearsal: does not go together with classes that the model does not have (x, y)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_get_one_line_and_exit_code_2(folder, start, tmp_path, monkeypatch, capsys, options, message):
    Ensemble((start, start)).save(tmp_path / "two.safetensors")
    np.savez(tmp_path / "new.npz", images=OWN.train.images[:10], labels=np.arange(10) % 2, classes=["x", "y"])
    places = {
        "START": folder / "start.safetensors",
        "CROPS": folder / "crops",
        "TWO": tmp_path / "two.safetensors",
        "NEW": tmp_path / "new.npz",
    }
    monkeypatch.chdir(tmp_path)
    code, _, err = command(monkeypatch, capsys, "train", *(places.get(option, option) for option in options))
    assert code == 2
    assert err.startswith("firsthand: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
