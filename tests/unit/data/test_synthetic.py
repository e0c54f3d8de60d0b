"""The embedded scenes: layout, clips that do not depend on each other, sounds that tell places apart."""

import hashlib

import numpy as np
import pandas
import pytest
import soundfile
from scipy import signal

from channel_sparsity.data.sources.synthetic import events
from channel_sparsity.data.sources.synthetic.recordings import CITIES, Spot, write_scenes
from channel_sparsity.data.sources.synthetic.scenes import SCENES
from channel_sparsity.data.sources.synthetic.sounds import RATE_HZ, Bus, noise, smooth, turn
from channel_sparsity.data.sources.synthetic.voices import Crowd, talk
from channel_sparsity.files import StudyError

SETTINGS = dict(scenes=list(SCENES), cities=2, locations=2, segments=2, duration_s=1.0, seed=3, workers=1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Ten scenes, two cities, two locations, two clips each."""
    root = tmp_path_factory.mktemp("scenes")
    write_scenes(root, **SETTINGS)
    return root


@pytest.fixture(scope="module")
def meta(dataset):
    return pandas.read_csv(dataset / "meta.csv", sep="\t")


@pytest.fixture(scope="module")
def spectra(dataset, meta):
    """Levels of 24 bands, a third of an octave wide, of every clip in dB [clips, bands] (Welch)."""
    edges = np.geomspace(60, 15000, 25)
    rows = []
    for filename in meta["filename"]:
        waveform, rate = soundfile.read(dataset / filename)
        frequencies, density = signal.welch(waveform, rate, nperseg=4096)
        band = np.digitize(frequencies, edges)
        rows.append([10 * np.log10(density[band == each].mean()) for each in range(1, 25)])
    return np.array(rows)


def digests(root):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (root / "audio").iterdir()}


def test_layout_and_names_are_those_of_tau(dataset, meta):
    assert list(meta.columns) == ["filename", "scene_label", "identifier", "source_label"]
    assert len(meta) == 10 * 2 * 2 * 2
    assert sorted(meta["filename"]) == sorted(f"audio/{path.name}" for path in (dataset / "audio").iterdir())
    for row in meta.itertuples():
        scene, city, location, segment, device = row.filename.removeprefix("audio/").removesuffix(".wav").split("-")
        assert (scene, f"{city}-{location}", device) == (row.scene_label, row.identifier, row.source_label)
        assert scene in SCENES and city in CITIES[:2] and location.isdigit() and segment in "01" and device == "a"


def test_an_identifier_stands_for_one_location_of_one_scene(meta):
    assert (meta.groupby("identifier")["scene_label"].nunique() == 1).all()
    assert (meta.groupby("identifier").size() == SETTINGS["segments"]).all()
    assert meta["identifier"].nunique() == 10 * 2 * 2


def test_clips_are_24_bit_mono_of_the_right_length_and_neither_silent_nor_clipped(dataset, meta):
    for filename in meta["filename"]:
        with soundfile.SoundFile(dataset / filename) as sound:
            assert (sound.subtype, sound.samplerate, sound.channels, sound.frames) == (
                "PCM_24",
                44100,
                1,
                44100,
            )
            waveform = sound.read()
        assert np.max(np.abs(waveform)) < 0.91
        assert 1e-3 < np.sqrt(np.mean(waveform**2)) < 0.4


@pytest.mark.parametrize("duration_s", [0.1, 1.23457, 10.0])
def test_any_duration(tmp_path, duration_s):
    write_scenes(
        tmp_path,
        scenes=["metro", "park"],
        cities=1,
        locations=1,
        segments=1,
        duration_s=duration_s,
        seed=0,
        workers=1,
    )
    lengths = {soundfile.info(path).frames for path in (tmp_path / "audio").iterdir()}
    assert lengths == {round(duration_s * 44100)}


def test_a_clip_does_not_depend_on_the_others_nor_on_the_workers(dataset, tmp_path):
    few = SETTINGS | dict(scenes=["tram", "airport"], cities=1, locations=1, workers=2)
    write_scenes(tmp_path, **few)
    made, all_of_them = digests(tmp_path), digests(dataset)
    assert len(made) == 4
    assert made.items() <= all_of_them.items()


def test_the_same_bytes_again_and_other_ones_for_another_seed(tmp_path):
    few = SETTINGS | dict(scenes=["bus", "shopping_mall"], cities=1, locations=1)
    for name, seed in (("once", 3), ("again", 3), ("other", 4)):
        write_scenes(tmp_path / name, **few | dict(seed=seed))
    once, again, other = (digests(tmp_path / name) for name in ("once", "again", "other"))
    assert once == again
    assert not set(once.values()) & set(other.values())
    # Segments of a location differ too.
    assert len(set(once.values())) == 4


def test_making_them_once_more_in_place_is_allowed_but_not_beside_strangers(tmp_path):
    few = SETTINGS | dict(scenes=["park"], cities=1, locations=1)
    write_scenes(tmp_path, **few)
    before = digests(tmp_path)
    write_scenes(tmp_path, **few)
    assert digests(tmp_path) == before
    with pytest.raises(StudyError, match=r"already holds audio/park-barcelona-4-1-a\.wav"):
        write_scenes(tmp_path, **few | dict(segments=1))


def test_meta_is_written_last(tmp_path, monkeypatch):
    def disk_full(path, *arguments, **settings):
        raise OSError("no space")

    monkeypatch.setattr(soundfile, "write", disk_full)
    with pytest.raises(OSError, match="no space"):
        write_scenes(tmp_path, **SETTINGS)
    assert not (tmp_path / "meta.csv").exists()
    assert list((tmp_path / "audio").iterdir()) == []


def test_a_clip_for_which_there_is_no_room_is_named_and_not_half_written(tmp_path, full_disk):
    with pytest.raises(StudyError, match=r"airport-\S+\.wav could not be written .*: make room"), full_disk(4096):
        write_scenes(tmp_path, **SETTINGS)
    assert not list((tmp_path / "audio").iterdir())


def test_the_nearest_mean_spectrum_of_other_clips_names_the_scene_far_above_chance(meta, spectra):
    hits = []
    for index, scene in enumerate(meta["scene_label"]):
        others = pandas.DataFrame(spectra).drop(index=index).groupby(meta["scene_label"].drop(index=index)).mean()
        hits.append(others.index[np.argmin(np.sum((others - spectra[index]) ** 2, axis=1))] == scene)
    assert 0.4 < np.mean(hits) < 0.99


def test_clips_of_one_location_are_more_alike_than_clips_of_two(meta, spectra):
    within, between = [], []
    for first in range(len(meta)):
        for second in range(first):
            if meta["scene_label"][first] == meta["scene_label"][second]:
                distance = np.sqrt(np.mean((spectra[first] - spectra[second]) ** 2))
                same = meta["identifier"][first] == meta["identifier"][second]
                (within if same else between).append(distance)
    assert np.mean(between) > 1.2 * np.mean(within)


def test_clips_that_are_too_short_are_refused(tmp_path):
    with pytest.raises(StudyError, match=r"`duration_s` is 0\.01"):
        write_scenes(tmp_path, **SETTINGS | dict(duration_s=0.01))
    assert list(tmp_path.iterdir()) == []


def test_location_numbers_do_not_depend_on_which_scenes_are_made():
    numbers = [Spot(scene, "paris", index).number for index in range(3) for scene in SCENES]
    assert numbers == list(range(30))


def test_noise_has_the_level_and_the_slope_it_is_given():
    waveform = noise(np.random.default_rng(0), 4 * RATE_HZ, ((50, 0), (20000, -60)))
    assert np.sqrt(np.mean(waveform**2)) == pytest.approx(1, rel=0.05)
    frequencies, density = signal.welch(waveform, RATE_HZ, nperseg=8192)
    octaves_apart = 10 * np.log10(np.interp([500, 4000], frequencies, density))
    assert octaves_apart[0] - octaves_apart[1] == pytest.approx(60 * 3 / np.log2(400), abs=1.5)


def test_a_turning_machine_sounds_at_its_speed_and_meets_itself():
    wave = events.motor(np.random.default_rng(0))
    sound = turn(np.random.default_rng(1), wave, np.full(RATE_HZ, 200.3))
    spectrum = np.abs(np.fft.rfft(sound))
    # A whole number of turns a second: everything lies at multiples of 200 Hz.
    assert np.sum(spectrum[200::200] ** 2) == pytest.approx(np.sum(spectrum[1:] ** 2), rel=1e-3)
    assert abs(sound[0] - sound[-1]) <= 1.1 * np.max(np.abs(np.diff(sound)))


def test_a_smooth_curve_passes_through_its_values():
    values = np.array([0, 1, -2, 3], dtype=np.float32)
    curve = smooth(values, 4000)
    assert curve[::1000] == pytest.approx(values)
    assert curve.min() == -2 and curve.max() == 3


def test_what_is_struck_near_the_end_goes_on_at_the_beginning():
    bus = Bus(1000)
    bus.strike(998 / RATE_HZ, np.array([1, 2, 3, 4], dtype=np.float32), 0)
    assert np.fft.irfft(bus.spectrum(), 1000)[[998, 999, 0, 1]] == pytest.approx([1, 2, 3, 4], abs=1e-4)


def voice(pitch_hz, syllables_per_second, seconds=8):
    """One person who talks, the same words at every pitch."""
    bus = Bus(seconds * RATE_HZ)
    talk(bus, np.random.default_rng(0), Crowd(1, pitch_hz, syllables_per_second, spread_db=0), 0)
    return np.fft.irfft(bus.spectrum(), bus.samples)


def loudest_pitch(waveform):
    """Pitch in Hz of the loudest tenth of a second, by the autocorrelation of what lies below 1 kHz."""
    low = signal.sosfiltfilt(signal.butter(4, 1000, fs=RATE_HZ, output="sos"), waveform)
    loud = np.clip(np.argmax(np.convolve(low**2, np.ones(4410), "same")), 2205, len(low) - 2205)
    piece = low[loud - 2205 : loud + 2205]
    correlation = signal.correlate(piece, piece)[len(piece) - 1 :]
    return RATE_HZ / (90 + np.argmax(correlation[90:630]))


def test_a_voice_an_octave_higher_has_twice_the_pitch():
    assert loudest_pitch(voice(200, 4.0)) / loudest_pitch(voice(100, 4.0)) == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("syllables_per_second", [3.0, 6.0])
def test_a_voice_swells_with_its_syllables(syllables_per_second):
    waveform = voice(150, syllables_per_second, seconds=16)
    loudness = np.sqrt(np.mean(waveform.reshape(-1, 441) ** 2, axis=1))
    frequencies, density = signal.welch(loudness, 100, nperseg=400)
    swells = (frequencies > 2) & (frequencies < 12)
    strongest = frequencies[swells][np.argmax(density[swells])]
    assert strongest == pytest.approx(syllables_per_second, abs=0.51)


def test_squealing_and_singing_lie_where_they_should():
    rng = np.random.default_rng(5)
    for sound, low, high in (
        (events.squeal(rng, 3000), 2500, 3600),
        (events.birdsong(rng, 4000), 2000, 8000),
    ):
        spectrum = np.abs(np.fft.rfft(sound, RATE_HZ))
        assert low < np.argmax(spectrum) < high
