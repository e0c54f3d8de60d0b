"""Publish the networks of ESC-50's five official folds before pruning, beside what is published of ESC-50.

    PYTHONPATH=workflow/scripts python docs/publish_folds.py --commit COMMIT results/esc50-fold1 results/esc50-fold2 ...

Each folder holds the trainings of one fold (the target `checkpoints`). Writes docs/evidence/esc50-folds/. Do not edit
what it writes.
"""

import argparse
from pathlib import Path

import pandas
from publish import EMPTY, ROOT, commands, index, number, table

from channel_sparsity.files import read_csv, read_json, write_csv, write_text
from channel_sparsity.naming import label
from channel_sparsity.statistics.regression import mean_of_values

PLACE = ROOT / "docs/evidence/esc50-folds"
COLUMNS = ["network", "width_scale", "seed", "accuracy", "clips_train", "clips_validation", "parameters"]

#: Accuracies (%) by the same five folds: K. J. Piczak, "ESC: Dataset for Environmental Sound Classification" (2015) and
#: "Environmental Sound Classification with Convolutional Neural Networks" (2015).
PUBLISHED = {
    "random forest (Piczak 2015)": 44.3,
    "convolutional network (Piczak 2015)": 64.5,
    "people (Piczak 2015)": 81.3,
}


def accuracies(folds: list[Path]) -> pandas.DataFrame:
    """A row for each network that was trained without a penalty, and each fold that validated it."""
    rows = []
    for fold, results in enumerate(folds, 1):
        for path in sorted(results.glob("train/*/lambda-0/seed-*/metrics.json")):
            metrics, history = read_json(path), read_csv(path.with_name("history.csv"))
            learnt = {"accuracy_train": history["accuracy_train"].iloc[-1]}
            rows.append({"fold": fold} | {name: metrics[name] for name in [*COLUMNS, "weights_sha256"]} | learnt)
    return pandas.DataFrame(rows)


def page(found: pandas.DataFrame, machines: set[str], commit: str) -> str:
    """The text of README.md. `commit`: that of the code which trained."""
    rows = []
    for network, own in found.groupby("network", sort=False):
        bounds = mean_of_values(own["accuracy"]).bounded()
        name = label(network, own["width_scale"].iloc[0])
        each = [number(value) for value in own.sort_values("fold")["accuracy"]]
        learnt = number(own["accuracy_train"].mean())
        mean = number(bounds.value, bounds.low, bounds.high)
        rows.append([name, f"{own['parameters'].iloc[0]:,}", learnt, *each, mean])
    folds = [f"fold {fold}" for fold in sorted(found["fold"].unique())]
    empty = [EMPTY] * (2 + len(folds))
    rows += [[name, *empty, f"{value:.1f}"] for name, value in PUBLISHED.items()]
    head = (
        "Made by `docs/publish_folds.py`; do not edit. ESC-50 has 50 kinds of sound and five official folds. A\n"
        "network is trained on four folds, without a penalty, and validated on the fifth. Its accuracy (%) is that\n"
        "after the last epoch: the clips that validate chose nothing. Intervals hold 95 % (Student's t over folds)."
    )
    seeds = ", ".join(map(str, sorted(found["seed"].unique())))
    origin = f"Seed {seeds}; {' and '.join(sorted(machines))}; commit {commit}."
    foot = (
        "The networks are narrow and the features coarse: 40 bands, windows of 80 ms without overlap, and no\n"
        "augmentation but short masks. *Clips that train* is the accuracy on the training clips in the last epoch,\n"
        "the mean over folds. Near 100 % the network knows them by heart, and more data or augmentation would help.\n"
        "Far below, the network is too small or its training too short.\n\n"
        "`accuracies.csv` has the digest of each network's weights. The recordings are under CC BY-NC 3.0 (K. J.\n"
        "Piczak 2015)."
    )
    accuracies = table(["network", "parameters", "clips that train", *folds, "mean over folds"], rows)
    title = "# ESC-50 before pruning, beside published accuracies"
    return "\n\n".join([title, head, origin, commands("esc50-folds"), accuracies, foot]) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Publish the accuracies of ESC-50's five folds.")
    parser.add_argument("results", type=Path, nargs="+", help="the folders of folds 1, 2 and so on")
    parser.add_argument("--commit", required=True, help="the commit of the code that trained them")
    given = parser.parse_args()
    folds = given.results
    found = accuracies(folds)
    logs = [path for results in folds for path in results.glob("train/*/lambda-0/seed-*/train.log")]
    machines = {path.read_text(encoding="utf-8").splitlines()[0].split(" on ", 1)[1] for path in logs}
    PLACE.mkdir(parents=True, exist_ok=True)
    write_csv(PLACE / "accuracies.csv", found)
    write_text(PLACE / "README.md", page(found, machines, given.commit))
    write_text(ROOT / "docs/evidence/README.md", index())
