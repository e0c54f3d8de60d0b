"""Which models are chosen, against brute force."""

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sparsity.deployment.budget import MODELS, choose
from channel_sparsity.deployment.names import BUDGET
from channel_sparsity.files import write_csv
from channel_sparsity.tables.front import FRONT
from channel_sparsity.tables.study import read_table

LIMITS = {"parameter_bytes": 128_000, "macs_per_second": 30e6}


def step(network="vgg11", recipe="slimming", lam="0", number=0, **changes):
    row = dict.fromkeys(FRONT, 0) | {
        "family": "vgg",
        "seed": 1,
        "step": number,
        "included": True,
        "within_limit": True,
        "width_scale": 1.0,
    }
    row |= {"network": network, "recipe": recipe, "lam": lam, "accuracy": 0.8, "at_knee": False}
    row |= {"parameters": 1000, "macs_per_second": 1e6, "within_budget": True} | changes
    row["int8_bytes"] = row["parameters"]
    return row


def chosen(rows, wanted=(("vgg11", "slimming"),), limits=LIMITS):
    front = pandas.DataFrame(rows, columns=list(FRONT)).astype(FRONT)
    return choose(front, wanted, limits).set_index("model")


steps = st.builds(
    step,
    network=st.sampled_from(["vgg11", "resnet11"]),
    lam=st.sampled_from(["0", "1e-3"]),
    number=st.integers(0, 3),
    accuracy=st.sampled_from([0.5, 0.6, 0.7]),
    parameters=st.sampled_from([100, 120_000, 128_000, 128_001]),
    macs_per_second=st.sampled_from([1e6, 30e6, 31e6]),
    included=st.booleans(),
    within_limit=st.booleans(),
    at_knee=st.booleans(),
)


@settings(max_examples=30)
@given(rows=st.lists(steps, max_size=12))
def test_no_step_that_qualifies_is_better_than_the_chosen_one(rows):
    for row in rows:
        row["within_budget"] = row["parameters"] <= 128_000 and row["macs_per_second"] <= 30e6
    models = chosen(rows, [("vgg11", "slimming"), ("resnet11", "slimming")])
    for name, qualifies in {
        "vgg11-slimming": lambda row: row["network"] == "vgg11" and row["at_knee"] and row["included"],
        "resnet11-slimming": lambda row: row["network"] == "resnet11" and row["at_knee"] and row["included"],
        BUDGET: lambda row: row["within_budget"] and row["within_limit"],
    }.items():
        ranks = [(-row["accuracy"], row["parameters"], row["macs_per_second"]) for row in rows if qualifies(row)]
        model = models.loc[name]
        assert model["status"] == ("chosen" if ranks else "none")
        if ranks:
            assert (-model["accuracy"], model["parameters"], model["macs_per_second"]) == min(ranks)


def test_where_none_fits_a_sentence_says_what_came_nearest():
    rows = [
        step(number=3, parameters=256_000, macs_per_second=1e6, within_budget=False),
        step(number=4, parameters=1000, macs_per_second=45e6, within_budget=False),
        step(number=5, parameters=1000, macs_per_second=31e6, within_budget=False, within_limit=False),
    ]
    budget = chosen(rows).loc[BUDGET]
    assert budget["status"] == "none"
    assert budget["sentence"] == (
        "No model is within 128,000 bytes and 30 MMACs a second; nearest comes step 4 of vgg11 by slimming at lambda "
        "0, seed 1, with 1,000 bytes and 45 MMACs a second."
    )
    assert "No network was trained" in chosen([]).loc[BUDGET, "sentence"]


def test_a_network_without_an_included_knee_says_so():
    model = chosen([step(at_knee=True, included=False), step()]).loc["vgg11-slimming"]
    assert model["status"] == "none" and "No cell of vgg11 by slimming is included" in model["sentence"]


def test_the_table_survives_its_file(tmp_path):
    models = choose(
        pandas.DataFrame([step(lam="1e-3", at_knee=True)]).astype(FRONT),
        [("vgg11", "slimming"), ("vgg13", "ista")],
        LIMITS,
    )
    write_csv(tmp_path / "models.csv", models)
    pandas.testing.assert_frame_equal(read_table(tmp_path / "models.csv", MODELS), models)


@pytest.mark.parametrize("bytes_left", [0, 1])
def test_the_limits_belong_to_the_budget(bytes_left):
    limits = LIMITS | {"parameter_bytes": 1000 - 1 + bytes_left}
    budget = chosen([step(within_budget=bool(bytes_left))], limits=limits).loc[BUDGET]
    assert (budget["status"] == "chosen") == bool(bytes_left)
