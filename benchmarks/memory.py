"""The memory of a training, for each network: what `workflow/rules/resources.smk` asks a cluster for.

    PYTHONPATH=workflow/scripts python benchmarks/memory.py

By hand, when a network or the training changes: about a quarter of an hour.
"""

from collections.abc import Callable

import torch
import yaml
from measuring import ROOT, Side, in_turn, machine, table, write_section
from training import CLASSES, LAMBDA, paper, subsets

from channel_sparsity.networks import build
from channel_sparsity.training.fit import fit
from channel_sparsity.training.penalty import Penalty

FRAMES, STEPS, VALIDATION_CLIPS = 401, 4, 256


def prepare(name: str) -> Callable[[], object]:
    """What trains a network for a few steps and validates it."""
    torch.set_num_threads(1)
    settings = paper()
    train, validation = subsets(FRAMES, STEPS * settings.batch_size, VALIDATION_CLIPS)
    network = build(name, CLASSES).to(memory_format=torch.channels_last)
    return fit(
        network, train, settings, Penalty("subgradient", LAMBDA), seed=1, purpose=("benchmark",), validation=validation
    ).__next__


def main() -> None:
    rows = []
    for name in yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["networks"]:
        peak = in_turn({name: Side(prepare, name, memory_kept=True)}, rounds=1).peak[name]
        rows.append([name, f"{peak / 1e6:,.0f}"])
        print(rows[-1], flush=True)
    write_section(
        "Memory of a training",
        f"At the paper's widths, with batches of {paper().batch_size} clips of {FRAMES} frames, validation in batches "
        "of 128, and memory kept. PyTorch's libraries are included. The store of features is not included, because it "
        "is mapped into memory.",
        table(["network", "peak, MB"], rows),
        machine("torch"),
    )


if __name__ == "__main__":
    main()
