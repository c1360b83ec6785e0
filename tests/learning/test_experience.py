"""Experience and Q-learning: what is remembered, what is learned from it, and that a killed run goes on."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from firsthand import nn
from firsthand.data import Arrays, Splits
from firsthand.environments import Breakout, Catch
from firsthand.errors import FirsthandError
from firsthand.learning import Adam, Experience, QLearning, Recipe, Transitions, train
from firsthand.models import Policy, load
from firsthand.zoo import CATCH

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(0)
GAME = Catch()
NETWORK = nn.Network((nn.FullyConnected(8, nn.tanh), nn.FullyConnected(3, nn.linear)), GAME.observation_shape)
PARAMS = NETWORK.init(key=KEY)


def experience(**settings):
    usual = {"count": 64, "games": 4, "steps": 16, "capacity": 256, "renewed": 2, "explore": (1.0, 0.1, 4)}
    return Experience(GAME, NETWORK, **{**usual, **settings})


def recalled(source, epochs):
    examples, memory = source.like, source.memory(PARAMS, key=jax.random.key(1))
    for epoch in range(epochs):
        examples, memory = source.recall(epoch, PARAMS, memory, key=jax.random.fold_in(KEY, epoch))
    return examples, memory


def rows_of_ball(seen):
    return seen[..., 0].any(axis=2).argmax(axis=1)


@pytest.mark.parametrize("epochs", [1, 3, 9])  # the ring is not full, not full, and written over
def test_what_is_drawn_has_happened(epochs):
    seen, _, rewards, discounts, after = recalled(experience(renewed=0, count=500), epochs)[0].arrays
    assert set(np.unique(seen)) == {0, 255}
    ended = discounts == 0
    # an episode ends when the ball is in the last row but one, and with a reward alone
    np.testing.assert_array_equal(ended, rows_of_ball(seen) == 8)
    np.testing.assert_array_equal(ended, rewards != 0)
    going = ~ended
    np.testing.assert_array_equal(rows_of_ball(after[going]), rows_of_ball(seen[going]) + 1)
    columns = seen[..., 0].any(axis=1).argmax(axis=1)
    np.testing.assert_array_equal(after[going][..., 0].any(axis=1).argmax(axis=1), columns[going])
    np.testing.assert_allclose(discounts[going], 0.99, rtol=1e-6)


def test_without_a_memory_the_steps_come_in_their_order():
    source = experience(capacity=0, renewed=0)
    seen, actions, rewards, discounts, after = recalled(source, 2)[0].arrays
    seen, after = (part.reshape(16, 4, *GAME.observation_shape) for part in (seen, after))
    going = discounts.reshape(16, 4)[:-1] > 0
    np.testing.assert_array_equal(seen[1:][going], after[:-1][going])
    assert actions.dtype == np.int32
    assert rewards.shape == (64,)


def test_the_target_network_says_what_follows():
    source, without = experience(count=300), experience(count=300, renewed=0)
    y = recalled(source, 1)[0].arrays[2]
    _, _, rewards, discounts, after = recalled(without, 1)[0].arrays
    values = np.asarray(NETWORK.apply(PARAMS, after))
    np.testing.assert_allclose(y, rewards + discounts * values.max(axis=1), rtol=1e-5, atol=1e-6)
    # it stays as it is until it is renewed
    memory = source.memory(PARAMS, key=KEY)
    other = jax.tree.map(lambda a: a + 1, PARAMS)
    for epoch, params, target in ((0, PARAMS, PARAMS), (1, other, PARAMS), (2, other, other)):
        _, memory = source.recall(epoch, params, memory, key=KEY)
        jax.tree.map(np.testing.assert_array_equal, memory.target, target)


def test_several_steps_ahead_count_until_the_end():
    seen, _, rewards, discounts, after = recalled(experience(renewed=0, count=500, ahead=4), 3)[0].arrays
    left = 9 - rows_of_ball(seen)  # steps to the end, which alone is rewarded
    np.testing.assert_array_equal(discounts > 0, left > 4)
    np.testing.assert_allclose(np.abs(rewards), np.where(left <= 4, 0.99 ** (left - 1), 0), rtol=1e-6)
    np.testing.assert_allclose(discounts[left > 4], 0.99**4, rtol=1e-6)
    np.testing.assert_array_equal(rows_of_ball(after[left > 4]), rows_of_ball(seen[left > 4]) + 4)


def test_epsilon_falls_in_a_line():
    assert [experience().epsilon(epoch) for epoch in (0, 2, 4, 9)] == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_the_cost_is_hubers_and_nothing_flows_through_what_follows(float64):
    params = NETWORK.init(jnp.float64, key=KEY)
    rng = np.random.default_rng(0)
    seen, after = rng.random((2, 5, *GAME.observation_shape))
    actions, discounts = np.array([0, 1, 2, 1, 0]), np.array([0.9, 0.0, 0.9, 0.9, 0.9])
    rewards = np.array([3.0, -2.0, 0.1, 0.0, 0.2])
    objective = QLearning()
    follows = np.asarray(NETWORK.apply(params, after)).max(axis=1)
    difference = rewards + discounts * follows - np.asarray(NETWORK.apply(params, seen))[np.arange(5), actions]
    expected = np.where(np.abs(difference) <= 1, difference**2 / 2, np.abs(difference) - 0.5)
    assert (np.abs(difference) > 1).any()
    assert (np.abs(difference) < 1).any()
    with_after: Any = (seen, actions, rewards, discounts, after)
    with_target: Any = (seen, actions, rewards + discounts * follows)
    for batch in (with_after, with_target):
        costs, _ = objective.costs(NETWORK, params, batch)
        np.testing.assert_allclose(costs, expected, rtol=1e-12)
        found = objective.measure(NETWORK, params, batch)
        np.testing.assert_allclose(found["error"], difference**2, rtol=1e-10)

    def total(batch):
        return lambda params: jnp.sum(objective.costs(NETWORK, params, batch)[0])

    check_grads(total(with_target), (params,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)
    slopes = [jax.grad(total(batch))(params) for batch in (with_after, with_target)]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), *slopes)


def learned(epochs, *, resume=False, checkpoint=None, **settings):
    source = experience(**settings)
    recipe = Recipe(epochs, 16, 0.001, optimizer=Adam(), objective=QLearning(), monitor=(), keep_best=False)
    return train(NETWORK, Splits(source, None, None), recipe, key=KEY, checkpoint=checkpoint, resume=resume)


@pytest.mark.parametrize("settings", [{}, {"renewed": 0}, {"capacity": 0}], ids=["both", "no target", "no replay"])
def test_a_training_that_was_stopped_remembers_its_games(tmp_path, settings):
    whole = learned(7, **settings)
    file = tmp_path / "checkpoint.safetensors"
    learned(4, checkpoint=file, **settings)
    again = learned(7, resume=True, checkpoint=file, **settings)
    jax.tree.map(np.testing.assert_array_equal, whole.model.params, again.model.params)
    for name in ("batch_cost", "training_score"):
        assert whole.history[name] == again.history[name]


@pytest.mark.slow
def test_catch_is_learned():
    played = CATCH.played()
    model = train(CATCH.network(played.train), played, CATCH.recipe, key=KEY).model
    assert model.play(200, key=KEY).rewards.mean() > 0.9
    assert model.play(200, key=KEY, epsilon=1.0).rewards.mean() < 0


def test_a_policy_is_kept_in_a_file_and_plays(tmp_path):
    policy = Policy(NETWORK, PARAMS, GAME)
    again = load(policy.save(tmp_path / "policy.safetensors"))
    assert isinstance(again, Policy)
    assert again.environment == GAME
    seen = policy.film(key=KEY).observations
    np.testing.assert_array_equal(policy.act(seen), policy.values(seen).argmax(axis=1))
    np.testing.assert_array_equal(policy.play(5, key=KEY).rewards, again.play(5, key=KEY).rewards)
    for call, line in (
        (lambda: policy.values(seen[0]), r"observations have shape \(10, 5, 2\), expected \(n, \*\(10, 5, 2\)\)"),
        (lambda: policy.play(0, key=KEY), "0 episodes, epsilon 0.0 found"),
        (lambda: policy.play(3, key=KEY, epsilon=2), "3 episodes, epsilon 2 found"),
    ):
        with pytest.raises(FirsthandError, match=line):
            call()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"count": 0}, "count is 0, expected 64, games x steps"),
        ({"capacity": 0, "count": 63}, "count is 63, expected 64, games x steps"),
        ({"games": 0}, "games is 0, expected 1 or more"),
        ({"steps": 1}, "steps is 1, expected 2 or more"),
        ({"capacity": 63}, "capacity is 63, expected 0, or 64 and more"),
        ({"discount": 1.5}, "discount is 1.5, expected 0 to 1"),
        ({"renewed": -1}, "renewed is -1, expected 0 or more"),
        ({"explore": (2.0, 0.1, 4)}, "explore is"),
        ({"ahead": 16}, "ahead is 16, expected 1 to 15"),
        ({"capacity": 0, "ahead": 2}, "ahead is 2, expected 1 without a memory"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, line):
    with pytest.raises(FirsthandError, match=line):
        experience(**settings)


def test_checkpoints_of_before_there_were_steps_ahead_are_those_of_one():
    assert experience().digest == "b27ab0cbaeaf1138b899bcde2ac0de95c008936e4e81c1e132ee0c87dc1eb719"
    assert experience(ahead=2).digest != experience().digest


def test_what_does_not_fit_is_refused():
    with pytest.raises(FirsthandError, match=r"it makes \(3,\) of \(10, 5, 2\), expected \(3,\) of \(10, 10, 4\)"):
        Experience(Breakout(), NETWORK)
    data = Splits(Arrays((np.zeros((4, *GAME.observation_shape)), np.zeros(4))), None, None)
    with pytest.raises(FirsthandError, match="Arrays found, Q-learning needs an Experience of games"):
        train(NETWORK, data, Recipe(1, 2, 0.1, objective=QLearning(), monitor=()), key=KEY)
    assert isinstance(experience().like, Transitions)
