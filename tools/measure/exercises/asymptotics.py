"""Exercise 3.15: the law error = c + a n^-b through the measured curves of `more-data` and `more-data-svm`.

python tools/measure/exercises/asymptotics.py       prints the rows of the table in docs/exercises/training-data.md
"""

from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit

from firsthand.experiments.result import Result

RESULTS = Path(__file__).parents[3] / "results" / "experiments"
IMAGES = 10_000  # of the validation data
SMALLEST = (100, 500, 2_000)


def rows() -> list[str]:
    """Each curve from each smallest size: the limit c, two standard errors, and chi² with its degrees of freedom."""
    found = []
    for id, name in (("more-data", "network"), ("more-data-svm", "SVM")):
        result = Result.load(RESULTS / f"{id}.json")
        sizes = np.array(result.runs[0]["arrays"]["sizes"], float)
        errors = np.array([1 - result.mean(f"validation_accuracy_{int(size)}") for size in sizes])
        for smallest in SMALLEST:
            n, error = sizes[sizes >= smallest], errors[sizes >= smallest]
            noise = np.sqrt(error * (1 - error) / IMAGES)
            (limit, scale, power), covariance = curve_fit(
                _law, n, error, (0.02, 3, 0.5), noise, absolute_sigma=True, bounds=([0, 0, 0.05], [0.5, 100, 2])
            )
            chi2 = float(np.sum(((error - _law(n, limit, scale, power)) / noise) ** 2))
            found.append(
                f"| {name} | {smallest:,} | {100 * limit:.1f} ± {200 * np.sqrt(covariance[0, 0]):.1f} % "
                f"| {chi2:.1f} ({len(n) - 3}) |"
            )
    return found


def _law(n: np.ndarray, limit: float, scale: float, power: float) -> np.ndarray:
    return limit + scale * n**-power


if __name__ == "__main__":
    print("\n".join(rows()))
