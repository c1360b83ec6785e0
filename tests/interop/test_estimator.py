"""The estimator: scikit-learn's own checks, its tools at work, images and vectors, and what a user can get wrong."""

import dataclasses
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import firsthand
from firsthand import DigitClassifier, FirsthandError, Recipe, nn
from firsthand.interop import compare_onnx, to_onnx
from firsthand.models import Model
from firsthand.zoo import RECIPES, NamedRecipe

pytestmark = pytest.mark.usefixtures("compiled_quickly")

X, y = load_digits(return_X_y=True)
SMALL = NamedRecipe(
    "small", "", (nn.FullyConnected(20, nn.relu), nn.Softmax(10)), Recipe(epochs=4, batch_size=20, learning_rate=0.2)
)


# all of them: where one did not apply, it would stand here with its reason as expected_failed_checks
@parametrize_with_checks([DigitClassifier(epochs=20, random_state=0)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def reader():
    return DigitClassifier(image_shape=(8, 8), epochs=2, validation_fraction=0.2, random_state=0).fit(X[:900], y[:900])


def test_images_are_read_whether_flat_or_not(reader):
    assert [type(layer).__name__ for layer in reader.model_.network.layers] == [
        "Rescale", "ConvPool", "ConvPool", "FullyConnected", "Softmax",
    ]  # fmt: skip
    assert reader.score(X[900:], y[900:]) > 0.8
    assert reader.n_features_in_ == 64
    flat = reader.predict_proba(X[:5])
    np.testing.assert_array_equal(reader.predict_proba(X[:5].reshape(5, 8, 8)), flat)
    np.testing.assert_array_equal(reader.predict_proba(X[:5].reshape(5, 8, 8, 1).astype(np.uint8)), flat)
    assert flat.dtype == np.float32
    assert reader.model_.temperature == reader.model_.provenance["calibration"]["temperature"]
    assert reader.history_.best_epoch in (1, 2)


def test_images_in_their_shape_need_no_image_shape(reader):
    images = (X[:900] * 15).astype(np.uint8).reshape(-1, 8, 8)
    again = DigitClassifier(**{**reader.get_params(), "image_shape": None}).fit(images, y[:900])
    assert again.model_.network.layers[1:] == reader.model_.network.layers[1:]
    # 15 times as bright, and divided by a 15 times larger number
    np.testing.assert_allclose(again.predict_proba(images[:9]), reader.predict_proba(X[:9]), atol=1e-3)


@pytest.mark.parametrize("keep", ["pickle", "joblib", "safetensors", "onnx"])
def test_what_is_kept_predicts_alike(reader, tmp_path, keep):
    expected = reader.predict_proba(X[900:950])
    images = X[900:950].astype(np.float32).reshape(-1, 8, 8, 1)
    if keep == "pickle":
        found = pickle.loads(pickle.dumps(reader)).predict_proba(X[900:950])
    elif keep == "joblib":
        joblib.dump(reader, tmp_path / "reader.joblib")
        found = joblib.load(tmp_path / "reader.joblib").predict_proba(X[900:950])
    elif keep == "safetensors":
        found = Model.load(reader.model_.save(tmp_path / "model.safetensors")).probabilities(images)
    else:
        seen = compare_onnx(to_onnx(reader.model_, pixels=False), reader.model_, images)
        assert seen is not None
        assert (seen.difference < 1e-5, seen.labels) == (True, 0)
        found = expected
    np.testing.assert_array_equal(found, expected)


def test_the_same_seed_gives_the_same_bits():
    a, b, c = (
        DigitClassifier(SMALL, random_state=seed).fit(X[:300], y[:300]).predict_proba(X[:9])
        for seed in (1, np.random.RandomState(1), 2)
    )
    np.testing.assert_array_equal(a, b)
    assert np.any(a != c)


def test_pipeline_cross_validation_and_search():
    iris, species = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[species]
    made = make_pipeline(StandardScaler(), DigitClassifier(epochs=20, random_state=0))
    assert np.mean(cross_val_score(made, iris, names, cv=2)) > 0.9
    found = GridSearchCV(DigitClassifier(SMALL, random_state=0), {"learning_rate": [1e-4, 0.3]}, cv=2)
    found.fit(X[:400], y[:400])
    assert found.best_params_ == {"learning_rate": 0.3}
    assert np.mean(found.predict(X[400:]) == y[400:]) > 0.7


def test_a_recipes_network_training_and_overrides():
    fitted = DigitClassifier(SMALL, epochs=1, l2=0.01).fit(X[:200], np.where(y[:200] % 2, "odd", "even"))
    assert fitted.model_.network.layers[1:] == (nn.FullyConnected(20, nn.relu), nn.Softmax(2))
    assert fitted.model_.classes == ("even", "odd")
    assert (len(fitted.history_), fitted.model_.provenance["recipe"]["l2"]) == (1, 0.01)
    assert set(fitted.predict(X[:50])) <= {"even", "odd"}
    assert DigitClassifier("quick", epochs=1)._recipe((28, 28, 1)) == RECIPES["quick"].changed(epochs=1)


@pytest.mark.parametrize(("sides", "sizes"), [((1, 9), []), ((3, 5), [3]), ((8, 8), [3, 3]), ((16, 20), [5, 5])])
def test_convolution_as_far_as_the_image_is_large_enough(sides, sizes):
    shape = (*sides, 1)
    network = nn.Network(DigitClassifier()._recipe(shape).layers, shape)
    assert [layer.size for layer in network.layers if isinstance(layer, nn.ConvPool)] == sizes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (8, 9)}, r"image_shape: \(8, 9, 1\) found for X with 64 features"),
        ({"image_shape": (64,)}, r"image_shape: found \(64,\), expected \(height, width\)"),
        ({"recipe": "nonsense"}, "recipe: found 'nonsense', expected None, a NamedRecipe or one of digit-reader"),
        ({"epochs": 0}, "recipe: epochs is 0, expected 1 or more"),
        ({"validation_fraction": 1.0}, r"validation_fraction: found 1\.0, expected 0 <= share < 1"),
        ({"recipe": dataclasses.replace(SMALL, layers=(nn.Flatten(),))}, "its last layer is Flatten"),
        ({"image_shape": 8}, r"image_shape: found 8, expected \(height, width\)"),
        ({"image_shape": (8.5, 8)}, r"image_shape: found \(8\.5, 8\), expected"),
        ({"recipe": np.array([1, 2])}, r"recipe: found array\(\[1, 2\]\), expected None"),
        (
            {"validation_fraction": 0.01},
            r"validation_fraction: of 40 examples 0\.01 cannot be held out \(The test_size",
        ),
    ],
    # not the address of a function in the id: every process of pytest-xdist has another
    ids=["image size", "image shape", "recipe", "epochs", "fraction", "last layer", "side", "half", "array", "few"],
)
def test_what_can_be_wrong_is_named_in_fit(options, message):
    with pytest.raises(FirsthandError, match=message):
        DigitClassifier(**options).fit(X[:40], y[:40])


def test_numbers_may_be_of_numpy():
    options = {"epochs": np.int64(1), "learning_rate": np.float32(0.5), "validation_fraction": np.float32(0.25)}
    fitted = DigitClassifier(image_shape=np.array([8, 8]), **options).fit(X[:80], y[:80])  # type: ignore[arg-type]
    assert fitted.model_.provenance["recipe"]["learning_rate"] == 0.5


def test_a_share_too_small_to_hold_out_is_an_error():
    with pytest.raises(ValueError, match="least populated class"):
        DigitClassifier(validation_fraction=0.5).fit(X[:3], [0, 0, 1])


def test_scikit_learn_is_imported_on_use_and_its_absence_is_one_line():
    assert "DigitClassifier" not in firsthand.__all__
    code = (
        "import sys, firsthand; assert 'sklearn' not in sys.modules; sys.modules['sklearn'] = None\n"
        "try: firsthand.DigitClassifier\n"
        "except firsthand.FirsthandError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "DigitClassifier: scikit-learn not found: pip install 'firsthand[sklearn]'\n"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = firsthand.nonsense
