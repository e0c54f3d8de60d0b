"""What a job runs on, as its log says it: machine and versions in one line."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Instruction sets that numerical libraries choose their kernels by, the most capable first: bits may depend on it.
_INSTRUCTION_SETS = ("amx_tile", "avx512f", "avx2", "avx", "sve2", "sve", "asimd")

#: Packages whose versions may decide a number.
_PACKAGES = ("torch", "numpy", "scipy", "pandas", "h5py")


def machine() -> dict[str, object]:
    """CPU (model, cores that this process may use, instruction set), GPUs that the driver shows, and system."""
    flags = instruction_sets()
    return {
        "cpu": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instruction_set": next((name for name in _INSTRUCTION_SETS if name in flags), platform.machine()),
        "gpus": _gpus(),
        "system": platform.platform(),
    }


def instruction_sets() -> list[str]:
    """The extensions of the processor, by Linux's names; empty elsewhere."""
    return (_cpuinfo("flags") or _cpuinfo("Features")).split()


def versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Python's version and those of the packages that are installed."""
    return {"python": platform.python_version()} | {name: found for name in packages if (found := installed(name))}


def installed(package: str) -> str | None:
    """The version of a package that is installed; None if it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def described() -> str:
    """Machine and versions in one line."""
    here = machine()
    parts = [here["cpu"], f"{here['cores']} cores", here["instruction_set"], *here["gpus"], here["system"]]
    return ", ".join(map(str, parts)) + "; " + ", ".join(f"{name} {number}" for name, number in versions().items())


def _cpuinfo(key: str) -> str:
    """The first value of a key in Linux's description of the processors; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    values = (value.strip() for name, _, value in (line.partition(":") for line in lines) if name.strip() == key)
    return next(values, "")


def _gpus() -> list[str]:
    """The models of the GPUs that NVIDIA's driver shows, without asking any library for them."""
    try:
        pages = [path.read_text() for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))]
    except OSError:
        return []
    lines = (line.partition(":") for page in pages for line in page.splitlines())
    return [value.strip() for name, _, value in lines if name == "Model"]
