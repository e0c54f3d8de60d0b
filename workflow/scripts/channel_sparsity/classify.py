"""Say which scene a recording is of: python workflow/scripts/channel_sparsity/classify.py model.onnx clip.wav

The model file knows its scenes, sample rate and length. This file needs onnxruntime, numpy, soundfile and soxr, and
nothing else of the study: copied elsewhere, it is a program of its own (python classify.py model.onnx clip.wav).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
import soxr

#: Windows that are classified at once.
BATCH = 8


class BadInput(Exception):
    """What the user can put right, in one sentence."""


def classify(model: str | Path, clip: str | Path) -> dict[str, float]:
    """The probability of each scene, the most probable first.

    `model`: a file that the target `deploy` made. `clip`: any format that libsndfile reads, at any rate; channels are
    averaged. What is shorter than the model's clips is padded with zeros; what is longer is cut into windows of their
    length, side by side but for the last, which ends where the recording ends, and their probabilities are averaged.
    BadInput names the file that cannot be used and says why.
    """
    session, scenes, rate = _load(Path(model))
    given = session.get_inputs()[0]
    windows = _windows(_waveform(Path(clip), rate), given.shape[1])
    answers = [
        session.run(None, {given.name: windows[start : start + BATCH]})[0] for start in range(0, len(windows), BATCH)
    ]
    mean = np.concatenate(answers).mean(axis=0)
    return {scenes[place]: float(mean[place]) for place in np.argsort(-mean, kind="stable")}


def _load(path: Path) -> tuple[onnxruntime.InferenceSession, list[str], int]:
    """A model that is ready, its scenes and its sample rate."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist: give the path of a model file (results/<study>/deploy/*.onnx)")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong with a file is said below
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
        samples, recorded = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise BadInput(
            f"{path} cannot be decoded ({getattr(error, 'error_string', error)}): convert it to WAV or FLAC"
        ) from error
    if not len(samples):
        raise BadInput(f"{path} holds no samples: give another recording")
    if not np.isfinite(samples).all():
        raise BadInput(f"{path} holds samples that are NaN or infinite: give another recording")
    mono = samples.mean(axis=1)
    return mono if recorded == rate else soxr.resample(mono, recorded, rate, quality="HQ")


def _windows(waveform: np.ndarray, length: int) -> np.ndarray:
    """The waveform [samples] as windows [n, length] that cover it."""
    if len(waveform) <= length:
        return np.pad(waveform, (0, length - len(waveform)))[None]
    starts = [*range(0, len(waveform) - length, length), len(waveform) - length]
    return np.stack([waveform[start : start + length] for start in starts])


def main(arguments: list[str] | None = None) -> int:
    """Classify what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Print the scenes that a recording may be of, with their probabilities.",
    )
    parser.add_argument("model", help="a model file: results/<study>/deploy/*.onnx")
    parser.add_argument("clip", help="a recording in any format that libsndfile reads (WAV, FLAC, OGG, MP3 ...)")
    given = parser.parse_args(arguments)
    try:
        probabilities = classify(given.model, given.clip)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    widest = max(map(len, probabilities))
    for scene, probability in probabilities.items():
        print(f"{scene:<{widest}}  {100 * probability:5.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
