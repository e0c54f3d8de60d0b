# Clips to log-mel energies. What depends on the features names the manifest, which is small enough for Snakemake to
# compare by content; the store itself is `ancient`, so that a new time stamp retrains nothing.


rule features:
    input:
        f"{DATA}/manifest.json",
        f"{DATA}/logmel.h5",


if "extract_features" in SOURCE.stages:

    rule extract_features:
        input:
            f"{DATA}/clips.csv",
            # Recordings of the user's own are as they are; what was made has to be there.
            (ancient(f"{DATA}/audio") if SOURCE.made else []),
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
            **OF_OWN_FILES,
            code=code("extract_features"),
            arithmetic=ARITHMETIC,
            content=CONTENT,
            dataset=config["dataset"],
            block=untracked(DATASET),
        message:
            "Computing log-mel features"
        script:
            "../scripts/extract_features.py"
