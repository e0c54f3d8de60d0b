"""What is written of a pruning curve, step by step, and how it is kept while the curve is traced."""

from dataclasses import dataclass, field

import pandas
from torch import Tensor, stack

from channel_sparsity.networks import widths_of
from channel_sparsity.networks.channels import Network
from channel_sparsity.pruning.curve import Reached, Step
from channel_sparsity.training.state import State

#: The name of this part of a job's state.
_PART = "curve"


@dataclass
class Traced:
    """The steps so far: rows of curve.csv, widths.csv and timing.csv, and log-probabilities [clips, classes] of each.

    Of each step only what is written: networks and their gradients do not pile up.
    """

    rows: list[dict] = field(default_factory=list)
    widths: list[dict] = field(default_factory=list)
    timing: list[dict] = field(default_factory=list)
    log_probabilities: list[Tensor] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """One step more."""
        self.rows.append({column: getattr(step, column) for column in Step.COLUMNS})
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
            "curve": pandas.DataFrame(self.rows, columns=Step.COLUMNS),
            "widths": pandas.DataFrame(self.widths, columns=["step", "layer", "channels"]),
            "timing": pandas.DataFrame(self.timing, columns=["step", "seconds"]),
        }
