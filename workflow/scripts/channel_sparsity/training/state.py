"""What a long job has reached so far, in one file, so that it goes on after a kill to the same bits."""

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from channel_sparsity.arithmetic import in_force
from channel_sparsity.files import StudyError, sha256, whole
from channel_sparsity.training.device import device_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What one part of a job keeps: values that JSON can hold, and tensors."""

    values: Mapping
    tensors: Mapping[str, torch.Tensor]


def identity(device: torch.device, params: Mapping, files: Mapping[str, str | Path]) -> dict:
    """All that decides a job's bits, for `State`: its parameters, its input files by their digests, and the machine.

    Whoever computes with another number of threads, PyTorch, arithmetic, kind of processor or GPU gets other bits. The
    layout of tensors in memory, which decides too, is kept with them.
    """
    return {
        **params,
        **{name: sha256(path) for name, path in files.items()},
        "number of threads": torch.get_num_threads(),
        "PyTorch": torch.__version__,
        "arithmetic": in_force(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "device": device_name(device),
    }


class State:
    """The state of one job, in `folder`; its parts are kept at most every `every_s` seconds.

    `identity` says what decides the job's bits, by name: a state that another identity has left is not used, nor is one
    that was damaged; either is said in the log. The folder is this job's alone (see `holding`).
    """

    def __init__(self, folder: str | Path, identity: Mapping, every_s: float):
        self.path = Path(folder) / "state.safetensors"
        self._identity, self._every_s = json.loads(json.dumps(identity)), every_s
        self._parts: dict[str, Part] = {}
        self._parent = os.getppid()
        self._started = self._written = time.monotonic()
        self._earlier_s = 0.0
        self.resumed = 0  # how often this job has gone on from its state
        for leftover in self.path.parent.glob(f".{self.path.stem}.*"):
            leftover.unlink()  # of a process that was killed while it wrote
        if self.path.exists():
            self._load()

    def part(self, name: str) -> Part | None:
        """What was kept under a name; None if nothing was."""
        return self._parts.get(name)

    def seconds(self) -> float:
        """How long this job has computed, the runs that it goes on from included, up to where they kept their state."""
        return self._earlier_s + time.monotonic() - self._started

    def keep(self, name: str, values: Mapping, tensors: Mapping[str, torch.Tensor], alone: bool = False) -> None:
        """Note where a part of the job stands (`alone`: and forget the other parts), and write all parts if it is time.

        `tensors` may go on changing afterwards if the same part is kept anew before any other is. A job whose
        Snakemake has been killed stops here: nobody waits for it, and the next run is to go on from its state.
        """
        self._parts = ({} if alone else self._parts) | {name: Part(values, tensors)}
        if self._orphaned():
            self._write()
            raise StudyError(
                f"the run that started this job (process {os.getpid()}) is gone: its state is kept in "
                f"{self.path.parent}, run again to go on from there"
            )
        if time.monotonic() - self._written >= self._every_s:
            self._write()

    def remove(self) -> None:
        """Remove the state, now that what it led to is written; but not if nobody is there to note that it is."""
        if self._orphaned():
            self._write()
        else:
            self.path.unlink(missing_ok=True)

    def _orphaned(self) -> bool:
        return os.getppid() != self._parent

    def _write(self) -> None:
        tensors = {f"{name}:{key}": t for name, part in self._parts.items() for key, t in part.tensors.items()}
        content = {
            "identity": self._identity,
            "seconds": self.seconds(),
            "resumed": self.resumed,
            "values": {name: part.values for name, part in self._parts.items()},
            "strides": {name: tensor.stride() for name, tensor in tensors.items()},
        }
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        text = json.dumps(content)
        try:
            with whole(self.path) as temporary:
                save_file(tensors, temporary, {"content": text, "sha256": _digest(text, tensors)})
        except (OSError, SafetensorError) as error:
            # It is only there for a kill that may never come.
            log.warning("%s could not be written (%s): the job goes on without", self.path, error)
        self._written = time.monotonic()

    def _load(self) -> None:
        try:
            content, tensors = _read(self.path)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            log.warning("%s is damaged (%s), so it is not used: the job starts anew", self.path, error)
            return
        theirs = content["identity"]
        if other := [name for name in self._identity if theirs.get(name) != self._identity[name]]:
            log.warning("%s is of other %s, so it is not used: the job starts anew", self.path, ", ".join(other))
            return
        for name, values in content["values"].items():
            own = {key.removeprefix(f"{name}:"): t for key, t in tensors.items() if key.startswith(f"{name}:")}
            self._parts[name] = Part(values, own)
        self._earlier_s, self.resumed = content["seconds"], content["resumed"] + 1
        log.info("goes on from %s, %.0f s from the start", self.path, self._earlier_s)


def _read(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """What a state file holds: what `State` says beside the tensors, and these, laid out in memory as they were."""
    with safe_open(path, "pt") as file:
        header = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _digest(header["content"], stored) != header["sha256"]:
        raise ValueError("its checksum is another")
    content = json.loads(header["content"])
    tensors = {}
    for name, tensor in stored.items():
        tensors[name] = torch.empty_strided(tensor.shape, content["strides"][name], dtype=tensor.dtype).copy_(tensor)
    return content, tensors


def _digest(content: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """The SHA-256 of the text and of every tensor (contiguous, on the CPU) with its name, type and shape."""
    digest = hashlib.sha256(content.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
