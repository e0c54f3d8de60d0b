"""Clips are decoded as libsndfile and soxr do it, brought to length, and refused where they are damaged."""

import dataclasses
import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sparsity import classify
from channel_sparsity.data import audio
from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.files import StudyError

SECOND = LogMel(duration_s=1.0)
TWO_SECONDS = LogMel(duration_s=2.0)


def noise(samples, channels=None, level=0.1):
    shape = samples if channels is None else (samples, channels)
    return level * np.random.default_rng(samples).standard_normal(shape)


def chunk(name, data):
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize(
    ("suffix", "container", "subtype"),
    [
        ("wav", "WAV", "PCM_24"),
        ("wav", "WAVEX", "PCM_24"),
        ("wav", "RF64", "PCM_24"),
        ("wav", "WAV", "PCM_16"),
        ("wav", "WAV", "PCM_32"),
        ("wav", "WAV", "PCM_U8"),
        ("wav", "WAV", "FLOAT"),
        ("wav", "WAV", "DOUBLE"),
        ("wav", "WAV", "ULAW"),
        ("wav", "WAV", "IMA_ADPCM"),
        ("w64", "W64", "PCM_24"),
        ("aiff", "AIFF", "PCM_24"),
        ("flac", "FLAC", "PCM_24"),
        ("ogg", "OGG", "VORBIS"),
        ("mp3", "MP3", "MPEG_LAYER_III"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_is_read_to_the_bit_and_mixed_to_mono(tmp_path, suffix, container, subtype, channels):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, noise(44100, channels), 44100, format=container, subtype=subtype)
    clip = read_clip(path, SECOND)
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0][:44100]
    assert clip.waveform.dtype == np.float32
    assert (clip.waveform == expected.mean(axis=1)).all()
    info = soundfile.info(path)
    assert clip[2:5] == (info.frames / info.samplerate, info.samplerate, channels)
    assert clip.peak == np.abs(expected).max()
    in_memory = read_clip(path.read_bytes(), SECOND, "a clip")
    assert (in_memory.waveform == clip.waveform).all() and in_memory[1:] == clip[1:]


def test_the_extremes_of_24_bits_are_exact(tmp_path):
    path = tmp_path / "clip.wav"
    steps = np.array([-(2**23), -(2**23) + 1, -257, -256, -255, -1, 0, 1, 255, 256, 257, 2**23 - 1])
    soundfile.write(path, (steps * 256).astype(np.int32), 44100, subtype="PCM_24")
    waveform, *_ = read_clip(path, SECOND)
    assert (waveform[: len(steps)] == steps / 2**23).all()


@pytest.mark.parametrize("before", [b"", chunk(b"LIST", b"odd"), chunk(b"LIST", b"even") + chunk(b"bext", b"x" * 601)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_chunks_around_the_samples_are_skipped(tmp_path, before, channels):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, 3, 44100, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(1).bytes(3 * channels * 44100))
    plain = buffer.getvalue()
    place = plain.index(b"data")
    body = plain[12:place] + before + plain[place:] + chunk(b"junk", b"more")
    path = tmp_path / "clip.wav"
    path.write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WAVE") + body)
    waveform, adjustment, *_ = read_clip(path, SECOND)
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0]
    assert (waveform == expected.mean(axis=1)).all()
    assert adjustment == "none"


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
def test_a_size_that_was_never_filled_in_does_not_matter(tmp_path, size):
    """Programs that write to a pipe leave such sizes."""
    path = tmp_path / "clip.wav"
    soundfile.write(path, noise(44100), 44100, subtype="PCM_24")
    expected, *_ = read_clip(path, SECOND)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    assert (read_clip(path, SECOND)[0] == expected).all()


@pytest.mark.parametrize(
    ("samples", "adjustment"),
    [(1, "padded"), (44099, "padded"), (44100, "none"), (44101, "cut"), (100000, "cut")],
)
@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_a_clip_is_padded_or_cut_at_its_end(tmp_path, samples, adjustment, subtype):
    path = tmp_path / "clip.wav"
    recorded = noise(samples)
    soundfile.write(path, recorded, 44100, subtype=subtype)
    waveform, done, *_ = read_clip(path, SECOND)
    assert done == adjustment
    assert waveform.shape == (44100,)
    kept = min(samples, 44100)
    np.testing.assert_allclose(waveform[:kept], recorded[:kept], atol=2**-23)
    assert not waveform[kept:].any()


@settings(max_examples=25, deadline=None)
@given(rate=st.sampled_from([8000, 11025, 16000, 22050, 32000, 48000, 96000]), duration=st.floats(0.02, 3))
def test_another_rate_is_resampled_as_a_whole_clip_is(tmp_path_factory, rate, duration):
    """Also where the clip is cut, and only its beginning was read."""
    path = tmp_path_factory.mktemp("clips") / "clip.wav"
    recorded = noise(round(duration * rate)).astype(np.float32)
    soundfile.write(path, recorded, rate, subtype="FLOAT")
    waveform, adjustment, *_ = read_clip(path, SECOND)
    expected = soxr.resample(recorded, rate, 44100, quality="HQ")[:44100]
    assert waveform.shape == (44100,)
    np.testing.assert_allclose(waveform[: len(expected)], expected, atol=1e-5)
    length = round(len(recorded) * 44100 / rate)
    assert adjustment == ("none" if length == 44100 else "padded" if length < 44100 else "cut")


@pytest.mark.parametrize("rate", [8000, 48000, 192000])
def test_a_tone_keeps_its_pitch_and_level(tmp_path, rate):
    path = tmp_path / "clip.flac"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate), rate)
    waveform, adjustment, *_ = read_clip(path, SECOND)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    np.testing.assert_allclose(waveform[2000:-2000], expected[2000:-2000], atol=1e-3)
    assert adjustment == "none"


def test_one_sample_at_a_high_rate_becomes_silence(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.ones(1), 192000)
    waveform, adjustment, *_ = read_clip(path, SECOND)
    assert adjustment == "padded"
    assert np.isfinite(waveform).all()


def test_no_more_is_read_than_is_needed(tmp_path, monkeypatch):
    path = tmp_path / "clip.flac"
    soundfile.write(path, np.zeros(10 * 48000), 48000)
    asked = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile,
        "read",
        lambda self, frames, **how: asked.append(frames) or read(self, frames, **how),
    )
    read_clip(path, SECOND)
    assert asked == [48000 + audio.RESAMPLER_REACH]


@pytest.mark.parametrize("rate", [96000, 384000, 1000000])
def test_what_is_not_read_does_not_reach_a_resampled_clip(tmp_path, rate):
    path, settings = tmp_path / "clip.wav", dataclasses.replace(SECOND, sample_rate_hz=8000)
    samples = noise(2 * rate)
    soundfile.write(path, samples, rate, subtype="FLOAT")
    whole = soxr.resample(samples.astype("f4"), rate, 8000, quality="HQ")[:8000]
    assert np.abs(read_clip(path, settings).waveform - whole).max() < 1e-7


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e13])
def test_samples_that_are_no_sound_are_refused(tmp_path, bad):
    path = tmp_path / "clip.wav"
    samples = noise(44100)
    samples[20000] = bad
    soundfile.write(path, samples, 44100, subtype="FLOAT")
    with pytest.raises(StudyError, match=r"clip\.wav holds samples that are NaN, infinite or absurd: "):
        read_clip(path, SECOND)


def test_a_clip_without_samples_is_refused(tmp_path):
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros(0), 44100)
    with pytest.raises(StudyError, match=r"clip\.wav holds no samples: "):
        read_clip(path, SECOND)


@pytest.mark.parametrize("content", [None, b"", b"not audio at all"])
@pytest.mark.parametrize("name", ["clip.wav", "clip.raw"])
def test_what_is_not_audio_is_refused(tmp_path, content, name):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match=r"clip\.\w+ cannot be decoded \(.*\): replace or remove the clip"):
        read_clip(path, SECOND)


CONTAINERS = [
    *(("WAV", subtype) for subtype in ("PCM_24", "PCM_16", "FLOAT", "IMA_ADPCM")),
    *((container, "PCM_24") for container in ("WAVEX", "RF64", "W64", "AIFF", "AU", "CAF")),
    *(("AIFF", "FLOAT"), ("AU", "PCM_16"), ("SVX", "PCM_16"), ("VOC", "PCM_16")),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")),
]


def encoded(samples, container, subtype, rate=44100, **how):
    """The bytes of a file."""
    buffer = io.BytesIO()
    rate = 48000 if subtype == "OPUS" else rate
    with soundfile.SoundFile(buffer, "w", rate, 1, format=container, subtype=subtype, **how) as file:
        file.write(samples)
    return buffer.getvalue()


def refusal(content):
    """The sentences about a file: when clips are listed, and when they are read."""
    sentences = []
    try:
        with audio.opened(content, "a clip"):
            pass
    except StudyError as error:
        sentences.append(str(error))
    try:
        read_clip(content, TWO_SECONDS, "a clip")
    except StudyError as error:
        sentences.append(str(error))
    return sentences


@pytest.mark.parametrize(("container", "subtype"), CONTAINERS)
@pytest.mark.parametrize("lost", [0.4, 0.05])
def test_a_clip_that_was_cut_off_is_refused(container, subtype, lost):
    content = encoded(noise(44100), container, subtype)
    assert refusal(content) == []
    sentences = refusal(content[: -round(lost * len(content))])
    assert sentences and all("cannot be decoded" in said or "ends before its last" in said for said in sentences)
    if container not in ("FLAC", "MP3"):  # whose samples have to be counted
        assert len(sentences) == 2, "before anything is decoded"


@pytest.mark.parametrize(
    ("container", "subtype"), [each for each in CONTAINERS if each[0] in ("WAV", "WAVEX", "AIFF", "AU", "OGG", "MP3")]
)
def test_what_stands_behind_the_samples_is_no_reason_to_refuse_them(container, subtype):
    assert refusal(encoded(noise(44100), container, subtype) + b"TAG" + bytes(125)) == []


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_second_stream_behind_the_first_is_not_passed_over(subtype):
    content = encoded(noise(44100), "OGG", subtype)
    for second in (content, encoded(noise(4410), "OGG", "VORBIS")):
        assert refusal(content + second) == 2 * [
            "a clip holds several recordings, one behind the other (make a file of each): replace or remove the clip"
        ]


UNKNOWN_LENGTH = "a clip does not say how long it is (convert it to WAV or FLAC): replace or remove the clip"


@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
@pytest.mark.parametrize("quiet", [1, 1e-3])
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\0\0\0\0\x11\x00" + bytes(17 * 128)])
def test_an_mp3_without_the_frame_that_says_its_length_is_refused(mode, quiet, tag):
    """libsndfile takes its length from the first frame's bit rate, and reads 27 % of some."""
    samples = noise(84000) * np.where(np.arange(84000) < 42000, quiet, 1)
    content = encoded(samples, "MP3", "MPEG_LAYER_III", bitrate_mode=mode, compression_level=0.5)
    assert refusal(tag + content) == []
    frame = 144 * 1000 * (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[content[2] >> 4] // 44100
    assert refusal(tag + content[frame + (content[2] >> 1 & 1) :]) == 2 * [UNKNOWN_LENGTH]


def test_a_flac_without_a_length_is_refused():
    content = bytearray(encoded(noise(84000), "FLAC", "PCM_16"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # samples in all, of STREAMINFO
    assert refusal(bytes(content)) == 2 * [UNKNOWN_LENGTH]


def test_what_is_classified_is_held_to_what_is_learnt_from():
    """classify.py is a program of its own, so it has the same lines."""
    texts = [Path(module.__file__).read_text() for module in (audio, classify)]
    ours, theirs = (text.split(", word for word: ")[1].split("\n", 1)[1].split("\n\n\nif ")[0] for text in texts)
    assert ours.strip() == theirs.strip() and "def has_length" in ours


@pytest.mark.parametrize("channels", range(1, 8))
def test_channels_are_mixed_and_looked_at_to_the_bit(channels):
    samples = noise(20000, channels).astype(np.float32)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 44100, format="WAV", subtype="FLOAT")
    clip = read_clip(buffer.getvalue(), LogMel(duration_s=20000 / 44100))
    assert (clip.waveform == samples.mean(axis=1)).all() and clip.peak == np.abs(samples).max()


@pytest.mark.parametrize(("suffix", "subtype"), [("flac", "PCM_24"), ("ogg", "VORBIS")])
def test_a_clip_with_damage_in_the_middle_is_refused(tmp_path, suffix, subtype):
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, noise(441000), 44100, subtype=subtype)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    with pytest.raises(StudyError, match=r"clip\.\w+ (cannot be decoded|ends before)"):
        read_clip(path, LogMel(duration_s=10.0))
