"""Routes of the pages Fool it and Human baseline."""

import base64

import jax
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra lab is not installed")

from fastapi.testclient import TestClient

from firsthand import Model, Network, mnist, nn
from firsthand.inspect import gradient_sign
from firsthand.web.server import create_app
from firsthand.web.server.lab import Lab
from firsthand.web.server.shelf import Shelf
from firsthand.web.server.trainings import Trainings

pytestmark = pytest.mark.usefixtures("compiled_quickly")

NETWORK = Network((nn.FullyConnected(8, weights_init=nn.he), nn.Softmax(10, weights_init=nn.he)))
MODEL = Model(NETWORK, NETWORK.init(key=jax.random.key(1)), mnist().test.classes)
IMAGE = mnist().test.images[0]
PIXELS = base64.b64encode(IMAGE.tobytes()).decode()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    place = tmp_path_factory.mktemp("lab")
    lab = Lab(
        Shelf(MODEL.save(place / "own.safetensors"), place / "runs"), Trainings(0, place / "runs"), place / "results"
    )
    with TestClient(create_app(lab), base_url="http://localhost:8000") as client:
        yield client


def bytes_of(answer):
    return np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8).reshape(28, 28, 1)


def test_pulling_epsilon_moves_pixels_along_the_sign_of_the_gradient(client):
    found = client.post("/api/fool", json={"pixels": PIXELS, "epsilon": 0.2}).json()
    label = MODEL.predict(IMAGE[None])
    expected = np.rint(255 * gradient_sign(MODEL, IMAGE[None], label, 0.2)[0]).astype(np.uint8)
    np.testing.assert_array_equal(bytes_of(found), expected)
    assert (found["label"], found["called"]) == (label[0], MODEL.predict(expected[None])[0])
    np.testing.assert_allclose(found["after"], MODEL.probabilities(expected[None])[0], atol=1e-5)
    difference = np.frombuffer(base64.b64decode(found["difference"]["values"]), "<f4")
    assert found["distortion"] == pytest.approx(np.sqrt(np.mean(difference**2)), abs=1e-5)


@pytest.mark.parametrize("way", ["sign", "steps", "noise"])
def test_an_epsilon_of_0_changes_nothing(client, way):
    found = client.post("/api/fool", json={"pixels": PIXELS, "epsilon": 0, "way": way}).json()
    np.testing.assert_array_equal(bytes_of(found), IMAGE)
    assert found["before"] == found["after"]


def test_the_smallest_change_is_smaller_and_fools(client):
    found = client.post("/api/fool/smallest", json={"pixels": PIXELS}).json()
    assert found["label"] != found["called"]
    assert 0 < found["distortion"] < 0.3


def test_what_cannot_be_pulled_is_refused(client):
    answer = client.post("/api/fool", json={"pixels": PIXELS, "epsilon": 2})
    assert answer.status_code == 422
    assert "body.epsilon" in answer.json()["error"]


def test_digits_are_shown_without_labels_and_judged_at_the_end(client):
    sitting = client.get("/api/blind?count=12&seed=5").json()
    assert sitting == client.get("/api/blind?count=12&seed=5").json()
    indices = [image["index"] for image in sitting["images"]]
    assert len(set(indices)) == 12
    assert set(sitting["images"][0]) == {"index", "pixels"}
    labels = mnist().test.labels[indices]
    answers = labels.tolist()
    answers[3] = (answers[3] + 1) % 10
    found = client.post("/api/blind", json={"indices": indices, "answers": answers}).json()
    you, network = found["readers"]
    assert (you["name"], you["wrong"], you["n"], you["on_all"]) == ("you", 1, 12, None)
    assert you["low"] < 1 / 12 < you["high"]
    called = MODEL.predict(mnist().test.images[indices])
    assert (network["name"], network["wrong"]) == ("given", int(np.sum(called != labels)))
    assert network["on_all"] == pytest.approx(1 - MODEL.accuracy(mnist().test))
    missed = {each["index"]: each for each in found["misread"]}
    assert missed[indices[3]]["answers"]["you"] == answers[3]
    assert missed[indices[3]]["label"] == labels[3]
    assert len(missed) == np.sum((called != labels) | (np.array(answers) != labels))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"indices": [1, 2], "answers": [3]}, "answers: 1 found for 2 images, one each expected"),
        ({"indices": [1, 1], "answers": [3, 3]}, "indices: an image stands among them twice"),
        ({"indices": [10_000], "answers": [3]}, "less than 10000"),
        ({"indices": [1], "answers": [3], "model": "none"}, "model: found 'none', expected one of given"),
    ],
)
def test_answers_that_cannot_be_judged_are_refused(client, body, error):
    answer = client.post("/api/blind", json=body)
    assert answer.status_code in (404, 422)
    assert error in answer.json()["error"]
