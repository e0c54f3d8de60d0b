"""The int8 form of an exported network, by onnxruntime's static quantisation."""

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from channel_sparsity.deployment.frontend import FEATURES

#: The least range of a value between layers. One that is 0 on all clips, a dead channel's, would get the scale 1
#: otherwise, and with it the biases of the convolution that reads it, which are then all that it has to say.
LEAST_RANGE = 1e-4


class _Clips(CalibrationDataReader):
    """Batches of features, as the quantiser asks for them."""

    def __init__(self, batches: Iterable[np.ndarray]):
        self.batches = iter(batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self.batches, None)
        return None if batch is None else {FEATURES: batch}


def quantised(model: onnx.ModelProto, batches: Iterable[np.ndarray]) -> onnx.ModelProto:
    """`model` with weights in int8, a scale for each output channel, and values between layers in uint8.

    The ranges of the latter are the extremes on `batches` of features [n, 1, bands, frames], but at least `LEAST_RANGE`
    wide; they must be of training clips: validation clips would flatter the accuracy.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, given)
        logging.disable(logging.WARNING)  # it would like the model prepared by a tool that changes nothing here
        try:
            quantize_static(
                given,
                made,
                _Clips(batches),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={"MinimumRealRange": LEAST_RANGE},
            )
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(made)


def bytes_of_constants(model: onnx.ModelProto) -> int:
    """The bytes of all constants of a model: weights, and in its int8 form their scales and the integer biases."""
    return sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in model.graph.initializer)
