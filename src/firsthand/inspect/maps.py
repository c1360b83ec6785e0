"""Maps of what a hidden layer makes of a data set: every example a point on a plane."""

from typing import Literal

import numpy as np

from firsthand.errors import FirsthandError

__all__ = ["map_of", "share_of_neighbours"]


def map_of(vectors: np.ndarray, method: Literal["pca", "tsne"] = "pca", *, seed: int = 0) -> np.ndarray:
    """Lay vectors out on a plane, by scikit-learn.

    Args:
        vectors: activations of a layer, (n, ...): see `layer_outputs`.
        method: 'pca' is the linear map that keeps most of the variance; 'tsne' (after it, where there are more than 50
            numbers) keeps neighbours beside each other, and no distances.
        seed: of 'tsne'.
    Returns:
        (n, 2).
    Raises:
        FirsthandError: scikit-learn is not there, another method, or fewer than 4 vectors.
    References:
        van der Maaten and Hinton 2008, 'Visualizing Data using t-SNE'.
    """
    if method not in ("pca", "tsne"):
        raise FirsthandError(f"map: method is {method!r}, expected 'pca' or 'tsne'")
    flat = np.asarray(vectors, np.float32).reshape(len(vectors), -1)
    if len(flat) < 4:
        raise FirsthandError(f"map: {len(flat)} vectors found, expected 4 or more")
    try:
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE
    except ImportError:
        raise FirsthandError("map: scikit-learn not found: pip install 'firsthand[sklearn]'") from None
    if method == "pca":
        return PCA(2, random_state=seed).fit_transform(flat)
    if flat.shape[1] > 50:
        flat = PCA(min(50, len(flat)), random_state=seed).fit_transform(flat)
    return TSNE(2, perplexity=min(30.0, (len(flat) - 1) / 3), init="pca", random_state=seed).fit_transform(flat)


def share_of_neighbours(points: np.ndarray, labels: np.ndarray, count: int = 5) -> float:
    """Return the share of each point's nearest neighbours that have its label, over all points.

    Args:
        points: (n, d).
        labels: (n,).
        count: neighbours of each, fewer than n.
    """
    squares = np.sum(np.square(points, dtype=np.float64), axis=1)
    distance = squares[:, None] - 2 * points @ points.T + squares[None]
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, count, axis=1)[:, :count]
    return float(np.mean(np.asarray(labels)[nearest] == np.asarray(labels)[:, None]))
