"""The part of Keras that *Grokking Deep Learning*'s listing of chapter 10 needs: `from keras.datasets import mnist`."""

from . import datasets

__all__ = ["datasets"]
