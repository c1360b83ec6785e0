"""The options of `firsthand train`, in the panels of its help."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import MAX_MEMBERS, MAX_SIZE, whole
from .config import read_config
from .habits import complete_data, complete_recipe

__all__ = [
    "L1",
    "L2",
    "Average",
    "BatchSize",
    "CarryState",
    "Clip",
    "Config",
    "Coordinator",
    "Data",
    "Devices",
    "Epochs",
    "Examples",
    "Frozen",
    "Halvings",
    "KeptRate",
    "LabelSmoothing",
    "LearningRate",
    "Log",
    "Members",
    "Momentum",
    "Out",
    "Patience",
    "ProcessId",
    "Processes",
    "Recipe",
    "Rehearsal",
    "Rehearse",
    "Resume",
    "Scheduler",
    "Size",
    "Start",
]

WHAT = "What to train, and on what"
HOW = "How to train: the recipe's own settings where not given"
FINE_TUNING = "Fine-tuning (--from)"
RUN = "The run"
CLUSTER = "Several devices or machines"


def _option(panel: str, *names: str, **about: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **about)


def _how(help: str, *names: str, **about: Any) -> Any:
    return _option(HOW, *names, help=help, **about)


Recipe = Annotated[
    str | None,
    _option(
        WHAT,
        help="What to train; `firsthand summary` lists the names.",
        show_default="digit-reader",
        metavar="NAME",
        autocompletion=complete_recipe,
    ),
]
Data = Annotated[
    str | None,
    _option(
        WHAT,
        "--data",
        help="mnist, fashion-mnist, kmnist, emnist-digits, a folder with one sub-folder of pictures per class (or with "
        "train/ and test/ of these), .npz, .npy, .csv[.gz] or IDX; for a recipe that learns a text, shakespeare or "
        "FILE.txt.",
        show_default="the recipe's",
        metavar="DATA",
        autocompletion=complete_data,
    ),
]
Examples = Annotated[int | None, _option(WHAT, help="Use only the first N training examples.")]
Size = Annotated[
    int | None,
    _option(
        WHAT,
        help="Bring pictures of --data to N x N pixels, if they differ.",
        show_default="as they are",
        callback=whole(1, MAX_SIZE),
    ),
]
Members = Annotated[
    int | None, _option(WHAT, help="Train an ensemble of N networks, side by side.", callback=whole(1, MAX_MEMBERS))
]

Epochs = Annotated[int | None, _how("Passes over the training data.")]
BatchSize = Annotated[int | None, _how("Examples in a mini-batch.")]
LearningRate = Annotated[float | None, _how("Constant learning rate.")]
Momentum = Annotated[float | None, _how("Share of the previous step that is kept.")]
L2 = Annotated[float | None, _how("Strength of the L2 penalty (lambda / n).", "--l2")]
L1 = Annotated[float | None, _how("Strength of the L1 penalty.", "--l1")]
LabelSmoothing = Annotated[float | None, _how("Share of the target that is spread over all classes.")]
Clip = Annotated[float | None, _how("Shorten longer gradients of a mini-batch to this length.")]
CarryState = Annotated[
    bool | None, _how("Of a text: keep the memory from one mini-batch to the next.", "--carry-state")
]
Average = Annotated[float | None, _how("Decay of the moving average of the parameters.")]
Patience = Annotated[int | None, _how("Stop after N epochs without improvement.")]
Halvings = Annotated[int | None, _how("Halve the learning rate N times before stopping.")]

Start = Annotated[
    Path | None,
    _option(FINE_TUNING, "--from", help="Fine-tune this model on your own --data, whatever their classes."),
]
Rehearsal = Annotated[
    float | None,
    _option(FINE_TUNING, help="Share of original images among those shown in an epoch.", show_default="0.75"),
]
Rehearse = Annotated[str, _option(FINE_TUNING, help="The original data.", metavar="DATA")]
Frozen = Annotated[
    int | None,
    _option(
        FINE_TUNING, help="Put a new output layer on the model and keep its first N layers as they are; -1: all others."
    ),
]
KeptRate = Annotated[float | None, _option(FINE_TUNING, help="Factor of the learning rate of the layers taken over.")]

Out = Annotated[Path | None, _option(RUN, help="New folder for the results.", show_default="runs/DATE-RECIPE")]
Resume = Annotated[Path | None, _option(RUN, help="Resume the run in this folder, after Ctrl-C or a kill.")]
Config = Annotated[
    Path | None,
    _option(
        RUN,
        help="Read settings from this TOML file, such as the run.toml of an earlier run; options given beside it win.",
        callback=read_config,
        is_eager=True,
        metavar="FILE.toml",
    ),
]
Log = Annotated[
    str | None,
    _option(
        RUN,
        help="Also log every epoch: csv, tensorboard, mlflow, wandb, or several with commas; files go into the run's "
        "folder.",
        metavar="KINDS",
    ),
]

Devices = Annotated[int | None, _option(CLUSTER, help="Divide every mini-batch over N devices of this machine.")]
Scheduler = Annotated[
    str | None,
    _option(
        CLUSTER,
        help="Train the --members on the workers of a Dask scheduler, as in tcp://node0:8786; --out is in a folder "
        "that all machines share.",
        metavar="ADDRESS",
    ),
]
Coordinator = Annotated[
    str | None, _option(CLUSTER, help="Address of process 0, where several train together.", metavar="HOST:PORT")
]
Processes = Annotated[int, _option(CLUSTER, help="How many processes train together.", callback=whole(1))]
ProcessId = Annotated[int, _option(CLUSTER, help="Which of them this is, from 0.", callback=whole(0))]
