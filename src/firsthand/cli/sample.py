"""`firsthand sample`."""

import json
import sys
from typing import Annotated

import typer

from firsthand.errors import FirsthandError

from .common import Device, Json, ModelArgument, ModelPath, Seed, find_trained, one_of, use_device, whole

__all__ = ["sample"]


def sample(
    named: ModelArgument = None,
    model: ModelPath = None,
    prompt: Annotated[
        str | None, typer.Option(help="How the text begins.", show_default="the beginning of a line")
    ] = None,
    temperature: Annotated[
        float, typer.Option(help="Below 1 the likely letters are preferred, above 1 the unlikely ones gain.")
    ] = 0.8,
    length: Annotated[int, typer.Option(help="How many letters to write.", callback=whole(1))] = 500,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Let a language model go on with a text, letter by letter."""
    use_device(device)
    import jax

    from firsthand.models import LanguageModel

    found = find_trained(one_of(named, model), quiet=as_json)
    if not isinstance(found, LanguageModel):
        raise FirsthandError(f"sample: {type(found).__name__} found, expected a language model")
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
