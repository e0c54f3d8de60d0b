# What is refused before anything is computed, because results would be lost or mixed, or nothing would come of it.
import atexit
import shutil

from channel_sparsity.data.clips import SPLIT
from channel_sparsity.data.meta import check_expected, read_list
from channel_sparsity.bookkeeping.access import (
    locked,
    read_only,
    refuse_unreadable,
    refuse_unwritable,
)
from channel_sparsity.bookkeeping.checksums import refuse_moved
from channel_sparsity.bookkeeping.orphans import refuse_orphans
from channel_sparsity.bookkeeping.targets import nearest


def refuse_unknown(targets):
    """Refuse targets that there are not, in the words of this study, and files that Snakemake could not look at."""
    with refusing():
        refuse_unreadable(
            [SOURCE.table, *Path(DATA).glob("*"), *Path(RESULTS).glob("*")]
        )
    names, files = snakemake_internals.known_targets(workflow)
    for target in targets:
        path = os.path.relpath(target)
        study = Path(path).parts[:2]
        if study[:1] == ("results",) and study != Path(RESULTS).parts and study[1:]:
            raise Refused(
                f"{target} is of another study, and this configuration is of {RESULTS}: name the other one's with "
                "--configfile, after the target."
            )
        if (
            target in names
            or Path(path).exists()
            or snakemake_internals.is_made(workflow, path)
        ):
            continue
        files += [file for each in FILES_OF_CELL for file in for_all(each, CELLS)]
        files += [file for each in FILES_OF_CURVE for file in for_all(each, CURVES)]
        meant = nearest(target, names) or nearest(path, files)
        hint = (
            f"did you mean {meant}?"
            if meant
            else f"choose from {', '.join(names[:12])}, or name a file of the study."
        )
        raise Refused(f"There is no target {target}: {hint}")


def refuse_plan(jobs, dry_run):
    """Refuse a run that would lose finished results or cannot end well; a dry run says so at its end."""
    try:
        refuse_unwritable({Path(file).parent for job in jobs for file in job.output})
        refuse_moved(Path(RESULTS))
        refuse_other_settings(jobs)
        refuse_other_list(jobs)
        refuse_to_train_again(jobs)
        refuse_data_that_cannot_be_made(jobs)
    except (StudyError, Refused) as error:
        if not dry_run:
            raise Refused(str(error))
        atexit.register(print, f"This would be refused: {error}", file=sys.stderr)


def longest_of(clips):
    """Seconds of the longest of some clips of the user's own, by their headers; 0 if one has none, as will be said."""
    from channel_sparsity.data.sources.folder import header_of

    try:
        headers = [header_of(SOURCE.path_of(clip)) for clip in clips]
    except StudyError:
        return 0
    return max((header["duration_s"] for header in headers), default=0)


def refuse_data_that_cannot_be_made(jobs):
    """Before the data are made: refuse recordings that are not there, and a disk that has no room for the features."""
    from channel_sparsity.planning.estimate import data_bytes, passing_bytes, size_of

    if not any(job.rule_name in SOURCE.stages for job in jobs):
        return
    try:
        clips = SOURCE.extent().clips
    except StudyError:
        if SOURCE.made:  # it need not be known beforehand
            return
        raise
    longest = 0 if SOURCE.made else longest_of(SOURCE.first(20))
    if 0 < longest < DATASET["features"]["duration_s"]:
        sentence = (
            f"The first clips of {config['dataset']} last {longest:g} s at most, but `features.duration_s` is "
            f"{DATASET['features']['duration_s']:g}: silence is added to them. Set it to what most of them last."
        )
        atexit.register(print, sentence, file=sys.stderr)
    needed = sum(data_bytes(DATASET, clips).values()) + passing_bytes(DATASET, clips)
    needed -= sum(file.lstat().st_size for file in Path(DATA).rglob("*"))
    place = next(path for path in (Path(DATA), *Path(DATA).parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise Refused(
            f"{DATA} needs about {size_of(needed)} more, and the disk has {size_of(free)} free: make room, or make "
            f"{DATA} a link to a folder on another disk."
        )


def refuse_to_train_again(jobs):
    """Refuse to train and prune what is finished in the same run as the data are made anew, or a split that was lost.
    That these come out the same Snakemake cannot know beforehand, and sees when they are made by themselves.
    """
    again = sum(
        job.rule_name in ("train_network", "prune_network") and job.only_after_others
        for job in jobs
    )
    files, why = rules.split_clips.output, ""
    if data_anew := any(job.rule_name in SOURCE.stages for job in jobs):
        files = [
            f"{DATA}/{name}" for name in ("clips.csv", "logmel.h5", "manifest.json")
        ]
        changed = changed_files()
        why = f"The data in {DATA} are to be made anew{changed and f' ({changed})'}"
    if gone := [file for file in files if not Path(file).exists()]:
        why = f"{' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} gone"
    if not again or not why:
        return
    first = "targets `dataset features`" if data_anew else f"target {gone[0]}"
    raise Refused(
        f"{why}, and to make that on the way would run {again} finished trainings and curves again. Run the {first} "
        "first, with the same options. Then this command runs again only what depends on a change."
    )


def changed_files():
    """Which of the user's own files have changed since the clips were listed, in words."""
    if SOURCE.made:
        return ""
    now, noted = own_files()
    return recordings.changes(now, noted) if noted else ""


def refuse_other_settings(jobs):
    """Refuse to make a finished study's trainings and curves anew with other settings."""
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
    if differing := validation.differences(before, config):
        raise Refused(
            f"{RESULTS} holds a finished study with other settings ({differing}), and {len(again)} of its trainings and "
            "curves would be made anew. Give this study another name (`study`), or add `--config overwrite=true` to "
            "replace that one."
        )


def refuse_other_list(jobs):
    """Refuse to go on with an official split whose list has become another, with whatever time stamp."""
    split = rules.split_clips.output.split
    if config["split"]["kind"] != "official" or any(
        job.rule_name == "split_clips" for job in jobs
    ):
        return
    if Path(split).exists() and Path(TRAIN_LIST).exists():
        made = read_csv(split, SPLIT)
        listed = made["filename"].isin(read_list(Path(TRAIN_LIST)))
        if (listed != (made["subset"] == "train")).any():
            raise Refused(
                f"{TRAIN_LIST} is another list than {split} was made by: put that one back, or delete {split} to split "
                "by this one."
            )


def refuse_another_data_set():
    """Two blocks that differ never share a folder: stop before one is written over the other."""
    manifest = Path(DATA) / "manifest.json"
    if not manifest.exists():
        return
    with refusing():
        made = read_json(manifest)
    made_from = validation.canonical(
        made.get("settings", {}), {"$ref": "#/$defs/dataset"}, SCHEMA
    )
    if made_from != CONTENT:
        differing = sorted(
            k for k in {*made_from, *CONTENT} if made_from.get(k) != CONTENT.get(k)
        )
        raise Refused(
            f"{DATA} was made from other settings of `datasets.{config['dataset']}` ({', '.join(differing)}): "
            f"give the block another name, or delete {DATA} to make it anew"
        )
    with refusing():
        check_expected(made["clips_per_scene"], DATASET.get("expected", {}), DATA)


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
        with refusing():
            refuse_orphans(prefix, Path.cwd())


refuse_another_data_set()
snakemake_internals.say_instead(
    lambda: locked(Path.cwd()), lambda files: read_only(files[0])
)
snakemake_internals.before_jobs(workflow, refuse_unknown, refuse_plan)
