"""Say which scene recordings are of: python workflow/scripts/channel_sparsity/classify.py model.onnx clip.wav

The model file knows its scenes, sample rate and length. This file needs onnxruntime, numpy, soundfile and soxr, and
nothing else of the study: copied elsewhere, it is a program of its own (python classify.py model.onnx clip.wav).
"""

import argparse
import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnxruntime
import soundfile
import soxr

#: Windows that are classified at once.
BATCH = 8

#: The largest sample that training takes; full scale is 1.
LARGEST_SAMPLE = 1e12

#: A recording whose loudest sample is below this is silent: 16-bit samples are multiples of 3e-5.
SILENCE = 1e-5


class BadInput(Exception):
    """What the user can put right, in one sentence."""


class Model:
    """A model that the target `deploy` made, ready to classify. BadInput for another file."""

    def __init__(self, path: str | Path):
        self.session, self.scenes, self.rate = _load(Path(path))
        given = self.session.get_inputs()[0]
        self.name, self.samples = given.name, given.shape[1]

    def classify(self, clip: str | Path) -> dict[str, float]:
        """The probability of each scene, in the model's order of scenes.

        `clip`: any format that libsndfile reads, at any rate; channels are averaged. What is shorter than the model's
        clips is padded with zeros; what is longer is cut into windows of their length, side by side but for the last,
        which ends where the recording ends, and their probabilities are averaged. BadInput names a file that cannot
        be used and says why. A recording that is silent, or becomes so when its channels are averaged, is one.
        """
        windows = _windows(_waveform(Path(clip), self.rate), self.samples)
        batches = (windows[start : start + BATCH] for start in range(0, len(windows), BATCH))
        answers = [self.session.run(None, {self.name: batch})[0] for batch in batches]
        mean = np.concatenate(answers).mean(axis=0)
        return dict(zip(self.scenes, map(float, mean), strict=True))


def _load(path: Path) -> tuple[onnxruntime.InferenceSession, list[str], int]:
    """A model that is ready, its scenes and its sample rate."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist: give the path of a model file (results/<study>/deploy/*.onnx)")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong with a file is said below
    # int8 products overflow on x86 without VNNI otherwise.
    options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common class of its own for these
        raise BadInput(f"{path} is no model that onnxruntime can load: {str(error).splitlines()[0]}") from error
    facts = session.get_modelmeta().custom_metadata_map
    try:
        return session, json.loads(facts["scenes"]), int(facts["sample_rate_hz"])
    except (KeyError, ValueError) as error:
        raise BadInput(
            f"{path} does not say which scenes it knows: take a file that this study's target `deploy` made"
        ) from error


def _waveform(path: Path, rate: int) -> np.ndarray:
    """A recording at some rate, float32 [samples]."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist: give the path of a recording")
    try:
        with soundfile.SoundFile(path) as sound, open(path, "rb") as file:
            wrong, recorded = fault(sound, file), sound.samplerate
            samples = np.empty((0, 1)) if wrong else sound.read(dtype="float32", always_2d=True)
            if not wrong and len(samples) < sound.frames:
                wrong = CUT_OFF
    except MemoryError as error:
        raise BadInput(f"{path} does not fit into the memory ({error}): cut it into shorter recordings") from error
    except (OSError, TypeError, soundfile.SoundFileError) as error:  # TypeError: .raw files have no header
        raise BadInput(
            f"{path} cannot be decoded ({getattr(error, 'error_string', error)}): convert it to WAV or FLAC"
        ) from error
    if wrong or not len(samples):
        raise BadInput(f"{path} {wrong or 'holds no samples'}: give another recording")
    peak = np.abs(samples).max()
    if not peak <= LARGEST_SAMPLE:
        raise BadInput(f"{path} holds samples that are NaN, infinite or absurd: give another recording")
    mono = samples.mean(axis=1)
    if np.abs(mono).max() < SILENCE:
        why = "is silent" if peak < SILENCE else "is silent when its channels are averaged, which cancel each other"
        raise BadInput(f"{path} {why}: give another recording")
    return mono if recorded == rate else soxr.resample(mono, recorded, rate, quality="HQ")


def _windows(waveform: np.ndarray, length: int) -> np.ndarray:
    """The waveform [samples] as windows [n, length] that cover it."""
    if len(waveform) <= length:
        return np.pad(waveform, (0, length - len(waveform)))[None]
    starts = [*range(0, len(waveform) - length, length), len(waveform) - length]
    return np.stack([waveform[start : start + length] for start in starts])


def _recordings(places: list[str]) -> Iterator[Path]:
    """The files that are named, and those in the folders that are named whose names end like a recording's.

    Hidden files, which systems leave behind, are overlooked, as in training.
    """
    endings = {f".{name.lower()}" for name in soundfile.available_formats()} - {".raw"} | {".aif", ".opus", ".oga"}
    for place in map(Path, places):
        if not place.is_dir():
            yield place
            continue
        found = sorted(
            path
            for path in place.rglob("*")
            if path.suffix.lower() in endings
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(place).parts)
        )
        if not found:
            raise BadInput(f"{place} is a folder without a recording: give another, or the paths of recordings")
        yield from found


def main(arguments: list[str] | None = None) -> int:
    """Classify what the command line names; return the exit status, 1 if any recording could not be used."""
    parser = argparse.ArgumentParser(
        description="Print the scenes that recordings may be of, with their probabilities.",
    )
    parser.add_argument("model", help="a model file: results/<study>/deploy/*.onnx")
    parser.add_argument(
        "clips",
        nargs="+",
        metavar="clip",
        help="a recording in any format that libsndfile reads (WAV, FLAC, OGG, MP3 ...), or a folder of them",
    )
    parser.add_argument("--csv", type=Path, help="write the probability of every scene for every recording here")
    given = parser.parse_args(arguments)
    # A console may not have the letters of a scene's name.
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr.reconfigure(errors="backslashreplace")
    answers, bad = {}, 0
    try:
        model, clips = Model(given.model), list(_recordings(given.clips))
        if given.csv and not os.access(given.csv.parent, os.W_OK):
            raise BadInput(f"{given.csv} cannot be written, its folder is missing or protected: name another file")
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for clip in clips:
        try:
            answers[str(clip)] = model.classify(clip)
        except BadInput as error:
            print(f"error: {error}", file=sys.stderr)
            bad += 1
            continue
        _say(str(clip), answers[str(clip)], alone=len(clips) == 1)
    if given.csv:
        try:
            _write(given.csv, model.scenes, answers)
        except OSError as error:
            print(f"error: {given.csv} cannot be written ({error.strerror}): name another file", file=sys.stderr)
            return 1
    return 1 if bad else 0


def _say(clip: str, probabilities: dict[str, float], alone: bool) -> None:
    """Of one recording every scene, a line each; of several the most probable scene, a line a recording."""
    ordered = sorted(probabilities.items(), key=lambda pair: -pair[1])
    widest = max(map(len, probabilities)) if alone else 0
    for scene, probability in ordered if alone else ordered[:1]:
        print("" if alone else f"{clip}  ", f"{scene:<{widest}}  {100 * probability:5.1f} %", sep="")


def _write(path: Path, scenes: list[str], answers: dict[str, dict[str, float]]) -> None:
    """The answers as CSV: filename, the most probable scene, the probability of each; whole or not at all."""
    temporary = path.with_name(f"{path.name}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", "scene", *scenes])
        for clip, probabilities in answers.items():
            best = max(probabilities, key=probabilities.get)
            writer.writerow([clip, best, *(round(probabilities[scene], 6) for scene in scenes)])
    os.replace(temporary, path)


# From here on as in data/audio.py, word for word: what is classified is held to what is learnt from.
CUT_OFF = "ends before its last sample, it is damaged"

#: What programs that write to a pipe put in the place of a size is this or more.
UNKNOWN_SIZE = 0x7FFF0000

#: Where libsndfile notes that a header promises more of the samples than there is; it then takes what there is.
PROMISED = re.compile(
    r"^ *(?:data|SSND|BODY|Data Size|Data length|Riff size|riff) *:? *([0-9]+) \(?should be ([0-9]+)", re.MULTILINE
)


def fault(sound: soundfile.SoundFile, file: BinaryIO) -> str:
    """Why an open sound is not to be believed, from its `file`: it is cut off, or its length is a guess; or nothing."""
    notes = sound.extra_info
    sizes = [tuple(map(int, each)) for each in PROMISED.findall(notes)]
    if any(present < promised < UNKNOWN_SIZE for promised, present in sizes) or "to be a truncated file" in notes:
        return CUT_OFF
    if sound.format == "OGG":
        return ogg_fault(file)
    # FLAC from a pipe has no length, and MP3 has one in a frame of its own (Xing, Info or VBRI) or nowhere.
    if sound.frames >= 2**62 or (sound.format == "MP3" and not has_length(file)):
        return "does not say how long it is (convert it to WAV or FLAC)"
    return ""


def ogg_fault(file: BinaryIO) -> str:
    """What the headers of an Ogg file's pages tell: whether it is cut off, or has a second stream behind the first."""
    place, size, ended = 0, file.seek(0, os.SEEK_END), False
    while file.seek(place) < size and (header := file.read(27))[:4] == b"OggS" and len(header) == 27:
        begins, ends = header[5] & 2, header[5] & 4
        if begins and ended:
            return "holds several recordings, one behind the other (make a file of each)"
        ended = ended or bool(ends)
        place += 27 + header[26] + sum(file.read(header[26]))
    return CUT_OFF if place and (place > size or not ended) else ""


def has_length(file: BinaryIO) -> bool:
    """Whether an MP3 file says how many frames it has, in its first one behind any ID3 tag."""
    file.seek(0)
    head = file.read(10)
    size = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    file.seek(10 + size if head[:3] == b"ID3" else 0)
    frame = file.read(1024)
    return any(name in frame for name in (b"Xing", b"Info", b"VBRI"))


if __name__ == "__main__":
    sys.exit(main())
