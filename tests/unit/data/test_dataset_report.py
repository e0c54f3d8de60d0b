"""What is noticed of clips on the way to their features, and what is said of it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_sparsity.data.audio import _longest_run, read_clip
from channel_sparsity.data.clips import clip_table
from channel_sparsity.data.extraction import write_store
from channel_sparsity.data.findings import Finding, examine, findings_table, read_findings
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.report import describe, facts, page, warnings
from channel_sparsity.data.sources.folder import read_folder
from channel_sparsity.files import StudyError, write_csv

SECOND = LogMel(duration_s=1.0)
RATE = 44100


def noise(seed, samples=RATE):
    return 0.1 * np.random.default_rng(seed).standard_normal(samples)


def ignore(done):
    pass


def report_of(dataset, tmp_path):
    clips = read_folder(dataset.root, ["a"])
    _, findings = write_store(tmp_path / "logmel.h5", clips, dataset.read, SECOND, 1, ignore)
    write_csv(tmp_path / "findings.csv", findings)
    assert read_findings(tmp_path / "findings.csv").equals(findings)
    return describe(clips, findings, SECOND.duration_s)


@given(flags=st.lists(st.booleans(), min_size=1).filter(any))
def test_the_longest_run_is_that_of_the_text(flags):
    text = "".join("x" if flag else " " for flag in flags)
    assert _longest_run(np.array(flags)) == max(map(len, text.split()))


@pytest.mark.parametrize(("level", "run"), [(1.0, 40), (0.99, 0), (-1.0, 40)])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_clipping_is_seen_in_any_channel_as_it_was_recorded(dataset, level, run, subtype):
    samples = np.column_stack([noise(1), noise(2)])
    samples[500:540, 1] = level
    dataset.add("clipped.wav", "bus", "oslo-1", samples=samples, subtype=subtype)
    clip = read_clip(dataset.root / "audio/clipped.wav", SECOND)
    assert clip.full_scale_run == run
    assert clip.peak == pytest.approx(abs(level), abs=1e-4)


def test_blank_frames_and_content(dataset):
    half = np.where(np.arange(RATE) < RATE // 2, noise(3), 0)
    findings = []
    for name, samples in (("half", half), ("same", half), ("other", noise(4)), ("silent", np.zeros(RATE))):
        dataset.add(f"{name}.wav", "bus", "oslo-1", samples=samples)
        clip = read_clip(dataset.root / f"audio/{name}.wav", SECOND)
        findings.append(examine(clip, SECOND(clip.waveform)))
    assert [finding.blank_share for finding in findings] == [
        pytest.approx(0.48, abs=0.03),
        findings[0].blank_share,
        0,
        1,
    ]
    assert [finding.silent for finding in findings] == [False, False, False, True]
    assert not any(finding.cancelled for finding in findings)
    assert findings[0].content == findings[1].content != findings[2].content


def test_the_report_finds_what_was_put_there(dataset, tmp_path):
    twin = noise(5)
    dataset.add("one.wav", "bus", "oslo-1", samples=twin)
    dataset.add("two.wav", "park", "oslo-2", samples=twin)
    dataset.add("zeros.wav", "bus", "oslo-1", samples=np.zeros(RATE))
    dataset.add("nothing.wav", "bus", "oslo-3", samples=np.zeros(RATE))
    dataset.add("faint.wav", "bus", "oslo-1", samples=noise(6) / 1000)
    dataset.add("click.wav", "bus", "oslo-1", samples=np.r_[np.ones(9), noise(7)[9:]])
    dataset.add("short.wav", "bus", "oslo-1", samples=noise(8, 8000))
    dataset.add("long.flac", "bus", "oslo-1", samples=np.column_stack([noise(9, 60000)] * 2))
    dataset.add("nearly.wav", "bus", "oslo-1", samples=noise(10, RATE + 40))
    dataset.add("slow.wav", "park", "oslo-2", samples=noise(11, 8000), rate=8000)
    report = json.loads(json.dumps(report_of(dataset, tmp_path)))
    assert (report["clips"], report["cities"], report["locations"]) == (14, 2, 5)
    assert report["scenes"]["bus"] == {
        "clips": 10,
        "locations": 4,
        "sample_rates_hz": {"44100": 10},
        "channels": {"1": 9, "2": 1},
    }
    assert report["sample_rates_hz"] == {"8000": 1, "44100": 13}
    assert (report["padded"], report["cut"]) == (1, 2)
    assert {key: report[key]["names"] for key in ("short", "long", "silent", "quiet", "clipped", "mostly_blank")} == {
        "short": ["audio/short.wav"],
        "long": ["audio/long.flac"],
        "silent": ["audio/nothing.wav", "audio/zeros.wav"],
        "quiet": ["audio/faint.wav"],
        "clipped": ["audio/click.wav"],
        "mostly_blank": ["audio/short.wav"],
    }
    twins = {
        "clips": ["audio/one.wav", "audio/two.wav"],
        "by_scene": {"bus": ["audio/one.wav"], "park": ["audio/two.wav"]},
        "scenes_differ": True,
        "locations_differ": True,
    }
    assert report["duplicates"] == [twins], "silent clips are no duplicates"

    said = list(warnings(report))
    assert said[0] == "the same features in several scenes: bus: audio/one.wav; park: audio/two.wav"
    assert said[1] == "fewer than 20 clips: bus, park"
    assert "uneven scenes: 10 clips of bus, 4 of park" in said[2]
    text = page(report, "mine")
    assert all(line in text for line in [*facts(report), *said])


def test_of_a_tidy_data_set_nothing_is_said(dataset, tmp_path):
    for scene in ("bus", "park"):
        for number in range(18):
            dataset.add(f"{scene}{number}.wav", scene, f"oslo-{number % 4}", samples=noise(100 * len(scene) + number))
    report = report_of(dataset, tmp_path)
    assert list(warnings(report)) == []
    assert "Nothing." in page(report, "mine")


def test_another_table_is_no_table_of_findings(tmp_path):
    (tmp_path / "findings.csv").write_text("filename\nx\n")
    with pytest.raises(StudyError, match=r"findings\.csv is no table of findings"):
        read_findings(tmp_path / "findings.csv")


@pytest.mark.parametrize(
    ("samples", "silent", "cancelled"),
    [
        (np.zeros(RATE), True, False),
        (np.full(RATE // 2, 0.3), True, False),
        (np.full((RATE, 2), 0.3), True, False),
        (np.outer(noise(1), [1, -1]), False, True),
        (np.outer(noise(1), [1, -0.5]), False, False),
        (np.outer(noise(1), [1, 0]), False, False),
    ],
)
@pytest.mark.parametrize("rate", [RATE, 48000])
def test_a_silent_clip_is_told_from_one_whose_channels_cancel(dataset, samples, silent, cancelled, rate):
    dataset.add("x.wav", "bus", "oslo-1", samples=samples, rate=rate)
    clip = read_clip(dataset.root / "audio/x.wav", SECOND)
    found = examine(clip, SECOND(clip.waveform))
    assert (found.silent, found.cancelled) == (silent, cancelled)


def made_up(rows):
    """The tables of clips that were recorded as the rows say: of each scene how many, and in what they differ."""
    clips, findings = [], []
    for scene, count, changes in rows:
        for _ in range(count):
            name = f"audio/{len(clips)}.wav"
            fields = {
                "filename": name,
                "scene": scene,
                "identifier": f"fold{len(clips) % 5}-{len(clips)}",
                "device": "a",
            }
            fields |= {"city": fields["identifier"][:5], "location": "1", "segment": "", "duration_s": 1.0}
            clips.append(fields | {"sample_rate_hz": RATE, "channels": 1} | changes)
            found = Finding("none", False, False, 0.5, 0, 0.0, changes.get("content", name), "PCM_16")
            findings.append(found._replace(**{key: changes[key] for key in changes if key in Finding._fields}))
    table = clip_table(clips)
    return table, findings_table([clip["filename"] for clip in clips], findings)


WAYS = {
    "sample rates": {"sample_rate_hz": 48000},
    "numbers of channels": {"channels": 2},
    "encodings": {"encoding": "VORBIS"},
    "lengths": {"duration_s": 0.4},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_recording_that_tells_a_scene_is_named_with_its_shares(way):
    other = WAYS[way]
    rows = [
        ("dog", 21, other),
        ("dog", 1, {}),
        ("rain", 1, other),
        ("rain", 21, {}),
        ("saw", 1, other),
        ("saw", 21, {}),
    ]
    (said,) = [line for line in warnings(describe(*made_up(rows), 1.0)) if "differ between scenes" in line]
    assert said.startswith(f"{way} differ between scenes") and " in 95 % of dog, 5 % of the others" in said


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_recording_that_is_spread_evenly_tells_nothing(way):
    rows = [
        (scene, count, changes) for scene in "abc" for count, changes in ((12 + ord(scene) % 3, WAYS[way]), (12, {}))
    ]
    assert not [line for line in warnings(describe(*made_up(rows), 1.0)) if "differ between scenes" in line]


def test_one_wrong_label_among_copies_is_said_first():
    rows = [("dog", 6, {"content": "same"}), ("rain", 1, {"content": "same"}), ("rain", 25, {}), ("dog", 20, {})]
    rows += [("rain", 2, {"content": "other"})]
    report = describe(*made_up(rows), 1.0)
    first, *others = warnings(report)
    assert first.startswith("the same features in several scenes: rain: audio/6.wav; dog: audio/0.wav, ")
    assert others[-1].startswith("the same features, and their locations differ")


def test_folds_are_no_cities_and_fifty_scenes_do_not_fill_a_line():
    report = describe(*made_up([(f"scene{number:02}", 2, {}) for number in range(50)]), 1.0)
    assert report["cities"] == 0 and "cities" not in next(facts(report))
    assert "fewer than 20 clips: scene00, scene01, scene02 and 47 more" in list(warnings(report))
