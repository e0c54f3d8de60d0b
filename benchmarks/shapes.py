"""How many shapes of convolutions a pruning curve has, and what it computes, by how widths are rounded up.

    PYTHONPATH=workflow/scripts python benchmarks/shapes.py

A minute, on a CPU. A GPU's library plans every new shape, which takes longer than a step's updates in a small network:
it is the count that decides how widths are rounded there (`channel_sparsity/pruning/padding.py`).
"""

import math
from collections.abc import Callable, Mapping

import torch
from measuring import rounded, table, write_section
from training import BANDS, CLASSES

from channel_sparsity.networks import build, gammas_of, widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import output_areas
from channel_sparsity.pruning.curve import Schedule
from channel_sparsity.pruning.padding import MULTIPLE, padded
from channel_sparsity.pruning.selection import choose, sizes_of

FRAMES = 401
NETWORKS = ("vgg11", "vgg16", "resnet11", "resnet20", "mobilenet0.25", "mobilenet1.00")
SCHEDULE = Schedule(0.05, "original", 0.95, False)


def multiple(width: int, step: float) -> int:
    """The width as a multiple of a step, and of `MULTIPLE`."""
    return math.ceil(step * math.ceil(width / step) / MULTIPLE) * MULTIPLE


#: The width of a layer that has `left` of its `whole` channels.
ROUNDINGS: dict[str, Callable[[int, int], int]] = {
    "as cut": lambda left, whole: left,
    "multiples of 8": lambda left, whole: multiple(left, MULTIPLE),
    "quarters": lambda left, whole: multiple(left, whole / 4),
    "masks": lambda left, whole: whole,
}


def counted(network: Network, widths: Mapping[str, int], areas: Mapping[str, int]) -> tuple[set[tuple], int]:
    """The shapes of a network's convolutions at these widths, and the values that these and normalisations put out."""
    shapes, values = set(), 0
    for name, module in network.unfilled(widths).named_modules():
        if isinstance(module, torch.nn.Conv2d):
            shapes.add((module.weight.shape, module.groups, module.stride, areas[name]))
            values += module.out_channels * areas[name]
        elif isinstance(module, torch.nn.BatchNorm2d):
            values += module.num_features * areas[name]
    return shapes, values


def row(name: str) -> list[str]:
    """The curve of an untrained network, with gammas drawn at random."""
    torch.manual_seed(0)
    network = build(name, CLASSES)
    scores = {layer: torch.rand(width) for layer, width in widths_of(network).items()}
    # Where channels are selected from a residual stream, a network that learns takes all of them.
    narrowest = widths_of(padded(network.unfilled(dict.fromkeys(scores, 1))))
    streams = [layer for layer, width in narrowest.items() if width > MULTIPLE]
    whole, areas = widths_of(network), output_areas(network, BANDS, FRAMES)
    shapes, values = {rounding: set() for rounding in ROUNDINGS}, dict.fromkeys(ROUNDINGS, 0)
    for count in [0, *SCHEDULE.counts(sum(map(len, gammas_of(network).values())))]:
        left = {layer: len(index) for layer, index in choose(scores, sizes_of(network), count).items()}
        for rounding, width in ROUNDINGS.items():
            stays = streams if rounding != "as cut" else ()
            widths = {k: whole[k] if k in stays else width(n, whole[k]) for k, n in left.items()}
            some, more = counted(network, widths, areas)
            shapes[rounding] |= some
            values[rounding] += more
    shares = [rounded(values[r] / values["masks"], 2) for r in list(ROUNDINGS)[1:-1]]
    return [name, *(str(len(some)) for some in shapes.values()), *shares]


def main() -> None:
    """Count and write the section."""
    write_section(
        "Shapes of a pruning curve",
        "Different shapes of convolutions in a network and the 19 steps of its curve, by how many channels a cut layer "
        "gets. Quarters are those of its width before pruning. With masks it keeps that width. The last columns have "
        "the values that layers put out along the curve, as a share of those with masks. The order in which channels "
        f"go is drawn at random. Clips have {FRAMES} frames. Nothing is timed.",
        table(["network", *ROUNDINGS, *(f"values, {r}" for r in list(ROUNDINGS)[1:-1])], map(row, NETWORKS)),
    )


if __name__ == "__main__":
    main()
