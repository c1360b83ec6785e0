"""The lab's API under fuzzing by its own schema: whatever comes, no answer is 500, and every answer is as described."""

from contextlib import nullcontext, suppress

import jax
import pytest

pytest.importorskip("fastapi", reason="the extra lab is not installed")
pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra test)")

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import positive_data_acceptance

from firsthand import Model, Network, mnist, nn
from firsthand.web.server import create_app
from firsthand.web.server.lab import Lab
from firsthand.web.server.settings import TrainingSettings
from firsthand.web.server.shelf import Shelf
from firsthand.web.server.trainings import Training, Trainings

HEADERS = {"host": "localhost:8000"}


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    place = tmp_path_factory.mktemp("fuzz")
    network = Network((nn.FullyConnected(4), nn.Softmax(10)))
    model = Model(network, network.init(key=jax.random.key(0)), mnist().test.classes)
    # no training can be started, but there is one that is over
    lab = Lab(
        Shelf(model.save(place / "own.safetensors"), place / "runs"), Trainings(0, place / "runs"), place / "none"
    )
    lab.trainings.all[1] = Training(1, TrainingSettings(), place / "training", "failed")
    app = create_app(lab)
    return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HEADERS)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.name.lower())
def test_every_answer_is_as_described(schema, mode):
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 17
    tried = []
    for operation in operations:

        @settings(
            max_examples=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            derandomize=True,
        )
        @given(operation.as_strategy(generation_mode=mode))
        def holds(case):
            # the sizes of images and layers are the model's, which no schema can know
            case.call_and_validate(headers=HEADERS, excluded_checks=[positive_data_acceptance])

        # where nothing is asked, or any text may be, nothing can be wrong
        with suppress(Unsatisfiable) if mode.is_negative else nullcontext():
            holds()
            tried.append(operation)
    assert len(tried) >= (10 if mode.is_negative else len(operations))
