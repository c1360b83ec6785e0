"""The games: their rules against plain Python, and what players see of them."""

from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from firsthand.environments import ENVIRONMENTS, Breakout, Catch, Freeway, Gridworld, film, named, play, show
from firsthand.errors import FirsthandError

pytestmark = pytest.mark.usefixtures("compiled_quickly")
KEY = jax.random.key(0)


def at_random(params, seen, *, key):
    return jax.random.randint(key, (len(seen),), 0, params)


@pytest.mark.parametrize("name", [name for name, each in ENVIRONMENTS.items() if each.compiled])
def test_every_game_is_seen_and_played_as_it_says(name):
    game = named(name)
    assert named(name, game.settings()) == game
    seen = film(game, at_random, len(game.actions), limit=60, key=KEY)
    assert seen.observations.dtype == bool
    assert seen.observations.shape[1:] == game.observation_shape
    assert len(seen.observations) == len(seen.actions) + 1 == len(seen.rewards) + 1
    assert len(game.channels) == game.observation_shape[2]
    again = film(game, at_random, len(game.actions), limit=60, key=KEY)
    np.testing.assert_array_equal(seen.observations, again.observations)
    picture = show(seen.observations[0], 3)
    assert picture.shape == (3 * game.observation_shape[0], 3 * game.observation_shape[1], 3)
    # many games at once are as many games alone
    scores = play(game, at_random, len(game.actions), episodes=3, limit=80, key=KEY)
    assert scores.rewards.shape == scores.steps.shape == scores.ended.shape == (3,)


def test_what_is_no_game_is_one_line():
    with pytest.raises(
        FirsthandError, match="'chess' found, expected one of catch, gridworld, breakout, freeway, pong, gymn"
    ):
        named("chess")
    with pytest.raises(FirsthandError, match=r"environment catch: settings \{'depth': 3\} found"):
        named("catch", {"depth": 3})


def test_who_goes_to_the_ball_catches_it():
    def towards(params, seen, *, key):
        column = jnp.argmax(seen[..., 0].any(axis=1), axis=-1)
        paddle = jnp.argmax(seen[..., 1].any(axis=1), axis=-1)
        return 1 + jnp.sign(column - paddle)

    scores = play(Catch(), towards, (), episodes=50, key=KEY)
    assert scores.rewards.tolist() == [1.0] * 50
    assert scores.steps.tolist() == [9] * 50


class PlainBreakout:
    """Breakout without JAX, a rule a line."""

    def __init__(self, state):
        self.ball, self.way = [int(v) for v in state.ball], [int(v) for v in state.way]
        self.paddle, self.bricks = int(state.paddle), np.array(state.bricks)

    def step(self, action):
        self.paddle = min(max(self.paddle + action - 1, 0), 9)
        row, column = self.ball
        if not 0 <= column + self.way[1] <= 9:
            self.way[1] *= -1
        if row + self.way[0] < 0:
            self.way[0] = 1
        ahead = row + self.way[0], column + self.way[1]
        if self.bricks[ahead]:
            self.bricks[ahead] = False
            self.ball = [row, ahead[1]]
            self.way[0] *= -1
            return 1.0, False
        if ahead[0] < 9:
            self.ball = list(ahead)
            return 0.0, False
        if self.paddle == column:
            self.ball = [row, ahead[1]]
        elif self.paddle == ahead[1]:
            self.ball = [row, column]
            self.way[1] *= -1
        else:
            return 0.0, True
        self.way[0] *= -1
        if not self.bricks.any():
            self.bricks[1:4] = True
        return 0.0, False


def test_breakout_follows_its_rules():
    game, rng = Breakout(), np.random.default_rng(0)
    step = jax.jit(lambda state, action: game.step(state, action, key=KEY))
    rewards = ends = 0
    for episode in range(12):
        state = game.reset(key=jax.random.key(episode))
        plain = PlainBreakout(state)
        for _ in range(60):
            # mostly to where the ball comes down, so that games last
            down = plain.ball[1] + plain.way[1] * (8 - plain.ball[0])
            landing = min(abs(down), 18 - abs(down)) if plain.way[0] > 0 else 4
            action = int(np.sign(landing - plain.paddle)) + 1 if rng.random() < 0.95 else int(rng.integers(3))
            state, reward, ended = step(state, action)
            expected = plain.step(action)
            assert (float(reward), bool(ended)) == expected
            rewards, ends = rewards + expected[0], ends + expected[1]
            if ended:
                break
            assert state.ball.tolist() == plain.ball
            assert state.way.tolist() == plain.way
            assert int(state.paddle) == plain.paddle
            np.testing.assert_array_equal(state.bricks, plain.bricks)
    assert rewards > 20
    assert ends >= 1


def test_a_wall_without_bricks_is_built_again_at_the_paddle():
    game = Breakout()
    state = game.reset(key=KEY)._replace(
        ball=jnp.array([8, 4]), way=jnp.array([1, 1]), paddle=jnp.int32(4), bricks=jnp.zeros((10, 10), bool)
    )
    step = game.step(state, jnp.int32(1), key=KEY)
    assert not step.ended
    assert int(step.state.bricks.sum()) == 30


def test_freeway_is_crossed_and_has_an_end():
    scores = play(
        Freeway(limit=500), lambda params, seen, *, key: jnp.zeros(len(seen), jnp.int32), (), episodes=20, key=KEY
    )
    assert scores.steps.tolist() == [500] * 20
    assert scores.rewards.mean() > 2
    # at most a row in four steps
    assert scores.rewards.max() <= 500 / 36
    game = Freeway()
    state = game.reset(key=KEY)
    row = 5
    hit = state._replace(row=jnp.int32(row), cars=state.cars.at[row - 1].set(4), timers=jnp.full(8, 3))
    assert int(game.step(hit, jnp.int32(1), key=KEY).state.row) == 9
    free = hit._replace(cars=jnp.zeros(8, jnp.int32))
    assert int(game.step(free, jnp.int32(1), key=KEY).state.row) == row
    moved = game.step(free._replace(pause=jnp.int32(0)), jnp.int32(0), key=KEY).state
    assert (int(moved.row), int(moved.pause)) == (row - 1, 3)


def test_the_shortest_way_leads_to_the_goal():
    game = Gridworld(slips=0.0)
    step = jax.jit(lambda state, action: game.step(state, action, key=KEY))
    for seed in range(5):
        state = game.reset(key=jax.random.key(seed))
        walls = np.asarray(game.observe(state))[..., 0]
        way = shortest(walls, tuple(state.place.tolist()), tuple(state.goal.tolist()))
        for number, action in enumerate(way):
            state, reward, ended = step(state, action)
            assert bool(ended) == (number == len(way) - 1) == (float(reward) == 1.0)
    lost = game.reset(key=KEY)._replace(steps=jnp.int32(game.limit - 1))
    lost = lost._replace(place=jnp.array([0, 0]), goal=jnp.array([10, 10]))
    found = game.step(lost, jnp.int32(0), key=KEY)
    assert (bool(found.ended), float(found.reward)) == (True, 0.0)


def shortest(walls, start, goal):
    """The actions of a shortest way, by breadth-first search."""
    ways, queue = {start: []}, deque([start])
    while queue:
        place = queue.popleft()
        if place == goal:
            return ways[place]
        for action, (down, right) in enumerate([(-1, 0), (0, 1), (1, 0), (0, -1)]):
            other = place[0] + down, place[1] + right
            if min(other) >= 0 and max(other) < len(walls) and not walls[other] and other not in ways:
                ways[other] = [*ways[place], action]
                queue.append(other)
    raise AssertionError("no way")
