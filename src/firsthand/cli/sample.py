"""`firsthand sample`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from firsthand.errors import FirsthandError

from .common import Device, Json, ModelArgument, NewestModel, Seed, find_trained, one_of, use_device, whole
from .sample_pictures import sample_pictures

__all__ = ["sample"]


def sample(
    context: typer.Context,
    named: ModelArgument = None,
    model: NewestModel = None,
    prompt: Annotated[
        str | None, typer.Option(help="How the text begins.", show_default="the beginning of a line")
    ] = None,
    temperature: Annotated[
        float, typer.Option(help="Below 1 the likely letters are preferred, above 1 the unlikely ones gain.")
    ] = 0.8,
    length: Annotated[int, typer.Option(help="How many letters to write.", callback=whole(1))] = 500,
    digit: Annotated[
        str | None, typer.Option("--digit", "--label", help="What to draw: a class; anything if not given.")
    ] = None,
    count: Annotated[int, typer.Option(help="How many pictures to draw.", callback=whole(1))] = 100,
    steps: Annotated[int, typer.Option(help="Steps of Gibbs sampling before each.", callback=whole(1))] = 300,
    out: Annotated[Path, typer.Option(help="The pictures, as one sheet.")] = Path("sheet.png"),
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Continue a text with a language model, or draw pictures with a generative network."""
    use_device(device)
    from firsthand.models import Autoencoder, Generator, LanguageModel

    families = LanguageModel.family, Generator.family, Autoencoder.family
    found = find_trained(one_of(named, model), quiet=as_json, families=families)
    typed = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if isinstance(found, Generator | Autoencoder):
        _refuse(typed, ("--prompt", "--temperature", "--length"), "writes no text")
        if isinstance(found, Autoencoder):
            _refuse(typed, ("--digit", "--steps"), "draws pictures of no class, each in one step")
        sample_pictures(found, label=digit, count=count, steps=steps, seed=seed, out=out, as_json=as_json)
    elif isinstance(found, LanguageModel):
        _refuse(typed, ("--digit", "--count", "--steps", "--out"), "draws no pictures")
        _write_text(found, prompt, temperature, length, seed, as_json)
    else:
        raise FirsthandError(f"sample: {type(found).__name__} found, expected a language model or a generative network")


def _refuse(typed: list[str], others: tuple[str, ...], why: str) -> None:
    """Raise FirsthandError where an option is for another kind of model."""
    for option in typed:
        if option in others:
            raise FirsthandError(f"{option}: the model {why}")


def _write_text(found: Any, prompt: str | None, temperature: float, length: int, seed: int, as_json: bool) -> None:
    import jax

    begin = prompt
    if begin is None:
        begin = "\n" if "\n" in found.symbols else found.symbols[0]
    if not temperature > 0:
        raise FirsthandError(f"--temperature: found {temperature:g}, expected a positive number")
    try:
        found.begin(begin)
    except FirsthandError as error:
        raise FirsthandError(f"--prompt: {str(error).removeprefix('text: ')}") from None
    letters = found.stream(begin, length, key=jax.random.key(seed), temperature=temperature)
    if as_json:
        print(json.dumps({"prompt": begin, "text": "".join(letters), "temperature": temperature, "seed": seed}))
        return
    try:
        print(prompt or "", end="", flush=True)
        for letter in letters:
            print(letter, end="", flush=True)
        print(flush=True)
    except KeyboardInterrupt:
        print(flush=True)
        sys.exit(130)
