"""The arithmetic of a study: `portable`, the same bits on every x86-64 processor with AVX2, or `native`.

PyTorch, oneDNN, MKL, OpenBLAS and numpy choose their kernels by the processor, and other kernels round otherwise. After
some hundred updates of a network that is another network, as far from the first as another seed. Portable arithmetic
holds all five to kernels that each of these processors has. Native arithmetic lets them choose.
"""

import os
import platform

from channel_sparsity.files import StudyError
from channel_sparsity.machine import instruction_sets

#: What holds the libraries. They read it when they are loaded, or when they first compute.
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # its convolutions
    "MKL_CBWR": "COMPATIBLE",  # its matrix products: held to AVX2, they still differ between Intel and AMD
    "OPENBLAS_CORETYPE": "Haswell",  # matrix products of numpy and scipy
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # numpy's kernels beyond X86_V3, by its names since 2.4
}

#: What these kernels are made of, by the names in /proc/cpuinfo: the level x86-64-v3 of the x86-64 psABI.
NEEDED = ("avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm")


def hold(arithmetic: str) -> None:
    """Put this process, and every process that it starts, under an arithmetic; before numpy or PyTorch is imported.

    Portable arithmetic does not ask what the shell says of the same variables; native arithmetic leaves them as they
    are. StudyError for portable arithmetic on a processor that cannot do it.
    """
    if arithmetic != "portable":
        return
    missing = [name for name in NEEDED if name not in instruction_sets()]
    if missing:
        raise StudyError(
            f"portable arithmetic needs an x86-64 processor with AVX2, and this one ({platform.machine()}) is none "
            f"(missing: {', '.join(missing)}): set `arithmetic: native` (--config arithmetic=native). The study then "
            "runs here too, but its numbers differ from the published ones as they do between two seeds"
        )
    os.environ.update(PORTABLE)


def in_force() -> str:
    """The arithmetic that this process is under."""
    return "portable" if PORTABLE.items() <= os.environ.items() else "native"
