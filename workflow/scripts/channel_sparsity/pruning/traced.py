"""What is written of a pruning curve, step by step, and how it is kept while the curve is traced."""

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy
import pandas
from torch import Tensor, stack

from channel_sparsity.files import whole
from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.networks.saving import save_weights
from channel_sparsity.pruning.curve import COLUMNS, Plan, Reached, Step, finetune, trace
from channel_sparsity.training.fit import Failure, accuracy, predict
from channel_sparsity.training.setup import Setup
from channel_sparsity.training.state import State

log = logging.getLogger(__name__)

#: The name of this part of a job's state.
_PART = "curve"


@dataclass
class Traced:
    """The steps so far: rows of curve.csv, widths.csv and timing.csv, and log-probabilities [clips, classes] of each.

    Of each step only what is written: networks and their gradients do not pile up. `status`: ``traced``, or that of the
    `Failure` that ended the curve, with its `reason`. `control`: the accuracy of the unpruned network, fine-tuned as
    each step is; None if nothing is fine-tuned.
    """

    rows: list[dict] = field(default_factory=list)
    widths: list[dict] = field(default_factory=list)
    timing: list[dict] = field(default_factory=list)
    log_probabilities: list[Tensor] = field(default_factory=list)
    status: str = "traced"
    reason: str | None = None
    control: float | None = None

    def add(self, step: Step) -> None:
        """One step more."""
        self.rows.append({column: getattr(step, column) for column in COLUMNS})
        for layer, width in widths_of(step.network).items():
            self.widths.append({"step": step.step, "layer": layer, "channels": width})
        self.timing.append({"step": step.step, "seconds": step.seconds})
        self.log_probabilities.append(step.log_probabilities)

    def keep(self, state: State, step: Step) -> None:
        """Note all of it in the job's state, with the network of `step`, the last one."""
        values = {
            "rows": self.rows,
            "widths": self.widths,
            "timing": self.timing,
            "step": step.step,
            "network": widths_of(step.network),
            "seconds": state.seconds(),
        }
        tensors = {f"network.{key}": tensor for key, tensor in step.network.state_dict().items()}
        state.keep(_PART, values, {"log_probabilities": stack(self.log_probabilities), **tensors}, alone=True)

    @classmethod
    def of(cls, state: State, unpruned: Network) -> tuple["Traced", Reached | None]:
        """What `keep` noted, and the step to go on behind; nothing, and None, if it noted nothing."""
        kept = state.part(_PART)
        if kept is None:
            return cls(), None
        values, tensors = kept.values, dict(kept.tensors)
        log_probabilities = list(tensors.pop("log_probabilities"))
        network = unpruned.unfilled(values["network"])
        device = unpruned.head.weight.device
        weights = {key.removeprefix("network."): tensor.to(device) for key, tensor in tensors.items()}
        # Assigned, not copied: the tensors' layout in memory is that of before the kill.
        network.load_state_dict(weights, assign=True)
        traced = cls(values["rows"], values["widths"], values["timing"], log_probabilities)
        return traced, Reached(values["step"], network, values["seconds"])

    def tables(self) -> dict[str, pandas.DataFrame]:
        """What goes into the CSV files, by their names in the rule's output."""
        return {
            "curve": pandas.DataFrame(self.rows, columns=COLUMNS),
            "widths": pandas.DataFrame(self.widths, columns=["step", "layer", "channels"]),
            "timing": pandas.DataFrame(self.timing, columns=["step", "seconds"]),
        }

    def outcome(self) -> dict:
        """What control.json holds."""
        return {"status": self.status, "reason": self.reason, "accuracy_unpruned_finetuned": self.control}

    def write_predictions(self, path: str | Path, setup: Setup) -> None:
        """The class [steps, clips] and its log-probability of each validation clip at each step; see the attributes."""
        best = stack(self.log_probabilities).max(dim=2)
        with whole(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
            file.create_dataset("scene", data=best.indices.numpy().astype(numpy.uint16))
            file.create_dataset("log_probability", data=best.values.numpy())
            file.create_dataset("label", data=setup.validation.labels.cpu().numpy().astype(numpy.uint16))
            file.create_dataset("row", data=setup.validation.rows.cpu().numpy())
            file.attrs["scenes"] = setup.scenes
            file.attrs["about"] = (
                "scene and log_probability [steps, clips], label and row (in logmel.h5 and split.csv) [clips]"
            )


def prune(
    network: Network,
    plan: Plan,
    setup: Setup,
    training: Mapping,
    report: Callable[[int], None] = lambda step: None,
    steps: Path | None = None,
) -> Traced:
    """Trace the pruning curve of a trained network, and its control; `report` hears of each step that is done.

    `training`: its ``metrics.json``; of a network whose training went wrong the curve is step 0. The weights of each
    step go into the folder `steps`, if there is one: it belongs to the job's state, and has all of them at the end.
    """
    traced, reached = Traced.of(setup.state, network)
    if steps is not None:
        if not all(weights_of_step(steps, row["step"]).is_file() for row in traced.rows):
            traced, reached = Traced(), None
        if reached is None:
            shutil.rmtree(steps, ignore_errors=True)
        steps.mkdir(parents=True, exist_ok=True)
    try:
        for step in trace(network, plan, setup.validation, setup.state, reached):
            traced.add(step)
            report(step.step)
            if steps is not None:
                save_weights(weights_of_step(steps, step.step), step.network)
            if training["status"] != "trained":
                traced.status = training["status"]
                traced.reason = f"training {training['status']}: {training['reason']}"
                break
            traced.keep(setup.state, step)
    except Failure as error:
        traced.status, traced.reason = error.status, str(error)
    if traced.reason:
        log.warning("the curve ends: %s", traced.reason)
    if training["status"] == "trained" and plan.finetuning.changes:
        try:
            tuned = finetune(network, plan, 0, setup.state)
            traced.control = accuracy(predict(tuned, setup.validation), setup.validation)
        except Failure as error:
            log.warning("the unpruned network could not be fine-tuned: %s", error)
    return traced


def weights_of_step(folder: str | Path, step: int) -> Path:
    """The file of a step's weights in a folder of steps."""
    return Path(folder) / f"{step:02}.safetensors"
