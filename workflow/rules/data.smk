# Whatever the source has to a table of clips. What it makes or fetches before that stands in sources/<source>.smk.


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


# A source that lists its clips while it reads them has a rule of its own.
if "list_clips" in SOURCE.stages:

    rule list_clips:
        input:
            clip_list,
        output:
            **NOTED,
            clips=f"{DATA}/clips.csv",
        log:
            f"{DATA}/logs/list_clips.log",
        localrule: True
        conda:
            "../../envs/environment.yaml"
        params:
            **OF_OWN_FILES,
            code=code("list_clips"),
            arithmetic=ARITHMETIC,
            content=CONTENT,
            dataset=config["dataset"],
            block=untracked(DATASET),
        message:
            "Listing the clips of {params.dataset}"
        script:
            "../scripts/list_clips.py"
