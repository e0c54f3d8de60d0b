"""Made-up results of a study, in the shape that the scripts hand to the tables."""

import numpy
import pandas

from channel_sparsity.analysis.knee import Rule, measure
from channel_sparsity.analysis.resampling import UNKNOWN
from channel_sparsity.analysis.tables import read_table
from channel_sparsity.files import write_csv

LAMBDAS = ("0", "1e-6", "1e-5", "5e-5", "1e-4", "1e-3")


def record(network="vgg16", recipe="slimming", lam="0", seed=1, *, accuracy=0.9, ws=1.0, pk=0.7, **knee):
    """One cell: trained, with a WS and a knee, unless told otherwise."""
    return {
        "network": network,
        "recipe": recipe,
        "lam": lam,
        "seed": seed,
        "metrics": {
            "status": "trained",
            "reason": "",
            "accuracy": accuracy,
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
            "margin": None,
            "bound": None,
            "resampled": {"low": None, "high": None, "accuracy_loss_held_out": None},
        }
        | knee,
    }


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


def study(networks=("vgg11", "resnet11"), recipes=("slimming", "random"), lambdas=LAMBDAS[:4], seeds=(1,)):
    """Records and the rows of all curve.csv of a study in which PK grows with lambda."""
    rng = numpy.random.default_rng(0)
    rate = numpy.arange(20) * 0.05
    records, curves = [], []
    for network in networks:
        for recipe in recipes:
            for place, lam in enumerate(lambdas):
                for seed in seeds:
                    loss = 0.8 * rate ** (4 + 3 * place) + rng.normal(0, 0.003, 20) * (rate > 0)
                    curve = pandas.DataFrame(
                        {
                            "step": range(20),
                            "channel_rate": rate,
                            "parameter_rate": 1 - (1 - rate) ** 2,
                            "masked_rate": rate,
                            "accuracy": 0.9 - loss,
                            "accuracy_loss": loss,
                        }
                    )
                    one = record(network, recipe, lam, seed, ws=0.1 + place + rng.normal(0, 0.1))
                    records.append(one | {"knee": measure(curve, 10, 1000, Rule()) | {"resampled": UNKNOWN}})
                    curves.append(curve.assign(network=network, recipe=recipe, lam=lam, seed=seed))
    return records, pandas.concat(curves, ignore_index=True)
