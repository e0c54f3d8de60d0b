"""The memory of a training, for each network: what `workflow/rules/resources.smk` asks a cluster for.

    PYTHONPATH=workflow/scripts python benchmarks/memory.py

By hand, when a network or the training changes: about a quarter of an hour.
"""

from collections.abc import Callable

import numpy
import torch
from measuring import Side, in_turn, machine, table, write_section
from training import BANDS, CLASSES, DEVIATION_DB, LAMBDA, MEAN_DB, made, paper

from channel_sparsity.networks import build
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import fit

NETWORKS = [f"vgg{depth}" for depth in (11, 13, 16, 19)]
NETWORKS += [f"resnet{depth}" for depth in (11, 20, 29, 38)]
NETWORKS += [f"mobilenet{multiplier}" for multiplier in ("0.25", "0.50", "0.75", "1.00")]
FRAMES, STEPS, VALIDATION_CLIPS = 401, 4, 256


def prepare(name: str) -> Callable[[], object]:
    """What trains a network for a few steps and validates it."""
    torch.set_num_threads(1)
    recipe = paper()
    clips = STEPS * recipe.batch_size
    logmel, labels = made(FRAMES, clips + VALIDATION_CLIPS)
    train, validation = (
        Subset.of(logmel, rows, labels[rows], [MEAN_DB] * BANDS, [DEVIATION_DB] * BANDS)
        for rows in numpy.split(numpy.arange(len(labels)), [clips])
    )
    network = build(name, CLASSES).to(memory_format=torch.channels_last)
    return fit(network, train, recipe, lam=LAMBDA, seed=1, purpose=("benchmark",), validation=validation).__next__


def main() -> None:
    rows = []
    for name in NETWORKS:
        peak = in_turn({name: Side(prepare, name, memory_kept=True)}, rounds=1).peak[name]
        rows.append([name, f"{peak / 1e6:,.0f}"])
        print(rows[-1], flush=True)
    write_section(
        "Memory of a training",
        f"At the paper's widths, batches of {paper().batch_size} clips of {FRAMES} frames and validation in batches of "
        "128, memory kept; with PyTorch's libraries, without the store of features, which is mapped into memory.",
        table(["network", "peak, MB"], rows),
        machine("torch"),
    )


if __name__ == "__main__":
    main()
