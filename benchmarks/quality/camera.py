"""A canvas photographed: perspective, paper, light, the table beneath, fingers and bindings, lens, sensor and JPEG."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from . import marks
from .hands import Canvas, Hand, Written

__all__ = ["BEYOND", "CLASSES", "DIGIT", "OTHER", "PAPER", "RULE", "photographed"]

CLASSES = ("paper", "digit", "other writing", "rule", "beyond")
PAPER, DIGIT, OTHER, RULE, BEYOND = range(5)


def _homography(size: tuple[int, int], corners: np.ndarray) -> np.ndarray:
    """The projective map (3, 3) that takes the corners of a picture of that size to the given four of the canvas."""
    high, wide = size
    rows = []
    for (x, y), (u, v) in zip(((0, 0), (wide, 0), (wide, high), (0, high)), corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
    return np.linalg.svd(np.array(rows, float))[2][-1].reshape(3, 3)


def photographed(
    canvas: Canvas, hand: Hand, size: tuple[int, int], held: float, turned: float
) -> tuple[np.ndarray, np.ndarray, list[Written], int]:
    """The picture, the class of every pixel, the digits where they are seen, and the quarter turns of the picture.

    Args:
        canvas: the sheet.
        hand: that has written on it; lengths are in heights of its digits.
        size: (height, width) of the picture.
        held: how often the edge of the sheet, and what lies beyond it, is seen.
        turned: how often the picture is turned by 90, 180 or 270 degrees.
    """
    rng, (high, wide) = canvas.rng, size
    held_now = rng.random() < held
    h, w = canvas.shape
    angle = np.deg2rad(rng.normal(0, 4) if rng.random() < 0.7 else rng.uniform(-14, 14))
    zoom = rng.uniform(1.05, 1.35) if held_now else rng.uniform(0.86, 0.98)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float) * (zoom * wide / 2, zoom * high / 2)
    corners *= 1 + rng.normal(0, 0.03, (4, 1)) * (rng.random() < 0.6)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T + (w / 2, h / 2)
    if held_now:
        corners += rng.uniform(-0.12, 0.12, 2) * (w, h)
    matrix = _homography(size, corners)
    y, x = np.mgrid[:high, :wide].astype(np.float32) + 0.5
    z = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / z - 0.5
    v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / z - 0.5
    if rng.random() < 0.4:  # paper that does not lie flat
        bend = rng.normal(0, 0.012) * h
        v += bend * np.sin(2 * np.pi * (x / wide * rng.uniform(0.3, 1) + rng.random()))
    ink, rules = (ndimage.map_coordinates(a, [v, u], order=1, mode="constant") for a in (canvas.ink, canvas.rules))
    owner = ndimage.map_coordinates(canvas.owner, [v, u], order=0, mode="constant")
    sheet = np.clip(np.minimum(np.minimum(u, w - 1 - u), np.minimum(v, h - 1 - v)) + 0.5, 0, 1)
    if not held_now:
        sheet[:] = 1
    dark = rng.uniform(0.15, 0.92)
    picture, classes = _lit(canvas, ink, rules, owner, sheet, dark, hand, held_now)
    truth = _seen(canvas.truth, matrix, v, classes)
    if rng.random() < turned:
        quarter = int(rng.integers(1, 4))
        picture, classes = np.rot90(picture, quarter), np.rot90(classes, quarter)
        truth = [_turned(one, quarter, size) for one in truth]
    else:
        quarter = 0
    return np.ascontiguousarray(picture), np.ascontiguousarray(classes), truth, quarter


def _turned(one: Written, quarter: int, size: tuple[int, int]) -> Written:
    high, wide = size
    x, y = one.x, one.y
    for _ in range(quarter):
        x, y, high, wide = y, wide - x, wide, high
    return one._replace(x=x, y=y)


def _seen(truth: list[Written], matrix: np.ndarray, v: np.ndarray, classes: np.ndarray) -> list[Written]:
    """The places of the digits on the picture."""
    back = np.linalg.inv(matrix)
    found = []
    for one in truth:
        a = back @ (one.x + 0.5, one.y + 0.5, 1)
        b = back @ (one.x + 0.5, one.y + 0.5 + one.height, 1)
        x, y = a[:2] / a[2]
        found.append(one._replace(x=float(x), y=float(y), height=float(np.hypot(*(b[:2] / b[2] - (x, y))))))
    return found


def _lit(canvas: Canvas, ink, rules, owner, sheet, dark: float, hand: Hand, held: bool):
    """Paper, ink, table, fingers, light, lens and sensor: the picture and the classes."""
    rng, shape = canvas.rng, ink.shape
    size = hand.height
    paper = rng.uniform(150, 250) * (1 + rng.uniform(0.003, 0.02) * marks.cloud(shape, rng.uniform(1, 4) * size, rng))
    if rng.random() < 0.1:  # creases
        paper = paper * (1 + 0.05 * np.sign(marks.cloud(shape, 3 * size, rng)))
    taken = dark * (1 - rng.uniform(0, 0.3) * np.abs(marks.cloud(shape, 0.4 * size, rng)))
    rule = rules * dark * rng.uniform(0.6, 1.15)
    picture = paper * (1 - np.clip(np.maximum(ink * taken, rule), 0, 0.97))
    seen = np.where(ink > 0.4, np.where(owner > 0, DIGIT, OTHER), np.where(rules > 0.12, RULE, PAPER)).astype(np.int8)
    if held:
        table = rng.uniform(10, 200) * (
            1 + rng.uniform(0.02, 0.4) * marks.cloud(shape, rng.uniform(0.3, 8) * size, rng)
        )
        if rng.random() < 0.4:  # wood or cloth
            table = table * (
                1 + 0.15 * np.sin(np.mgrid[: shape[0], : shape[1]][int(rng.integers(2))] / rng.uniform(2, 30))
            )
        soft = ndimage.gaussian_filter(sheet, rng.uniform(0.3, 1.5))
        shade = 1 - rng.uniform(0, 0.5) * ndimage.gaussian_filter(sheet, rng.uniform(2, 15)) * (1 - sheet)
        picture = soft * picture + (1 - soft) * np.clip(table, 0, 255) * shade
        seen[sheet < 0.5] = BEYOND
        for _ in range(int(rng.integers(0, 4))):
            picture, seen = _finger(picture, seen, sheet, rng)
        if rng.random() < 0.5:
            picture, seen = _rings(picture, seen, sheet, rng)
    light = np.ones(shape, np.float32)
    strength = rng.uniform(0, 0.6)
    ramp = _ramp(shape, rng)
    light *= 1 - 0.6 * strength * ramp
    if rng.random() < 0.5:
        light *= 1 - 0.6 * strength / (1 + np.exp(-(_ramp(shape, rng) - rng.uniform(0.2, 0.8)) * rng.uniform(8, 60)))
    picture = ndimage.gaussian_filter(picture * light, rng.uniform(0.2, max(0.8, 0.02 * size)))
    picture = picture + rng.normal(0, rng.uniform(0.5, 7), shape)
    found = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        buffer = BytesIO()
        Image.fromarray(found).save(buffer, "JPEG", quality=int(rng.integers(40, 95)))
        with Image.open(buffer) as opened:
            found = np.asarray(opened.convert("L"))
    return found, seen


def _finger(picture, seen, sheet, rng: np.random.Generator):
    """A long round shape from an edge of the picture, of skin or of something dark."""
    high, wide = picture.shape
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.4) * min(picture.shape)
    rim = np.array([wide / 2 + wide / 2 * np.cos(angle), high / 2 + high / 2 * np.sin(angle)])
    way = angle + np.pi + rng.normal(0, 0.5)
    tip = rim + length * np.array([np.cos(way), np.sin(way)])
    a, b = rim - 0.5 * length * np.array([np.cos(way), np.sin(way)]), tip
    d = b - a
    t = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / float(d @ d), 0, 1)
    far = np.hypot(x - a[0] - t * d[0], y - a[1] - t * d[1])
    thick = rng.uniform(0.04, 0.12) * min(picture.shape)
    cover = np.clip((thick - far) + 0.5, 0, 1)
    skin = rng.uniform(40, 200) * (1.05 - 0.4 * (far / thick) ** 2) * (1 + 0.03 * marks.cloud(picture.shape, 6, rng))
    return picture * (1 - cover) + cover * np.clip(skin, 0, 255), np.where(cover > 0.5, BEYOND, seen).astype(np.int8)


def _rings(picture, seen, sheet, rng: np.random.Generator):
    """The wires, rings or comb of a binding along one edge of the sheet, and the holes that they go through."""
    side = int(rng.choice(4, p=(0.5, 0.1, 0.1, 0.3)))  # mostly at the top, or at the left
    picture, seen, sheet = (np.ascontiguousarray(np.rot90(a, -side)) for a in (picture, seen, sheet))
    high, wide = picture.shape
    edge = np.flatnonzero((sheet > 0.5).any(1))
    if len(edge) and edge[0] >= 2:
        image, mask = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)), Image.new("L", (wide, high))
        distance, tall = rng.uniform(0.04, 0.13) * wide, rng.uniform(0.04, 0.14) * high
        columns = np.flatnonzero((sheet > 0.5).any(0))
        thick, tone = max(1, round(distance * rng.uniform(0.06, 0.2))), int(rng.integers(0, 256))
        lean, shine, wires = rng.normal(0, 0.15) * distance, rng.random() < 0.5, int(rng.integers(1, 3))
        hole = distance * np.array([rng.uniform(0.08, 0.28), rng.uniform(0.08, 0.3)])
        draws = [ImageDraw.Draw(image), ImageDraw.Draw(mask)]
        for x in np.arange(columns[0] + rng.uniform(0, 1) * distance, columns[-1], distance):
            inside = np.flatnonzero(sheet[:, int(x)] > 0.5)
            if not len(inside):
                continue
            y = inside[0] + 0.3 * tall
            for draw, fill in zip(draws, (int(rng.integers(5, 70)), 255), strict=True):
                draw.rectangle([x - hole[0], y - hole[1], x + hole[0], y + hole[1]], fill=fill)
            for wire in range(wires):
                at = x + (wire - (wires - 1) / 2) * 0.25 * distance
                box = [at - 0.2 * distance, y - tall, at + 0.2 * distance + abs(lean), y]
                for draw, fill in zip(draws, (tone, 255), strict=True):
                    draw.arc(box, 0, 360, fill=fill, width=thick)
                if shine and thick > 2:
                    draws[0].arc(box, 0, 360, fill=255 - tone, width=max(1, thick // 3))
        picture = np.asarray(image, np.float32)
        seen = np.where(np.asarray(mask) > 0, BEYOND, seen).astype(np.int8)
    return np.rot90(picture, side), np.rot90(seen, side)


def _ramp(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    ramp = np.cos(angle) * x + np.sin(angle) * y
    return ((ramp - ramp.min()) / np.ptp(ramp)).astype(np.float32)
