"""A step of sparse training, ours beside the plain way, for a network of each family.

    PYTHONPATH=workflow/scripts python benchmarks/training.py

About four minutes. Both ways do the same arithmetic: Mixup, SpecAugment, cross-entropy, L1 on the gammas, SGD with
momentum and weight decay. The plain way is that of most public code: a DataLoader over clips, each normalised and
masked on its own, contiguous tensors, the penalty as a term of the loss, `loss.item()` at every step. Ours is timed in
half precision (bfloat16) too. Beside them stands one matrix product of as many multiply-accumulates, to see how much of
a step is arithmetic that no care for memory can spare.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy
import torch
import yaml
from measuring import ROOT, Side, in_turn, machine, rounded, spread, table, write_section
from torch.nn.functional import cross_entropy
from torchaudio.transforms import FrequencyMasking, TimeMasking

from channel_sparsity.networks import build, gammas_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.cost import cost
from channel_sparsity.training.features import Subset
from channel_sparsity.training.fit import fit
from channel_sparsity.training.penalty import Penalty
from channel_sparsity.training.settings import TrainingSettings, training_settings

BANDS, CLASSES, STEPS, ROUNDS, LAMBDA = 40, 10, 2, 6, 1e-4
MEAN_DB, DEVIATION_DB = -40.0, 10.0
NETWORKS = {"vgg11": 0.25, "resnet11": 0.5, "mobilenet0.25": 1.0}  # the demo's widths
FRAMES = (101, 401)


@dataclass(frozen=True)
class Clips(torch.utils.data.Dataset):
    """The plain way's clips: one at a time, normalised and masked."""

    logmel: numpy.ndarray
    labels: numpy.ndarray
    settings: TrainingSettings

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        features = torch.from_numpy((self.logmel[index] - MEAN_DB) / DEVIATION_DB)[None]
        augmentation = self.settings.augmentation
        frames = round(augmentation.time_mask_share * features.shape[2])
        features = FrequencyMasking(augmentation.frequency_mask_bands)(features)
        return TimeMasking(frames)(features), int(self.labels[index])


def made(frames: int, clips: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Features and labels of clips that hold noise."""
    rng = numpy.random.default_rng(0)
    return rng.normal(MEAN_DB, DEVIATION_DB, (clips, BANDS, frames)).astype(numpy.float32), rng.integers(
        0, CLASSES, clips
    )


def subsets(
    frames: int, clips: int, validation_clips: int, device: torch.device | str = "cpu"
) -> tuple[Subset, Subset]:
    """Clips that hold noise, to learn from and to validate, on a device."""
    logmel, labels = made(frames, clips + validation_clips)
    store, rows = torch.from_numpy(logmel).to(device), numpy.arange(len(labels))
    bands = [MEAN_DB] * BANDS, [DEVIATION_DB] * BANDS
    return tuple(Subset.of(store, rows[part], labels[part], *bands) for part in (slice(clips), slice(clips, None)))


def untrained(name: str, width_scale: float = 1.0) -> Network:
    """A network with gammas that are not all alike, always the same."""
    torch.manual_seed(0)
    network = build(name, CLASSES, width_scale)
    for gamma in gammas_of(network).values():
        torch.nn.init.uniform_(gamma, 0.1, 0.9)
    return network


def paper() -> TrainingSettings:
    """The training of config.yaml."""
    settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["training"]
    return training_settings({**settings, "epochs": 1000, "learning_rate": 0.001})


def prepare(way: str, name: str, frames: int) -> Callable[[], object]:
    """What does some steps of training."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings = paper()
    network = build(name, CLASSES, NETWORKS[name])
    if way == "product":
        return one_product(STEPS * settings.batch_size * 3 * cost(network, BANDS, frames).macs)
    logmel, labels = made(frames, STEPS * settings.batch_size)
    if way == "plain":
        return plain(network, Clips(logmel, labels, settings)).__next__
    network = network.to(memory_format=torch.channels_last)
    if way == "network alone":
        return network_alone(network, torch.from_numpy(logmel)[:, None], torch.from_numpy(labels), settings.batch_size)
    subset, _ = subsets(frames, STEPS * settings.batch_size, 0)
    if way == "half":
        settings = replace(settings, precision="bfloat16")
    return fit(network, subset, settings, Penalty("subgradient", LAMBDA), seed=1, purpose=("benchmark",)).__next__


def plain(network: Network, clips: Clips) -> Iterator[float]:
    """Train in the plain way; yields the loss after each epoch."""
    settings = clips.settings
    loader = torch.utils.data.DataLoader(clips, settings.batch_size, shuffle=True)
    optimiser = torch.optim.SGD(
        network.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay
    )
    alpha, device = settings.augmentation.mixup_alpha, network.head.weight.device
    while True:
        total = 0.0
        network.train()
        for features, labels in loader:
            features, labels = features.to(device), labels.to(device)
            weight = numpy.random.beta(alpha, alpha)
            partner = torch.randperm(len(features))
            logits = network(weight * features + (1 - weight) * features[partner])
            loss = weight * cross_entropy(logits, labels) + (1 - weight) * cross_entropy(logits, labels[partner])
            loss = loss + LAMBDA * sum(gamma.abs().sum() for gamma in gammas_of(network).values())
            optimiser.zero_grad()
            loss.backward()
            if settings.clip_gammas is not None:
                torch.nn.utils.clip_grad_value_(list(gammas_of(network).values()), settings.clip_gammas)
            optimiser.step()
            total += loss.item()
        yield total


def network_alone(network: Network, features: torch.Tensor, labels: torch.Tensor, size: int) -> Callable[[], None]:
    """What runs our network forwards and backwards, and nothing else, on batches that are ready."""
    batches = list(zip(features.split(size), labels.split(size), strict=True))
    network.train()

    def work() -> None:
        for some, their_labels in batches:
            network.zero_grad(set_to_none=True)
            cross_entropy(network(some), their_labels).backward()

    return work


def one_product(macs: int, side: int = 1024) -> Callable[[], object]:
    """What multiplies two matrices in that many multiply-accumulates. (A step takes three times those of a prediction:
    for the outputs, for the gradients of the weights, and for those of the inputs.)"""
    left, right = torch.rand(round(macs / side**2), side), torch.rand(side, side)
    product = left @ right
    return lambda: torch.mm(left, right, out=product)


def main() -> None:
    rows = []
    for name in NETWORKS:
        for frames in FRAMES:
            sides = {
                "plain": Side(prepare, "plain", name, frames, memory_kept=False),
                "ours": Side(prepare, "ours", name, frames, memory_kept=True),
                "half": Side(prepare, "half", name, frames, memory_kept=True),
                "alone": Side(prepare, "network alone", name, frames, memory_kept=True),
                "product": Side(prepare, "product", name, frames, memory_kept=True),
            }
            cpu = in_turn(sides, ROUNDS).cpu / STEPS
            rows.append(
                [
                    f"{name} x {NETWORKS[name]:g}",
                    frames,
                    spread(1000 * cpu["ours"]),
                    spread(1000 * cpu["plain"]),
                    rounded(paper().batch_size / cpu["ours"].median()),
                    spread(cpu["plain"] / cpu["ours"]),
                    spread(cpu["plain"] / cpu["half"]),
                    f"{100 * (1 - (cpu['alone'] / cpu['ours']).median()):.0f} %",
                    spread(1000 * cpu["product"]),
                ]
            )
    write_section(
        "A step of training",
        f"Batches of {paper().batch_size}, one thread, {ROUNDS} rounds of {STEPS} steps. The clips are noise. The "
        "widths are the demo's. Plain means a DataLoader, contiguous tensors, `.item()` at every step, and memory not "
        "kept. One matrix product has as many multiply-accumulates, in single precision, as the step's convolutions "
        "forwards and backwards.",
        table(
            [
                "network",
                "frames",
                "ours, ms a step",
                "plain, ms a step",
                "ours, clips a second",
                "times the plain speed",
                "in bfloat16",
                "ours, outside the network",
                "one matrix product, ms",
            ],
            rows,
        ),
        machine("torch", "torchaudio", "numpy"),
    )


if __name__ == "__main__":
    main()
