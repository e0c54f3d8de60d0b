"""Write envs/environment.yaml, the conda form of the lock: python envs/conda.py (make lock does)."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent

HEAD = """# Made from torch.txt and requirements.txt by conda.py: the same versions, for snakemake --sdm conda.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.11
  - pip
  - pip:
"""


def page():
    """The text of envs/environment.yaml: every pinned requirement of the two locks, with its marker."""
    lines = [line for name in ("torch.txt", "requirements.txt") for line in (FOLDER / name).read_text().splitlines()]
    pins = [line.removesuffix("\\").strip() for line in lines if re.match(r"[a-z0-9]", line)]
    return HEAD + "".join(f'    - "{pin}"\n' for pin in pins)


if __name__ == "__main__":
    (FOLDER / "environment.yaml").write_text(page())
