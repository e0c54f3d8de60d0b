"""How cost grows with what is asked for: four times the clips, the frames, the seeds.

    PYTHONPATH=workflow/scripts python benchmarks/growth.py

About three minutes. An exponent of 1 is a cost in proportion.
"""

import math
import tempfile
from pathlib import Path

from dag import prepare as prepare_snakemake
from features import extract, make_clips
from measuring import Side, in_turn, machine, rounded, table, write_section
from training import prepare as prepare_training

ROUNDS, FACTOR = 3, 4


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_clips(root)
        seeds = root / "seeds.yaml"
        seeds.write_text(f"seeds: {list(range(1, FACTOR + 1))}\n")
        dry = (root / "none", "-n", "--quiet", "all")
        pairs = {
            "features: 100 and 400 clips": ((extract, root, False, 100, 1), (extract, root, False, 400, 1)),
            **{
                f"a step of training, {name}: 101 and 404 frames": (
                    (prepare_training, "ours", name, 101),
                    (prepare_training, "ours", name, 404),
                )
                for name in ("vgg11", "resnet11", "mobilenet0.25")
            },
            "`snakemake -n` of the full study: 1 and 4 seeds": (
                (prepare_snakemake, *dry),
                (prepare_snakemake, *dry, "--configfile", str(seeds)),
            ),
        }
        rows = []
        for shown, (once, more) in pairs.items():
            sides = {"once": Side(*once, memory_kept=True), "more": Side(*more, memory_kept=True)}
            measured = in_turn(sides, ROUNDS)
            ratio = (measured.cpu["more"] / measured.cpu["once"]).median()
            exponent = math.log(ratio) / math.log(FACTOR)
            rows.append(
                [shown, rounded(ratio), f"{exponent:.2f}", rounded(measured.peak["more"] / measured.peak["once"])]
            )
        write_section(
            "How cost grows",
            f"Medians of {ROUNDS} rounds. Memory is that of the largest process with its libraries. The speed-up by "
            "several processes is in the section Features.",
            table([f"from one to {FACTOR} times", "times the CPU time", "exponent", "times the peak memory"], rows),
            machine("torch", "snakemake"),
        )


if __name__ == "__main__":
    main()
