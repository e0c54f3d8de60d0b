"""Models in onnxruntime: what they answer, how long it takes and how much memory."""

import statistics
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from channel_sparsity.deployment.frontend import FEATURES, PROBABILITIES, WAVEFORM

#: How often a clip is classified to find the median time.
REPEATS = 20


def session(model: onnx.ModelProto | str | Path) -> onnxruntime.InferenceSession:
    """A model, or a model file, ready to compute on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: constants that it folds away are no news
    # int8 products overflow on x86 without VNNI otherwise.
    options.add_session_config_entry("session.x64quantprecision", "1")
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def outputs(model: onnx.ModelProto | str | Path, batches: Iterable[np.ndarray]) -> np.ndarray:
    """What the model's only output is for its only input, given in `batches` [n, ...]: [all n, ...]."""
    ready = session(model)
    name = ready.get_inputs()[0].name
    return np.concatenate([ready.run(None, {name: batch})[0] for batch in batches])


def running_cost(path: str | Path) -> dict[str, float]:
    """Median milliseconds for one clip on one thread, in all and by part, and the memory that it takes.

    peak_memory_mb is by how much the process grew at most while it loaded the model and classified a clip: call this
    once in a process of its own.
    """
    before = _peak_memory()
    ready = session(path)
    clip = np.random.default_rng(1).normal(0, 0.1, (1, ready.get_inputs()[0].shape[1])).astype(np.float32)
    ready.run(None, {WAVEFORM: clip})
    memory = _peak_memory() - before

    model = onnx.load(path)
    cut = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(model))
    front, network = (
        session(cut.extract_model([start], [end])) for start, end in ((WAVEFORM, FEATURES), (FEATURES, PROBABILITIES))
    )
    features = front.run(None, {WAVEFORM: clip})[0]
    return {
        "clip_ms": _median_ms(ready, {WAVEFORM: clip}),
        "front_end_ms": _median_ms(front, {WAVEFORM: clip}),
        "network_ms": _median_ms(network, {FEATURES: features}),
        "peak_memory_mb": memory / 1e6,
    }


def _median_ms(ready: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray]) -> float:
    """The median time of a run, after the first."""
    seconds = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        ready.run(None, inputs)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds[1:])


def _peak_memory() -> int:
    """The most bytes that this process has held at once. What `resource` tells counts the parent process too."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])
