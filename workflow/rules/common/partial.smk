# What of the study is finished.

PARTIAL = f"{RESULTS}/partial"
# Another name of the results' folder, under which nothing is made.
AS_THEY_ARE = snakemake_internals.as_they_are(RESULTS)


def existing(folder, *names):
    """The files of these names in a folder, as they are, for each point of a grid that is given later."""
    place = folder.replace(RESULTS, AS_THEY_ARE, 1)
    return {name: f"{place}/{name}" for name in names}


def finished(grid, *files):
    """The points of a grid of which all these files exist."""
    return [
        point
        for point in grid
        if all(
            Path(name.format(**point)).exists()
            for each in files
            for name in each.values()
        )
    ]


OF_CELL = existing(TRAIN, "metrics.json", "sparsity.json", "gammas.csv")
OF_CURVE = existing(PRUNE, "knee.json", "control.json", "curve.csv")
FINISHED_CELLS = finished(CELLS, OF_CELL)
FINISHED_CURVES = finished(CURVES, OF_CELL, OF_CURVE)


def in_partial(paths):
    """The names of the study's tables or figures in the folder of the partial ones."""
    return [path.replace(RESULTS, PARTIAL, 1) for path in paths]


def partial_targets(_):
    """All tables and figures; nothing can be shown before the first curve has its knee."""
    if not FINISHED_CURVES:
        raise Refused(
            f"no curve of {RESULTS} is finished yet: there is nothing to show"
        )
    return in_partial([*rules.tables.input, *rules.figures.input])
