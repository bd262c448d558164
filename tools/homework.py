"""Make the runs of the worked example on the page "Audit your own report": book/static/homework/runs.csv.

Real trainings, a few seconds: a dense network on the embedded digits, with and without dropout, five seeds each.
"""

import csv
from pathlib import Path

import torch
from torch import nn

from companion import fit, load_dataset

TARGET = Path(__file__).parent.parent / "book" / "static" / "homework" / "runs.csv"
SETTINGS = {"epochs": 15, "batch_size": 32}


def network(inputs, rate):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 64), nn.ReLU(), nn.Dropout(rate), nn.Linear(64, 10))


def main():
    splits, rows = load_dataset("digits"), []
    for rate in (0.0, 0.5):
        for seed in range(5):
            torch.manual_seed(seed)
            model = network(splits.train.inputs[0].numel(), rate)
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            loss_fn = nn.functional.cross_entropy
            history = fit(model, splits, optimizer=optimizer, loss_fn=loss_fn, seed=seed, **SETTINGS)
            last = {
                f"{part}_{name}": history.curves[f"{part}_{name}"][-1]
                for part in ("train", "val")
                for name in ("accuracy", "loss")
            }
            last["gap"] = last["train_accuracy"] - last["val_accuracy"]
            rows.append({"dropout": rate, "seed": seed, **{name: f"{value:.4f}" for name, value in last.items()}})
    with open(TARGET, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
