# Tables, figures and curves to one page.

REPORT = f"{RESULTS}/report.html"


rule report:
    input:
        REPORT,


rule write_report:
    input:
        tables=expand("{table}.csv", table=EVERY_TABLE),
        figures=expand("{figure}.svg", figure=REPORTED),
        pixels=expand("{figure}.png", figure=REPORTED),  # for those that are too large
        curves=for_all(f"{PRUNE}/curve.csv", CURVES),
        widths=for_all(f"{PRUNE}/widths.csv", CURVES),
        trainings=for_all(f"{TRAIN}/timing.csv", CELLS),
        prunings=for_all(f"{PRUNE}/timing.csv", CURVES),
        manifest=f"{DATA}/manifest.json",
        split=f"{RESULTS}/split.csv",
        digests=DIGESTS,
        published=[PUBLISHED] if PUBLISHED.exists() else [],
    output:
        report(REPORT, caption="../report/page.rst", category="The study on one page"),
    log:
        f"{RESULTS}/logs/report.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("write_report"),
        arithmetic=ARITHMETIC,
        curves=CURVES,
        configuration=config,
        stages=fingerprints([*RECORDED, "write_report"]),
        # What the page is made from beside code; the folder's own name decides nothing.
        words=folder_digests(TEMPLATES),
        templates=untracked(str(TEMPLATES)),
    message:
        "Writing the report"
    script:
        "../scripts/write_report.py"
