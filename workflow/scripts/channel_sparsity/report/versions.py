"""What a page was made with."""

import platform

from channel_sparsity.machine import installed

#: Packages that a number or a picture of the study may depend on.
PACKAGES = (
    *("snakemake", "torch", "numpy", "scipy", "pandas", "scikit-learn", "kneed", "soundfile", "soxr", "h5py"),
    *("safetensors", "matplotlib", "vl-convert-python"),
)


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that are installed, and the kind of machine."""
    found = {"Python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    return found | {name: number for name in PACKAGES if (number := installed(name))}
