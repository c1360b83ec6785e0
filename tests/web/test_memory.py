"""The page Memory: the copy that the box says, what its heads did, and what cannot be asked; in a browser, by keys."""

import base64

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from firsthand import nn
from firsthand.data.tasks import copy_task
from firsthand.nn import Network
from firsthand.studies.neural_turing import at_length
from firsthand.web.server.memory import LONGEST
from firsthand.zoo.box import COPIER, boxed_copier
from firsthand.zoo.machines import COPY
from tests.conftest import says

pytestmark = pytest.mark.usefixtures("compiled_quickly")


def test_the_box_copies_as_its_file_says():
    assert COPIER.stat().st_size < 100_000
    model = boxed_copier()
    for length in (10, 40):
        found = at_length(model, COPY, length, 2 * length + 1, 100)
        assert found["wrong"] == pytest.approx(model.provenance["scores"][str(length)]["wrong"], abs=1e-4)
        assert found["wrong"] < 0.01


def test_a_copy_is_the_machines_whatever_stands_behind_it(client):
    length = 12
    x, y, _ = copy_task(1, (length, length), "test", seed=5).arrays
    vectors = ["".join(map(str, row)) for row in x[0, :length, :8].astype(int)]
    found = client.post("/api/memory", json={"vectors": vectors}).json()

    model = boxed_copier()
    machine = model.network.layers[0]
    assert isinstance(machine, nn.NeuralTuringMachine)
    network = Network(model.network.layers, x.shape[1:])
    expected = np.asarray(jax.jit(network.apply)(model.params, jnp.asarray(x)))[0, length + 1 :]
    np.testing.assert_allclose(found["said"], expected, atol=1e-3)
    assert found["wrong"] == int(np.sum((expected > 0.5) != (y[0, length + 1 :] > 0.5)))

    steps, slots = 2 * length + 1, found["slots"]
    assert set(np.diff(slots) % 128) == {1}
    heads = [bytes_of(found[name]).reshape(steps, len(slots)) for name in ("reading", "writing")]
    watched = jax.jit(machine.watch)(model.params[0], jnp.asarray(x))
    for shown, weights in zip(heads, np.asarray(watched.weightings)[0].transpose(1, 0, 2)[..., slots], strict=True):
        np.testing.assert_allclose(shown / 255, weights, atol=3e-3)
    memory = (bytes_of(found["memory"]).reshape(steps, len(slots), 20).astype(float) - 128) / 127 * found["largest"]
    held = np.asarray(watched.memory)[0].transpose(0, 2, 1)[:, slots]
    np.testing.assert_allclose(memory, held, atol=0.005 * found["largest"])
    # each vector goes to a slot of its own
    written = heads[1][:length].argmax(1)
    assert len(set(written)) == length


def bytes_of(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


def test_more_vectors_than_slots_are_taken_and_all_slots_are_shown(client):
    about = client.get("/api/memory").json()
    assert (about["slots"], about["trained"], about["longest"]) == (128, [1, 20], LONGEST)
    bits = np.random.default_rng(0).integers(0, 2, (LONGEST, 8))
    found = client.post("/api/memory", json={"vectors": ["".join(map(str, row)) for row in bits]}).json()
    assert (len(found["said"]), len(found["slots"])) == (LONGEST, about["slots"])
    assert found["wrong"] == int(np.sum((np.array(found["said"]) > 0.5) != bits))


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"vectors": []}, "body.vectors: List should have at least 1 item"),
        ({"vectors": ["1011"]}, "body.vectors.0: String should match pattern '^[01]{8}$'"),
        ({"vectors": ["00000000", "0000000x"]}, "body.vectors.1"),
        ({"vectors": ["00000000"] * (LONGEST + 1)}, f"at most {LONGEST}"),
        ({"vectors": ["00000000"], "length": 3}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_copied_is_one_line(client, asked, line):
    refused = client.post("/api/memory", json=asked)
    assert refused.status_code == 422
    assert line in refused.json()["error"]


@pytest.mark.slow
def test_in_a_browser_a_sequence_is_copied_step_by_step(open_page):
    page = open_page("memory", viewport={"width": 1280, "height": 1000})
    page.locator("#memory-step-play").wait_for()
    page.locator("#sequence").fill("10110010 01100001 11111111")
    page.locator("#sequence").press("Enter")
    says(page, "#verdict", "All 24 bits are right.")  # at the end of the film
    assert "step 7 of 7: it says vector 3, 11111111, right" in page.inner_text("#now")
    memory = page.locator(".slots .map").evaluate("canvas => canvas.toDataURL()")
    page.locator("#memory-step").fill("1")
    assert "step 2 of 7: vector 2, 01100001, is given" in page.inner_text("#now")
    assert page.locator(".slots .map").evaluate("canvas => canvas.toDataURL()") != memory
    assert page.locator(".veil").first.evaluate("veil => parseFloat(veil.style.left)") == pytest.approx(
        200 / 7, abs=0.1
    )

    page.locator("#bits").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.locator("#sequence").input_value() == "10110010 11100001 11111111"
    page.locator("#length").fill("21")
    assert "longer than trained" in page.locator(".page-memory output").first.inner_text()
    assert page.locator("#sequence").input_value().startswith("10110010 11100001 11111111 ")
    page.locator("#sequence").fill("101")
    page.locator(".page-memory .error", has_text="vector 1: “101” found, eight times 0 or 1 expected").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "answer"), [("memory", "memory"), ("dream", "dream/settle"), ("play", "play")])
def test_nothing_plays_on_where_a_page_was_left_before_its_answer(open_page, name, answer):
    page = open_page("results")
    page.add_init_script(
        """window.going = new Set();
        const [begin, end] = [setInterval, clearInterval];
        window.setInterval = (...given) => { const id = begin(...given); going.add(id); return id; };
        window.clearInterval = (id) => { going.delete(id); end(id); };"""
    )
    page.reload()
    held = []
    page.route(
        f"**/api/{answer}", lambda route: held.append(route) if route.request.method == "POST" else route.continue_()
    )
    with page.expect_request(lambda request: request.url.endswith(f"/api/{answer}") and request.method == "POST"):
        page.evaluate(f"location.hash = '#/{name}'")
    page.evaluate("location.hash = '#/results'")
    page.locator(".page-results > *").first.wait_for()
    with page.expect_response(lambda response: response.url.endswith(f"/api/{answer}")) as answered:
        held[0].continue_()
    answered.value.finished()
    page.wait_for_timeout(100)
    assert page.evaluate("going.size") == 0
