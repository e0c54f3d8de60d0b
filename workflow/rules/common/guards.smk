# What is refused before anything is computed, because results would be lost or mixed.

from channel_sparsity.data.expected import check_expected
from channel_sparsity.bookkeeping.orphans import refuse_orphans


def refuse_to_train_again(jobs):
    """Before anything starts: refuse to train and prune what is finished for no more than a store that is gone. That its
    features come out the same Snakemake cannot know beforehand, and sees when they are made by themselves.
    """
    store, manifest = Path(DATA) / "logmel.h5", Path(DATA) / "manifest.json"
    if store.exists() or not manifest.exists():
        return
    again = [
        job
        for job in jobs
        if job.rule_name in ("train_network", "prune_network") and job.only_after_others
    ]
    if again:
        raise WorkflowError(
            f"{store} is gone, and to make it on the way would run {len(again)} finished trainings and curves again. "
            "Run the target `features` first, with the same options: it makes the store alone. Then this command runs "
            "again only what other features change."
        )


def refuse_another_data_set():
    """Two blocks that differ never share a folder: stop before one is written over the other."""
    manifest = Path(DATA) / "manifest.json"
    if not manifest.exists():
        return
    try:
        made = read_json(manifest)
    except StudyError as error:
        raise WorkflowError(str(error))
    if (made_from := made.get("settings", {})) != CONTENT:
        differing = sorted(
            k for k in {*made_from, *CONTENT} if made_from.get(k) != CONTENT.get(k)
        )
        raise WorkflowError(
            f"{DATA} was made from other settings of `datasets.{config['dataset']}` ({', '.join(differing)}): "
            f"give the block another name, or delete {DATA} to make it anew"
        )
    try:
        check_expected(made["clips_per_scene"], DATASET.get("expected", {}), DATA)
    except StudyError as error:
        raise WorkflowError(str(error))


def refuse_orphans_of(workflow):
    """Before anything is submitted to SLURM: refuse to run beside jobs that a killed main process left there."""
    prefix = snakemake_internals.executor_setting(workflow, "jobname_prefix")
    if prefix:
        try:
            refuse_orphans(prefix, Path.cwd())
        except StudyError as error:
            raise WorkflowError(str(error))


refuse_another_data_set()
