"""The page Dream: what its routes answer and refuse, and in a browser a label held on, half a digit, and the map."""

import base64

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from firsthand import mnist
from firsthand.reading import boxed_model
from firsthand.zoo.box import DREAMER, MAP


def images(text, count):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(count, 28, 28, 1)


def test_what_comes_with_the_package_is_small():
    assert DREAMER.stat().st_size + MAP.stat().st_size < 1.5 * 2**20


@pytest.mark.slow
def test_a_label_held_on_settles_on_its_digit(client):
    read = []
    for label in range(10):
        found = client.post("/api/dream/settle", json={"label": label, "seed": 1}).json()
        assert (len(found["frames"]), found["chains"], found["every"]) == (60, 4, 5)
        read += (boxed_model().predict(images(found["frames"][-1], 4)) == label).tolist()
    assert np.mean(read) >= 0.75
    one, again = (client.post("/api/dream/settle", json={"label": 9, "seed": 1}).json() for _ in range(2))
    assert one == again


def test_what_is_known_of_a_drawing_stays(client):
    digit = mnist().test.images[0]  # a 7
    asked = {"pixels": base64.b64encode(digit.tobytes()).decode(), "known": "top", "label": 7, "seed": 2}
    answer = client.post("/api/dream/complete", json=asked).json()
    found = images(answer["pixels"], answer["count"])
    np.testing.assert_array_equal(found[:, :14], np.repeat(digit[None, :14], 4, axis=0))
    assert np.mean(boxed_model().predict(found) == 7) >= 0.5
    for wrong, line in {
        "known": ("middle", "Input should be 'top', 'bottom', 'left' or 'right'"),
        "pixels": ("AAAA", "pixels: 3 bytes found, expected 784"),
        "label": (10, "less than or equal to 9"),
    }.items():
        refused = client.post("/api/dream/complete", json={**asked, wrong: line[0]})
        assert refused.status_code == 422
        assert line[1] in refused.json()["error"]
    assert "not base64" in client.post("/api/dream/complete", json={**asked, "pixels": "!"}).json()["error"]


def test_the_map_draws_at_a_place_what_lies_there(client):
    found = client.get("/api/dream/map").json()
    assert len(found["codes"]) == len(found["labels"]) == 800
    place = np.argmax(np.array(found["labels"]) == 1)  # ones are alike
    x, y = found["codes"][place]
    drawn = images(client.post("/api/dream/map", json={"x": x, "y": y}).json()["pixels"], 1)[0].astype(float)
    there, elsewhere = (mnist().test.images[i].astype(float) for i in (place, 3))
    assert np.sum((drawn - there) ** 2) < np.sum((drawn - elsewhere) ** 2)
    assert client.post("/api/dream/map", json={"x": 1e9, "y": 0}).status_code == 422


@pytest.mark.slow
def test_filters_are_shown_while_they_are_learned(client):
    found = client.post("/api/dream/learn", json={"seed": 3}).json()
    assert (len(found["frames"]), found["filters"]) == (40, 24)
    assert found["steps"][0] == 100
    assert found["steps"][-1] == 4000
    assert found["errors"][-1] < 0.5 * found["errors"][0]
    first, last = (images(found["frames"][at], 24).reshape(24, -1).astype(float) - 128 for at in (0, -1))

    def alike(filters):
        return np.mean(np.corrcoef(filters)[np.triu_indices(24, 1)])

    # the units begin with the mean digit, and part
    assert alike(first) > 0.5
    assert alike(last) < 0.3
    assert client.post("/api/dream/learn", json={"seed": 3}).json() == found
    assert client.post("/api/dream/learn", json={"seed": -1}).status_code == 422


@pytest.mark.slow
def test_in_a_browser_a_digit_is_dreamt_completed_and_walked_to(open_page):
    page = open_page("dream", viewport={"width": 1280, "height": 1000})

    def drawn(selector):
        """Wait until a picture is more than black, whose PNG is short; the picture."""
        page.wait_for_function("(s) => document.querySelector(s).toDataURL().length > 400", arg=selector)
        return page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")

    page.locator(".page-dream .settle button", has_text="3").click()
    drawn("#settled canvas")
    page.wait_for_function("() => document.querySelector('#settle-step').value === '59'")
    last = drawn("#settled canvas")
    page.locator("#settle-step").fill("0")
    assert drawn("#settled canvas") != last

    page.locator("#wipe").click()
    pad = page.locator(".half-pad").bounding_box()
    page.mouse.move(pad["x"] + 0.3 * pad["width"], pad["y"] + 0.2 * pad["height"])
    page.mouse.down()
    page.mouse.move(pad["x"] + 0.7 * pad["width"], pad["y"] + 0.2 * pad["height"], steps=5)
    page.mouse.up()
    drawn("#completed canvas")
    page.select_option(".complete select >> nth=1", "7")

    drawn("#walked")
    chart = page.locator(".map svg.chart-svg").bounding_box()
    before = page.locator(".map .number").inner_text()
    page.mouse.move(chart["x"] + 0.3 * chart["width"], chart["y"] + 0.3 * chart["height"])
    page.wait_for_function("(before) => document.querySelector('.map .number').textContent !== before", arg=before)
    drawn("#walked")

    page.locator("#learn").click()
    page.wait_for_function("() => document.querySelector('#learn-step').value === '39'")
    drawn("#learned")
    assert "squared error" in page.locator(".learn .number").inner_text()
