"""Several trainings at a time: members of an ensemble, or one network with several recipes.

On a CPU they run side by side, each on a core of its own: the kernels use one thread each, and a training is one call
of compiled code after another, during which Python's lock is free.  On an accelerator, which one small network cannot
fill, those on the same device are one program, vmapped over the members.  benchmarks/speed/members.py measures both.
On the workers of a cluster each is a task of its own (on_cluster.py).
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import jax
from jax import Array

from firsthand.errors import FirsthandError
from firsthand.nn import Network
from firsthand.processes import cores, raise_failure

from .on_cluster import trainer
from .recipe import Recipe
from .run import NotFinite, Progress, Run, pass_over, together
from .single import DataSplits, Diverged, Training, concluded, placed, provenance, train_one
from .source import Source, as_source
from .step import Device

__all__ = ["Plan", "plan", "train_members"]


class Plan(NamedTuple):
    """The division of several trainings over the machine."""

    groups: list[tuple[Device, list[int]]]  # each the work of one thread at a time
    at_once: int  # how many threads
    one_program: bool  # whether a group is one vmapped program, or one training after the other

    def __str__(self) -> str:
        count = sum(len(members) for _, members in self.groups)
        if self.one_program:
            return f"{count} trainings as {len(self.groups)} programs on {len(self.groups)} devices"
        return f"{count} trainings, {self.at_once} at a time, each on a core of its own"


def plan(count: int, one_program: bool | None = None) -> Plan:
    """Divide trainings over this machine's devices and cores.

    Args:
        count: how many trainings.
        one_program: vmap the trainings on a device; by default on accelerators, where it was measured to be faster.
    """
    devices = jax.local_devices()
    if one_program is None:
        one_program = devices[0].platform != "cpu"
    if one_program:
        shares = [(device, list(range(first, count, len(devices)))) for first, device in enumerate(devices)]
        groups = [(device, members) for device, members in shares if members]
        return Plan(groups, len(groups), True)
    groups = [(devices[member % len(devices)], [member]) for member in range(count)]
    return Plan(groups, min(count, len(cores())), False)


def train_members(
    network: Network | Sequence[Network],
    data: DataSplits,
    recipes: Recipe | Sequence[Recipe],
    *,
    keys: Sequence[Array],
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    one_program: bool | None = None,
    scheduler: str | None = None,
) -> list[Training]:
    """Train several networks at a time, each as `train` would alone with its key.

    Side by side, and on a cluster of such processors, they end with the same bits as alone; as one program, with the
    same numbers up to rounding.

    Args:
        network: one for all, or one each.
        data: the same for all.
        recipes: one for all, or one each.
        keys: one for each training.
        progress: called with the `Progress` of each, which says whose it is; from several threads, one at a time.
        checkpoint: files FILE-0, FILE-1, ... that are replaced after every epoch.
        resume: those with a checkpoint file go on from it.
        one_program: see `plan`.
        scheduler: address of a Dask scheduler, as in tcp://node0:8786, on whose workers they are trained; the
            checkpoints are then needed, in a folder that all machines share, and a training whose worker is lost
            resumes on another.
    Returns:
        What `train` returns, for each.  Ctrl-C ends all of them with their last completed epoch; where one has none, it
        is raised as usual.
    Raises:
        FirsthandError, Diverged: as `train`; the first one ends all.
    """
    count = len(keys)
    networks = [network] * count if isinstance(network, Network) else list(network)
    chosen = [recipes] * count if isinstance(recipes, Recipe) else list(recipes)
    if not count or len(networks) != count or len(chosen) != count:
        raise FirsthandError(f"train: {len(networks)} networks and {len(chosen)} recipes for {count} keys")
    # learning rates are arguments of the program; everything else is compiled into it
    alike = (
        len(set(networks)) == 1 and len({replace(one, learning_rate=chosen[0].learning_rate) for one in chosen}) == 1
    )
    if one_program and not alike:
        raise FirsthandError("train: one program takes one network, and recipes that differ in nothing but their rates")
    if checkpoint is not None or not alike or isinstance(data.train, Source):
        one_program = False  # a group's runs would have to stop and go on together
    if scheduler is not None:
        here = jax.local_devices()[0]
        layout = Plan([(here, [member]) for member in range(count)], count, False)  # which of them wait, Dask says
    else:
        layout = plan(count, one_program)
    stop = threading.Event()
    lock = threading.Lock()

    def tell(member: int) -> Callable[[Progress], None] | None:
        def say(at: Progress) -> None:
            if progress is not None:
                with lock:
                    progress(at._replace(member=member))

        return None if progress is None else say

    def alone(member: int) -> Training:
        file = None if checkpoint is None else checkpoint.with_name(f"{checkpoint.name}-{member}")
        return train(
            networks[member],
            data,
            chosen[member],
            key=keys[member],
            progress=tell(member),
            checkpoint=file,
            resume=resume and file is not None and file.exists(),
            interrupted=stop.is_set,
        )

    def group(device: Device, members: list[int]) -> list[Training]:
        with jax.default_device(device):
            if layout.one_program and len(members) > 1:
                own = [(keys[member], tell(member)) for member in members]
                return _as_one(networks[0], data, [chosen[member] for member in members], own, stop.is_set)
            return [alone(member) for member in members]

    place = nullcontext(train_one) if scheduler is None else trainer(scheduler, data, checkpoint)
    with place as train, ThreadPoolExecutor(layout.at_once) as pool:
        futures = [pool.submit(group, device, members) for device, members in layout.groups]
        with suppress(KeyboardInterrupt):
            wait(futures, return_when=FIRST_EXCEPTION)
        # all is done, or one has failed, or Ctrl-C: what still runs keeps its last epoch
        stop.set()
        for future in futures:
            future.cancel()
    raise_failure(futures)
    if any(future.cancelled() for future in futures):
        raise KeyboardInterrupt
    found: dict[int, Training] = {}
    for (_, members), future in zip(layout.groups, futures, strict=True):
        found |= dict(zip(members, future.result(), strict=True))
    return [found[member] for member in range(count)]


def _as_one(
    network: Network,
    data: DataSplits,
    recipes: Sequence[Recipe],
    members: Sequence[tuple[Array, Callable[[Progress], None] | None]],
    interrupted: Callable[[], bool],
) -> list[Training]:
    """Trainings of one network as one vmapped program; each stops when it would alone."""
    source, on_device = as_source(data.train), placed(network, data, recipes[0])
    runs = [
        Run(network, recipe, source, on_device, key, None, progress)
        for recipe, (key, progress) in zip(recipes, members, strict=True)
    ]
    program = together(runs[0].program())
    try:
        while going := [run for run in runs if not run.finished()]:
            pass_over(going, program if len(going) > 1 else going[0].program(), interrupted)
    except KeyboardInterrupt:
        if not all(len(run.history) for run in runs):
            raise
        for run in runs:
            run.history.stopped = f"interrupted: kept epoch {len(run.history)} of {run.recipe.epochs}"
    except NotFinite as error:
        raise Diverged(str(error), None) from None
    return [
        concluded(run, data, provenance(data, run.recipe, key)) for run, (key, _) in zip(runs, members, strict=True)
    ]
