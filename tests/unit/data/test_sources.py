"""What each source of clips says of itself, and what an added one changes for the others: nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from channel_sparsity.bookkeeping.fingerprint import fingerprint
from channel_sparsity.data import sources
from channel_sparsity.data.clips import clip_table
from channel_sparsity.data.meta import check_clips
from channel_sparsity.data.sources import DataSource, class_of, source_of
from channel_sparsity.data.sources.synthetic.scenes import SCENES
from channel_sparsity.files import StudyError

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"


def test_the_sources_are_the_files():
    assert sources.NAMES == ("folder", "record", "synthetic")
    assert all(issubclass(class_of(name), DataSource) for name in sources.NAMES)


def test_a_key_belongs_to_one_source_and_is_explained():
    owned = [key for name in sources.NAMES for key in class_of(name).settings]
    assert sorted(owned) == sorted(set(owned)) == ["path", "record", "synthetic"]
    assert all(class_of(name).settings[key]["description"] for name in sources.NAMES for key in class_of(name).settings)


def test_the_scenes_to_choose_from_are_those_that_are_made():
    plan = class_of("synthetic").settings["synthetic"]["properties"]
    assert plan["scenes"]["items"]["enum"] == list(SCENES)


def test_every_stage_has_a_script_and_a_rule():
    rules = {path: path.read_text() for path in (SCRIPTS.parent / "rules").rglob("*.smk")}
    for name in sources.NAMES:
        for stage in class_of(name).stages:
            assert (SCRIPTS / f"{stage}.py").is_file()
            places = [path for path, text in rules.items() if f"rule {stage}:" in text]
            assert [path.stem for path in places] in ([name], ["data"], ["features"])


def test_planning_imports_no_library_of_sound():
    """Snakemake imports every source whenever it starts, on login nodes too."""
    code = """
import sys
from channel_sparsity.data.sources import NAMES, class_of
assert [class_of(name) for name in NAMES]
slow = {"soundfile", "soxr", "scipy", "librosa", "torch", "h5py", "requests"} & set(sys.modules)
assert not slow, slow
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_a_file_without_a_source_is_named(monkeypatch):
    monkeypatch.setattr(sources, "import_module", lambda name: sys)
    monkeypatch.setattr(sys, "__file__", "data/sources/mine.py", raising=False)
    with pytest.raises(StudyError, match=r"data/sources/mine\.py has no class Source"):
        class_of("mine")


@pytest.mark.parametrize(
    ("block", "beginning"),
    [
        ({"source": "folder", "path": "x"}, "The study does not know the licence"),
        ({"source": "folder", "path": "x", "licence": "Mine."}, "Mine."),
        ({"source": "folder", "path": "x", "record": {"licence": "CC."}}, "If the folder holds what the configuration"),
        ({"source": "folder", "path": "x", "licence": "Mine.", "record": {"licence": "CC."}}, "Mine."),
        ({"source": "record", "record": {"licence": "CC."}}, "CC."),
        ({"source": "synthetic", "synthetic": {}}, "The clips are made by this project's own code"),
    ],
)
def test_one_sentence_says_the_licence_in_the_report_and_on_the_cards(block, beginning):
    assert source_of(block, "mine").licence.startswith(beginning)


def test_what_is_made_lies_with_the_data_and_what_is_given_stays_where_it_is():
    made = source_of({"source": "synthetic"}, "mine")
    given = source_of({"source": "folder", "path": "/there"}, "mine")
    assert (made.made, made.table, made.lists) == (True, "data/mine/meta.csv", "data/mine/evaluation_setup")
    assert (given.made, given.table, given.lists) == (False, "/there/meta.csv", "/there/evaluation_setup")
    assert given.path_of("audio/a.wav") == Path("/there/audio/a.wav")


@pytest.fixture
def scripts(tmp_path):
    """The scripts and the library, for a test to edit."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "scripts"


def prints(scripts, *chosen):
    """The fingerprint of every script."""
    return {path.stem: fingerprint.__wrapped__(path, chosen) for path in sorted(scripts.glob("*.py"))}


def test_an_added_source_reruns_nothing_of_studies_with_other_sources(scripts):
    chosen = [(f"sources.{name}",) for name in sources.NAMES]
    before, without = [prints(scripts, *each) for each in chosen], prints(scripts)
    (scripts / "channel_sparsity/data/sources/mine.py").write_text("import channel_sparsity.data.esc50\n")
    assert [prints(scripts, *each) for each in chosen] == before
    # It is seen where it is chosen, and where nothing is.
    assert prints(scripts, "sources.mine")["list_clips"] not in {each["list_clips"] for each in before}
    changed = {name for name, digest in prints(scripts).items() if digest != without[name]}
    assert {"list_clips", "extract_features", "write_report"} <= changed
    # What computes from the features knows of no source; nor does what reads archives, which may be gone.
    assert not changed & {"extract_archive", "merge_shards", "split_clips", "train_network", "prune_network"}
    assert not changed & {"measure_sparsity", "find_knee", "make_tables", "compare_measures", "draw_figures"}


ROW = {"scene": "bus", "identifier": "oslo-1", "device": "a", "duration_s": 1.0, "sample_rate_hz": 8000, "channels": 1}
ROW |= {"city": "oslo", "location": "1", "segment": ""}


def listed(**changes):
    """A table of four clips of two scenes, the last of them changed."""
    rows = [ROW | {"filename": f"{n}.wav", "scene": "bus" if n < 2 else "park"} for n in range(4)]
    rows[-1] |= changes
    return clip_table(rows)


def test_the_table_of_a_source_is_checked_like_a_folders():
    check_clips(listed(), ["a"], "mine.csv")
    for changes, problem in [
        ({"filename": "../x.wav"}, "mine.csv has the filename '../x.wav'"),
        ({"scene": "a/b"}, "mine.csv has the scene_label 'a/b'"),
        ({"filename": "0.wav"}, "mine.csv lists '0.wav' more than once"),
        ({"scene": "tram"}, "mine.csv has one clip of the scene 'park'"),
        ({"device": "b"}, "mine.csv was listed with '3.wav', which is of none of `devices`"),
    ]:
        with pytest.raises(StudyError) as caught:
            check_clips(listed(**changes), ["a"], "mine.csv")
        assert problem in str(caught.value)
    with pytest.raises(StudyError, match=r"mine\.csv has fewer than two scenes"):
        check_clips(listed()[:2], ["a"], "mine.csv")
    with pytest.raises(StudyError, match=r"mine\.csv was listed without the columns 'channels'"):
        check_clips(listed().drop(columns="channels"), ["a"], "mine.csv")
    with pytest.raises(StudyError, match=r"mine\.csv lists no clip"):
        check_clips(listed()[:0], ["a"], "mine.csv")
    with pytest.raises(StudyError, match=r"mine\.csv has no clip of device 'b'"):
        check_clips(listed(), ["a", "b"], "mine.csv")
