"""Theano's part of the book's `network3`: what is said to programs that ask for it."""

from typing import Any

from firsthand.errors import FirsthandError

__all__ = ["TheanoNames", "refuse_own"]

_EXPLANATIONS = {
    "y_out": "predict(x) of the network gives the digits",
    "output": "predict_proba(x) of the network gives the outputs",
    "output_dropout": "dropout happens in SGD",
    "inpt": "predict(x) of the network takes the images",
    "inpt_dropout": "dropout happens in SGD",
    "x": "predict(x) takes the images",
    "y": "accuracy((x, y)) takes images and digits",
    "set_inpt": "layers are connected by making a Network of them",
    "cost": "the log-likelihood is the cost, and history['training_cost'] has it per epoch",
}


class NotTheano(AttributeError, FirsthandError):
    """A symbolic attribute that is not there; both an AttributeError, which Python wants, and one of ours."""


class TheanoNames:
    """A class that answers to the names of Theano's symbolic variables by saying what is there in their place."""

    def __getattr__(self, name: str) -> Any:
        if name in _EXPLANATIONS:
            raise NotTheano(f"{type(self).__name__}.{name}: there is no Theano here; {_EXPLANATIONS[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def refuse_own(layer: Any, number: int) -> None:
    """Refuse a layer with parts of Theano's graph of its own, which nobody would ask.

    Raises:
        FirsthandError: the class has `set_inpt`, `cost` or `accuracy`, or the layer `output` or the like.
    """
    own = [name for name in (*_EXPLANATIONS, "accuracy") if name in vars(layer) or hasattr(type(layer), name)]
    if own:
        raise FirsthandError(
            f"layer {number}, {layer}: {own[0]} of its own found, which nothing here would use; expected a layer that "
            "differs in its activation_fn (any function of JAX arrays) or in its weights"
        )
