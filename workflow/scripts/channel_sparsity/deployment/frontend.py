"""The study's log-mel spectrogram and normalisation as an ONNX graph, so that a model file takes raw waveforms."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from channel_sparsity.data.logmel import QUIETEST_POWER, LogMel

#: The version of ONNX's operators: the first with reductions whose axes are inputs, as the exporter writes them too.
OPSET = 18
IR_VERSION = 9

#: The names of what goes in, of the normalised features behind the front end, and of what comes out.
WAVEFORM, FEATURES, PROBABILITIES = "waveform", "features", "probabilities"

#: How far the features may lie from those that `LogMel` computes, in dB.
TOLERANCE_DB = 2e-3


class _Graph:
    """Nodes and constants of a graph in the making; every method returns the name of a tensor."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: object, dtype: type) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: object) -> str:
        name = name or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name


def frontend(settings: LogMel, mean_db: Sequence[float], deviation_db: Sequence[float]) -> onnx.ModelProto:
    """Waveforms [batch, samples] -> normalised features [batch, 1, bands, frames].

    `mean_db` and `deviation_db` [bands] are those of the study's ``normalisation.json``. Spectra are computed in double
    precision, so that even where onnxruntime has no fast transform for `n_fft` the decibels are within `TOLERANCE_DB`
    of what the study was trained on. Window and filters are computed when the model is loaded, so that a small model's
    file stays small.
    """
    graph = _Graph()
    power = _power(graph, settings)
    bands = graph.node("MatMul", graph.node("Cast", power, to=TensorProto.FLOAT), _filters(graph, settings))
    audible = graph.node("Max", bands, graph.constant(QUIETEST_POWER, np.float32))
    decibels = graph.node("Mul", graph.node("Log", audible), graph.constant(10 / np.log(10), np.float32))
    if settings.top_db is not None:
        loudest = graph.node("ReduceMax", decibels, graph.constant([1, 2], np.int64), keepdims=1)
        decibels = graph.node("Max", decibels, graph.node("Sub", loudest, graph.constant(settings.top_db, np.float32)))
    centred = graph.node("Sub", decibels, graph.constant(mean_db, np.float32))
    normalised = graph.node("Div", centred, graph.constant(deviation_db, np.float32))
    turned = graph.node("Transpose", normalised, perm=[0, 2, 1])
    graph.node("Unsqueeze", turned, graph.constant([1], np.int64), name=FEATURES)
    takes = helper.make_tensor_value_info(WAVEFORM, TensorProto.FLOAT, ["batch", settings.samples])
    shape = ["batch", 1, settings.n_mels, settings.frames]
    gives = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, shape)
    made = helper.make_graph(graph.nodes, "frontend", [takes], [gives], graph.constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _power(graph: _Graph, settings: LogMel) -> str:
    """The power spectra [batch, frames, bins] in double precision, of frames centred by padding with zeros."""
    half, before = settings.n_fft // 2, (settings.n_fft - settings.win_length) // 2
    after = settings.n_fft - settings.win_length - before
    exact = graph.node("Cast", WAVEFORM, to=TensorProto.DOUBLE)
    padded = graph.node("Pad", exact, graph.constant([0, half, 0, half], np.int64))
    signal = graph.node("Unsqueeze", padded, graph.constant([2], np.int64))
    hann = graph.node("HannWindow", graph.constant(settings.win_length, np.int64), output_datatype=TensorProto.DOUBLE)
    window = graph.node("Pad", hann, graph.constant([before, after], np.int64))
    spectrum = graph.node("STFT", signal, graph.constant(settings.hop_length, np.int64), window, onesided=1)
    squares = graph.node("Mul", spectrum, spectrum)
    return graph.node("ReduceSum", squares, graph.constant([3], np.int64), keepdims=0)


def _filters(graph: _Graph, settings: LogMel) -> str:
    """The mel filters [bins, bands] of `mel_filters`, computed from the bands' corners when the model is loaded."""
    low, middle, high = settings.mel_corners

    def real(value: object) -> str:
        return graph.constant(value, np.float64)

    bins = graph.node("Range", *(graph.constant(each, np.int64) for each in (0, settings.n_fft // 2 + 1, 1)))
    column = graph.node("Unsqueeze", graph.node("Cast", bins, to=TensorProto.DOUBLE), graph.constant([1], np.int64))
    hz = graph.node("Mul", column, real(settings.sample_rate_hz / settings.n_fft))
    rising = graph.node("Div", graph.node("Sub", hz, real(low)), real(middle - low))
    falling = graph.node("Div", graph.node("Sub", real(high), hz), real(high - middle))
    triangles = graph.node("Max", graph.node("Min", rising, falling), real(0))
    return graph.node("Cast", graph.node("Mul", triangles, real(2 / (high - low))), to=TensorProto.FLOAT)
