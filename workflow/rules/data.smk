# Recordings, or the embedded scenes, to a table of clips. A record's clips are listed in features.smk: their lengths are
# known once they are decoded.


rule dataset:
    input:
        f"{DATA}/clips.csv",
        f"{DATA}/report.md",


# What is noticed of each clip is noticed while its features are computed, so that audio is read once.
rule report_dataset:
    input:
        clips=f"{DATA}/clips.csv",
        findings=f"{DATA}/findings.csv",
    output:
        report=f"{DATA}/report.json",
        page=f"{DATA}/report.md",
    log:
        f"{DATA}/logs/report_dataset.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("report_dataset"),
        arithmetic=ARITHMETIC,
        dataset=config["dataset"],
        duration_s=DATASET["features"]["duration_s"],
    message:
        "Looking at the clips of {params.dataset}"
    script:
        "../scripts/report_dataset.py"


if DATASET["source"] == "synthetic":

    rule synthesise_scenes:
        output:
            meta=f"{DATA}/meta.csv",
            audio=directory(f"{DATA}/audio"),
        log:
            f"{DATA}/logs/synthesise_scenes.log",
        conda:
            "../../envs/environment.yaml"
        threads: workflow.cores
        resources:
            mem_mb=decoding_memory,
            runtime=decoding_minutes,
        params:
            code=code("synthesise_scenes"),
            arithmetic=ARITHMETIC,
            settings=DATASET["synthetic"],
            duration_s=DATASET["features"]["duration_s"],
        message:
            "Making the embedded scenes"
        script:
            "../scripts/synthesise_scenes.py"


if DATASET["source"] != "record":

    rule list_clips:
        input:
            # Recordings of the user's own are as they are; the scenes are compared with what was made.
            (
                [META, ancient(f"{DATA}/audio")]
                if DATASET["source"] == "synthetic"
                else if_given(META, f"{DATA}/clips.csv")
            ),
        output:
            f"{DATA}/clips.csv",
        log:
            f"{DATA}/logs/list_clips.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            code=code("list_clips"),
            arithmetic=ARITHMETIC,
            clips=CLIPS,
            devices=DATASET["devices"],
            expected=untracked(DATASET.get("expected", {})),
        message:
            "Listing the clips in {params.clips}"
        script:
            "../scripts/list_clips.py"
