# What is refused before anything is computed, because results would be lost or mixed.

from channel_sparsity.data.expected import check_expected
from channel_sparsity.bookkeeping.orphans import refuse_orphans


def refuse_to_train_again(jobs):
    """Before anything starts: refuse to train and prune what is finished for no more than data that are gone. That they
    come out the same Snakemake cannot know beforehand, and sees when they are made by themselves.
    """
    files = [Path(DATA) / name for name in ("clips.csv", "logmel.h5", "manifest.json")]
    gone = [str(file) for file in files if not file.exists()]
    again = [
        job
        for job in jobs
        if job.rule_name in ("train_network", "prune_network") and job.only_after_others
    ]
    if gone and again:
        raise WorkflowError(
            f"{' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} gone, and to make the data on the way would run "
            f"{len(again)} finished trainings and curves again. Run the targets `dataset features` first, with the same options: they make the data alone. Then "
            "this command runs again only what other features change."
        )


def refuse_other_settings(jobs):
    """Before anything starts: refuse to make a finished study's trainings and curves anew with other settings."""
    record = Path(RESULTS) / "provenance.json"
    again = [
        job
        for job in jobs
        if job.rule_name in ("train_network", "prune_network") and job.replaces
    ]
    if OVERWRITE or not again or not record.exists():
        return
    try:
        before = read_json(record)["configuration"]
    except (StudyError, KeyError):
        return
    if differing := configuration.differences(before, config):
        raise WorkflowError(
            f"{RESULTS} holds a finished study with other settings ({differing}), and {len(again)} of its trainings and "
            "curves would be made anew. Give this study another name (`study`), or add `--config overwrite=true` to "
            "replace that one."
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
    made_from = configuration.canonical(
        made.get("settings", {}), {"$ref": "#/$defs/dataset"}, SCHEMA
    )
    if made_from != CONTENT:
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


def doubts_about(jobs):
    """Before anything is trained: what of the settings lets no cell count."""
    if all(job.rule_name != "train_network" for job in jobs):
        return []
    from channel_sparsity.planning.doubts import doubts

    try:
        return list(doubts(config, SOURCE.extent()))
    except StudyError:  # a job says it better
        return []


def refuse_orphans_of(workflow):
    """Before anything is submitted to SLURM: refuse to run beside jobs that a killed main process left there."""
    prefix = snakemake_internals.executor_setting(workflow, "jobname_prefix")
    if prefix:
        try:
            refuse_orphans(prefix, Path.cwd())
        except StudyError as error:
            raise WorkflowError(str(error))


refuse_another_data_set()
