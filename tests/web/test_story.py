"""The page Story: answers and looks of the box, made stories, and what cannot be read; also in a browser."""

import jax
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")

from firsthand import nn
from firsthand.data.tasks import STORY_KINDS, STORY_SYMBOLS, part_of, stories, told
from firsthand.zoo.box import STORY_READER, boxed_story_reader
from firsthand.zoo.questions import LONGEST_KIND
from tests.conftest import says

pytestmark = pytest.mark.usefixtures("compiled_quickly")

STORY = ["Ben went to the kitchen.", "", "Anna walked to the garden.", "Ben took the ball.", "Ben moved to the attic!"]
KNOWN = "expected one of the words anna, ben"


def test_the_box_answers_as_its_file_says(client):
    assert STORY_READER.stat().st_size < 100_000
    model, about = boxed_story_reader(), client.get("/api/story").json()
    assert [each["number"] for each in about["kinds"]] == list(STORY_KINDS)
    assert about["words"] == list(STORY_SYMBOLS[1:])
    for kind, each in zip(STORY_KINDS, about["kinds"], strict=True):
        found = model.accuracy(told(stories(kind, 1_000, "test", seed=0), LONGEST_KIND))
        assert found == pytest.approx(each["right"], abs=0.003)  # of a thousand, three may be as near to another answer
        assert found > 0.75


def test_a_story_is_read_as_people_write_it(client):
    found = client.post("/api/story", json={"sentences": STORY, "question": "Where is the ball?"}).json()
    assert found["sentences"] == [line.lower().strip(".!") for line in STORY if line]
    assert found["question"] == "where is the ball"
    assert found["answers"][0][0] == "attic"
    assert [p for _, p in found["answers"]] == sorted((p for _, p in found["answers"]), reverse=True)
    assert sum(p for _, p in found["answers"]) == pytest.approx(1, abs=1e-4)
    # as the layer itself looks
    model = boxed_story_reader()
    inputs = told(
        [stories(2, 1, seed=0)[0]._replace(sentences=tuple(found["sentences"]), question=found["question"])],
        LONGEST_KIND,
    ).inputs
    memory = model.network.layers[0]
    assert isinstance(memory, nn.MemoryNetwork)
    looks = np.asarray(jax.jit(memory.looks)(model.params[0], inputs))[0]
    np.testing.assert_allclose(found["looks"], looks[:, -4:], atol=1e-4)
    np.testing.assert_allclose(np.sum(found["looks"], axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("kind", STORY_KINDS)
def test_a_made_story_was_held_out(client, kind):
    made = client.get(f"/api/story/example/{kind}?seed=3").json()
    assert part_of(" ".join((*made["sentences"], made["question"]))) == "test"
    found = client.post("/api/story", json={"sentences": made["sentences"], "question": made["question"]}).json()
    assert found["sentences"] == made["sentences"]
    assert made["answer"] in dict(found["answers"])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"sentences": ["", " "]}, "story: 0 sentences found, 1 to 20 expected"),
        ({"sentences": ["anna went to the hall"] * 21}, "story: 21 sentences found, 1 to 20 expected"),
        ({"sentences": [*STORY, "carla went to the bathroom"]}, f"sentence 5: 'bathroom' found, {KNOWN}"),
        ({"question": "where is eve"}, f"question: 'eve' found, {KNOWN}"),
        ({"question": " ? "}, "question: nothing found"),
        ({"question": "is " * 9}, "question: 9 words found, 8 at most expected"),
        ({"question": "中" * 121}, "body.question: String should have at most 120 characters"),
        ({"hops": 2}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_read_is_one_line(client, change, line):
    refused = client.post("/api/story", json={"sentences": STORY, "question": "where is anna", **change})
    assert refused.status_code == 422
    assert line in refused.json()["error"]
    assert "\n" not in refused.json()["error"]


def test_another_kind_than_there_are_is_one_line(client):
    refused = client.get("/api/story/example/4?seed=0")
    assert refused.status_code == 422
    assert refused.json()["error"] == "stories: kind 4 found, one of 1, 2, 3, 6, 15 expected"


@pytest.mark.slow
def test_in_a_browser_a_story_is_asked_changed_and_made(open_page):
    page = open_page("story", viewport={"width": 1280, "height": 1000})
    says(page, "#answer", "attic, with ")
    assert page.locator(".looks tbody tr").count() == 6
    assert page.locator(".looks thead th").all_inner_texts() == ["sentence", "look 1", "look 2", "look 3"]
    page.locator("#story").fill("Ben took the ball\nBen moved to the cellar")
    page.locator("#question").fill("where is the ball")
    page.locator("#question").press("Enter")
    says(page, "#answer", "cellar, with ")
    assert page.inner_text("#judged").startswith("This story is yours")
    page.locator("#another").click()
    page.wait_for_function("() => /never trained/.test(document.querySelector('#judged').textContent)")
    assert "•" in page.inner_text(".looks")
    page.locator("#language").click()
    says(page, "#judged", "从未用这个故事训练过")


@pytest.mark.slow
def test_in_a_browser_an_unknown_word_is_one_line(browser, lab_url):
    page = browser.new_page(locale="en-US")  # whose console may speak of the refusal
    page.goto(f"{lab_url}/#/story")
    page.locator(".looks").wait_for()
    page.locator("#story").fill("eve went to the hall")
    page.locator("#ask").click()
    page.locator(
        ".page-story .error", has_text="sentence 1: 'eve' found, expected one of the words anna, ben"
    ).wait_for()
    assert page.locator(".looks").count() == 0
    page.close()
