"""What can happen to files: what disks, crashes and clocks do to them, and which job reads them."""

import os
import random
import time
from pathlib import Path

LAMBDAS = ("0", "1e-2")
YEAR_S = 365 * 86400

#: Files that a later job reads, and an output of that job; `{cell}` is one of the study's networks.
READ = (
    ("data/faults/meta.csv", "data/faults/clips.csv"),
    ("data/faults/audio/*.wav", "data/faults/logmel.h5"),
    ("data/faults/clips.csv", "data/faults/logmel.h5"),
    ("data/faults/clips.csv", "results/faults/prune/slimming/{cell}/knee.json"),
    ("data/faults/manifest.json", "results/faults/train/{cell}/metrics.json"),
    ("data/faults/logmel.h5", "results/faults/split.csv"),
    ("data/faults/logmel.h5", "results/faults/train/{cell}/metrics.json"),
    ("data/faults/logmel.h5", "results/faults/prune/slimming/{cell}/curve.csv"),
    ("results/faults/split.csv", "results/faults/train/{cell}/metrics.json"),
    ("results/faults/normalisation.json", "results/faults/prune/slimming/{cell}/curve.csv"),
    ("results/faults/train/{cell}/weights.safetensors", "results/faults/prune/slimming/{cell}/curve.csv"),
    ("results/faults/train/{cell}/metrics.json", "results/faults/prune/slimming/{cell}/curve.csv"),
    ("results/faults/train/{cell}/metrics.json", "results/faults/tables/cells.csv"),
    ("results/faults/train/{cell}/gammas.csv", "results/faults/train/{cell}/sparsity.json"),
    ("results/faults/train/{cell}/sparsity.json", "results/faults/tables/cells.csv"),
    ("results/faults/prune/slimming/{cell}/curve.csv", "results/faults/prune/slimming/{cell}/knee.json"),
    ("results/faults/prune/slimming/{cell}/curve.csv", "results/faults/tables/cells.csv"),
    ("results/faults/prune/slimming/{cell}/predictions.h5", "results/faults/prune/slimming/{cell}/knee.json"),
    ("results/faults/prune/slimming/{cell}/control.json", "results/faults/tables/cells.csv"),
    ("results/faults/prune/slimming/{cell}/knee.json", "results/faults/tables/cells.csv"),
    ("results/faults/train/{cell}/train.sha256", "results/faults/prune/slimming/{cell}/curve.csv"),
    ("results/faults/prune/slimming/{cell}/prune.sha256", "results/faults/prune/slimming/{cell}/knee.json"),
)


def drawn(chance: random.Random, folder: Path) -> tuple[Path, Path]:
    """A file of a study and the output of a job that reads it."""
    cell = f"vgg11/lambda-{chance.choice(LAMBDAS)}/seed-1"
    read, output = (name.format(cell=cell) for name in chance.choice(READ))
    return chance.choice(sorted(folder.glob(read))), folder / output


def truncate(chance: random.Random, path: Path) -> str:
    """The file ends early."""
    size = path.stat().st_size
    kept = chance.randrange(size)
    os.truncate(path, kept)
    return f"cut to {kept} of {size} bytes"


def empty(chance: random.Random, path: Path) -> str:
    """The file is there, and nothing is in it, as after a crash before its data reached the disk."""
    os.truncate(path, 0)
    return "emptied"


def zero_tail(chance: random.Random, path: Path) -> str:
    """The file has its length, but zeros from some place on."""
    size = path.stat().st_size
    kept = chance.randrange(size)
    os.truncate(path, kept)
    os.truncate(path, size)
    return f"zeros from byte {kept} of {size}"


def flip(chance: random.Random, path: Path) -> str:
    """One bit is another."""
    content = bytearray(path.read_bytes())
    place, bit = chance.randrange(len(content)), chance.randrange(8)
    content[place] ^= 1 << bit
    stamps = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))
    return f"bit {bit} of byte {place} flipped"


def from_the_future(chance: random.Random, path: Path) -> str:
    """The clock was wrong when the file was written."""
    later = time.time() + chance.uniform(60, YEAR_S)
    os.utime(path, (later, later))
    return "dated in the future"


DAMAGES = {
    "truncated file": truncate,
    "empty file": empty,
    "zeros at the end": zero_tail,
    "flipped bit": flip,
}
