"""The same bits on every machine: whoever runs these tests is a witness."""

import os
from pathlib import Path

import pytest

from channel_sparsity import arithmetic
from channel_sparsity.bookkeeping.published import Digests, compared
from channel_sparsity.files import StudyError
from channel_sparsity.machine import instruction_sets

PUBLISHED = Path(__file__).with_name("tiny.txt")

#: What hides AVX-512 from each library that would use it.
MASKED = arithmetic.PORTABLE | {"MKL_CBWR": "AVX2"}
WEIGHTS = [
    f"results/tiny/train/{network}/lambda-1e-2/seed-1/weights.safetensors"
    for network in ("vgg11", "resnet11", "mobilenet0.25")
]
MANIFEST = "data/tiny/manifest.json"


@pytest.fixture(scope="module", autouse=True)
def portable():
    """Skip where portable arithmetic cannot be had."""
    try:
        arithmetic.hold("portable")
    except StudyError as error:
        pytest.skip(str(error))


def test_the_tiny_study_has_the_published_numbers(finished):
    own = finished.work / "results/tiny/digests.txt"
    here, there = (Digests.read(path).made_with["versions"] for path in (own, PUBLISHED))
    if here != there:
        pytest.skip(f"bits are promised for {there}, and these are {here}")
    # If numbers were to change: cp <finished>/results/tiny/digests.txt tests/workflow/tiny.txt
    assert compared(own, PUBLISHED).startswith("The same numbers as published, bit for bit"), compared(own, PUBLISHED)


def test_a_run_ends_with_whether_its_numbers_are_the_published_ones(study):
    published, report = study.code / "published/tiny.txt", study.work / "results/tiny/report.html"
    own = (study.work / "results/tiny/digests.txt").read_text()
    published.parent.mkdir()
    published.write_text(own)
    said = study.snakemake().stdout.splitlines()[-1]
    assert said.startswith("The same numbers as published, bit for bit (103 files")
    assert f"<p>{said}</p>" in report.read_text(encoding="utf-8")

    knee = next(line for line in own.splitlines() if line.endswith("knee.json"))
    published.write_text(
        own.replace(knee, f"{64 * '0'}  {knee[66:]}").replace("# arithmetic: portable", "# arithmetic: native")
    )
    said = study.snakemake().stdout.splitlines()[-1]
    assert "they differ from the stage `knees` on (1 of its 16 files)" in said
    assert said.endswith("Likely reason: the arithmetic is portable, not native.")


def trained(study, work, kind, **shell):
    """The weights of one training of each family under an arithmetic, from a shell with these variables."""
    free = {name: value for name, value in os.environ.items() if name not in arithmetic.PORTABLE}
    work.mkdir()
    place = type(study)(study.code, work)
    place.snakemake(*WEIGHTS, changes={"arithmetic": kind}, env=free | shell)
    return [(work / name).read_bytes() for name in (*WEIGHTS, MANIFEST)]


def test_held_jobs_do_not_hear_the_shell_and_free_ones_do(finished, fresh, tmp_path):
    """The finished study is of a shell that says what `hold` says; this one speaks of one library, and otherwise."""
    held = trained(fresh, tmp_path / "held", "portable", MKL_CBWR="AVX2")
    assert held == [(finished.work / name).read_bytes() for name in (*WEIGHTS, MANIFEST)]
    if "avx512f" in instruction_sets():
        free = trained(fresh, tmp_path / "free", "native")
        masked = trained(fresh, tmp_path / "free-masked", "native", **MASKED)
        assert all(one != other for one, other in zip(free[:3], masked[:3], strict=True)), "the mask acts"
        assert all(one != other for one, other in zip(free[:3], held[:3], strict=True)), "and so does holding"
