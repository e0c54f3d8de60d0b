# The files of tables and figures, as Snakemake's own report shows them.


def in_report(path, kind, caption, category):
    """A file that Snakemake's own report shows, with a caption from workflow/report/."""
    labels = {kind: Path(path).stem.replace("_", " ")}
    return report(
        path, caption=f"../report/{caption}.rst", category=category, labels=labels
    )


def made_tables(tables):
    """The files of tables; the pages are shown."""
    return [
        path if format != "html" else in_report(path, "table", "table", "Tables")
        for table in tables
        for format in ("csv", "html", "json")
        for path in [f"{table}.{format}"]
    ]


def drawn_figures(figures, category):
    """The files of figures; the SVGs are shown, each with the caption of its name."""
    return [
        (
            path
            if format != "svg"
            else in_report(path, "figure", Path(path).stem, category)
        )
        for figure in figures
        for format in ("svg", "png")
        for path in [f"{figure}.{format}"]
    ]
