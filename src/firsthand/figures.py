"""Matplotlib's figure, as a picture that a notebook shows without pyplot."""

import io

from matplotlib import figure

__all__ = ["Figure"]


class Figure(figure.Figure):
    """A figure without a window system: it shows itself in a notebook, and `savefig` writes it anywhere else."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()
