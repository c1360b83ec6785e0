"""The machinery of experiments: declaration, runs, result, verdict, figures.  The experiments are in `studies`."""

from .experiment import Claim, Comparison, Drawing, Experiment, Measured, Run, mean_of
from .result import Finding, Published, Result, ResultFileError, Source, Text, Verdict

__all__ = [
    "Claim",
    "Comparison",
    "Drawing",
    "Experiment",
    "Finding",
    "Measured",
    "Published",
    "Result",
    "ResultFileError",
    "Run",
    "Source",
    "Text",
    "Verdict",
    "mean_of",
]
