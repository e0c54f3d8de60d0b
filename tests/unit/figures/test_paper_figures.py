import itertools

import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, censored, no_knee, record, study
from drawn import saved, words
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from channel_sparsity.figures import paper as figures
from channel_sparsity.figures.style import footnote, lambda_colours, lambda_lines, network_marks, save, style
from channel_sparsity.naming import FAMILIES, PAPER_NETWORKS, Family, family
from channel_sparsity.tables import study as tables


@pytest.fixture(scope="module")
def results():
    records, curves = study()
    # One cell of each kind that is drawn differently.
    records[0] = record("vgg11", "slimming", "0", ws=0.1, **censored())
    records[1] = record("vgg11", "slimming", "1e-6", ws=1.1, **no_knee())
    records[3]["metrics"]["accuracy"] = 0.5
    return tables.cells(records, 0.03), curves


@pytest.fixture(scope="module")
def scaling_factors():
    rng = numpy.random.default_rng(0)
    return pandas.DataFrame(
        {
            "network": numpy.repeat(["vgg11", "resnet11"], 400),
            "width_scale": numpy.repeat([1.0, 0.5], 400),
            "lam": numpy.tile(numpy.repeat(["0", "1e-3"], 200), 2),
            "seed": 1,
            "gamma": rng.gamma(2, 0.2, 800),
        }
    )


def draw(cells, curves, values):
    """All three figures."""
    correlation, regression = tables.correlation(cells), tables.regression(cells)
    return {
        "gammas": figures.gammas(values),
        "pruning_curves": figures.pruning_curves(curves, cells),
        "ws_vs_pk": figures.ws_vs_pk(cells, correlation, regression),
    }


def points(axes):
    """The uppermost layer of points."""
    return [layer for layer in axes.collections if isinstance(layer, PathCollection)][-1]


def test_the_same_results_give_the_same_bytes(scaling_factors, tmp_path):
    records, curves = study(("vgg11",), ("slimming",))
    cells = tables.cells(records, 0.03)
    scaling_factors = scaling_factors[scaling_factors["network"] == "vgg11"]
    one, two = (saved(draw(cells, curves, scaling_factors), tmp_path / attempt) for attempt in ("one", "two"))
    assert one == two and len(one) == 6
    assert b"<dc:date>" not in (tmp_path / "one" / "gammas.svg").read_bytes()


def test_a_recipe_may_have_any_name(tmp_path):
    evil = "a<b>&$\\frac{_^$ %s {}"
    records, curves = study(("vgg11",), (evil,), LAMBDAS[:3])
    cells = tables.cells(records, 0.03)
    saved(draw(cells, curves, pandas.DataFrame()), tmp_path)
    text = (tmp_path / "ws_vs_pk.svg").read_text(encoding="utf-8")
    assert "a&lt;b&gt;&amp;$\\frac{_^$ %s {}" in text


def test_nothing_to_draw_says_so():
    none = tables.cells([], 0.03)
    for figure in draw(none, pandas.DataFrame(), pandas.DataFrame()).values():
        assert "yet" in words(figure)


def test_a_study_without_a_knee_draws_its_curves_and_says_so():
    records, curves = study(("vgg11",), ("slimming",))
    records = [record("vgg11", lam=each["lam"], **no_knee()) for each in records]
    drawn = draw(tables.cells(records, 0.03), curves, pandas.DataFrame())
    assert len(drawn["pruning_curves"].axes[0].lines) == 4
    assert "Without a knee: 4 of 4 curves." in words(drawn["pruning_curves"])
    assert "4 without WS or knee" in words(drawn["ws_vs_pk"])
    assert "no r (needs at least 3 points, has 0)" in words(drawn["ws_vs_pk"])


def test_fig_2_has_a_panel_a_curve_a_line_and_a_mark_for_each_knee(results):
    cells, curves = results
    figure = figures.pruning_curves(curves, cells)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 4
    slimming = panels[0]
    assert slimming.get_title() == "VGG-11\nslimming (Liu et al.), n = 4"
    # Four curves; two knees, of which one is excluded, and a mark for the censored one.
    assert len(slimming.lines) == 4
    assert [face[3] for face in points(slimming).get_facecolor()] == [0, 1, 0]
    bound, *_ = points(slimming).get_offsets()
    censored = cells[cells["knee_status"] == "censored"].iloc[0]
    curve = curves.query("network == 'vgg11' and recipe == 'slimming' and lam == '0'")
    assert bound.tolist() == pytest.approx([100 * censored["knee_bound"], 100 * curve["accuracy_loss"].iloc[-1]])
    knees = cells.query("network == 'resnet11' and recipe == 'slimming'")
    assert points(panels[1]).get_offsets() == pytest.approx(100 * knees[["pk", "accuracy_loss_at_pk"]].to_numpy())
    assert {"knee", "knee, excluded", "knee beyond"} <= set(words(figure).split("\n"))


@pytest.mark.parametrize(("count", "a_row"), [(1, 4), (2, 4), (3, 3), (4, 4), (5, 4)])
def test_fig_2_has_a_column_for_each_of_few_networks(count, a_row):
    records, curves = study(PAPER_NETWORKS[:count], ("slimming", "ista", "random", "taylor", "ista-flat"))
    figure = figures.pruning_curves(curves, tables.cells(records, 0.03))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_subplotspec().colspan.start for axes in panels] == [i % a_row for i in range(5 * count)]
    assert [bool(axes.get_xlabel()) for axes in panels] == [place + a_row >= 5 * count for place in range(5 * count)]


def test_fig_3_marks_what_counts_and_what_does_not(results):
    cells, _ = results
    correlation, regression = tables.correlation(cells), tables.regression(cells)
    figure = figures.ws_vs_pk(cells, correlation, regression, note="Partial: 14 of 16 cells.")
    panel = figure.axes[0]
    shown = cells[(cells["recipe"] == "slimming") & (cells["knee_status"] != "none")]
    heights = 100 * shown["pk"].fillna(shown["knee_bound"])
    assert points(panel).get_offsets() == pytest.approx(numpy.column_stack([shown["ws"], heights]))
    assert [face[3] == 1 for face in points(panel).get_facecolor()] == shown["included"].tolist()
    assert (
        len(shown) == 7 and shown["included"].sum() == 5
    )  # eight cells, one without a knee, one censored, one excluded
    assert len(panel.texts) == 1  # the arrow of the censored one
    (line,) = panel.lines  # too few included cells of the other network
    row = regression.query("network == 'resnet11' and recipe == 'slimming'").iloc[0]
    ws, pk = line.get_data()
    assert pk[1] == pytest.approx(100 * (row["m"] * ws[1] + row["b"]))
    text = words(figure)
    r = correlation.query("network == 'resnet11' and recipe == 'slimming'").iloc[0]
    assert f"ResNet-11: r = {r['r']:.2f} ({r['r_low']:.2f} to {r['r_high']:.2f}), n = 4" in text
    assert "1 censored (arrow), 1 without WS or knee (not drawn). Partial: 14 of 16 cells." in " ".join(text.split())


def test_lines_end_at_the_means_over_seeds_that_they_were_fitted_to():
    records, _ = study(("vgg11",), ("slimming",))
    cells = tables.cells(records, 0.03)
    # WS spreads over seeds far more than its mean does over lambdas.
    cells = pandas.concat([cells.assign(seed=seed, ws=cells["ws"] + shift) for seed, shift in ((1, -9.0), (2, 9.0))])
    ends = figures.lines(cells, tables.regression(cells))
    mean = cells[cells["included"]].groupby("lam")["ws"].mean()
    assert sorted(ends["ws"]) == pytest.approx([mean.min(), mean.max()])


def test_fig_3_has_two_recipes_a_row_and_each_says_what_its_axes_are():
    recipes = ("slimming", "ista", "random")
    records, _ = study(recipes=recipes)
    cells = tables.cells(records, 0.03)
    figure = figures.ws_vs_pk(cells, tables.correlation(cells), tables.regression(cells))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_subplotspec().colspan.start for axes in panels] == [0, 1, 0]
    assert all(axes.get_xlabel() == "Weight Skewness" for axes in panels)
    assert all(axes.xaxis.get_tick_params()["labelbottom"] for axes in panels)
    assert [bool(axes.get_ylabel()) for axes in panels] == [True, False, True]


def test_fig_1_shares_add_up_and_ws_is_named(scaling_factors):
    figure = figures.gammas(scaling_factors)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        x, share = axes.collections[0].get_paths()[0].vertices.T
        area = abs(x @ numpy.roll(share, 1) - share @ numpy.roll(x, 1)) / 2
        assert area / (x.max() / 30) == pytest.approx(100), "thirty bars of all gammas"
        assert axes.texts[0].get_text().startswith("WS ")
    assert "ResNet-11 x 0.5" in words(figure)


def test_fig_1_takes_gammas_that_are_all_alike_or_not_finite(scaling_factors, tmp_path):
    values = scaling_factors.copy()
    values["gamma"] = numpy.where(values["network"] == "vgg11", 0.0, numpy.nan)
    figure = figures.gammas(values)
    save(figure, tmp_path / "gammas.png")
    assert words(figure).count("WS undefined") == 4


@pytest.fixture
def registered(monkeypatch):
    """Every network of a registry of thirty families, of which the further ones have six networks."""
    for number in range(len(FAMILIES), 30):
        name = f"further{number}-"
        monkeypatch.setitem(FAMILIES, name, Family(name, tuple(f"{name}{n}" for n in range(6))))
    return [network for each in FAMILIES.values() for network in each.networks]


def test_no_two_networks_look_alike(registered):
    marks = [network_marks(network) for network in registered]
    assert len({(mark["marker"], mark["color"]) for mark in marks}) == len(registered) >= 12 + 6


def test_the_papers_networks_differ_in_colour_and_have_its_markers():
    assert len({network_marks(network)["color"] for network in PAPER_NETWORKS}) == 12
    shapes = {family(network): network_marks(network)["marker"] for network in PAPER_NETWORKS}
    assert shapes == {"vgg": "o", "resnet": "^", "mobilenet": "s"}  # as in the paper's Fig. 3


def test_marks_stand_out_from_white_paper(registered):
    """Contrast of at least 3, as WCAG asks for graphics."""
    colours = numpy.array([network_marks(network)["color"] for network in registered])
    linear = numpy.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    contrasts = dict(zip(registered, 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05), strict=True))
    assert {network: contrast for network, contrast in contrasts.items() if contrast < 3} == {}


def test_lambdas_darken_with_strength():
    colours = lambda_colours(["1e-3", "0", "5e-4", "1e-3"])
    assert list(colours) == ["0", "5e-4", "1e-3"]
    light = [sum(colour[:3]) for colour in colours.values()]
    assert light == sorted(light, reverse=True)
    assert list(lambda_colours(["0"])) == ["0"]
    lines = list(lambda_lines(["1e-3", "0", "5e-4", "1e-4", "1e-2"]).values())
    assert all(one != other for one, other in itertools.pairwise(lines))


def test_the_users_own_style_changes_nothing(results, scaling_factors, tmp_path):
    import matplotlib

    save(figures.gammas(scaling_factors), tmp_path / "plain.svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        save(figures.gammas(scaling_factors), tmp_path / "styled.svg")
    assert (tmp_path / "plain.svg").read_bytes() == (tmp_path / "styled.svg").read_bytes()


@pytest.mark.parametrize("inches", [4.6, 8.5, 13])
def test_remarks_fit_the_width_of_a_figure(inches):
    with style():
        figure = Figure(figsize=(inches, 3), layout="constrained")
        footnote(figure, "Cells: 16 included, 2 excluded (hollow), 2 without WS or knee (not drawn).", "A note. " * 30)
        figure.draw_without_rendering()
        (remark,) = (text for text in figure.findobj(Text) if text.get_text())
        extent = remark.get_window_extent()
    assert extent.x0 >= 0 and 0.7 * figure.bbox.width < extent.x1 <= figure.bbox.width
