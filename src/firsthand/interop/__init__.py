"""firsthand in other programs: ONNX files."""

from .onnx_file import Comparison, compare_onnx, export_onnx, to_onnx

__all__ = ["Comparison", "compare_onnx", "export_onnx", "to_onnx"]
