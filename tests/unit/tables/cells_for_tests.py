"""Made-up results of a study, in the shape that the scripts hand to the tables."""

import numpy
import pandas

from channel_sparsity.configuration import FULL
from channel_sparsity.files import write_csv
from channel_sparsity.measuring.knee import CHECKS, LOSSES, Rule, measure, without_knee
from channel_sparsity.measuring.resampling import UNKNOWN
from channel_sparsity.tables.study import read_table

LAMBDAS = ("0", "1e-6", "1e-5", "5e-5", "1e-4", "1e-3")
RATE = numpy.arange(20) * 0.05
SCENES = "abcdefghij"
CHANCE = 1 / len(SCENES)


def record(network="vgg16", recipe="slimming", lam="0", seed=1, *, accuracy=0.9, ws=1.0, pk=0.7, repair=FULL, **knee):
    """One cell: trained, with a WS and a knee, unless told otherwise.

    `recipe`: the criterion, which the repair is put behind unless it is the full one. The curve loses nothing up to PK
    (its bound, or 0 without one), and goes straight to chance from there.
    """
    bend = next(place for place in (pk, knee.get("bound"), 0) if place is not None)
    return {
        "network": network,
        "recipe": named(recipe, repair),
        "criterion": recipe,
        "repair": repair,
        "lam": lam,
        "seed": seed,
        "metrics": {
            "status": "trained",
            "reason": "",
            "accuracy": accuracy,
            "accuracy_per_scene": dict.fromkeys(SCENES, accuracy),
            "parameters": 14_720_000,
            "macs": 4_788_000_000,
            "shrinkage": 0.1,
            "width_scale": 1.0,
        },
        "control": control(accuracy),
        "sparsity": {"status": "measured", "reason": "", "ws": ws, "ws_absolute": ws},
        "knee": {
            "status": "found",
            "reason": "",
            "axis": "channels",
            "pk_channels": pk,
            "pk_parameters": None if pk is None else pk + 0.1,
            "pk_grid": pk,
            "accuracy_loss": 0.03,
            "compression_rate": 0.8,
            "masked_rate": 0.75,
            "bend": bend,
            "margin": None,
            "bound": None,
            "cross_checks": dict.fromkeys(CHECKS, pk),
            "cross_check_losses": dict.fromkeys(CHECKS, None if pk is None else 0.03),
            "summaries": {"share_kept": (1 + bend) / 2} | dict.fromkeys(LOSSES, bend),
            "resampled": {"low": None, "high": None, "accuracy_loss_held_out": None},
        }
        | knee,
        "curve": curve_of((accuracy - CHANCE) * numpy.clip((RATE - bend) / max(1 - bend, 0.01), 0, 1), accuracy),
    }


def named(criterion, repair):
    """What the configuration calls the recipe of a criterion and a repair."""
    return criterion if repair == FULL else f"{criterion}-{repair}"


def curve_of(loss, accuracy=0.9, rate=RATE):
    """curve.csv of these losses."""
    return pandas.DataFrame(
        {
            "step": range(len(rate)),
            "channel_rate": rate,
            "parameter_rate": 1 - (1 - rate) ** 2,
            "masked_rate": rate,
            "accuracy": accuracy - loss,
            "accuracy_loss": loss,
        }
    )


def failed(reason="the loss is not a number", status="diverged"):
    """What a training that failed changes in `record`; its curve is not pruned."""
    metrics = {"status": status, "reason": reason, "accuracy": None, "accuracy_per_scene": dict.fromkeys(SCENES)}
    knee = without_knee(f"training {status}: {reason}", Rule()) | {"resampled": UNKNOWN}
    return {"metrics": metrics, "control": control(None, status), "knee": knee}


def control(finetuned, status="traced"):
    """What ``control.json`` holds of a curve."""
    return {"status": status, "reason": None, "accuracy_unpruned_finetuned": finetuned}


def censored(bound=0.95):
    """What a knee that lies beyond its curve changes in `record`."""
    return {"pk": None, "status": "censored", "bound": bound, "reason": "beyond"}


def no_knee(reason="flat"):
    """What a curve without a knee changes in `record`."""
    return {"pk": None, "status": "none", "reason": reason}


def survives_its_file(table, columns, folder):
    """Whether a table has these columns and is read from a file as it was written."""
    write_csv(folder / "table.csv", table)
    read = read_table(folder / "table.csv", columns)
    pandas.testing.assert_frame_equal(read, table)
    return list(table.columns) == list(columns)


def study(
    networks=("vgg11", "resnet11"), recipes=("slimming", "random"), lambdas=LAMBDAS[:4], seeds=(1,), repairs=(FULL,)
):
    """Records and the rows of all curve.csv of a study in which PK grows with lambda."""
    rng = numpy.random.default_rng(0)
    records, curves = [], []
    for network in networks:
        for recipe in recipes:
            for repair in repairs:
                for place, lam in enumerate(lambdas):
                    for seed in seeds:
                        curve = curve_of(0.8 * RATE ** (4 + 3 * place) + rng.normal(0, 0.003, 20) * (RATE > 0))
                        one = record(network, recipe, lam, seed, ws=0.1 + place + rng.normal(0, 0.1), repair=repair)
                        knee = measure(curve, len(SCENES), 1000, Rule()) | {"resampled": UNKNOWN}
                        records.append(one | {"knee": knee, "curve": curve})
                        keys = {"network": network, "recipe": one["recipe"], "lam": lam, "seed": seed}
                        curves.append(curve.assign(**keys))
    return records, pandas.concat(curves, ignore_index=True)
