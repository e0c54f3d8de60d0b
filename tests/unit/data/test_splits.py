"""The laws of the splits: who may be where, how large the subsets are, and what the seed decides."""

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from channel_sparsity.data.splits import describe, official_split, split_clips
from channel_sparsity.files import StudyError


def table(locations):
    """Clips of (scene, identifier, number of clips)."""
    rows = [(scene, place) for scene, place, clips in locations for _ in range(clips)]
    clips = pandas.DataFrame(rows, columns=["scene", "identifier"])
    clips["filename"] = [f"audio/{row:05}.wav" for row in range(len(clips))]
    return clips


def shares(clips, subset):
    """The share of each scene's clips that is trained on."""
    return (subset == "train").groupby(clips["scene"]).mean()


def like_tau(seed=0):
    """Ten scenes of 1,440 clips from 514 locations of very different sizes."""
    random = np.random.default_rng(seed)
    sizes = [
        random.multinomial(1440 - places, random.dirichlet(np.full(places, 2.0))) + 1 for places in [51] * 6 + [52] * 4
    ]
    return table([(f"scene{s}", f"city-{s}-{n}", clips) for s, row in enumerate(sizes) for n, clips in enumerate(row)])


LOCATIONS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 9).map(str), st.integers(1, 9)), min_size=1, max_size=25
).map(table)
SPLITTABLE = LOCATIONS.filter(lambda clips: clips["scene"].value_counts().min() > 1)
GROUPABLE = (
    st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=8), min_size=1, max_size=5)
    .map(lambda scenes: [(f"s{s}", f"{s}-{n}", k) for s, sizes in enumerate(scenes) for n, k in enumerate(sizes)])
    .map(table)
)
SHARE = st.floats(0.05, 0.95)
SEED = st.integers(0, 2**32)


@given(SPLITTABLE, SHARE, SEED)
@settings(max_examples=50, deadline=None)
def test_a_random_split_gives_each_scene_its_share_to_the_nearest_clip(clips, share, seed):
    subset = split_clips(clips, "random", share, seed)
    for scene, rows in subset.groupby(clips["scene"]):
        trained = (rows == "train").sum()
        assert 0 < trained < len(rows), scene
        assert abs(trained - share * len(rows)) <= 0.5 + 1e-9 or trained in (1, len(rows) - 1)


@given(GROUPABLE, SHARE, SEED)
@settings(max_examples=50, deadline=None)
def test_a_split_by_location_leaves_no_location_in_both_and_each_scene_in_both(clips, share, seed):
    subset = split_clips(clips, "location", share, seed)
    assert (subset.groupby(clips["identifier"]).nunique() == 1).all()
    assert (subset.groupby(clips["scene"]).nunique() == 2).all()


@given(LOCATIONS, SHARE, SEED)
@settings(max_examples=50, deadline=None)
def test_locations_of_several_scenes_stay_together_too(clips, share, seed):
    try:
        subset = split_clips(clips, "location", share, seed)
    except StudyError as error:
        assert "too few locations" in str(error)
    else:
        assert (subset.groupby(clips["identifier"]).nunique() == 1).all()
        assert (subset.groupby(clips["scene"]).nunique() == 2).all()


@pytest.mark.parametrize("kind", ["random", "location"])
@given(clips=GROUPABLE, share=SHARE, seed=SEED, data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_seed_decides_and_not_the_order_of_the_clips(kind, clips, share, seed, data):
    subset = split_clips(clips, kind, share, seed)
    assert subset.equals(split_clips(clips, kind, share, seed))
    shuffled = clips.loc[data.draw(st.permutations(list(clips.index)))]
    again = split_clips(shuffled, kind, share, seed)
    assert list(again.index) == list(shuffled.index)
    assert again.sort_index().equals(subset)


@pytest.mark.parametrize("kind", ["random", "location"])
def test_other_seeds_give_other_splits_that_are_as_good(kind):
    clips = like_tau()
    splits = [split_clips(clips, kind, 0.7, seed) for seed in range(4)]
    agreement = [(splits[0] == other).mean() for other in splits[1:]]
    assert max(agreement) < 0.7  # by chance: 0.7 ** 2 + 0.3 ** 2 = 0.58
    for subset in splits:
        assert np.abs(shares(clips, subset) - 0.7).max() <= 1 / 1440


def test_every_clip_is_equally_likely_to_be_trained_on():
    clips = table([("a", "1", 4), ("b", "2", 6)])
    trained = sum((split_clips(clips, "random", 0.5, seed) == "train").to_numpy() for seed in range(400))
    assert np.abs(trained / 400 - 0.5).max() < 0.11  # more than four standard errors


def test_a_split_by_location_is_as_balanced_as_scikit_learns_or_better():
    for seed in range(3):
        clips = like_tau(seed)
        ours = shares(clips, split_clips(clips, "location", 0.7, seed))
        folds = StratifiedGroupKFold(10, shuffle=True, random_state=seed)
        parts = [rows for _, rows in folds.split(clips, clips["scene"], clips["identifier"])]
        theirs = pandas.Series("validation", clips.index)
        theirs.iloc[np.concatenate(parts[:7])] = "train"
        assert np.abs(ours - 0.7).max() < np.abs(shares(clips, theirs) - 0.7).max()


def test_a_split_by_location_is_the_best_there_is_where_all_can_be_tried():
    random = np.random.default_rng(1)
    found = 0
    for seed in range(20):
        sizes = random.integers(1, 30, 9)
        clips = table([("a", str(n), clips) for n, clips in enumerate(sizes)])
        sums = np.array([sizes[[bool(choice >> n & 1) for n in range(9)]].sum() for choice in range(1, 2**9 - 1)])
        best = np.abs(sums - 0.7 * sizes.sum()).min()
        trained = (split_clips(clips, "location", 0.7, seed) == "train").sum()
        assert abs(trained - 0.7 * sizes.sum()) <= best + 3
        found += abs(trained - 0.7 * sizes.sum()) <= best + 1e-9
    assert found >= 10


def test_as_many_locations_as_clips_are_no_trouble():
    clips = table([(f"s{n % 10}", f"place{n}", 1) for n in range(4000)])
    assert (np.abs(shares(clips, split_clips(clips, "location", 0.7, 0)) - 0.7) < 1e-9).all()


def test_a_scene_with_one_location_is_named():
    clips = table([("a", "1", 5), ("a", "2", 5), ("park", "3", 9)])
    with pytest.raises(StudyError, match=r"scene 'park' has too few locations \(1\)"):
        split_clips(clips, "location", 0.7, 0)


def published(locations, devices=("a",)):
    """Clips with TAU's names of (scene, identifier, number of clips), by each of some devices."""
    rows = [
        (f"audio/{scene}-{place}-{number}-{device}.wav", scene, place, device)
        for scene, place, clips in locations
        for number in range(clips)
        for device in devices
    ]
    return pandas.DataFrame(rows, columns=["filename", "scene", "identifier", "device"])


PLACES = [("bus", "lisbon-1", 3), ("bus", "oslo-2", 2), ("park", "lisbon-3", 4), ("park", "oslo-4", 1)]


@given(st.permutations(range(20)), st.booleans())
def test_the_official_split_trains_on_what_is_listed_and_validates_with_the_rest(order, others):
    both = published(PLACES, ("a", "b"))
    listed = list(both.loc[both["identifier"].str.startswith("lisbon"), "filename"])
    clips = both.iloc[list(order)] if others else both.iloc[list(order)].query("device == 'a'")
    subset = official_split(clips, listed, "fold1_train.csv")
    assert list(subset.index) == list(clips.index)
    assert ((subset == "train") == clips["identifier"].str.startswith("lisbon")).all()
    assert (subset.groupby(clips["identifier"]).nunique() == 1).all()


def test_a_list_of_clips_that_are_not_there_is_named():
    clips = published(PLACES)
    listed = ["audio/bus-lisbon-1-0-a.wav", "audio/bus-rome-9-0-a.wav", "audio/bus-rome-9-1-a.wav", "x"]
    with pytest.raises(
        StudyError, match=r"^fold\.csv lists 'audio/bus-rome-9-0-a\.wav' \(and 2 more\), but no such clip: "
    ):
        official_split(clips, listed, "fold.csv")


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["audio/bus-lisbon-1-0-b.wav"], r"^fold\.csv lists no clip of the scene 'bus': "),
        (["audio/bus-lisbon-1-0-a.wav"], r"^fold\.csv lists no clip of the scene 'park': "),
        (list(published(PLACES)["filename"]), r"^fold\.csv lists every clip of the scene 'bus': "),
    ],
)
def test_a_list_that_leaves_a_scene_on_one_side_is_named(listed, expected):
    with pytest.raises(StudyError, match=expected):
        official_split(published(PLACES), listed, "fold.csv")


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ("xxxx", "every clip has the same identifier"),
        ("wxyz", "every clip has an identifier of its own"),
        ("xxyy", "none of 2 places is in both"),
        ("xyxy", "2 of 2 places are in both, so accuracies are those of places heard before"),
    ],
)
def test_a_split_says_what_it_does_to_places(identifiers, expected):
    subset = pandas.Series(["train", "train", "validation", "validation"])
    said = describe(pandas.Series(list(identifiers)), subset)
    assert said.startswith(f"2 clips train, 2 validate; {expected}")
