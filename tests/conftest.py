"""Settings that all tests share: strict numerics, signals as in a terminal; for the lab, a server and a browser."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from firsthand.compilation import VARIABLE, keep_compilations
from tests.processes import PATIENCE, wait_until

SLOW = Path(__file__).with_name("slow.txt")

# a test that relies on silent promotion of types tests something else than what it says
jax.config.update("jax_numpy_dtype_promotion", "strict")
# A script's background job ignores SIGINT, and so would every process that tests start, to see what Ctrl-C does to it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Compile every program once: for all tests, the workers of pytest-xdist, and the processes that tests start."""
    if VARIABLE not in os.environ:
        folder = tempfile.mkdtemp(prefix="firsthand-compiled-")
        os.environ[VARIABLE] = folder  # the workers and processes get it from here
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    keep_compilations()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark as slow what slow.txt lists: see tools/measure/slow_tests.py."""
    listed = set(SLOW.read_text(encoding="utf-8").splitlines())
    for item in items:
        if item.nodeid in listed:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def float64():
    """Double precision inside the test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def compiled_quickly():
    """XLA leaves most optimizations out: for modules that compile much and compute little, to half their time.

    Tests of long trainings, of golden traces and of the command line compile as users do.  Programs that were compiled
    in one way are forgotten before the other begins: both in one comparison would differ in the last bits.
    """
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of ten classes with twelve pictures each."""
    from firsthand.data import mnist

    folder, digits = tmp_path_factory.mktemp("own"), mnist().train
    for label in range(10):
        (folder / str(label)).mkdir()
        for i in np.flatnonzero(digits.labels[:600] == label)[:12]:
            Image.fromarray(digits.images[i, ..., 0]).save(folder / str(label) / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def browser():
    """A headless browser; without one, or without Playwright, the tests that ask for it are skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="the lab's tests in a browser need playwright")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"the lab's tests in a browser need one of {', '.join(names)}; none was found")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        new_context = launched.new_context

        def patient(**options):
            context = new_context(**options)
            context.set_default_timeout(1000 * PATIENCE)
            return context

        launched.new_context, launched.new_page = patient, lambda **options: patient(**options).new_page()
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def lab_url(tmp_path_factory):
    """The address of a lab without models, in a thread of this process."""
    pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
    from firsthand.web.server.app import create_app
    from firsthand.web.server.lab import Lab
    from firsthand.web.server.shelf import Shelf
    from firsthand.web.server.trainings import Trainings

    folder = tmp_path_factory.mktemp("lab")
    runs = folder / "runs"
    with serving(create_app(Lab(Shelf(None, runs), Trainings(1, runs), folder / "results"))) as url:
        yield url


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a lab without models, which trains nothing."""
    pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")
    pytest.importorskip("httpx2", reason="httpx2 is not installed (extra test)")
    from starlette.testclient import TestClient

    from firsthand.web.server.app import create_app
    from firsthand.web.server.lab import Lab
    from firsthand.web.server.shelf import Shelf
    from firsthand.web.server.trainings import Trainings

    place = tmp_path_factory.mktemp("lab")
    lab = Lab(Shelf(None, place / "runs"), Trainings(0, place / "runs"), place / "results")
    with TestClient(create_app(lab), base_url="http://localhost:8000") as client:
        yield client


@contextmanager
def serving(app) -> Iterator[str]:
    """Serve an ASGI application on a free port of this machine; the block gets its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), "the server had started")
    assert server.started, "the server ended before it had started"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE)


def says(page, selector, text):
    """Wait until an element of a page says this."""
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", arg=[selector, text]
    )


@pytest.fixture
def open_page(browser, lab_url):
    """Opens a page of the lab, open_page("neuron", lang="zh", ...); an error in its console fails the test."""
    contexts, errors = [], []

    def opened(name, lang="en", theme="light", **options):
        contexts.append(browser.new_context(**options))
        for key, choice in (("language", lang), ("theme", theme)):
            contexts[-1].add_init_script(f"localStorage.setItem('firsthand-{key}', '{choice}')")
        page = contexts[-1].new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{lab_url}/#/{name}")
        page.locator(f".page-{name} > *").first.wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, "\n".join(errors)
