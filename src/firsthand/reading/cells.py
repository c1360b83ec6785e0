"""Tables and forms: where the digits stand in cells, what stands outside of them has to be surely a digit."""

from .reject import Decided
from .sheet import Sheet

__all__ = ["in_cells"]

FEWEST, SHARE = 8, 0.9  # digits, and the share of them that stands in cells, from which on this is a table
SURE = 0.95  # the probability of a digit outside of it, at least
BAR = 0.35  # of its height: ink no wider than this and alone in its line is a piece of a frame, and no 1


def in_cells(sheet: Sheet, rows: list[Decided]) -> list[Decided]:
    """The lines of a sheet without what stands outside of its table's cells and may be a crumb of a frame or an edge.

    Args:
        sheet: where the lines come from.
        rows: what was decided about each of them; where the digits do not stand in cells they stay as they are.
    """
    read = [[i for i, reason in enumerate(row.reasons) if not reason] for row in rows]
    n = sum(map(len, read))
    if n < FEWEST:
        return rows
    inside = [
        [sheet.in_cells([sheet.box_of(row.strip, row.spans[i])]) for i in steps]
        for row, steps in zip(rows, read, strict=True)
    ]
    if sum(map(sum, inside)) < SHARE * n:
        return rows
    kept = []
    for row, steps, of_line in zip(rows, read, inside, strict=True):
        reasons = list(row.reasons)
        for i, within in zip(steps, of_line, strict=True):
            left, top, right, bottom = row.spans[i].box
            bar = len(steps) == 1 and right - left < BAR * (bottom - top)
            if not within and (bar or row.digit[i] * row.value[i].max() < SURE):
                reasons[i] = "not a digit"
        kept.append(row._replace(reasons=reasons))
    return kept
