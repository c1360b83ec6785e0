"""Remains of a killed lab: shown as they ended, begun as far as they may, removed by its own naming alone."""

import asyncio
import json
import tempfile

import pytest

pytest.importorskip("fastapi", reason="the lab's tests need the extra lab")

from firsthand.web.server import remains
from firsthand.web.server.remains import PLACE
from firsthand.web.server.settings import TrainingSettings
from firsthand.web.server.trainings import Trainings

HISTORY = {"records": [{"epoch": 1, "validation_accuracy": 0.5}], "best_epoch": 1, "stopped": ""}


def left(runs, number=1, place="tmp_dead_00", settings=None, **files):
    """A training as a kill of its lab leaves it: files by their names without endings, as values of JSON."""
    folder = runs / PLACE / place / str(number)
    folder.mkdir(parents=True)
    if settings is None:
        settings = TrainingSettings(hidden=[number]).model_dump_json()
    (folder / "settings.json").write_text(settings)
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


@pytest.fixture
def idle(monkeypatch):
    """Trainings whose processes begin and do nothing."""

    async def follow(self, training):
        training.state = "training"
        await asyncio.Event().wait()

    async def remove(self, training):
        if training.task is not None:
            training.task.cancel()
        del self.all[training.number]
        self._begin_waiting()

    monkeypatch.setattr(Trainings, "_follow", follow)
    monkeypatch.setattr(Trainings, "remove", remove)
    monkeypatch.setattr(remains, "_another_lab_runs", lambda: True)


def brought_back(runs, limit=2):
    async def main():
        trainings = Trainings(limit, runs)
        await trainings.bring_back()
        return trainings

    return [training.whole() for training in asyncio.run(main()).all.values()]


def test_a_training_that_had_failed_is_shown_as_failed(tmp_path, idle):
    end = {"event": "failed", "error": "the learning rate (9) is likely too large", "model": True}
    place = left(tmp_path, ended=end, history=HISTORY).parent
    left(tmp_path, 2, ended={"event": "crashed", "error": "its process was ended by SIGSEGV"})
    failed, crashed = brought_back(tmp_path)
    assert (failed["state"], failed["error"], failed["has_model"]) == ("failed", end["error"], True)
    assert failed["records"] == HISTORY["records"]
    assert (crashed["state"], crashed["error"], crashed["has_model"]) == (
        "crashed",
        "its process was ended by SIGSEGV",
        False,
    )
    assert not place.exists()


@pytest.mark.parametrize(
    "files",
    [
        {"history": {"records": []}},
        {"history": []},
        {"history": {**HISTORY, "records": [{"epoch": "one"}]}},
        {"history": HISTORY, "ended": {"event": "done"}},
        {"history": HISTORY, "ended": {"event": "exploded", "error": "x"}},
        {"history": HISTORY, "ended": []},
    ],
    ids=range(6),
)
def test_what_cannot_be_read_of_a_training_is_said_of_it_in_one_line(tmp_path, idle, files):
    (left(tmp_path, **files) / "model.safetensors").write_bytes(b"whole")
    left(tmp_path, 2)
    damaged, other = brought_back(tmp_path)
    assert (damaged["state"], damaged["has_model"], damaged["records"]) == ("failed", True, [])
    assert "json" in damaged["error"]
    assert "\n" not in damaged["error"]
    assert other["state"] == "training"


def test_as_many_begin_as_may_and_the_others_wait(tmp_path, idle):
    for number in range(1, 6):
        left(tmp_path, number, place=f"tmp_dead_0{number % 2}")

    async def main():
        trainings = Trainings(2, tmp_path)
        await trainings.bring_back()
        await asyncio.sleep(0)
        states = [[each.state for each in trainings.all.values()]]
        with pytest.raises(ValueError, match="it waits until another has ended"):
            await trainings.command(trainings.get(3), "stop")
        for number in (1, 4):  # one that runs, one that waits
            await trainings.remove(trainings.get(number))
            await asyncio.sleep(0)
            states.append([each.state for each in trainings.all.values()])
        return states

    runs, waits = "training", "waiting"
    assert asyncio.run(main()) == [
        [runs, runs, waits, waits, waits],
        [runs, runs, waits, waits],
        [runs, runs, waits],
    ]


def test_settings_of_another_version_are_left_as_they_are(tmp_path, idle, capsys):
    folder = left(tmp_path, settings='{"dreams": 3}')
    assert brought_back(tmp_path) == []
    assert folder.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_nothing_is_removed_but_what_a_lab_has_written(tmp_path, idle):
    (left(tmp_path) / "notes.txt").write_text("mine")
    (tmp_path / PLACE / "mine").mkdir()
    foreign = tmp_path / PLACE / "tmp_dead_00" / "thoughts"
    foreign.mkdir()
    (training,) = brought_back(tmp_path)
    assert training["state"] == "training"
    assert foreign.exists()
    assert (tmp_path / PLACE / "mine").exists()
    assert len(list((tmp_path / PLACE).glob("tmp*/*/notes.txt"))) == 1  # it goes along


def old(folder, *files):
    (folder / "1").mkdir(parents=True)
    for name in files:
        (folder / "1" / name).write_text("x")
    return folder


def test_folders_of_version_0_1_are_removed_by_their_own_naming(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(remains, "_another_lab_runs", lambda: False)
    gone = [
        old(tmp_path / "firsthand-lab-abcd_123", "model.safetensors", "history.json"),
        old(tmp_path / "firsthand-lab-00000000"),
    ]
    stays = [
        old(tmp_path / "firsthand-lab-notes", "model.safetensors"),
        old(tmp_path / "firsthand-lab-ABCDEFGH", "model.safetensors"),
        old(tmp_path / "firsthand-lab-mine0001", "thesis.tex"),
        old(tmp_path / "elsewhere", "model.safetensors"),
    ]
    (tmp_path / "firsthand-lab-linked00").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    remains.remove_old()
    assert not any(folder.exists() for folder in gone)
    assert all((folder / "1").exists() for folder in stays)
    assert (stays[-1] / "1" / "model.safetensors").exists()
    assert (stays[2] / "1" / "thesis.tex").exists()


def test_while_another_lab_runs_its_folder_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(remains, "_another_lab_runs", lambda: True)
    folder = old(tmp_path / "firsthand-lab-abcd_123", "model.safetensors")
    remains.remove_old()
    assert (folder / "1" / "model.safetensors").exists()
