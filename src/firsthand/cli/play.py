"""`firsthand play`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from firsthand.errors import FirsthandError

from .common import Device, Json, ModelArgument, NewestModel, Seed, find_trained, one_of, use_device, whole

__all__ = ["play"]


def play(
    named: ModelArgument = None,
    model: NewestModel = None,
    episodes: Annotated[int, typer.Option(help="How many games to play.", callback=whole(1, 10_000))] = 30,
    epsilon: Annotated[float, typer.Option(help="Share of the steps in which the action is drawn at random.")] = 0.0,
    limit: Annotated[int, typer.Option(help="Steps after which a game is cut off.", callback=whole(1))] = 10_000,
    film: Annotated[
        Path | None, typer.Option(help="Record one more game as an animated picture, FILE.gif.", show_default="none")
    ] = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Let a policy play its game: what it scores, beside play at random, and a film of it."""
    use_device(device)
    if not 0 <= epsilon <= 1:
        raise FirsthandError(f"--epsilon: found {epsilon:g}, expected a share, 0 to 1")
    if film is not None and film.suffix.lower() != ".gif":
        raise FirsthandError(f"--film: found {film}, expected a name that ends in .gif")
    import jax
    import numpy as np

    from firsthand.files import write_atomically
    from firsthand.models import Policy
    from firsthand.report.films import as_film

    found = find_trained(one_of(named, model), quiet=as_json, families=(Policy.family,))
    if not isinstance(found, Policy):
        raise FirsthandError(f"play: {type(found).__name__} found, expected a policy: `firsthand train --recipe catch`")
    if film is not None and len(found.input_shape) != 3:
        raise FirsthandError(f"--film: {found.environment} is seen as numbers, expected a game of pictures")
    key, film_key = jax.random.split(jax.random.key(seed))
    scores = {
        name: found.play(episodes, key=key, epsilon=share, limit=limit)
        for name, share in (("policy", epsilon), ("at random", 1.0))
    }
    if film is not None:
        write_atomically(film, as_film(found.film(key=film_key, epsilon=epsilon), found))
    if as_json:
        about = {"environment": found.environment.name, "episodes": episodes, "epsilon": epsilon, "seed": seed}
        print(json.dumps(about | {name: np.asarray(played.rewards).tolist() for name, played in scores.items()}))
        return
    for name, played in scores.items():
        rewards = played.rewards
        cut = f"; {np.sum(~played.ended)} cut off after {limit:,} steps" if not played.ended.all() else ""
        print(
            f"{found.environment}, {name}: {rewards.mean():.2f} ± {rewards.std():.2f} "
            f"({rewards.min():g} to {rewards.max():g}), {played.steps.mean():.0f} steps, n = {episodes}{cut}"
        )
    if film is not None:
        print(f"film: {film}")
