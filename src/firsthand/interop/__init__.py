"""firsthand in other programs: ONNX files, and an estimator for scikit-learn.

`DigitClassifier` is made available on first use, because it imports scikit-learn.
"""

from typing import TYPE_CHECKING

from .onnx_file import Comparison, compare_onnx, export_onnx, to_onnx
from .onnx_layers import onnx_writer

if TYPE_CHECKING:
    from .estimator import DigitClassifier as DigitClassifier

# without DigitClassifier: `import *` would need scikit-learn
__all__ = ["Comparison", "compare_onnx", "export_onnx", "onnx_writer", "to_onnx"]


def __getattr__(name: str) -> object:
    if name != "DigitClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from .estimator import DigitClassifier
    except ModuleNotFoundError as error:
        from firsthand.errors import FirsthandError

        if (error.name or "").partition(".")[0] != "sklearn":
            raise
        raise FirsthandError("DigitClassifier: scikit-learn not found: pip install 'firsthand[sklearn]'") from None
    return DigitClassifier
