"""Writing, of what is given, symbol by symbol."""

from dataclasses import dataclass
from typing import Any

from firsthand.data import Examples, Translations
from firsthand.errors import FirsthandError
from firsthand.models import Translator
from firsthand.nn import Network, Writer, softmax

from ..objective import check_inputs
from .answering import Answering

__all__ = ["Translating"]


@dataclass(frozen=True)
class Translating(Answering):
    """Write what belongs to what is given, up to its end: the cost and the quantities of `Answering`.

        C = -1/|A| sum_(t in A) ln a_t[y_t],    A being the steps up to the end

    The first layer of the network is a `Writer`, and its output (time, symbols that may be written) with softmax.  A
    whole one is right if the network writes it by itself, taking the likeliest symbol each time.
    """

    def check(self, network: Network, examples: Examples, name: str) -> None:
        if not isinstance(examples, Translations):
            raise FirsthandError(f"{name}: {type(examples).__name__} found, pairs of given and written expected")
        check_inputs(network, examples, name)
        first, expected = network.layers[0], (examples.targets.shape[1], examples.writable)
        if not isinstance(first, Writer) or network.output_shape != expected or network.activation is not softmax:
            raise FirsthandError(
                f"network: its first layer is {first}, its output {network.activation.__name__} of shape "
                f"{network.output_shape}; expected one that reads and writes, and softmax of shape {expected}"
            )
        if first.symbols < len(examples.symbols):
            raise FirsthandError(
                f"network: its first layer knows {first.symbols} symbols, expected {len(examples.symbols)} for {name}"
            )

    def outputs(self, examples: Examples) -> int | None:
        return examples.writable if isinstance(examples, Translations) else None

    def model(self, network: Network, params: Any, examples: Examples, provenance: dict[str, Any]) -> Any:
        assert isinstance(examples, Translations)
        return Translator(network, params, examples.symbols, provenance)
