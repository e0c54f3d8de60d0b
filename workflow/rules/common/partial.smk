# The tables and figures of the whole study, and of what of it is finished (`partial`), which the same rules make.

PARTIAL = f"{RESULTS}/partial"
AS_THEY_ARE = snakemake_internals.as_they_are(RESULTS)
OF_CELL = [
    f"{TRAIN}/{name}" for name in ("metrics.json", "sparsity.json", "gammas.csv")
]
OF_CURVE = [f"{PRUNE}/{name}" for name in ("knee.json", "control.json", "curve.csv")]


def finished(grid, files):
    """The points of a grid of which all these files exist."""
    return [
        point
        for point in grid
        if all(Path(file.format(**point)).exists() for file in files)
    ]


FINISHED_CELLS = finished(CELLS, OF_CELL)
FINISHED_CURVES = finished(CURVES, OF_CELL + OF_CURVE)

NOTE = f"Study {config['study']}, data set {config['dataset']}. {SOURCE.note}".strip()
PARTIAL_NOTE = (
    f"PARTIAL: {len(FINISHED_CELLS)} of {len(CELLS)} trainings and {len(FINISHED_CURVES)} of {len(CURVES)} curves "
    f"are finished, and these numbers are of them alone. {NOTE}"
)

WHOLE = SimpleNamespace(
    prefix="",
    folder=RESULTS,
    train=TRAIN,
    prune=PRUNE,
    cells=CELLS,
    curves=CURVES,
    note=NOTE,
)
# Its files are read by another name of their folder, under which nothing is made.
FINISHED = SimpleNamespace(
    prefix="partial_",
    folder=PARTIAL,
    train=TRAIN.replace(RESULTS, AS_THEY_ARE, 1),
    prune=PRUNE.replace(RESULTS, AS_THEY_ARE, 1),
    cells=FINISHED_CELLS,
    curves=FINISHED_CURVES,
    note=PARTIAL_NOTE,
)


def partial_targets(_):
    """All tables and figures; nothing can be shown before the first curve has its knee."""
    if not FINISHED_CURVES:
        raise Refused(
            f"no curve of {RESULTS} is finished yet: there is nothing to show"
        )
    paths = [*rules.tables.input, *rules.figures.input]
    return [path.replace(RESULTS, PARTIAL, 1) for path in paths]
