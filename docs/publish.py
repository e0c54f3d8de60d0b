"""Publish a finished study: its digests, its tables, its figures and a page made from them.

    PYTHONPATH=workflow/scripts python docs/publish.py results/demo [--report]
    PYTHONPATH=workflow/scripts python docs/publish.py

Writes published/<study>.txt, docs/evidence/<study>/ and the index of all of them. Do not edit what it writes. The
study's page, report.html, is copied only when --report asks for it: it is some megabytes. The second command makes the
pages of all published studies again from what lies beside them, after their wording here was changed.
"""

import argparse
import itertools
import re
import shutil
from pathlib import Path

import pandas

from channel_sparsity.bookkeeping.published import Digests
from channel_sparsity.claims import claims
from channel_sparsity.claims.plan import CRITERION, OUTCOME, REPAIR, papers_dose
from channel_sparsity.figures.style import network_labels
from channel_sparsity.files import read_json, write_json, write_text
from channel_sparsity.naming import ALL
from channel_sparsity.report.answer import Answer, answer
from channel_sparsity.statistics.levels import over_seeds
from channel_sparsity.statistics.regression import Estimate, sign
from channel_sparsity.statistics.slopes import ENOUGH, mean_over_networks, over_networks, slopes
from channel_sparsity.tables import outcomes
from channel_sparsity.tables import study as tables
from channel_sparsity.words import count, listed

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "docs/evidence"
TABLES = ("cells", "outcomes", "criteria", "comparisons", "claims")
FIGURES = ("repair", "ws_vs_pk")
EMPTY = "\N{EN DASH}"

#: Studies whose cells are held against those of another, which differs in one setting, and against what seeds do.
BESIDE = {"demo-bfloat16": ("demo-native", "demo-seeds")}


def number(value: float, low: float = float("nan"), high: float = float("nan"), scale: float = 100) -> str:
    """A number, in points unless `scale` is 1, with its interval where it has one."""
    if pandas.isna(value):
        return EMPTY
    digits = 1 if scale == 100 else 2
    text = f"{scale * value:.{digits}f}"
    return text if pandas.isna(low) else f"{text} ({scale * low:.{digits}f} to {scale * high:.{digits}f})"


def of(row: dict, name: str, scale: float = 100) -> str:
    """A number of a row with its interval."""
    return number(row[name], row[f"{name}_low"], row[f"{name}_high"], scale)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; columns of numbers stand on the right."""
    columns = zip(heads, *rows, strict=True)
    kinds = ["---:" if all(re.match(r"[-\d\N{EN DASH}]", str(cell)) for cell in own) else "---" for _, *own in columns]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in [heads, kinds, *rows])


def doses(compared: pandas.DataFrame) -> str:
    """Every criterion and repair, over all networks."""
    rows = []
    together = compared[compared["scope"] == ALL]
    for (criterion, repair), own in together.groupby(["criterion", "repair"], sort=False):
        pk, primary = (own[own["outcome"] == name].iloc[0].to_dict() for name in ("pk", OUTCOME))
        rows.append([f"{criterion}, {repair}", of(pk, "m"), of(pk, "reliability", 1), of(primary, "gain")])
        rows[-1].append("the control" if criterion == "random" else primary["verdict"])
    heads = ["criterion and repair", "slope of PK on WS", "reliability of PK", "gain over random order", "verdict"]
    return table(heads, rows)


def networks(compared: pandas.DataFrame, names: dict[str, str]) -> str:
    """Each network at the plan's criterion and repair."""
    own = compared[(compared["criterion"] == CRITERION) & (compared["repair"] == REPAIR) & (compared["scope"] != ALL)]
    rows = []
    for network, group in own.groupby("scope", sort=False):
        pk, primary = (group[group["outcome"] == name].iloc[0].to_dict() for name in ("pk", OUTCOME))
        rows.append([names[network], pk["n"], number(pk["r"], scale=1), of(pk, "m"), of(primary, "gain")])
    return table(["network", "lambdas", "r of PK and WS", "slope of PK on WS", "gain over random order"], rows)


def without_one(compared: pandas.DataFrame, names: dict[str, str]) -> str:
    """How far the primary outcome hangs on one network: its range where each is left out in turn. Exploratory."""
    own = compared[(compared["criterion"] == CRITERION) & (compared["repair"] == REPAIR)]
    gains = own[(own["outcome"] == OUTCOME) & (own["scope"] != ALL)].set_index("scope")["gain"].dropna()
    if len(gains) <= ENOUGH:
        return ""
    means = {network: mean_over_networks(gains.drop(network)) for network in gains.index}
    least, most = (kind(means, key=lambda network: means[network].value) for kind in (min, max))
    positive = sum(sign(mean.low, mean.high) == "positive" for mean in means.values())
    low, high = (f"{of(means[each].columns('gain'), 'gain')} without {names[each]}" for each in (least, most))
    return (
        f"Without one network at a time, the mean gain goes from {low} to\n{high}.\nIt is positive in {positive} of "
        f"{len(means)} cases. This is exploratory. The slope of a network whose WS hardly varies says little."
    )


def before_pruning(cells: pandas.DataFrame) -> str:
    """Each network before it is pruned: accuracy without a penalty and at its best, and how far its WS reaches."""
    trained = cells.drop_duplicates(["network", "lam", "seed"])
    trained = trained[trained["training_status"] == "trained"]
    rows = []
    for network, own in trained.groupby("network", sort=False):
        mean = own.groupby("lam", sort=False)[["ws", "accuracy"]].mean()
        counted = own[own["within_limit"]].groupby("lam", sort=False)["ws"].mean()
        dense = own[own["lam"] == "0"]["accuracy"]
        spread = f" ({100 * dense.min():.1f} to {100 * dense.max():.1f})" if len(dense) > 1 else ""
        rows.append(
            [
                network_labels(cells)[network],
                number(dense.mean()) + spread,
                f"{number(mean['accuracy'].max())} at {mean['accuracy'].idxmax()}",
                f"{counted.min():.2f} to {counted.max():.2f}",
                f"{len(counted)} of {len(mean)}",
            ]
        )
    heads = ["accuracy at lambda 0 (seeds)", "best, at lambda", "WS of those that count", "lambdas that count"]
    return table(["network", *heads], rows)


def judged(found: pandas.DataFrame) -> str:
    """The paper's claims that the study could test."""
    known = found.dropna(subset=["estimate"]).to_dict("records")
    rows = [[row["says"], row["quantity"], of(row, "estimate", 1), row["n"], row["verdict"]] for row in known]
    return table(["the paper says", "tested by", "ours", "n", "verdict"], rows)


def models(folder: Path) -> list[list[str]]:
    """Rows on the models to take away, from their cards."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        card = read_json(path)
        made, size, right = card["made"], card["size"], card["accuracy"]
        forms = ("float32", "int8")
        rows.append(
            [
                f"`{card['model']}`",
                f"{made['network_label']}, {made['lam']}, {made['step']}",
                " / ".join(f"{100 * right[form]['accuracy']:.1f}" for form in forms),
                f"{size['parameters']:,}",
                f"{size['macs_per_second'] / 1e6:.2f} M",
                " / ".join(f"{card['files'][form]['bytes'] / 1000:.0f} kB" for form in forms),
            ]
        )
    return rows


def commands(study: str) -> str:
    """What a configuration of that name says is to be typed, in the indented lines of its comments."""
    path = ROOT / "config" / f"{study}.yaml"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    typed = [line.removeprefix("#   ") for line in lines if line.startswith("#   ")]
    return "\n".join(["```sh", *typed, "```"]) if typed else ""


def origin(results: Path) -> dict:
    """What the page says of a study beside its tables: where it was computed, from what, and its models."""
    record, run = read_json(results / "tables/outcomes.json"), read_json(results / "run.json")
    made_with = Digests.read(results / "digests.txt").made_with
    machines = {
        words.split(",")[0] + "," + words.split(",")[2] for each in run["rules"].values() for words in each["on"]
    }
    return {
        "study": record["configuration"]["study"],
        "dataset": record["configuration"]["dataset"],
        "arithmetic": made_with["arithmetic"],
        "versions": made_with["versions"],
        "machines": sorted(machines),
        "hours": round(sum(each["hours"] for each in run["rules"].values()), 1),
        "ended": run["ended"][:10],
        "commit": (run["git"] or {"commit": "unknown"})["commit"][:12],
        "plan": record["code"]["analysis_plan"],
        "models": models(results / "deploy"),
    }


def gained(cells: pandas.DataFrame) -> pandas.DataFrame:
    """Of every cell that was trained: by how much the plan's outcome is higher than in random order (`gain`)."""
    trained = cells[(cells["training_status"] == "trained") & (cells["repair"] == REPAIR)].dropna(subset=["ws"])
    keys = ["network", "lam", "seed"]
    ranked, random = (trained[trained["criterion"] == name] for name in (CRITERION, "random"))
    both = ranked.merge(random[[*keys, OUTCOME]], on=keys, suffixes=("", "_random"))
    return both.assign(gain=both[OUTCOME] - both[f"{OUTCOME}_random"])


def slopes_of_gain(cells: pandas.DataFrame) -> dict[str, Estimate]:
    """The slope of the gain on WS in each network, of the means over seeds of each lambda."""
    return slopes(over_seeds(cells, ["ws", "gain"]), "gain")


def without_limit(cells: pandas.DataFrame, names: dict[str, str]) -> str:
    """The primary outcome if every lambda counted. Exploratory."""
    both = gained(cells)
    if both["within_limit"].all():
        return ""
    every, counted = slopes_of_gain(both), slopes_of_gain(both[both["within_limit"]])
    added = [names[network] for network in every if network not in counted]
    mean = over_networks(every)
    text = (
        f"If every lambda counted, whatever accuracy it cost, the mean gain would be {of(mean.columns('gain'), 'gain')}"
        f" over {count(len(every), 'network')}.\n"
    )
    if added:
        text += f"{len(added)} of them have too few lambdas that count: {listed(added)}.\n"
    return f"{text}This is exploratory."


def seeds(cells: pandas.DataFrame) -> str:
    """The primary outcome of each seed by itself, and of all together."""
    both = gained(cells)
    both = both[both["within_limit"]]
    rows, networks = [], list(dict.fromkeys(both["network"]))
    everything = [("all", both)] if both["seed"].nunique() > 1 else []
    for name, own in [*both.groupby("seed"), *everything]:
        each = slopes_of_gain(own)
        mean = over_networks(each)
        verdict = sign(mean.low, mean.high)
        values = (number(each[network].value) if network in each else EMPTY for network in networks)
        rows.append([name, number(mean.value, mean.low, mean.high), verdict, *values])
    labels = network_labels(cells)
    return table(["seed", "gain", "verdict", *(labels[network] for network in networks)], rows)


def rules(compared: pandas.DataFrame) -> str:
    """Every outcome at the plan's repair: in how many cells it is known, the loss at it, how seeds agree."""
    own = compared[(compared["repair"] == REPAIR) & (compared["scope"] == ALL)]
    rows = []
    for outcome, words in outcomes.OUTCOMES.items():
        pair = own[own["outcome"] == outcome].set_index("criterion")
        if CRITERION not in pair.index:
            continue
        row = pair.loc[CRITERION].to_dict()
        shares = [pair["known"].get(name) for name in (CRITERION, "random")]
        known = [EMPTY if share is None else f"{100 * share:.0f} %" for share in shares]
        rows.append([words, *known, number(row["loss"]), of(row, "reliability", 1)])
    return table(["outcome", f"known, {CRITERION}", "known, random", "loss at it", "reliability between seeds"], rows)


def criteria(compared: pandas.DataFrame) -> str:
    """Sparse training beside each criterion on dense networks, over all networks."""
    rows = [
        [f"{row['criterion']}, {row['repair']}", number(row["sparse"]), number(row["dense"]), of(row, "difference")]
        for row in compared[compared["scope"] == ALL].to_dict("records")
    ]
    return table(["criterion on networks of lambda 0", "sparse", "dense", "difference"], rows)


def beside(study: str, cells: pandas.DataFrame) -> list[str]:
    """The section on cells beside those of another study and of other seeds (`BESIDE`); none where there is none."""
    if study not in BESIDE:
        return []
    other, replicated = BESIDE[study]
    own, theirs, replicates = (
        each[each["criterion"] == CRITERION]
        for each in (cells, *(tables.read_table(PLACE / name / "cells.csv", tables.CELLS) for name in BESIDE[study]))
    )
    seeds = [rows for _, rows in replicates.groupby("seed")]
    compared = {f"`{study}` less `{other}`": [(own, theirs)]}
    compared[f"a seed of `{replicated}` less another"] = itertools.combinations(seeds, 2)
    columns = {"accuracy": ("accuracy", 100), "ws": ("WS", 1), "pk": ("PK", 100), OUTCOME: ("mean accuracy", 100)}
    rows = []
    for words, pairs in compared.items():
        both = [one.merge(two, on=["network", "lam"], suffixes=("", "_other")) for one, two in pairs]
        texts = []
        for name, (_, scale) in columns.items():
            found = [pair[name] - pair[f"{name}_other"] for pair in both]
            mean, deviation = (_range([getattr(each, kind)() for each in found], scale) for kind in ("mean", "std"))
            texts.append(f"{mean} ({deviation})")
        rows.append([words, *texts])
    heads = ["mean of the differences (standard deviation)", *(name for name, _ in columns.values())]
    words = (
        f"Cells that share network and lambda, pruned by {CRITERION}: how much one training differs from another.\n"
        "Of all pairs of seeds, the least and the largest."
    )
    return ["## Cell by cell", words, table(heads, rows)]


def _range(values: list[float], scale: float) -> str:
    """A number, or the least and the largest of several."""
    low, high = number(min(values), scale=scale), number(max(values), scale=scale)
    return low if low == high else f"{low} to {high}"


def said_by(folder: Path) -> Answer:
    """The answer of the tables in a folder."""
    compared = tables.read_table(folder / "outcomes.csv", outcomes.COLUMNS)
    return answer(compared, tables.read_table(folder / "claims.csv", claims.COLUMNS))


def index() -> str:
    """The text of docs/evidence/README.md: every published study with its answer, every other page with its title."""
    lines = []
    for path in sorted(PLACE.glob("*/README.md")):
        if (path.parent / "outcomes.csv").exists():
            said = said_by(path.parent)
            words = f"**{said.verdict}.** {said.sentence}"
        else:
            words = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"- [{path.parent.name}]({path.parent.name}/README.md): {words}")
    head = "Every number in these pages is made from a table beside it, by a script; do not edit."
    return "\n\n".join(["# Evidence", head, "\n".join(lines)]) + "\n"


def page(folder: Path) -> str:
    """The text of README.md, from the tables and origin.json of a folder of docs/evidence/."""
    cells = tables.read_table(folder / "cells.csv", tables.CELLS)
    compared = tables.read_table(folder / "outcomes.csv", outcomes.COLUMNS)
    said, made = said_by(folder), read_json(folder / "origin.json")
    replicates = ", ".join(map(str, sorted(cells["seed"].unique())))
    words = (
        f"Study `{made['study']}`, data set `{made['dataset']}`, seeds {replicates}. {made['arithmetic'].capitalize()} "
        f"arithmetic; {made['versions']}; {' and '.join(made['machines'])}; {made['hours']} hours of jobs, "
        f"{made['ended']}, commit {made['commit']}. SHA-256 of the plan: `{made['plan']}`."
    )
    report = "[The whole study on one page](report.html): download it and open it."
    parts = [
        f"# What the study {made['study']} found",
        f"**{said.verdict}.** {said.sentence}",
        report if (folder / "report.html").exists() else "",
        "Numbers are percentage points unless they are r or a reliability; intervals hold 95 %. What decides is in\n"
        "[the analysis plan](../../analysis-plan.md).",
        "\n".join(f"- {sentence}" for sentence in said.beside),
        "![The slope at every dose of repair](repair.png)",
        "## The networks before pruning",
        before_pruning(cells),
        "## Every dose of repair",
        doses(compared),
        f"## Each network ({CRITERION}, {REPAIR})",
        networks(compared, network_labels(cells)),
        without_one(compared, network_labels(cells)),
        without_limit(cells, network_labels(cells)),
        "![Weight Skewness and Prune Knee](ws_vs_pk.png)",
        "## Each seed by itself (the primary outcome)",
        seeds(cells),
        *beside(made["study"], cells),
        f"## What a curve can be summed up to ({REPAIR})",
        rules(compared),
        "## Does sparsity buy more than a good criterion?",
        "The share of the channels that can go while accuracy stays within the margin of the network's best. Sparse:\n"
        "trained with the largest lambda that counts, pruned by Slimming. Dense: trained with lambda 0, pruned by a\n"
        "criterion.",
        criteria(tables.read_table(folder / "criteria.csv", outcomes.CRITERIA)),
        "## The paper's claims",
        f"Judged at the repair `{papers_dose(cells)}`, in the numbers' own units, as far as the study has cells.",
        judged(tables.read_table(folder / "claims.csv", claims.COLUMNS)),
    ]
    if made["models"]:
        heads = ["model", "network, lambda, step", "accuracy, float32 / int8", "parameters", "MACs a second", "files"]
        parts += [
            "## Models to take away",
            "Accuracy is on the validation clips, which also chose the model.",
            table(heads, made["models"]),
        ]
    parts += [
        "## Where it comes from",
        "This page is made from the tables beside it by `docs/publish.py`; do not edit.",
        words,
        commands(made["study"]),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def publish(results: Path, report: bool) -> None:
    """Copy what is published of a finished study."""
    place = PLACE / results.name
    place.mkdir(parents=True, exist_ok=True)
    write_json(place / "origin.json", origin(results))
    files = [f"tables/{name}.csv" for name in TABLES] + [f"figures/{name}.png" for name in FIGURES]
    for name in [*files, *(["report.html"] if report else [])]:
        shutil.copyfile(results / name, place / Path(name).name)
    (ROOT / "published").mkdir(exist_ok=True)
    shutil.copyfile(results / "digests.txt", ROOT / "published" / f"{results.name}.txt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Publish a finished study, and make all pages again.")
    parser.add_argument("results", type=Path, nargs="?", help="results/<study>")
    parser.add_argument("--report", action="store_true", help="copy report.html too")
    given = parser.parse_args()
    if given.results:
        publish(given.results, given.report)
    for made in PLACE.glob("*/origin.json"):
        write_text(made.parent / "README.md", page(made.parent))
    write_text(PLACE / "README.md", index())
