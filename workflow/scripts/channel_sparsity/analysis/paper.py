"""What the paper reports (Tables 1, 3 and 4), and our numbers beside it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas

from channel_sparsity.analysis.labels import label
from channel_sparsity.naming import NETWORKS

#: The recipe that follows each of the paper's two pruning methods, by the name that people read.
METHODS = {"slimming": "Liu et al.", "ista": "Ye et al."}

#: The network of Table 1.
EXAMPLE_NETWORK = "vgg16"


@dataclass(frozen=True)
class Pruned:
    """A row of Table 1 under one method, as fractions; losses are positive here, negative in the paper."""

    accuracy_loss_at_pk: float
    compression_rate: float
    pk: float


@dataclass(frozen=True)
class Example:
    """A row of Table 1: VGG-16 trained at one lambda, unpruned and at its knee."""

    accuracy: float
    ws: float
    slimming: Pruned
    ista: Pruned


#: Table 1, in the order of WS.
TABLE_1 = (
    Example(0.902, 0.10, Pruned(0.022, 0.67, 0.61), Pruned(0.028, 0.73, 0.70)),
    Example(0.894, 0.26, Pruned(0.020, 0.79, 0.70), Pruned(0.020, 0.79, 0.75)),
    Example(0.903, 1.10, Pruned(0.033, 0.81, 0.76), Pruned(0.037, 0.84, 0.81)),
    Example(0.913, 1.79, Pruned(0.032, 0.83, 0.78), Pruned(0.031, 0.86, 0.84)),
    Example(0.910, 2.77, Pruned(0.034, 0.86, 0.81), Pruned(0.037, 0.89, 0.88)),
    Example(0.935, 3.44, Pruned(0.043, 0.87, 0.86), Pruned(0.045, 0.89, 0.89)),
)


def _by_network(*values: float) -> dict[str, float]:
    """One value for each of the twelve networks, in the order of Table 2, read row by row."""
    return dict(zip(NETWORKS, values, strict=True))


#: Table 3: r of WS and PK, by recipe and network.
TABLE_3 = {
    "slimming": _by_network(
        *(0.979, 0.922, 0.885, 0.687),
        *(0.939, 0.938, 0.799, 0.973),
        *(0.723, 0.980, 0.988, 0.989),
    ),
    "ista": _by_network(
        *(0.976, 0.931, 0.928, 0.847),
        *(0.896, 0.949, 0.922, 0.690),
        *(0.912, 0.991, 0.990, 0.996),
    ),
}

#: Table 4: slope m and bias b of PK = m WS + b, by recipe and network.
TABLE_4_M = {
    "slimming": _by_network(*(0.06, 0.05, 0.06, 0.09), *(0.05, 0.08, 0.05, 0.08), *(0.21, 0.21, 0.16, 0.22)),
    "ista": _by_network(*(0.05, 0.06, 0.06, 0.12), *(0.09, 0.07, 0.07, 0.06), *(0.19, 0.19, 0.18, 0.21)),
}
TABLE_4_B = {
    "slimming": _by_network(*(0.64, 0.67, 0.67, 0.64), *(0.39, 0.32, 0.44, 0.49), *(0.23, 0.35, 0.44, 0.39)),
    "ista": _by_network(*(0.66, 0.66, 0.72, 0.61), *(0.28, 0.38, 0.43, 0.54), *(0.27, 0.38, 0.43, 0.41)),
}

#: What Table 1 reports: the columns of ``cells.csv``, and their names for people.
_QUANTITIES = {
    "accuracy": "accuracy",
    "ws": "WS",
    "pk": "PK",
    "accuracy_loss_at_pk": "accuracy loss at PK",
    "compression_rate": "compression rate at PK",
}

#: The columns of ``paper.csv``: the four to read, and what the rows can be filtered by.
COLUMNS = ("what", "ours", "paper", "difference", "table", "network", "recipe", "quantity")


def beside_paper(
    cells: pandas.DataFrame, correlation: pandas.DataFrame, regression: pandas.DataFrame
) -> pandas.DataFrame:
    """Each published number that the study has a counterpart of, with ours and the difference (ours - paper).

    `cells`, `correlation`, `regression`: the tables of that name. A row stands here where the study prunes
    the network with the method's default recipe (`METHODS`); ours is missing where it is undefined. Table 1
    shows examples at lambdas that the paper does not give: its rows stand beside our included cells of the
    same rank in WS, from the least sparse on.
    """
    rows = [*_examples(cells), *_correlations(correlation, regression)]
    frame = pandas.DataFrame(rows, columns=[name for name in COLUMNS if name != "difference"])
    frame = frame.astype({"ours": float, "paper": float})
    frame["difference"] = frame["ours"] - frame["paper"]
    return frame[list(COLUMNS)]


def _correlations(correlation: pandas.DataFrame, regression: pandas.DataFrame) -> Iterator[dict]:
    """Tables 3 and 4 beside ours."""
    lines = regression.set_index(["network", "recipe"])
    for table, quantity, published in (
        ("Table 3", "r", TABLE_3),
        ("Table 4", "m", TABLE_4_M),
        ("Table 4", "b", TABLE_4_B),
    ):
        for row in correlation[correlation["recipe"].isin(METHODS)].itertuples():
            name = label(row.network, row.width_scale)
            yield {
                "what": f"{table}: {quantity} of {name}, {METHODS[row.recipe]}",
                "ours": row.r if quantity == "r" else lines.loc[(row.network, row.recipe), quantity],
                "paper": published[row.recipe][row.network],
                "table": table,
                "network": row.network,
                "recipe": row.recipe,
                "quantity": quantity,
            }


def _examples(cells: pandas.DataFrame) -> Iterator[dict]:
    """Table 1 beside our cells of the same network, averaged over seeds and matched by their rank in WS."""
    for recipe, method in METHODS.items():
        chosen = cells[(cells["network"] == EXAMPLE_NETWORK) & (cells["recipe"] == recipe)]
        if chosen.empty:
            continue
        name = label(EXAMPLE_NETWORK, chosen["width_scale"].iloc[0])
        levels = chosen[chosen["included"]].groupby("lam")[list(_QUANTITIES)].mean()
        ours = levels.sort_values("ws", ignore_index=True).reindex(range(len(TABLE_1)))
        for rank, example in enumerate(TABLE_1):
            published = asdict(example) | asdict(getattr(example, recipe))
            for quantity, words in _QUANTITIES.items():
                yield {
                    "what": f"Table 1, row {rank + 1}: {words} of {name}, {method}",
                    "ours": ours[quantity][rank],
                    "paper": published[quantity],
                    "table": "Table 1",
                    "network": EXAMPLE_NETWORK,
                    "recipe": recipe,
                    "quantity": quantity,
                }
