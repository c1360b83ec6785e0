"""The job in Keras, on its JAX backend."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

from .given import BATCH, EPOCHS, RATE, SEED

PACKAGES = ("keras", "jax")


def job(data, folder):
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(100, "relu"), keras.layers.Dense(10, "softmax")])
    model.compile(keras.optimizers.SGD(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
    best = keras.callbacks.ModelCheckpoint(folder / "best.keras", monitor="val_accuracy", save_best_only=True)
    model.fit(data.x, data.y, BATCH, EPOCHS, validation_data=(data.x_val, data.y_val), callbacks=[best], verbose=0)
    model = keras.saving.load_model(folder / "best.keras")
    return np.mean(model.predict(data.x_test, verbose=0).argmax(1) == data.y_test)


def _train(data, activation="relu", x=None, y=None):
    model = keras.Sequential(
        [keras.Input((784,)), keras.layers.Dense(100, activation), keras.layers.Dense(10, "softmax")]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data.x[:200] if x is None else x, data.y[:200] if y is None else y
    found = model.fit(x, y, 10, 1, verbose=0)
    return f"cost {found.history['loss'][-1]:.3g}"


MISTAKES = {
    "a misspelt activation": lambda data: _train(data, "rleu"),
    "inputs of another size": lambda data: _train(data, x=data.x[:200, :700]),
    "a label 10 of ten classes": lambda data: _train(data, y=np.arange(200) % 11),
    "pixels of 0 to 255 for a model of images": lambda data: _train(data, x=255 * data.x[:200]),
}
