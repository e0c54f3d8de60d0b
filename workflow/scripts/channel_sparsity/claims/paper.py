"""What the paper reports (Tables 1, 3 and 4), and our numbers beside it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas

from channel_sparsity.naming import PAPER_NETWORKS, label
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.tables.saving import table

#: The recipe that follows each of the paper's two pruning methods, by the name that people read.
METHODS = {"slimming": "Liu et al.", "ista": "Ye et al."}

#: The readings of Ye et al. that the study has: the lowest gammas for what their channels cost, as we read the method's
#: own paper, and the lowest gammas, as this paper's words have it for both methods (R23).
READINGS_OF_YE = ("ista", "ista-flat")

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
    return dict(zip(PAPER_NETWORKS, values, strict=True))


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

#: The columns of ``paper.csv`` and their types: the four to read, what the rows can be filtered by, our 95 % interval,
#: and why ours is missing.
COLUMNS = {
    "what": str,
    "ours": float,
    "paper": float,
    "difference": float,
    "table": str,
    "network": str,
    "recipe": str,
    "quantity": str,
    "ours_low": float,
    "ours_high": float,
    "reason": str,
}


def beside_paper(
    cells: pandas.DataFrame, correlation: pandas.DataFrame, regression: pandas.DataFrame
) -> pandas.DataFrame:
    """Every number of Tables 1, 3 and 4, with ours and the difference (ours - paper), where we have one.

    `cells`, `correlation`, `regression`: the tables of that name. Ours is of the method's default recipe (`METHODS`);
    where it is missing, `reason` says why. Table 1 shows examples at lambdas that the paper does not give: its rows
    stand beside our included cells of the same rank in WS, from the least sparse on. Rows that the study has a
    counterpart of come first, then those of networks and methods that it lacks, both in the paper's order.
    """
    pruned = set(zip(correlation["network"], correlation["recipe"], strict=True))
    scales = dict(zip(cells["network"], cells["width_scale"], strict=True))
    rows = []
    for row in (*_examples(cells), *_correlations(correlation, regression)):
        network, recipe = row["network"], row["recipe"]
        name = label(network, scales.get(network, 1.0))
        row["what"] = f"{row['table']}{row.pop('place')}: {row.pop('words')} of {name}, {METHODS[recipe]}"
        if (network, recipe) not in pruned:
            row["reason"] = f"the study does not prune {name} by {METHODS[recipe]}"
        rows.append(row)
    rows.sort(key=lambda row: (row["network"], row["recipe"]) not in pruned)
    frame = table(rows, COLUMNS)
    return frame.assign(difference=frame["ours"] - frame["paper"])


def _correlations(correlation: pandas.DataFrame, regression: pandas.DataFrame) -> Iterator[dict]:
    """Tables 3 and 4 beside ours."""
    keys = ["network", "recipe"]
    for name, quantity, published, own in (
        ("Table 3", "r", TABLE_3, correlation.set_index(keys)),
        ("Table 4", "m", TABLE_4_M, regression.set_index(keys)),
        ("Table 4", "b", TABLE_4_B, regression.set_index(keys)),
    ):
        for recipe, values in published.items():
            for network, value in values.items():
                ours = own.loc[(network, recipe)] if (network, recipe) in own.index else {}
                yield {
                    "table": name,
                    "place": "",
                    "words": quantity,
                    "ours": ours.get(quantity),
                    "ours_low": ours.get(f"{quantity}_low"),
                    "ours_high": ours.get(f"{quantity}_high"),
                    "paper": value,
                    "network": network,
                    "recipe": recipe,
                    "quantity": quantity,
                    "reason": ours.get("reason", ""),
                }


def _examples(cells: pandas.DataFrame) -> Iterator[dict]:
    """Table 1 beside our cells of the same network, averaged over seeds and matched by their rank in WS."""
    for recipe in METHODS:
        chosen = cells[(cells["network"] == EXAMPLE_NETWORK) & (cells["recipe"] == recipe) & cells["included"]]
        levels = over_seeds(chosen, _QUANTITIES)
        ours = levels.sort_values("ws", ignore_index=True).reindex(range(len(TABLE_1)))
        for rank, example in enumerate(TABLE_1):
            published = asdict(example) | asdict(getattr(example, recipe))
            for quantity, words in _QUANTITIES.items():
                yield {
                    "table": "Table 1",
                    "place": f", row {rank + 1}",
                    "words": words,
                    "ours": ours[quantity][rank],
                    "paper": published[quantity],
                    "network": EXAMPLE_NETWORK,
                    "recipe": recipe,
                    "quantity": quantity,
                    "reason": "" if rank < len(levels) else f"{len(levels)} lambdas are included",
                }
