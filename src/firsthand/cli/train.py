"""`firsthand train`."""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from firsthand.errors import FirsthandError
from firsthand.processes import use_threads
from firsthand.report.logs import check_kinds, open_logs

from . import fine_tune, run_settings
from . import train_options as options
from .common import (
    Device,
    Invert,
    Json,
    Seed,
    Threads,
    check_recipe,
    check_scheduler,
    expand,
    find_recipe,
    load_splits,
    use_device,
)
from .config import write_config
from .next_steps import next_steps
from .pretraining import check_alone, pretrained
from .streams import go_on_without_output
from .texts import check_kind, load_text_splits

if TYPE_CHECKING:
    from firsthand.data import ImageSplits, Splits
    from firsthand.learning import Quantity
    from firsthand.report import RunFolder
    from firsthand.zoo import FineTuning, NamedRecipe, Transfer

__all__ = ["train"]


def train(
    context: typer.Context,
    recipe: options.Recipe = None,
    data: options.Data = None,
    invert: Invert = None,
    size: options.Size = None,
    examples: options.Examples = None,
    members: options.Members = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    momentum: options.Momentum = None,
    l2: options.L2 = None,
    l1: options.L1 = None,
    label_smoothing: options.LabelSmoothing = None,
    clip: options.Clip = None,
    carry_state: options.CarryState = None,
    average: options.Average = None,
    patience: options.Patience = None,
    halvings: options.Halvings = None,
    start: options.Start = None,
    rehearsal: options.Rehearsal = None,
    rehearse: options.Rehearse = "mnist",
    frozen: options.Frozen = None,
    kept_rate: options.KeptRate = None,
    seed: Seed = 0,
    out: options.Out = None,
    resume: options.Resume = None,
    config: options.Config = None,
    log: options.Log = None,
    devices: options.Devices = None,
    scheduler: options.Scheduler = None,
    coordinator: options.Coordinator = None,
    processes: options.Processes = 1,
    process_id: options.ProcessId = 0,
    threads: Threads = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train a network; by default the digit reader, on the MNIST images that come with firsthand."""
    overrides = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "momentum": momentum,
        "l2": l2,
        "l1": l1,
        "label_smoothing": label_smoothing,
        "clip": clip,
        "carry_state": carry_state,
        "average": average,
        "patience": patience,
        "halvings": halvings,
    }
    settings = {
        "recipe": recipe or "digit-reader",
        "data": None if data is None else run_settings.absolute(data),
        "invert": invert,
        "size": size,
        "start": None if start is None else str(start.absolute()),
        "rehearsal": rehearsal,
        "frozen": frozen,
        "kept_rate": kept_rate,
        "rehearse": run_settings.absolute(rehearse),
        "examples": examples,
        "members": members,
        "seed": seed,
        "overrides": {name: value for name, value in overrides.items() if value is not None},
    }
    go_on_without_output()
    started = time.perf_counter()
    alone = {
        "--recipe": recipe,
        "--size": size,
        "--members": members,
        "--devices": devices,
        "--scheduler": scheduler,
        "--coordinator": coordinator,
    }
    typed = {
        name for name in context.params if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }
    given = {name: value for name, value in {**settings, **overrides}.items() if name in typed}
    if resume is not None and out is None and _had_not_begun(resume):
        print(f"firsthand: --resume: the run in {resume} had not begun: it begins now", file=sys.stderr)
        out, resume = resume, None
    if resume is None:
        fine_tune.check_options(settings, alone)
    elif out is not None:
        raise FirsthandError(
            f"--out: found {out}, but --resume {resume} goes on in its own folder; expected one of both"
        )
    if resume is not None and config is not None:
        raise FirsthandError(
            f"--config: found {config}, but --resume {resume} has its own settings; expected one of both"
        )
    here = {"--device": device, "--threads": threads, "--devices": devices, "--coordinator": coordinator}
    check_scheduler(scheduler, here)
    kinds = check_kinds(log)
    check_recipe(recipe)
    if coordinator is None and (processes > 1 or process_id):
        raise FirsthandError("--processes: several need a --coordinator HOST:PORT")
    use_threads(threads)
    if coordinator is not None:
        from firsthand.learning import distributed

        distributed.join(coordinator, processes, process_id)
    use_device(device)
    from firsthand.report import new_run_folder

    with ExitStack() as held:
        folder = None if resume is None else _reopened(resume)
        if folder is not None:
            if process_id == 0:
                held.enter_context(folder.held())
            settings = run_settings.resumed(folder, given)
        chosen, splits, tuning = _prepared(settings)
        if scheduler is not None and settings["members"] is None:
            raise FirsthandError(f"--scheduler: found {scheduler} for one network, expected --members N beside it")
        check_alone(chosen, settings["members"], devices, coordinator)
        chosen.network(splits.train)  # refuses what it cannot be made for, before anything is written
        if folder is not None:
            run_settings.check_same(folder, settings, given, chosen.recipe)
        if process_id:
            _help(chosen, splits, settings, folder)
            return
        if folder is None:
            folder = new_run_folder(out, chosen.name)
            held.enter_context(folder.held())
        run_settings.write(folder, settings)
        write_config(folder, settings)
        place = _divided_over(devices, coordinator), scheduler
        _train(chosen, splits, settings, folder, place, as_json, started, tuning, kinds)


def _had_not_begun(path: Path) -> bool:
    """True if a folder is all that there is of a run: a kill came before its settings were written."""
    from firsthand.report import RunFolder

    return path.is_dir() and not RunFolder(path).has_begun


def _reopened(path: Path) -> "RunFolder":
    """The folder of a run that is to go on."""
    from firsthand.report import RunFolder

    folder = RunFolder(path)
    if not path.is_dir():
        raise FirsthandError(
            f"--resume: {path} is no folder of a run ({'a file' if path.exists() else 'no such folder'})"
        )
    if folder.model.exists() and not folder.checkpoints():
        raise FirsthandError(
            f"--resume: the run in {path} is complete, expected one that was stopped; go on from its model with: "
            f"firsthand train --from {folder.model}"
        )
    return folder


def _prepared(
    settings: dict[str, Any],
) -> "tuple[NamedRecipe, Splits[Any, Any] | ImageSplits, FineTuning | Transfer | None]":
    """Recipe and data that settings name, and how the fine-tuning begins if it is one; the data get their name."""
    tuning = None
    if settings["start"] is not None:
        settings["data"] = settings["data"] or "mnist"
        chosen, tuning = fine_tune.prepare(settings)
        return chosen, tuning.splits, tuning
    chosen = find_recipe(settings["recipe"], settings["overrides"])
    settings["data"] = settings["data"] or chosen.data
    if chosen.environment is not None or chosen.made is not None:
        _refuse_data(chosen, settings)
        return chosen, chosen.made() if chosen.made is not None else chosen.played(), None
    check_kind(chosen, settings["data"])
    if chosen.recipe.carry_state and chosen.length is None:
        raise FirsthandError(f"--carry-state: the recipe {chosen.name} learns images, expected one that learns a text")
    if chosen.length is not None:
        for option in ("invert", "size", "members"):
            if settings[option] is not None:
                raise FirsthandError(f"--{option}: the recipe {chosen.name} learns a text, which has no such thing")
        return chosen, load_text_splits(settings["data"], chosen.length, settings["examples"]), None
    options = {"size": settings["size"], "invert": settings["invert"]}
    splits = load_splits(settings["data"], settings["examples"], settings["seed"], **options)
    return chosen, expand(splits) if chosen.expanded else splits, None


def _refuse_data(chosen: "NamedRecipe", settings: dict[str, Any]) -> None:
    """Raise FirsthandError for options that speak of data, or of several networks, where none are read."""
    learned = "a game by playing it" if chosen.made is None else "from data that are made by rule"
    for option in ("data", "invert", "size", "members", "examples"):
        if settings[option] is not None and (option, settings[option]) != ("data", chosen.data):
            raise FirsthandError(
                f"--{option}: found {settings[option]}; the recipe {chosen.name} learns {learned}, "
                "which has no such thing"
            )


def _train(
    chosen: "NamedRecipe",
    splits: "Splits[Any, Any] | ImageSplits",
    settings: dict[str, Any],
    folder: "RunFolder",
    place: tuple[list[Any] | None, str | None],
    as_json: bool,
    started: float,
    tuning: "FineTuning | Transfer | None",
    kinds: tuple[str, ...],
) -> None:
    import jax

    from firsthand.learning import all_of, distributed, plan, show_progress, train_and_finish
    from firsthand.report import write_run

    devices, scheduler = place
    network = chosen.network(splits.train)
    members = settings.get("members")
    if members is not None and not as_json:
        print(plan(members) if scheduler is None else f"{members} trainings, each a task of {scheduler}")
    if tuning is not None and not as_json:
        print(fine_tune.describe(tuning))
    logs = open_logs(kinds, folder.path, folder.path.name, settings)
    try:
        start = pretrained(chosen, splits, network, settings, folder, as_json) if tuning is None else tuning.params
        with show_progress(as_json, members or 1, chosen.quantities[0]) as progress:
            outcome = train_and_finish(
                network,
                splits,
                chosen.recipe,
                key=jax.random.key(settings["seed"]),
                params=start,
                progress=all_of((progress, *logs)),
                checkpoint=folder.checkpoint,
                resume=bool(folder.checkpoints()),
                devices=devices,
                members=members,
                scheduler=scheduler,
            )
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        # what the lost connection breaks comes as either
        if jax.process_count() == 1 or isinstance(error, FirsthandError):
            raise
        raise distributed.lost(error, folder.path) from None
    except KeyboardInterrupt:
        if folder.checkpoints() or any(folder.pretraining.glob("*.safetensors")):
            raise FirsthandError(f"interrupted; resume with: firsthand train --resume {folder.path}") from None
        raise FirsthandError("interrupted before the first epoch was complete: nothing to keep") from None
    finally:
        for log in logs:
            log.close()
    if tuning is not None:
        outcome = outcome._replace(model=tuning.finish(outcome.model), unfinished="")
    if outcome.unfinished:
        print(f"firsthand: {outcome.unfinished}", file=sys.stderr)
    seconds = time.perf_counter() - started
    quantities = chosen.quantities
    write_run(folder, outcome.model, outcome.histories, splits.test, seconds, quantities)
    if not outcome.interrupted and not outcome.failure:
        folder.tidy()
    if outcome.failure:
        raise FirsthandError(f"{outcome.failure}; the last good epoch is kept in {folder.model}")
    if "fine_tuning" in outcome.model.provenance and not as_json:
        fine_tune.print_before_and_after(outcome.model, {"own": settings["data"], "original": settings["rehearse"]})
    _print_training(outcome.model, outcome.histories[0].stopped, folder, seconds, as_json, quantities)
    if not as_json:
        print(next_steps(outcome.model, folder.model, settings["data"]))
    if outcome.interrupted:
        print(f"firsthand: resume with: firsthand train --resume {folder.path}", file=sys.stderr)
        raise typer.Exit(130)


def _divided_over(count: int | None, coordinator: str | None) -> list[Any] | None:
    """The devices that a mini-batch is divided over; None where one does it all."""
    import jax

    if coordinator is not None:
        return jax.devices()
    if count is not None and not 1 <= count <= jax.local_device_count():
        raise FirsthandError(f"--devices: found {count}, expected 1 to {jax.local_device_count()}")
    return None if count is None else jax.local_devices()[:count]


def _help(
    chosen: "NamedRecipe",
    splits: "Splits[Any, Any] | ImageSplits",
    settings: dict[str, Any],
    folder: "RunFolder | None",
) -> None:
    """Be a process other than the first: compute with it, and write and print nothing."""
    import jax

    from firsthand.learning import distributed
    from firsthand.learning import train as run

    network = chosen.network(splits.train)
    resume = folder is not None and bool(folder.checkpoints())
    try:
        run(
            network,
            splits,
            chosen.recipe,
            key=jax.random.key(settings["seed"]),
            checkpoint=folder.checkpoint if folder is not None and resume else None,
            resume=resume,
            devices=jax.devices(),
        )
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if isinstance(error, FirsthandError):
            raise
        raise distributed.lost(error, None if folder is None else folder.path) from None


def _print_training(
    model: Any, stopped: str, folder: "RunFolder", seconds: float, as_json: bool, quantities: "Sequence[Quantity]"
) -> None:
    accuracies, scores = model.provenance.get("accuracies"), model.provenance.get("scores")
    if as_json:
        result = {"event": "done", "seconds": seconds, "stopped": stopped}
        result |= {"scores": scores} if accuracies is None else {"accuracies": accuracies}
        if accuracies is not None:
            result["temperature"] = model.temperature
        if "fine_tuning" in model.provenance:
            result |= {name: model.provenance["fine_tuning"][name] for name in ("before", "after")}
        print(json.dumps({**result, "model": str(folder.model), "report": str(folder.report)}))
        return
    best = model.provenance["best_epoch"]
    print(f"{stopped}, {seconds:.0f} s" + (f", best on validation data: epoch {best}" if best else ""))
    if accuracies is None:
        for quantity in quantities[:2]:
            parts = {part: found[quantity.name] for part, found in scores.items() if quantity.name in found}
            if parts:
                print(f"{quantity.en}: " + ", ".join(f"{part} {quantity.show(value)}" for part, value in parts.items()))
        print(f"model:    {folder.model}\nreport:   {folder.report}")
        return
    shown = ", ".join(f"{name} {value:.2%}" for name, value in accuracies.items())
    print(f"accuracy: {shown}")
    if "votes" in model.provenance:
        each = [accuracies["test"] for accuracies in model.provenance["member_accuracies"] if "test" in accuracies]
        votes = ", ".join(f"{name} {value:.2%}" for name, value in model.provenance["votes"].items())
        print(f"by votes: {votes}" + (f"; members on test {min(each):.2%} to {max(each):.2%}" if each else ""))
    if model.temperature is not None:
        about = model.provenance["calibration"]
        costs = f"{about['nll_before']:.4f} to {about['nll_after']:.4f}"
        print(f"calibrated: temperature {model.temperature:.3f}, validation NLL from {costs}")
    print(f"model:    {folder.model}\nreport:   {folder.report}")
