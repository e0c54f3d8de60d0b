"""One cell of a finished study, for a notebook: a trained network, its gammas and its pruning curve by one recipe."""

import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from channel_sparsity.arithmetic import hold, in_force
from channel_sparsity.files import StudyError, read_csv, read_json

#: What was loaded before it could be held to portable arithmetic.
TOO_EARLY = [name for name in ("numpy", "torch") if name in sys.modules and in_force() != "portable"]
with suppress(StudyError):  # of a processor on which the study can only be native
    hold("portable")

import pandas
from matplotlib.figure import Figure

from channel_sparsity.bookkeeping.checksums import verify
from channel_sparsity.configuration import recipe_of, shape_of
from channel_sparsity.figures import paper as figures
from channel_sparsity.networks import build
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.saving import load_weights
from channel_sparsity.pruning.methods import Method, method_of
from channel_sparsity.tables import study as tables
from channel_sparsity.training.features import Subset, load_subsets
from channel_sparsity.training.fit import accuracy, predict


@dataclass(frozen=True)
class Cell:
    """What a study knows of one network, lambda, seed and recipe.

    `row`: its row of ``cells.csv`` (`ws`, `pk`, `accuracy`, `included` ...). `network`: with its trained weights.
    `gammas`, `curve`: ``gammas.csv`` and ``curve.csv``. `knee`: ``knee.json``. `train` and `validation`: the clips of
    the study; `scenes`: their classes. `method`: how the recipe takes channels.
    """

    row: pandas.Series
    network: Network
    gammas: pandas.DataFrame
    curve: pandas.DataFrame
    knee: Mapping
    train: Subset
    validation: Subset
    scenes: list[str]
    method: Method

    def plot(self) -> Figure:
        """The pruning curve with its knee (Fig. 2)."""
        names = {name: self.row[name] for name in ("network", "recipe", "lam", "seed")}
        return figures.pruning_curves(self.curve.assign(**names), self.row.to_frame().T.astype(tables.CELLS))

    def pruned(self, share: float) -> Network:
        """The trained network without `share` of its channels, in one step and without fine-tuning."""
        return self.method.prune(self.network, 1, round(share * len(self.gammas)))

    def accuracy(self, network: Network) -> float:
        """The fraction of the validation clips that a network tells right."""
        return accuracy(predict(network, self.validation), self.validation)


def load(study: str | Path, network: str, lam: str = "0", recipe: str = "slimming", seed: int = 1) -> Cell:
    """A cell of the study in a folder (``results/demo``), of which its tables must have been made.

    The data set is looked for where it was while the study ran, in ``data/`` beside ``results/``. `StudyError` for a
    cell that the study does not have, with those that it has, and for files that are damaged or another's. Warns where
    portable arithmetic came too late.
    """
    study = Path(study)
    configuration = _configuration(study)
    if TOO_EARLY and configuration.get("arithmetic") == "portable":
        warnings.warn(
            f"{' and '.join(TOO_EARLY)} was imported before channel_sparsity.cell, so what is computed here may differ "
            "from the study in its last bits: import channel_sparsity.cell first",
            stacklevel=2,
        )
    cells = tables.read_table(study / "tables" / "cells.csv", tables.CELLS)
    wanted = {"network": network, "recipe": recipe, "lam": lam, "seed": seed}
    for name, value in wanted.items():
        there = list(dict.fromkeys(cells[name]))
        cells = cells[cells[name] == value]
        if cells.empty:
            raise StudyError(f"{study} has no cell of {name} {value}: choose from {', '.join(map(str, there))}")
    place = Path(network, f"lambda-{lam}", f"seed-{seed}")
    trained, traced = study / "train" / place, study / "prune" / recipe / place
    verify([trained / "weights.safetensors", trained / "gammas.csv", traced / "curve.csv", traced / "knee.json"])
    store = study.parent.parent / "data" / configuration["dataset"] / "logmel.h5"
    train, validation, scenes = load_subsets(store, study / "split.csv", study / "normalisation.json")
    made = build(network, len(scenes), **shape_of(configuration, network))
    return Cell(
        cells.iloc[0],
        load_weights(made, trained / "weights.safetensors").eval(),
        read_csv(trained / "gammas.csv"),
        read_csv(traced / "curve.csv"),
        read_json(traced / "knee.json"),
        train,
        validation,
        scenes,
        method_of(recipe_of(configuration, recipe), name=network, seed=seed, train=train),
    )


def _configuration(study: Path) -> Mapping:
    """The configuration that the tables of a study were made with."""
    record = study / "tables" / "cells.json"
    if not record.is_file():
        raise StudyError(f"{record} does not exist: name the folder of a study whose tables have been made")
    return read_json(record)["configuration"]
