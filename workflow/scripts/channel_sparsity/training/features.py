"""The log-mel store as a network sees it: normalised batches of clips, with labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from channel_sparsity.data.clips import SPLIT
from channel_sparsity.data.store import open_store
from channel_sparsity.files import StudyError, read_csv, read_json

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Subset:
    """Some rows of a log-mel store.

    `logmel` is the whole store, [clips, bands, frames] in dB; `rows` [n] says which clips belong to the subset and
    `labels` [n] their classes; `mean` and `standard_deviation` [bands] normalise each band. On a CPU the store is a
    memory map that all jobs share, so memory does not grow with the data set; a GPU holds all of it.
    """

    logmel: torch.Tensor
    rows: torch.Tensor
    labels: torch.Tensor
    mean: torch.Tensor
    standard_deviation: torch.Tensor

    @classmethod
    def of(
        cls,
        logmel: torch.Tensor | numpy.ndarray,
        rows: numpy.ndarray,
        labels: numpy.ndarray,
        mean: Sequence[float],
        standard_deviation: Sequence[float],
    ) -> "Subset":
        """Build a subset where its store lies; on a CPU a memory map is not copied."""
        logmel = torch.as_tensor(logmel)
        bands = [torch.tensor(values, dtype=torch.float32)[:, None] for values in (mean, standard_deviation)]
        indices = [torch.from_numpy(rows), torch.from_numpy(labels)]
        return cls(logmel, *(tensor.to(logmel.device) for tensor in (*indices, *bands)))

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, which: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Clips `which` of the subset: features [n, 1, bands, frames], normalised, and labels [n]."""
        features = self.logmel.index_select(0, self.rows[which])
        return ((features - self.mean) / self.standard_deviation).unsqueeze(1), self.labels[which]


def in_batches(clips: Subset, most: int = 128) -> tuple[torch.Tensor, ...]:
    """All clips of a subset, as equal batches as can be, of at most so many."""
    return torch.arange(len(clips), device=clips.rows.device).tensor_split(math.ceil(len(clips) / most))


def load_subsets(
    store: str | Path, split: str | Path, normalisation: str | Path, device: torch.device = CPU
) -> tuple[Subset, Subset, list[str]]:
    """The training and the validation subset of a study on a device, and its scenes in the order of the labels
    (alphabetical)."""
    opened, bands = open_store(store), read_json(normalisation)
    subsets = read_csv(split, SPLIT, "split")
    if list(subsets["filename"]) != list(opened.clips["filename"]):
        raise StudyError(f"{split} lists other clips than {store}: delete it and run again")
    scenes, labels = numpy.unique(opened.clips["scene"], return_inverse=True)
    try:
        logmel = torch.from_numpy(opened.logmel).to(device)  # once for both subsets
    except torch.OutOfMemoryError as error:
        raise StudyError(
            f"{store} does not fit into the free memory of the GPU: let fewer jobs share it (--resources gpu=1), use a "
            "larger GPU, or set `training.device` to `cpu`"
        ) from error
    train, validation = (
        Subset.of(
            logmel,
            rows := numpy.flatnonzero(subsets["subset"] == name),
            labels[rows],
            bands["mean_db"],
            bands["standard_deviation_db"],
        )
        for name in ("train", "validation")
    )
    return train, validation, [str(scene) for scene in scenes]
