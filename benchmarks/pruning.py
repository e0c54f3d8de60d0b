"""A fine-tuned pruning curve by surgery beside the same by masks; surgery beside Torch-Pruning's.

    PYTHONPATH=workflow/scripts python benchmarks/pruning.py

About twelve minutes. By masks the network keeps its size: a channel that goes has gamma = beta = 0 and is held there.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch_pruning
import yaml
from measuring import ROOT, Side, in_turn, machine, rounded, spread, table, write_section
from training import BANDS, NETWORKS, subsets, untrained

from channel_sparsity.networks import count_gammas
from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.context import Context
from channel_sparsity.pruning.curve import plan_of, trace
from channel_sparsity.pruning.methods.slimming import scores
from channel_sparsity.pruning.selection import choose, sizes_of
from channel_sparsity.pruning.surgery import cut

FRAMES, TRAINING_CLIPS, VALIDATION_CLIPS, STEPS = 101, 128, 32, 19
CURVES = [*NETWORKS.items(), ("vgg11", 1.0), ("resnet11", 1.0)]  # the demo's widths, then the paper's
CUT = {"vgg16": 0.5, "mobilenet1.00": 0.5}  # whole networks, and the share of their channels that goes
CUTS = 10
CONTEXT = Context({"tied_gammas": "mean", "signed_gammas": False}, "", 1, subsets(FRAMES, 1, 1)[0])


class Masking:
    """What takes channels by setting their gammas and betas to zero; a method in the eyes of `trace`."""

    def prune(self, network: Network, step: int, count: int) -> Network:
        """A copy of the network without the `count` smallest gammas, those that are zero already among them."""
        ranked = scores(network, CONTEXT)
        keep = choose(ranked, sizes_of(network), count)
        masked = copy.deepcopy(network)
        for channels in masked.channels:
            gone = torch.ones_like(ranked[channels.name], dtype=torch.bool)
            gone[keep[channels.name]] = False
            for norm in channels.norms:
                module = masked.get_submodule(norm)
                with torch.no_grad():
                    module.weight[gone] = 0
                    module.bias[gone] = 0
        return masked


class Holding:
    """What holds the gammas and betas at zero that are zero; a penalty in the eyes of `trace`."""

    def priced_by(self, network: Network, bands: int, frames: int) -> "Holding":
        return self

    def on(self, network: Network, bands: int, frames: int) -> "Held":
        norms = [network.get_submodule(norm) for channels in network.channels for norm in channels.norms]
        return Held([(module, module.weight.detach() != 0) for module in norms])


@dataclass(frozen=True)
class Held:
    """`Holding` of one network; `stays`: its normalisations, and which of their channels are not gone."""

    stays: list[tuple[torch.nn.BatchNorm2d, torch.Tensor]]

    def before_step(self) -> None:
        """Nothing: what is gone may move, but not stay moved."""

    @torch.no_grad()
    def after_step(self, rate: float) -> None:
        for module, mask in self.stays:
            module.weight.mul_(mask)
            module.bias.mul_(mask)


def prepare_curve(way: str, name: str, width_scale: float) -> Callable[[], object]:
    """What takes the next step of the curve: the first is step 0."""
    torch.set_num_threads(1)
    network = untrained(name, width_scale).to(memory_format=torch.channels_last)
    train, validation = subsets(FRAMES, TRAINING_CLIPS, VALIDATION_CLIPS)
    settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    recipe = settings["pruning"] | {"method": "slimming"}
    recipe["finetuning"] |= {"epochs": 1, "learning_rate": 0.001}
    plan = plan_of(recipe, settings["training"], lam=0.0, name=name, seed=1, train=train)
    if way == "masks":
        plan = replace(plan, method=Masking(), finetuning=replace(plan.finetuning, penalty=Holding()))
    return trace(network, plan, validation).__next__


def prepare_cut(way: str, name: str) -> Callable[[], object]:
    """What takes the same channels from a whole network, the smaller network being a new one."""
    network = untrained(name).eval()
    ranked = scores(network, CONTEXT)
    keep = choose(ranked, sizes_of(network), round(CUT[name] * count_gammas(network)))
    if way == "ours":
        return lambda: cut(network, keep)
    example = torch.zeros(1, 1, BANDS, FRAMES)
    gone = {
        channels.producers[0]: sorted(set(range(len(ranked[channels.name]))) - set(keep[channels.name].tolist()))
        for channels in network.channels
    }

    def by_dependency_graph() -> None:
        smaller = copy.deepcopy(network)
        graph = torch_pruning.DependencyGraph().build_dependency(smaller, example_inputs=example)
        for producer, indices in gone.items():
            if indices:
                layer = smaller.get_submodule(producer)
                graph.get_pruning_group(layer, torch_pruning.prune_conv_out_channels, idxs=indices).prune()

    return by_dependency_graph


def curves() -> str:
    """Whole curves, a step of one way after a step of the other."""
    rows = []
    for name, width_scale in CURVES:
        sides = {way: Side(prepare_curve, way, name, width_scale, memory_kept=True) for way in ("surgery", "masks")}
        cpu = in_turn(sides, STEPS).cpu
        share = cpu["surgery"] / cpu["masks"]
        total = cpu.sum()
        rows.append(
            [
                f"{name} x {width_scale:g}",
                rounded(total["surgery"]),
                rounded(total["masks"]),
                rounded(total["surgery"] / total["masks"]),
                *(rounded(share[some].median()) for some in (slice(0, 5), slice(7, 12), slice(15, 19))),
            ]
        )
    header = ["s by surgery", "s by masks", "surgery / masks", "steps 1 to 5", "steps 8 to 12", "steps 16 to 19"]
    return table([f"curve of {STEPS} steps", *header], rows)


def cuts() -> str:
    """Surgery alone."""
    rows = []
    for name in CUT:
        sides = {way: Side(prepare_cut, way, name, memory_kept=True) for way in ("ours", "Torch-Pruning")}
        cpu = in_turn(sides, CUTS).cpu
        rows.append(
            [
                name,
                spread(1000 * cpu["ours"]),
                spread(1000 * cpu["Torch-Pruning"]),
                spread(cpu["Torch-Pruning"] / cpu["ours"]),
            ]
        )
    return table(["half of all channels go", "ours, ms", "Torch-Pruning, ms", "times as fast"], rows)


def main() -> None:
    write_section(
        "A pruning curve",
        f"{STEPS} steps of 5 %. After each there is an epoch of fine-tuning on {TRAINING_CLIPS} clips of {FRAMES} "
        f"frames, with validation on {VALIDATION_CLIPS} clips before and after it. The clips are noise. Gammas are "
        "drawn from .1 to .9. The widths are those of the demo and of the paper. With masks, removed channels are kept "
        "at zero and the network keeps its size.",
        curves(),
        "The surgery of one step, on networks of the paper's widths. It includes a copy of the network. "
        "Torch-Pruning's time includes its analysis of the network, which every new network needs.",
        cuts(),
        machine("torch", "torch-pruning"),
    )


if __name__ == "__main__":
    main()
