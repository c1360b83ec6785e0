"""A game as a film: what was seen, and beside it what every action was thought to be worth."""

import io

import numpy as np

from firsthand.environments import Film, show
from firsthand.models import Policy

__all__ = ["as_film"]

SCALE, SIDE = 20, 320  # pixels of a cell, and of the longer side of a picture at most
BAR, LONGEST = 10, 80  # height of a bar, and its length for the largest value of the game
INK, CHOSEN, PAPER = (150, 150, 160), (230, 159, 0), (28, 28, 34)
PACE = 80  # milliseconds of a step


def as_film(film: Film, model: Policy) -> bytes:
    """Return an episode as an animated GIF; bars are the values of the actions, the chosen one in another colour.

    Args:
        film: of the model's game.
        model: values what was seen.
    Raises:
        FirsthandError: numbers are seen of the game, no picture.
    """
    from PIL import Image

    values = model.values(film.observations)
    longest = np.abs(values).max() or 1.0
    frames, scale = [], max(1, min(SCALE, SIDE // max(film.observations.shape[1:3])))
    for number, seen in enumerate(film.observations):
        board = show(seen, scale)
        side = np.full((len(board), LONGEST + 2 * BAR, 3), PAPER, np.uint8)
        for action, value in enumerate(values[number]):
            top, length = BAR + 2 * BAR * action, int(LONGEST * abs(value) / longest)
            taken = number < len(film.actions) and action == film.actions[number]
            side[top : top + BAR, BAR : BAR + max(1, length)] = CHOSEN if taken else INK
        frames.append(Image.fromarray(np.concatenate([board, side], axis=1)))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=PACE, loop=0)
    return buffer.getvalue()
