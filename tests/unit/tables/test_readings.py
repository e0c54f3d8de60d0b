import numpy
import pandas
import pytest
from cells_for_tests import LAMBDAS, SCENES, control, study, survives_its_file

from channel_sparsity.measuring.knee import Rule, measure
from channel_sparsity.tables import readings
from channel_sparsity.tables import study as tables
from channel_sparsity.tables.readings import AS_CONFIGURED, WORDS, Reading

METRICS = {"status": "trained", "accuracy_per_scene": dict.fromkeys(SCENES), "clips_validation": 1000}
KEYS = ["recipe", "network", "lam", "seed"]


@pytest.fixture(scope="module")
def made():
    """Cells, WS and knees of two recipes, two networks and two seeds; the strongest lambda is over the limit."""
    records, curves = study(("vgg11", "mobilenet0.25"), lambdas=LAMBDAS[:5], seeds=(1, 2))
    trained = {}  # recipes share the trained networks
    for each in records:
        each["sparsity"] = trained.setdefault((each["network"], each["lam"], each["seed"]), each["sparsity"])
        each["metrics"]["accuracy"] = {"0": 0.84, "5e-5": 0.88, "1e-4": 0.85}.get(each["lam"], 0.9)
    cells = tables.cells(records, 0.03)
    sparsity = cells.drop_duplicates(KEYS[1:])[[*KEYS[1:], "ws"]].reset_index(drop=True)
    sparsity["ws_absolute"] = 3 - sparsity["ws"]
    mobile = sparsity["network"] == "mobilenet0.25"
    sparsity["ws_without_depthwise"] = sparsity["ws"].where(~mobile, sparsity["ws"] ** 2)
    found = {
        key: readings.knees(own.reset_index(drop=True), METRICS, control(0.91), Rule())
        for key, own in curves.groupby(KEYS)
    }
    return cells, sparsity, found


@pytest.fixture(scope="module")
def table(made):
    return vary(made)


def vary(made, rule=None, recipes=("slimming", "random")):
    return readings.vary(*made, "mine", recipes, rule or Rule(), 0.03)


def only(table, **chosen):
    """The single row with these values."""
    return table[(table[list(chosen)] == pandas.Series(chosen)).all(axis=1)].squeeze()


def test_as_configured_is_what_the_tables_say(made, table):
    rows = table[table["reading"].isin([AS_CONFIGURED, "recipe: random"])].set_index(["network", "recipe"])
    assert len(rows) == 4
    for row in tables.correlation(made[0]).itertuples():
        ours = rows.loc[(row.network, row.recipe)]
        assert (ours["n"], ours["r"], ours["r_low"], ours["r_high"]) == pytest.approx(
            (row.n, row.r, row.r_low, row.r_high)
        )
    for row in tables.regression(made[0]).itertuples():
        ours = rows.loc[(row.network, row.recipe)]
        assert (ours["m"], ours["m_low"], ours["m_high"]) == pytest.approx((row.m, row.m_low, row.m_high))


def test_one_thing_is_changed_at_a_time(table):
    configured = {
        "knee: fixed ends (R21)",
        "axis: channels (R19)",
        "WS: signed gammas (R14)",
        "limit: on lambda, from above (R9)",
        "censored knees: out (R24)",
        "loss: from step 0 (R22)",
    }
    words = [each for choices in WORDS.values() for each in choices.values()]
    expected = [AS_CONFIGURED, *(each for each in words if each not in configured)]
    own = table[table["recipe"] == "slimming"]
    mobile = own.loc[own["network"] == "mobilenet0.25", "reading"].tolist()
    assert mobile == expected
    vgg = own.loc[own["network"] == "vgg11", "reading"].tolist()
    assert vgg == [each for each in expected if each != "WS: no depthwise gammas (R12)"], "it has no such gammas"
    # What a row says of itself is what it was made by.
    settings = own[own["network"] == "mobilenet0.25"].set_index("reading")[list(WORDS)]
    for reading, row in settings.iterrows():
        differing = [WORDS[name][row[name]] for name in WORDS if row[name] != settings.loc[AS_CONFIGURED, name]]
        assert differing == ([] if reading == AS_CONFIGURED else [reading])


def test_other_recipes_stand_there_as_they_are_configured(table):
    other = table[table["recipe"] == "random"]
    assert other[["network", "reading"]].values.tolist() == [
        ["vgg11", "recipe: random"],
        ["mobilenet0.25", "recipe: random"],
    ]
    assert (other[["rule", "axis"]] == ["fixed_ends", "channels"]).all(axis=None)


def test_the_reading_of_a_study_is_that_of_its_rule(made):
    other = vary(made, Rule("kneed", "parameters", online=True), ["slimming"])
    configured = other[other["reading"] == AS_CONFIGURED].iloc[0]
    assert (configured["rule"], configured["axis"]) == ("kneed_online", "parameters")
    assert {"knee: fixed ends (R21)", "knee: section 2.3 (R21)", "axis: channels (R19)"} <= set(other["reading"])
    assert "knee: kneed, online (R21)" not in set(other["reading"])


OWN = ("fixed_ends", "channels", "step_0")


@pytest.mark.parametrize(
    ("reading", "lambdas", "knee", "ws"),
    [
        ("WS: magnitudes (R14)", LAMBDAS[:4], OWN, "ws_absolute"),
        ("limit: none (R9)", LAMBDAS[:5], OWN, "ws"),
        ("limit: twice the margin (R9)", LAMBDAS[:5], OWN, "ws"),
        ("limit: half the margin (R9)", LAMBDAS[:3], OWN, "ws"),
        ("limit: every cell's accuracy (R9)", LAMBDAS[1:4], OWN, "ws"),
        ("axis: parameters (R19)", LAMBDAS[:4], ("fixed_ends", "parameters", "step_0"), "ws"),
        ("knee: section 2.3 (R21)", LAMBDAS[:4], ("literal", "channels", "step_0"), "ws"),
        ("knee: kneed, offline (R21)", LAMBDAS[:4], ("kneed", "channels", "step_0"), "ws"),
        ("loss: from the control (R22)", LAMBDAS[:4], ("fixed_ends", "channels", "finetuned"), "ws"),
    ],
)
def test_each_reading_changes_what_it_says(made, table, reading, lambdas, knee, ws):
    cells, sparsity, found = made
    rows = cells[(cells["network"] == "vgg11") & (cells["recipe"] == "slimming") & cells["lam"].isin(lambdas)]
    rows = rows.drop(columns=["ws", "ws_absolute"]).merge(sparsity, on=KEYS[1:])
    rows["pk"] = [found["slimming", "vgg11", row.lam, row.seed][knee].position for row in rows.itertuples()]
    means, row = rows.groupby("lam")[[ws, "pk"]].mean().dropna(), only(table, network="vgg11", reading=reading)
    assert (row["n"], row["r"]) == (len(lambdas), pytest.approx(means[ws].corr(means["pk"])))


def test_a_censored_knee_counts_at_its_bound_where_it_should(made):
    cells, sparsity, found = made
    rate = numpy.arange(20) * 0.05
    flat = pandas.DataFrame({"channel_rate": rate, "parameter_rate": rate, "masked_rate": rate, "accuracy": 0.9})
    changed = {}
    for key, each in found.items():
        at_end = key[2] == LAMBDAS[2]
        changed[key] = readings.knees(flat.assign(accuracy_loss=0.0), METRICS, control(0.9), Rule()) if at_end else each
    table = vary((cells, sparsity, changed), recipes=["slimming"])
    row = only(table, network="vgg11", reading="censored knees: at bound (R24)")
    assert (row["n"], only(table, network="vgg11", reading=AS_CONFIGURED)["n"]) == (4, 3)


def test_knees_are_those_of_the_rules(made):
    _, curves = study(("vgg11",), ("slimming",), LAMBDAS[:1])
    found = readings.knees(curves, METRICS, control(0.93), Rule(sensitivity=2.0))
    for name, online in (("fixed_ends", False), ("literal", False), ("kneed", False), ("kneed", True)):
        record = measure(curves, 10, 1000, Rule(name, "masked", 2.0, online))
        assert found[name + "_online" * online, "masked", "step_0"].position == record["pk_masked"]
    # From the control more is lost at every step but the first, and more can be lost.
    shifted = curves.assign(
        accuracy_loss=[0, *(0.93 - curves["accuracy"][1:])], accuracy=[0.93, *curves["accuracy"][1:]]
    )
    record = measure(shifted, 10, 1000, Rule())
    assert found["fixed_ends", "channels", "finetuned"].position == record["pk_channels"]
    untuned = readings.knees(curves, METRICS, control(None), Rule())
    assert untuned["kneed", "channels", "finetuned"] == untuned["kneed", "channels", "step_0"]
    lost = readings.knees(curves, METRICS, control(None, "diverged"), Rule())
    assert lost.keys() == found.keys() and {knee.status for knee in lost.values()} == {"none"}


def test_too_few_cells_say_so(made):
    cells, sparsity, found = made
    table = vary((cells[cells["lam"].isin(LAMBDAS[:2])], sparsity, found))
    assert table["r"].isna().all()
    assert set(table["reason"]) <= {f"needs at least 3 points, has {n}" for n in range(3)}


def test_other_studies_stand_below_as_they_are_configured(table):
    own, other = table, table.assign(study="other")
    third = other[other["network"] == "vgg11"].assign(study="third", network="vgg19")
    both = readings.beside(own, {"other": other, "third": third, "none": other.iloc[:0]})
    added = both.iloc[len(own) :]
    assert added[["network", "study", "reading"]].values.tolist() == [
        ["vgg11", "other", "study: other"],
        ["mobilenet0.25", "other", "study: other"],
    ]
    assert added["r"].tolist() == own.loc[own["reading"] == AS_CONFIGURED, "r"].tolist()


def test_the_table_survives_its_file(made, table, tmp_path):
    for each in (table, vary(made, recipes=[])):
        assert survives_its_file(each, readings.COLUMNS, tmp_path)


def test_no_two_readings_have_the_same_words():
    others = list(Reading("kneed", "masked").others())
    assert others[0] == (AS_CONFIGURED, Reading("kneed", "masked"))
    assert len({words for words, _ in others}) == len({reading for _, reading in others}) == 1 + 3 + 2 + 2 + 4 + 1 + 1
