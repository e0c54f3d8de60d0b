"""Jobs that a main process which was killed has left behind in SLURM."""

import subprocess
from pathlib import Path

from channel_sparsity.bookkeeping.snakemake_internals import is_job_of
from channel_sparsity.files import StudyError


def refuse_orphans(prefix: str, folder: Path) -> None:
    """Raise `StudyError` if SLURM still has jobs of ours for the same folder: others would run beside them.

    Ours are those of this user whose name begins with `prefix`; their folder is where the run has its files. Asked
    before anything is submitted, all that are found are another run's: one that was killed, or one that is still going.
    """
    asked = ["squeue", "--me", "--noheader", "--format=%i|%T|%j|%Z|%k"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip()
        raise StudyError(f"SLURM does not say which jobs there are ({reason}): try again when squeue works") from error
    rows = [line.split("|", 4) for line in said.splitlines()]
    left = [
        (job, state, comment)
        for job, state, name, where, comment in rows
        if is_job_of(name, prefix) and Path(where) == folder
    ]
    if left:
        each = ", ".join(f"{job} ({state.lower()}: {comment})" for job, state, comment in left)
        raise StudyError(
            f"SLURM still has {len(left)} of another run's jobs for {folder}: {each}. Let them end, or cancel them "
            f"(scancel {' '.join(job for job, _, _ in left)}), and start again"
        )
