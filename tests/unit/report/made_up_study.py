"""A made-up study on disk, with the real tables, figures and page: what the report is tested on."""

import copy
from pathlib import Path

import numpy
import pandas
import yaml
from cells_for_tests import LAMBDAS, censored, no_knee, record, study

from channel_sparsity.claims.claims import claims
from channel_sparsity.claims.paper import beside_paper
from channel_sparsity.claims.plan import at_the_papers_dose
from channel_sparsity.configuration import curves_of
from channel_sparsity.figures import alternatives as alternative_figures
from channel_sparsity.figures import paper as figures
from channel_sparsity.figures.style import save
from channel_sparsity.files import write_csv, write_json, write_text
from channel_sparsity.report import page
from channel_sparsity.report.contents import Sources, contents
from channel_sparsity.tables import outcomes, readings
from channel_sparsity.tables import study as tables

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "workflow/report"
CONFIGURATION = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
NOTE = "Study made-up, data set tau2020."
FIGURES = ("gammas", "pruning_curves", "ws_vs_pk", "repair", "readings")
#: What a folder of recordings might call a scene, in the hope that a page runs it.
EVIL = "</script><script>window.evil = 1</script>\"><img src=x onerror='window.evil = 1'> &lt;b&gt; <!-- {{ 7 * 7 }}"
#: So many layers has each network here.
LAYERS = 12


def configuration(
    networks=("vgg11", "resnet11"),
    recipes=("slimming", "random"),
    lambdas=LAMBDAS[:4],
    seeds=(1,),
    repairs=("full",),
):
    """The paper's configuration for a smaller study."""
    changed = {
        "study": "made-up",
        "networks": list(networks),
        "lambdas": {"default": list(lambdas)},
        "seeds": list(seeds),
        "curves": [{"recipe": recipe, "repairs": list(repairs)} for recipe in recipes],
    }
    return copy.deepcopy(CONFIGURATION) | changed


class MadeUp:
    """Files of a study in `folder`; `page()` writes its report from them."""

    def __init__(self, folder: Path, config: dict, scenes=("bus", "park"), seconds=60.0, drawn=True):
        self.folder, self.config, self.drawn = folder, config, drawn
        named = {curve.recipe: curve for curve, _ in curves_of(config)}
        recipes = list(named)
        shape = config["networks"], recipes, config["lambdas"]["default"], config["seeds"]
        records, curves = study(*shape)
        # One cell of each kind that the page shows differently.
        network, recipe, (first, second, *_, last), seed = shape[0][0], recipes[0], shape[2], shape[3][0]
        odd = {first: {"ws": 0.1, **censored()}, second: {"ws": 1.1, **no_knee()}, last: {"ws": 4, "accuracy": 0.5}}
        for place, one in enumerate(records):
            if (one["network"], one["recipe"], one["seed"]) == (network, recipe, seed) and one["lam"] in odd:
                records[place] = record(network, recipe, one["lam"], seed, **odd[one["lam"]])
        for one in records:
            one |= {"criterion": named[one["recipe"]].criterion, "repair": named[one["recipe"]].repair}
        self.grid = [{key: one[key] for key in ("recipe", "network", "lam", "seed")} for one in records]
        self._tables(records)
        self._figures(curves)
        self._curves(curves, seconds)
        counts = dict.fromkeys(scenes, 70)
        write_json(folder / "manifest.json", {"clips": sum(counts.values()), "clips_per_scene": counts, "frames": 401})
        subset = ["train"] * 70 + ["validation"] * 30
        write_text(folder / "digests.txt", "# device: cpu\n")
        write_csv(folder / "split.csv", pandas.DataFrame({"filename": range(100), "subset": subset}))

    def _tables(self, records):
        cells = tables.cells(records, 0.03)
        correlation, regression = tables.correlation(cells), tables.regression(cells)
        self.cells, self.correlation, self.regression = cells, correlation, regression
        made, judged = {"cells": cells, "correlation": correlation, "regression": regression}, at_the_papers_dose(cells)
        made["paper"] = beside_paper(judged, tables.correlation(judged), tables.regression(judged))
        made["claims"] = claims(judged, self.config["equivalence"])
        keys = ["recipe", "network", "lam", "seed"]
        knees = {tuple(one[key] for key in keys): one["knee"] for one in records}
        measured = outcomes.outcomes_of(cells, [knees[tuple(row)] for row in cells[keys].itertuples(index=False)])
        self.outcomes = made["outcomes"] = outcomes.compare_outcomes(measured, ["random"])
        alike = correlation.assign(reading=readings.AS_CONFIGURED, study="made-up")
        alike = alike.merge(regression[["network", "recipe", "m", "m_low", "m_high"]])
        made["readings"] = alike.reindex(columns=list(readings.COLUMNS))
        for name, table in made.items():
            write_csv(self.folder / f"tables/{name}.csv", table)
        self.tables, self.readings = [self.folder / f"tables/{name}.csv" for name in made], made["readings"]

    def _figures(self, curves):
        self.figures = [self.folder / f"figures/{name}.svg" for name in FIGURES]
        if not self.drawn:
            for path in self.figures:
                write_text(path, '<svg xmlns="http://www.w3.org/2000/svg"/>')
            return
        rng = numpy.random.default_rng(0)
        points = [(p["network"], p["lam"], p["seed"]) for p in self.grid if p["recipe"] == self.grid[0]["recipe"]]
        gammas = pandas.concat(
            pandas.DataFrame({"gamma": rng.gamma(2, 0.2, 600), "width_scale": 1.0, "network": n, "lam": lam, "seed": s})
            for n, lam, s in points
        )
        drawn = {
            "gammas": figures.gammas(gammas, NOTE),
            "pruning_curves": figures.pruning_curves(curves, self.cells, NOTE),
            "ws_vs_pk": figures.ws_vs_pk(self.cells, self.correlation, self.regression, NOTE),
            "repair": alternative_figures.repair(self.outcomes, NOTE),
            "readings": alternative_figures.readings(self.readings, NOTE),
        }
        for path in self.figures:
            save(drawn[path.stem], path)

    def _curves(self, curves, seconds):
        self.curves, self.widths, self.timings = [], [], []
        keys = ["recipe", "network", "lam", "seed"]
        for place, point in enumerate(self.grid):
            own = curves[(curves[keys] == [point[key] for key in keys]).all(axis=1)]
            for name, kind in (("curve", self.curves), ("widths", self.widths), ("timing", self.timings)):
                kind.append(self.folder / f"prune/{place}/{name}.csv")
            steps = [
                {"step": step, "layer": f"stage{layer}.norm", "channels": max(1, round(64 * (1 - rate)))}
                for step, rate in zip(own["step"], own["channel_rate"], strict=True)
                for layer in range(LAYERS)
            ]
            write_csv(self.curves[-1], own)
            write_csv(self.widths[-1], pandas.DataFrame(steps))
            write_csv(self.timings[-1], pandas.DataFrame({"step": [0, 1], "seconds": [seconds, seconds / 2]}))

    def values(self):
        """What its page is rendered from."""
        sources = Sources(
            tables=self.tables,
            figures=self.figures,
            curves=self.curves,
            widths=self.widths,
            prunings=self.timings,
            trainings=self.timings[:2],
            manifest=self.folder / "manifest.json",
            split=self.folder / "split.csv",
            digests=self.folder / "digests.txt",
            published=None,
            grid=self.grid,
        )
        return contents(sources, self.config, {"train_network": "0123456789abcdef"}, TEMPLATES)

    def page(self, runtime="/* the library that draws */"):
        """Its report."""
        return page.render(TEMPLATES / "page", runtime, self.values())
