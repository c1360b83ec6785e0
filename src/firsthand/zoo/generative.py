"""Networks that run backwards: Boltzmann machines, deep belief nets, autoencoders."""

from firsthand import nn
from firsthand.learning import Adam, ContrastiveDivergence, Cosine, Greedy, OneCycle, Recipe, Reconstruction

from .about import ABOUT
from .named_recipe import NamedRecipe

__all__ = [
    "AUTOENCODER",
    "DBN",
    "RECIPES",
    "SINGLE_RBM",
    "VARIATIONAL",
    "belief_net",
    "divergence_recipe",
    "greedy",
    "mirrored",
]


def divergence_recipe(
    epochs: int, *, rate: float = 0.1, objective: ContrastiveDivergence | None = None, monitor: tuple[str, ...] = ()
) -> Recipe:
    """Return how a machine is trained: Hinton's settings, with one rate that rises and falls and one momentum.

    Mini-batches of 100, momentum 0.9, weight decay 0.0002 (Hinton and Salakhutdinov 2006, supporting material).
    Gaussian units, which have no bound, take a twentieth of the rate.
    """
    return Recipe(
        epochs=epochs,
        batch_size=100,
        learning_rate=OneCycle(rate, epochs, rise=0.2),
        momentum=0.9,
        l2=2e-4,
        objective=objective or ContrastiveDivergence(),
        monitor=monitor,
        keep_best=False,
    )


def greedy(units: tuple[int, ...], epochs: int, *, linear_code: bool = False) -> Greedy:
    """Return machines of these sizes, each trained for this many epochs.

    Args:
        units: hidden units of each.
        epochs: of each.
        linear_code: the last has Gaussian hidden units, as the code of an autoencoder.
    """
    machines = [nn.RBM(n) for n in units]
    recipes = [divergence_recipe(epochs) for _ in units]
    if linear_code:
        machines[-1] = nn.RBM(units[-1], nn.linear)
        recipes[-1] = divergence_recipe(epochs, rate=0.005)
    return Greedy(tuple(machines), tuple(recipes))


def mirrored(units: tuple[int, ...], inputs: int) -> tuple[nn.Layer, ...]:
    """Return an autoencoder's layers: down to a code of linear units, and up again to as many outputs as inputs."""
    *hidden, code = units
    up = [nn.FullyConnected(n, weights_init=nn.glorot) for n in hidden]
    down = [nn.FullyConnected(n, weights_init=nn.glorot) for n in (*hidden[::-1], inputs)]
    return (*up, nn.FullyConnected(code, nn.linear, weights_init=nn.glorot), *down)


SINGLE_RBM = NamedRecipe(
    "rbm",
    ABOUT["rbm"],
    (nn.RBM(500),),
    divergence_recipe(15, monitor=("validation_pseudo_likelihood", "validation_error", "validation_free_energy")),
)


def belief_net(name: str, below: tuple[int, ...], top: int, epochs: int) -> NamedRecipe:
    """Return a deep belief net with label units: greedy learning, then persistent chains at the top.

    One step of contrastive divergence sees the neighbourhood of the examples alone.  It leaves states likely that are
    far from all of them, where chains that run long enough end; persistent chains find these, and make them unlikely.
    """
    started = greedy(below, epochs)
    machines = (*started.machines, nn.RBM(top, labels=10, chains=100))
    return NamedRecipe(
        name,
        ABOUT["dbn"],
        machines,
        Recipe(
            epochs=epochs,
            batch_size=100,
            learning_rate=Cosine(0.05, epochs),
            momentum=0.5,
            l2=1e-4,
            frozen=tuple(f"{number}.*" for number in range(len(below))),
            objective=ContrastiveDivergence(persistent=True),
            monitor=("validation_error",),
            keep_best=False,
        ),
        pretraining=Greedy(machines, (*started.recipes, divergence_recipe(epochs))),
    )


DBN = belief_net("dbn", (500, 500), 1000, 6)

AUTOENCODER = NamedRecipe(
    "autoencoder",
    ABOUT["autoencoder"],
    mirrored((1000, 500, 250, 30), 784),
    Recipe(
        epochs=15,
        batch_size=100,
        learning_rate=Cosine(0.001, 15),
        optimizer=Adam(),
        objective=Reconstruction(cross_entropy=True),
    ),
    pretraining=greedy((1000, 500, 250, 30), 5, linear_code=True),
)

VARIATIONAL = NamedRecipe(
    "variational",
    ABOUT["variational"],
    (
        nn.FullyConnected(400, nn.relu, weights_init=nn.he),
        nn.FullyConnected(40, nn.linear, weights_init=nn.glorot),
        nn.GaussianCode(),
        nn.FullyConnected(400, nn.relu, weights_init=nn.he),
        nn.FullyConnected(784, weights_init=nn.glorot),
    ),
    Recipe(
        epochs=20,
        batch_size=100,
        learning_rate=OneCycle(0.002, 20, rise=0.1),
        optimizer=Adam(),
        objective=Reconstruction(cross_entropy=True),
        keep_best=False,  # the error alone does not see where the codes lie
    ),
)

RECIPES = {recipe.name: recipe for recipe in (SINGLE_RBM, DBN, AUTOENCODER, VARIATIONAL)}
