# The files of tables and figures, as Snakemake's own report shows those of the whole study.


def in_report(path, kind, caption, category):
    """A file that Snakemake's own report shows, with a caption from workflow/report/."""
    labels = {kind: Path(path).stem.replace("_", " ")}
    return report(
        path, caption=f"../report/{caption}.rst", category=category, labels=labels
    )


def files_of(part, paths, *formats):
    """The files of a part's tables or figures, which are named as those of the whole study."""
    names = [path.replace(RESULTS, part.folder, 1) for path in paths]
    return [f"{name}.{format}" for name in names for format in formats]


def made_tables(part, tables):
    """The files of tables; the pages are shown."""
    return [
        (
            in_report(file, "table", "table", "Tables")
            if part is WHOLE and file.endswith("html")
            else file
        )
        for file in files_of(part, tables, "csv", "html", "json")
    ]


def drawn_figures(part, figures, category):
    """The files of figures; the SVGs are shown, each with the caption of its name."""
    return [
        (
            in_report(file, "figure", Path(file).stem, category)
            if part is WHOLE and file.endswith("svg")
            else file
        )
        for file in files_of(part, figures, "svg", "png")
    ]
