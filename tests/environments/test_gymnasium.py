"""The adaptor of gymnasium: what is seen, that a state leads back to its place, and that a policy learns and plays."""

import sys
from typing import Any

import jax
import numpy as np
import pytest

from firsthand import nn
from firsthand.data import Splits
from firsthand.environments import Gymnasium, Pong, film, named, show
from firsthand.environments.live import stage
from firsthand.errors import FirsthandError
from firsthand.learning import Adam, Cosine, Experience, QLearning, Recipe, train
from firsthand.models import Policy, load

KEY = jax.random.key(0)


def test_without_the_extra_one_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    for game, name in ((Gymnasium("Nothing-v0"), "Nothing-v0"), (Pong(), "pong")):
        with pytest.raises(FirsthandError, match=rf"{name}: gymnasium not found: pip install 'firsthand\[gym\]'"):
            game.make()
    # what a model of Pong must fit is known all the same
    assert Pong().observation_shape == (42, 40, 4)
    assert len(Pong().actions) == 6


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"id": "os:CartPole-v1"}, "id is 'os:CartPole-v1', expected a name such as 'CartPole-v1', without a module"),
        ({"id": "CartPole-v1", "skip": 0}, "gymnasium CartPole-v1: skip is 0, expected 1 or more"),
        ({"id": "CartPole-v1", "shrink": (2, 0)}, r"shrink \(2, 0\) and waits 0 found"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, line):
    with pytest.raises(FirsthandError, match=line):
        named("gymnasium", settings)


@pytest.fixture
def counting():
    """The id of an environment whose picture of 4 x 6 shows the number of the step, and whose seed is its luck."""
    gymnasium = pytest.importorskip("gymnasium", reason="the adaptor's tests need the extra gym")

    class Counting(gymnasium.Env):
        observation_space: Any = gymnasium.spaces.Box(0, 255, (4, 6), np.uint8)
        action_space: Any = gymnasium.spaces.Discrete(3, start=1)

        def __init__(self, ends=9):
            self.ends, self.at = ends, 0

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.at = 0
            return self._picture(), {}

        def _picture(self):
            # the left half flickers: it is there at even steps alone
            picture = np.full((4, 6), 10 * self.at, np.uint8)
            picture[:, :3] *= self.at % 2 == 0
            return picture

        def step(self, action):
            assert 1 <= action <= 3
            self.at += 1
            return self._picture(), float(action) + self.np_random.random(), self.at >= self.ends, False, {}

    id = "firsthand/Counting-v0"
    if id not in gymnasium.registry:
        gymnasium.register(id, Counting)
    stage.cache_clear()
    return id


def walked(game, actions, seed=0):
    state = game.reset(key=jax.random.key(seed))
    states, seen, rewards = [state], [game.observe(state)], []
    for action in actions:
        step = game.step(states[-1], action)
        states.append(step.state)
        seen.append(game.observe(step.state))
        rewards.append(float(step.reward))
        if step.ended:
            break
    return states, seen, rewards


def test_what_is_seen_is_skipped_shrunk_and_stacked(counting):
    game = Gymnasium(counting, frames=3, skip=2, shrink=(2, 3))
    assert game.observation_shape == (2, 2, 3)
    assert (game.actions, game.observation_type) == (("0", "1", "2"), np.uint8)
    _, seen, rewards = walked(game, [0, 1, 2, 0, 0, 0])
    # before the beginning 0; then of the steps 1 and 2 the larger value, of 3 and 4, ...
    assert [row.tolist() for row in np.array(seen)[:, 0, 1]] == [
        [0, 0, 0], [0, 0, 20], [0, 20, 40], [20, 40, 60], [40, 60, 80], [60, 80, 90],
    ]  # fmt: skip
    assert np.array(seen)[:4, 0, 0, -1].tolist() == [0, 20, 40, 60]
    assert [int(reward) for reward in rewards] == pytest.approx([2, 4, 6, 2, 1], abs=1)
    # the limit of an episode is an end, and so is the waiting at its beginning a part of it
    assert len(walked(Gymnasium(counting, limit=4), [0] * 9)[2]) == 4
    waited = {len(walked(Gymnasium(counting, waits=3), [0] * 9, seed)[2]) for seed in range(20)}
    assert waited == {6, 7, 8, 9}


def test_contrast_shows_the_largest_difference_from_the_ground(counting):
    game = Gymnasium(counting, shrink=(2, 2), contrast=True)
    _, seen, _ = walked(game, [0, 1])
    # at the first step half of the picture flickers: as many points are 10 as 0, and the smaller is the ground
    assert [row.tolist() for row in np.array(seen)[:, 0, :, 0]] == [[0, 0, 0], [0, 10, 10], [0, 0, 0]]
    picture = np.full((4, 6), 87, np.uint8)
    picture[0, 3], picture[3, 5] = 236, 7
    assert game.moment([picture], None, True)[..., 0].tolist() == [[0, 149, 0], [0, 0, 80]]
    with pytest.raises(FirsthandError, match="contrast is for grey pictures"):
        Gymnasium("CartPole-v1", contrast=True).facts()


def test_a_state_leads_back_to_its_place(counting):
    game = Gymnasium(counting, frames=2)
    states, seen, rewards = walked(game, [0, 1, 2, 1, 0, 2])
    # the live environment is at the end: a state before it is reached by another, seeded alike
    for number in (3, 0, 5):
        np.testing.assert_array_equal(game.observe(states[number]), seen[number])
    again = game.step(states[3], 1)
    assert float(again.reward) == rewards[3]
    jax.tree.map(np.testing.assert_array_equal, again.state, states[4])
    other = game.step(states[3], 2)
    assert float(other.reward) == pytest.approx(rewards[3] + 1)
    # nothing but the state counts: not what stands behind it
    stage.cache_clear()
    np.testing.assert_array_equal(game.observe(states[5]), seen[5])
    assert walked(game, [0, 1, 2], seed=1)[2] != rewards[:3]


def test_numbers_are_seen_as_they_are_and_are_no_picture():
    pytest.importorskip("gymnasium", reason="the adaptor's tests need the extra gym")
    game = Gymnasium("CartPole-v1", frames=2)
    assert named("gymnasium", {**game.settings(), "options": []}) == game
    found = film(game, lambda params, seen, *, key: jax.numpy.zeros(len(seen), int), (), limit=5, key=KEY)
    assert found.observations.shape == (6, 8)
    assert found.observations.dtype == np.float32
    np.testing.assert_array_equal(found.observations[1:, :4], found.observations[:-1, 4:])
    with pytest.raises(FirsthandError, match=r"numbers of shape \(8,\) found, expected a picture"):
        show(found.observations[0])


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"id": "Nothing-v0"}, "gymnasium Nothing-v0: .*doesn't exist"),
        ({"id": "Pendulum-v1"}, r"its actions are Box\(.*, expected a few, Discrete\(n\)"),
        ({"id": "CartPole-v1", "options": {"colour": 3}}, "gymnasium CartPole-v1: .*colour"),
        ({"id": "firsthand/Counting-v0", "shrink": (3, 3)}, "shrink is .*, expected divisors of the picture's 4 x 6"),
    ],
)
def test_environments_that_cannot_be_played_are_one_line(counting, settings, line):
    with pytest.raises(FirsthandError, match=line) as caught:
        _ = Gymnasium(**settings).observation_shape
    assert "\n" not in str(caught.value)


def network_for(game):
    return nn.Network((nn.FullyConnected(8, nn.tanh), nn.FullyConnected(3, nn.linear)), game.observation_shape)


def experience(game, **settings):
    usual = {"count": 200, "games": 3, "steps": 8, "capacity": 60, "renewed": 2, "explore": (1.0, 0.3, 4), "ahead": 3}
    return Experience(game, network_for(game), **{**usual, **settings})


def test_what_is_remembered_is_what_happened(counting):
    """The picture says which step it was, the action which reward: all of a transition can be told from it."""
    source = experience(Gymnasium(counting, frames=3), renewed=0, discount=0.5)
    params = source.network.init(key=KEY)
    memory, met = source.memory(params, key=KEY), set()
    for epoch in range(5):
        examples, memory = source.recall(epoch, params, memory, key=jax.random.fold_in(KEY, epoch))
        seen, actions, rewards, discounts, after = examples.arrays
        at = seen[:, 0, 5] // 10  # of three moments
        np.testing.assert_array_equal(at[:, :2], np.maximum(at[:, 2:] - [2, 1], 0))
        met |= set(at[:, 2].tolist())
        # of the three steps ahead as many count as there are before the end at step 9
        left = np.minimum(9 - at[:, 2].astype(int), 3)
        np.testing.assert_allclose(discounts, np.where(at[:, 2] + 3 < 9, 0.125, 0.0))
        going = discounts > 0
        np.testing.assert_array_equal(after[going][:, 0, 5, -1], 10 * (at[going][:, 2] + 3))
        least = actions + 1 + np.array([0.0, 0.0, 0.5, 0.75])[left]
        assert np.all(rewards >= least)
        assert np.all(rewards <= actions + 2 + 4 * np.array([0.0, 0.0, 0.5, 0.75])[left])
    assert met == set(range(9))


def learned(game, epochs, *, resume=False, checkpoint=None):
    source = experience(game)
    recipe = Recipe(epochs, 20, 0.001, optimizer=Adam(), objective=QLearning(), monitor=(), keep_best=False)
    return train(
        source.network, Splits(source, None, None), recipe, key=KEY, checkpoint=checkpoint, resume=resume, verbose=False
    )


def test_a_training_that_was_stopped_goes_on_in_the_middle_of_its_games(counting, tmp_path):
    game, file = Gymnasium(counting, frames=2), tmp_path / "checkpoint.safetensors"
    whole = learned(game, 5)
    learned(game, 3, checkpoint=file)
    stage.cache_clear()  # another process has no live environments
    again = learned(game, 5, resume=True, checkpoint=file)
    jax.tree.map(np.testing.assert_array_equal, whole.model.params, again.model.params)
    for name in ("batch_cost", "training_score"):
        assert whole.history[name] == again.history[name]


@pytest.mark.slow
def test_cart_pole_is_learned():
    pytest.importorskip("gymnasium", reason="the adaptor's tests need the extra gym")
    game = Gymnasium("CartPole-v1", limit=500)
    hidden = (nn.FullyConnected(64, nn.relu, weights_init=nn.he),) * 2
    network = nn.Network((*hidden, nn.FullyConnected(2, nn.linear, weights_init=nn.glorot)), game.observation_shape)
    source = Experience(game, network, games=8, capacity=20_000, renewed=2, explore=(1.0, 0.05, 15), ahead=3)
    recipe = Recipe(30, 32, Cosine(0.001, 30), optimizer=Adam(), objective=QLearning(), monitor=(), keep_best=False)
    model = train(network, Splits(source, None, None), recipe, key=KEY, verbose=False).model
    assert model.play(20, key=KEY).rewards.mean() > 3 * model.play(20, key=KEY, epsilon=1.0).rewards.mean()


def test_a_policy_of_it_is_kept_in_a_file_and_plays(counting, tmp_path):
    game = Gymnasium(counting, options={"ends": 5}, frames=2)
    network = network_for(game)
    policy = Policy(network, network.init(key=KEY), game)
    again = load(policy.save(tmp_path / "policy.safetensors"))
    assert isinstance(again, Policy)
    assert again.environment == game
    played = again.play(40, key=KEY, epsilon=0.5)  # more than are played side by side
    assert played.steps.tolist() == [5] * 40
    assert played.ended.all()
    np.testing.assert_array_equal(played.rewards, policy.play(40, key=KEY, epsilon=0.5).rewards)
    seen = policy.film(key=KEY)
    assert seen.observations.shape == (6, 4, 6, 2)
    assert show(seen.observations[-1], 2).shape == (8, 12, 3)


def test_pong_is_what_it_says():
    pytest.importorskip("gymnasium", reason="Pong's test needs the extra gym")
    pytest.importorskip("ale_py", reason="Pong's test needs the extra gym")
    game = Pong()
    assert Gymnasium.facts(game) == game.facts()
    states, seen, _ = walked(game, [2, 2, 3, 0, 5])
    assert seen[0].dtype == np.uint8
    assert not seen[0][..., :3].any()
    assert seen[0][..., 3].any()
    stage.cache_clear()
    np.testing.assert_array_equal(game.observe(states[-1]), seen[-1])
    # it waits for as many pictures as the seed says
    others = [game.observe(game.reset(key=jax.random.key(seed))) for seed in range(1, 4)]
    assert any(not np.array_equal(other, seen[0]) for other in others)
