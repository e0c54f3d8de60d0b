# Clips to log-mel energies. What depends on the features names the manifest, which is small enough for Snakemake to
# compare by content; the store itself is `ancient`, so that a new time stamp retrains nothing.


def refuse_to_train_again(dag):
    """Before anything starts: refuse to train finished networks again for no more than a store that is gone. That its
    features come out the same Snakemake cannot know beforehand, and sees when they are made by themselves.
    """
    store, manifest = Path(DATA) / "logmel.h5", Path(DATA) / "manifest.json"
    if store.exists() or not manifest.exists():
        return
    reasons = [
        dag.reason(job)
        for job in dag.needrun_jobs()
        if job.rule.name in ("train_network", "prune_network")
    ]
    again = [
        each
        for each in reasons
        if each.updated_input_run and not (each.missing_output or each.forced)
    ]
    if again:
        raise WorkflowError(
            f"{store} is gone, and to make it on the way would train or prune {len(again)} finished networks again. "
            "Run the target `features` first, with the same options: it makes the store alone. Then this command runs "
            "again only what other features change."
        )


rule features:
    input:
        f"{DATA}/manifest.json",
        f"{DATA}/logmel.h5",


if DATASET["source"] != "record":

    rule extract_features:
        input:
            f"{DATA}/clips.csv",
            # Recordings of the user's own are as they are; the scenes are compared with what was made.
            (ancient(f"{DATA}/audio") if DATASET["source"] == "synthetic" else []),
        output:
            store=f"{DATA}/logmel.h5",
            findings=f"{DATA}/findings.csv",
            manifest=f"{DATA}/manifest.json",
        log:
            f"{DATA}/logs/extract_features.log",
        conda:
            "../../envs/environment.yaml"
        threads: workflow.cores
        resources:
            mem_mb=decoding_memory,
            runtime=decoding_minutes,
        params:
            code=code("extract_features"),
            clips=CLIPS,
            content=CONTENT,
        message:
            "Computing log-mel features"
        script:
            "../scripts/extract_features.py"
