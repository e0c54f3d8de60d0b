"""The study on a GPU: a step of training, a whole training and a whole curve of a network of each family.

    PYTHONPATH=workflow/scripts python benchmarks/gpu.py
    PYTHONPATH=workflow/scripts python benchmarks/gpu.py --device cpu --clips 64 --epochs 1 --networks mobilenet0.25

Full widths, the paper's settings, noise for clips, half precision beside single. The plain way is that of
`benchmarks/training.py`, on the GPU with batches that a DataLoader brings. An hour or two on one GPU; the second line
only shows that it runs.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import yaml
from measuring import ROOT, machine, rounded, table, write_section
from training import CLASSES, LAMBDA, Clips, made, paper, plain, subsets

from channel_sparsity.configuration import recipe_of
from channel_sparsity.networks import build
from channel_sparsity.pruning.curve import planned, trace
from channel_sparsity.training.device import device_of, name_of
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import fit
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import TrainingSettings

VALIDATION_SHARE = 0.3


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall seconds until the device has done the work."""
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def epoch_s(name: str, train: Subset, settings: TrainingSettings) -> float:
    """Seconds of one pass over the clips, the first of which (captures, work spaces) does not count."""
    network = build(name, CLASSES).to(train.rows.device, memory_format=torch.channels_last)
    epochs = fit(
        network, train, replace(settings, epochs=3), Penalty("subgradient", LAMBDA), seed=1, purpose=("benchmark",)
    )
    next(epochs)
    return seconds(lambda: next(epochs), train.rows.device)


def plain_epoch_s(name: str, frames: int, clips: int, device: torch.device) -> float:
    """The same in the plain way."""
    epochs = plain(build(name, CLASSES).to(device), Clips(*made(frames, clips), paper()))
    next(epochs)
    return seconds(lambda: next(epochs), device)


def curve_s(name: str, train: Subset, validation: Subset, epochs: int, precision: str) -> float:
    """Seconds of the paper's pruning curve of an untrained network, `epochs` of fine-tuning a step."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    recipe = recipe_of(config, "slimming")
    settings = config["training"] | {"precision": precision}
    recipe["finetuning"]["epochs"] = epochs
    plan = planned(recipe, settings, lam=LAMBDA, name=name, seed=1, train=train)
    network = build(name, CLASSES).to(train.rows.device, memory_format=torch.channels_last)
    steps = trace(network, plan, validation)
    return seconds(lambda: list(steps), train.rows.device)


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--clips", type=int, default=14400)
    parser.add_argument("--frames", type=int, default=401)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--networks", nargs="+", default=["vgg16", "resnet38", "mobilenet0.25"])
    options = parser.parse_args()
    device = device_of(options.device)
    learn_from = round((1 - VALIDATION_SHARE) * options.clips)
    train, validation = subsets(options.frames, learn_from, options.clips - learn_from, device)
    steps, rows = -(-len(train) // paper().batch_size), []
    for name in options.networks:
        plainly = plain_epoch_s(name, options.frames, len(train), device)
        for precision in ("float32", "bfloat16"):
            settings = replace(paper(), precision=precision)
            epoch = epoch_s(name, train, settings)
            curve = curve_s(name, train, validation, max(1, options.epochs // 20), precision)
            rows.append(
                [
                    name,
                    precision,
                    rounded(1000 * epoch / steps),
                    rounded(plainly / epoch),
                    rounded(options.epochs * epoch / 60),
                    rounded(curve / 60),
                ]
            )
    content = table(
        ["network", "precision", "ms a step", "times the plain speed", "training, min", "curve, min"],
        rows,
    )
    if device.type == "cpu":
        print(content)
        return
    write_section(
        "On a GPU",
        f"{name_of(device)}, {len(train)} training clips of {options.frames} frames, all noise. The time of a training "
        f"of {options.epochs} epochs is calculated from one epoch. The time of a curve is measured.",
        content,
        machine("torch"),
    )


if __name__ == "__main__":
    main()
