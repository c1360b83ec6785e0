"""The choices for a training on the page, and their meaning in layers and a recipe."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from firsthand import nn
from firsthand.learning import Classification, Recipe

__all__ = ["TrainingSettings"]

Units = Annotated[int, Field(ge=1, le=1000)]


class TrainingSettings(BaseModel):
    """A network and its training, as the page's knobs say it; the defaults are a small network that learns at once."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    convolutions: Annotated[int, Field(ge=0, le=2, description="ConvPool layers: 5x5 kernels, 2x2 max-pooling.")] = 0
    hidden: Annotated[list[Units], Field(max_length=5, description="Units of the fully connected hidden layers.")] = [
        30
    ]
    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    cost: Annotated[
        Literal["quadratic", "cross-entropy", "log-likelihood"],
        Field(description="The first two with ten sigmoid outputs, log-likelihood with softmax."),
    ] = "cross-entropy"
    initialization: Annotated[
        Literal["scaled", "large", "network2", "he"],
        Field(
            description="N(0, 1/n_in) with biases 0, N(0, 1) with such biases, N(0, 1/n_in) with biases N(0, 1), or "
            "N(0, 2/n_in) with biases 0; softmax starts at 0, but with N(0, 1)."
        ),
    ] = "scaled"
    examples: Annotated[int, Field(ge=100, le=50_000, description="How many training images to use.")] = 5_000
    epochs: Annotated[int, Field(ge=1, le=1000)] = 30
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 10
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 0.5
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    regularization: Literal["none", "l2", "l1"] = "none"
    strength: Annotated[float, Field(ge=0, le=1000, description="lambda; the penalty is divided by n, as in (87).")] = (
        0.0
    )
    dropout: Annotated[float, Field(ge=0, le=0.9, description="Share of hidden units that is left out.")] = 0.0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0

    def layers(self) -> tuple[nn.Layer, ...]:
        """The network's layers."""
        activation = {"sigmoid": nn.sigmoid, "tanh": nn.tanh, "relu": nn.relu}[self.activation]
        start = {"scaled": nn.scaled, "large": nn.large, "network2": nn.scaled, "he": nn.he}[self.initialization]
        # the book's networks of chapters 1 to 5 draw the biases from N(0, 1), whatever the weights
        biases = nn.large if self.initialization in ("large", "network2") else nn.zeros
        common: dict[str, Any] = {"weights_init": start, "bias_init": biases}
        layers: list[nn.Layer] = [
            nn.ConvPool(filters, activation=activation, **common) for filters in (20, 40)[: self.convolutions]
        ]
        for units in self.hidden:
            layers += [nn.Dropout(self.dropout)] if self.dropout and layers else []
            layers.append(nn.FullyConnected(units, activation, **common))
        layers += [nn.Dropout(self.dropout)] if self.dropout and layers else []
        softmax = self.cost == "log-likelihood"
        if softmax:
            # as the experiments of chapter 6 have it
            layers.append(nn.Softmax(10, **common | ({"weights_init": nn.zeros} if start is not nn.large else {})))
        else:
            layers.append(nn.FullyConnected(10, nn.sigmoid, **common))
        return tuple(layers)

    def recipe(self) -> Recipe:
        """The recipe of the training; the cost and accuracy on validation data are measured after every epoch."""
        costs = {"quadratic": nn.quadratic, "cross-entropy": nn.cross_entropy, "log-likelihood": nn.log_likelihood}
        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            l2=self.strength / self.examples if self.regularization == "l2" else 0.0,
            l1=self.strength / self.examples if self.regularization == "l1" else 0.0,
            objective=Classification(costs[self.cost]),
            monitor=("validation_cost", "validation_accuracy"),
        )
