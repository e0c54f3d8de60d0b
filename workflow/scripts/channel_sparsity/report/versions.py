"""What a page was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

#: Packages that a number of the study may depend on.
PACKAGES = (
    *("snakemake", "torch", "numpy", "scipy", "pandas", "scikit-learn", "kneed", "librosa", "soundfile", "soxr"),
    *("h5py", "safetensors", "matplotlib", "vl-convert-python"),
)


def versions() -> dict[str, str]:
    """The versions of Python, the machine's architecture and the installed packages."""
    found = {"Python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
