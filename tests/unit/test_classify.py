"""The command that classifies a recording, as a user types it."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper

from channel_sparsity import classify
from channel_sparsity.deployment.running import session

RATE, SAMPLES = 8000, 1600


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that tells loud from quiet: probability of `loud` = mean square of the waveform, over 1."""
    nodes = [
        helper.make_node("Mul", ["waveform", "waveform"], ["squares"]),
        helper.make_node("ReduceMean", ["squares", "axis"], ["loud"], keepdims=1),
        helper.make_node("Sub", ["one", "loud"], ["quiet"]),
        helper.make_node("Concat", ["loud", "quiet"], ["probabilities"], axis=1),
    ]
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
    ]
    made = helper.make_model(
        helper.make_graph(
            nodes,
            "loudness",
            [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", SAMPLES])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    folder = tmp_path_factory.mktemp("model")
    onnx.save(made, folder / "anonymous.onnx")
    helper.set_model_props(made, {"scenes": json.dumps(["loud", "quiet"]), "sample_rate_hz": str(RATE)})
    onnx.save(made, folder / "model.onnx")
    return folder / "model.onnx"


def test_int8_products_do_not_overflow_on_old_processors(model):
    """Neither here nor where models are measured. It shows on a processor without VNNI alone."""
    for ready in (classify.Model(model).session, session(model)):
        assert ready.get_session_options().get_session_config_entry("session.x64quantprecision") == "1"


def recording(path, seconds, rate=RATE, channels=1, level=0.5, **options):
    samples = np.full((round(seconds * rate), channels), level, np.float32)
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(("name", "options"), [("a.wav", {"subtype": "PCM_24"}), ("a.flac", {}), ("a.ogg", {})])
def test_formats(model, tmp_path, name, options):
    found = classify.Model(model).classify(recording(tmp_path / name, 0.2, **options))
    assert list(found) == ["loud", "quiet"] and found["loud"] == pytest.approx(0.25, abs=0.01)


def test_rates_channels_and_lengths(model, tmp_path):
    resampled = classify.Model(model).classify(recording(tmp_path / "fast.wav", 0.2, rate=44100, channels=2))
    assert resampled["loud"] == pytest.approx(0.25, abs=0.01)
    short = classify.Model(model).classify(recording(tmp_path / "short.wav", 0.1))
    assert short["loud"] == pytest.approx(0.125, abs=0.001), "padded with silence"


def test_long_recordings_are_heard_to_their_end(model, tmp_path):
    waveform = np.zeros(int(2.5 * SAMPLES), np.float32)
    waveform[-SAMPLES // 2 :] = 0.8
    soundfile.write(tmp_path / "long.wav", waveform, RATE, subtype="FLOAT")
    # Windows at 0, 1 and, ending at the end, 1.5 lengths: only half of the last is loud.
    assert classify.Model(model).classify(tmp_path / "long.wav")["loud"] == pytest.approx(0.64 / 2 / 3, abs=1e-4)


@pytest.mark.parametrize("length", [1, SAMPLES - 1, SAMPLES, SAMPLES + 1, 2 * SAMPLES, 7 * SAMPLES + 3])
def test_windows_cover_every_sample(length):
    waveform = np.arange(1, length + 1, dtype=np.float32)
    windows = classify._windows(waveform, SAMPLES)
    assert windows.shape == (max(1, -(-length // SAMPLES)), SAMPLES)
    assert set(waveform) <= set(windows.ravel())


def test_bad_input_is_one_sentence(model, tmp_path, capsys):
    good = recording(tmp_path / "good.wav", 0.2)
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "text.onnx").write_text("no model")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    (tmp_path / "folder").mkdir()
    huge = recording(tmp_path / "huge.wav", 0.2, level=3e38, subtype="FLOAT")
    against = tmp_path / "against.wav"
    soundfile.write(against, np.outer(np.full(SAMPLES, 0.5), [1, -1]), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), RATE, subtype="FLOAT")
    half = tmp_path / "half.wav"
    half.write_bytes(good.read_bytes()[:-SAMPLES])
    open_ended = bytearray(recording(tmp_path / "a.flac", 0.2).read_bytes())
    open_ended[21:26] = bytes([open_ended[21] & 0xF0, 0, 0, 0, 0])
    (tmp_path / "open.flac").write_bytes(open_ended)
    open_ended[21:26] = bytes([open_ended[21] | 0x0F, 255, 255, 255, 255])
    (tmp_path / "endless.flac").write_bytes(open_ended)
    shutil.copy(good, tmp_path / "camera.raw")
    for arguments, words in (
        ((model, tmp_path / "none.wav"), "none.wav does not exist"),
        ((model, tmp_path / "text.wav"), "text.wav cannot be decoded"),
        ((model, tmp_path / "empty.wav"), "empty.wav holds no samples"),
        ((model, tmp_path / "nan.wav"), "nan.wav holds samples that are NaN"),
        ((model, half), "half.wav ends before its last sample"),
        ((model, tmp_path / "open.flac"), "open.flac does not say how long it is"),
        ((model, tmp_path / "endless.flac"), "endless.flac "),
        ((model, tmp_path / "camera.raw"), "camera.raw cannot be decoded"),
        ((model, tmp_path / "folder"), "folder is a folder without a recording"),
        ((model, huge), "huge.wav holds samples that are NaN, infinite or absurd"),
        ((model, recording(tmp_path / "zero.wav", 0.2, level=0)), "zero.wav is silent: "),
        ((model, against), "against.wav is silent when its channels are averaged"),
        ((model, good, "--csv", tmp_path / "no" / "a.csv"), "a.csv cannot be written"),
        ((tmp_path / "none.onnx", good), "none.onnx does not exist"),
        ((tmp_path / "text.onnx", good), "text.onnx is no model that onnxruntime can load"),
        ((model.with_name("anonymous.onnx"), good), "does not say which scenes it knows"),
    ):
        assert classify.main([str(argument) for argument in arguments]) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("error: ") and words in said.err
        assert said.err.count("\n") == 1


def test_the_file_alone_is_a_program(model, tmp_path):
    alone = shutil.copy(classify.__file__, tmp_path)
    clip = recording(tmp_path / "clip.wav", 0.2)
    slim = "import sys; sys.modules.update(dict.fromkeys(['torch', 'pandas', 'scipy', 'onnx', 'channel_sparsity'])); "
    slim += f"import runpy; sys.argv = ['classify.py', {str(model)!r}, {str(clip)!r}]; "
    slim += f"runpy.run_path({str(alone)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", slim], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [["quiet", "75.0", "%"], ["loud", "25.0", "%"]]


def test_a_folder_and_many_files_are_a_line_each_and_a_table(model, tmp_path, capsys):
    (tmp_path / "clips" / "deep").mkdir(parents=True)
    loud = recording(tmp_path / "clips" / "deep" / "loud.FLAC", 0.2, level=0.9, format="FLAC")
    quiet = recording(tmp_path / "clips" / "quiet.wav", 0.2, level=0.1)
    for name in ("notes.txt", "photo.raw", "._quiet.wav", ".AppleDouble/quiet.wav"):
        (tmp_path / "clips" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "clips" / name).write_text("no recording")
    (tmp_path / "clips" / "broken.wav").write_text("no sound")
    table = tmp_path / "answers.csv"
    assert classify.main([str(model), str(tmp_path / "clips"), str(quiet), "--csv", str(table)]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "broken.wav cannot be decoded" in said.err
    assert [line.split() for line in said.out.splitlines()] == [
        [str(loud), "loud", "81.0", "%"],
        [str(quiet), "quiet", "99.0", "%"],
        [str(quiet), "quiet", "99.0", "%"],
    ]
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["filename"] for row in rows] == [str(loud), str(quiet)]
    assert rows[0]["scene"] == "loud" and float(rows[0]["loud"]) == pytest.approx(0.81, abs=1e-3)
    assert sum(float(rows[1][scene]) for scene in ("loud", "quiet")) == pytest.approx(1)


def test_a_console_that_lacks_the_letters_of_a_scene_is_no_reason_to_stop(model, tmp_path):
    made = onnx.load(model)
    del made.metadata_props[:]
    helper.set_model_props(made, {"scenes": json.dumps(["公园", "bus"]), "sample_rate_hz": str(RATE)})
    onnx.save(made, tmp_path / "park.onnx")
    clip = recording(tmp_path / "clip.wav", 0.2)
    command = [sys.executable, classify.__file__, str(tmp_path / "park.onnx"), str(clip)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 0, done.stderr
    assert b"\\u516c\\u56ed" in done.stdout
