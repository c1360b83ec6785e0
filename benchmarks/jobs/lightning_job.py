"""The job in PyTorch Lightning."""

import logging
import warnings

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from .given import BATCH, EPOCHS, RATE, SEED

PACKAGES = ("lightning", "torch")
warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, _):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, _):
        self.log("accuracy", (self(batch[0]).argmax(1) == batch[1]).float().mean(), on_epoch=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), RATE)


PARTS = (Classifier,)


def job(data, folder):
    lightning.seed_everything(SEED, verbose=False)
    train, val = (
        TensorDataset(torch.from_numpy(x), torch.from_numpy(y)) for x, y in ((data.x, data.y), (data.x_val, data.y_val))
    )
    best = ModelCheckpoint(folder, monitor="accuracy", mode="max")
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, callbacks=[best], logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    trainer.fit(Classifier(), DataLoader(train, BATCH, shuffle=True), DataLoader(val, 1000))
    model = Classifier.load_from_checkpoint(best.best_model_path).eval()
    with torch.no_grad():
        return np.mean(model(torch.from_numpy(data.x_test)).argmax(1).numpy() == data.y_test)


def _train(data, model=None, x=None, y=None):
    x, y = data.x[:200] if x is None else x, data.y[:200] if y is None else y
    loader = DataLoader(TensorDataset(torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y)), 10)
    trainer = lightning.Trainer(
        max_epochs=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    model = Classifier() if model is None else model
    trainer.fit(model, loader)
    return (
        f"cost {nn.functional.cross_entropy(model(torch.from_numpy(np.ascontiguousarray(x))), torch.from_numpy(y)):.3g}"
    )


MISTAKES = {
    "a misspelt activation": lambda data: nn.RleU(),
    "inputs of another size": lambda data: _train(data, x=data.x[:200, :700]),
    "a label 10 of ten classes": lambda data: _train(data, y=np.arange(200) % 11),
    "pixels of 0 to 255 for a model of images": lambda data: _train(data, x=255 * data.x[:200]),
}
