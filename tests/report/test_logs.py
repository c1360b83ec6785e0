"""Logs of epochs: each writes what was measured, and a missing package is one line."""

import csv
import sys
import types

import pytest

from firsthand import FirsthandError, Recipe, mnist, nn, train
from firsthand.report.logs import check_kinds, open_logs
from firsthand.report.logs.csv_file import CsvLog

pytestmark = pytest.mark.usefixtures("compiled_quickly")

SETTINGS = {"recipe": "quick", "seed": 0, "overrides": {"epochs": 2}, "members": None}


@pytest.fixture(scope="module")
def trained():
    """A function that trains two epochs with logs, and returns the history."""
    network = nn.Network((nn.Softmax(10),))

    def run(*logs):
        found = train(network, mnist().train[:200], Recipe(2, learning_rate=0.1), key=0, progress=logs)
        for log in logs:
            log.close()
        return found.history

    return run


def test_csv(trained, tmp_path):
    history = trained(CsvLog(tmp_path / "metrics.csv"))
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [float(row["validation_accuracy"]) for row in rows] == history["validation_accuracy"]
    assert [row["epoch"] for row in rows] == ["1", "2"]


def test_tensorboard_through_its_interface(trained, tmp_path, monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            written.append(folder)

        def add_scalar(self, name, value, step):
            written.append((name, value, step))

        def close(self):
            written.append("closed")

    module = types.ModuleType("tensorboardX")
    vars(module)["SummaryWriter"] = SummaryWriter
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    history = trained(*open_logs(("tensorboard",), tmp_path, "name", SETTINGS))
    assert written[0] == str(tmp_path / "tensorboard")
    assert ("validation_accuracy", history["validation_accuracy"][1], 2) in written
    assert written[-1] == "closed"


def test_tensorboard_writes_event_files(trained, tmp_path):
    pytest.importorskip("tensorboardX", reason="needs the extra tensorboard")
    trained(*open_logs(("tensorboard",), tmp_path, "name", SETTINGS))
    assert [path.stat().st_size > 0 for path in (tmp_path / "tensorboard").iterdir()] == [True]


def test_mlflow_and_wandb_through_their_interfaces(trained, tmp_path, monkeypatch):
    told = []

    class Run:
        def log(self, values, step):
            told.append(("wandb", step, values["validation_accuracy"]))

        def finish(self):
            told.append("wandb finished")

    mlflow, wandb = types.ModuleType("mlflow"), types.ModuleType("wandb")
    vars(mlflow).update(
        start_run=lambda run_name: told.append(run_name),
        log_params=told.append,
        log_metrics=lambda values, step: told.append(("mlflow", step, values["validation_accuracy"])),
        end_run=lambda: told.append("mlflow ended"),
    )
    vars(wandb).update(init=lambda name, config: Run())
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    history = trained(*open_logs(("mlflow", "wandb"), tmp_path, "name", SETTINGS))
    accuracy = history["validation_accuracy"]
    assert told[:2] == ["name", {"recipe": "quick", "seed": 0, "epochs": 2}]
    assert [one for one in told if isinstance(one, tuple) and one[0] == "mlflow"] == [
        ("mlflow", 1, accuracy[0]),
        ("mlflow", 2, accuracy[1]),
    ]
    assert ("wandb", 2, accuracy[1]) in told
    assert {"mlflow ended", "wandb finished"} <= {one for one in told if isinstance(one, str)}


@pytest.mark.parametrize("kind", ["tensorboard", "mlflow", "wandb"])
def test_a_missing_package_is_one_line(kind, tmp_path, monkeypatch):
    for name in ("tensorboardX", "mlflow", "wandb"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(FirsthandError, match="not found: pip install"):
        open_logs((kind,), tmp_path, "name", SETTINGS)


def test_kinds():
    assert check_kinds(None) == ()
    assert check_kinds("csv, tensorboard") == ("csv", "tensorboard")
    with pytest.raises(FirsthandError, match="did you mean 'mlflow'"):
        check_kinds("mflow")
