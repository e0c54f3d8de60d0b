"""The int8 form of an exported network, by onnxruntime's static quantisation."""

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, create_calibrator, quantize_static
from onnxruntime.quantization.calibrate import TensorData, TensorsData, save_tensors_data

from channel_sparsity.deployment.frontend import FEATURES

#: The least range of a value between layers. One that is 0 on all clips, a dead channel's, would get the scale 1
#: otherwise, and with it the biases of the convolution that reads it, which are then all that it has to say.
LEAST_RANGE = 1e-4

#: Steps of a power of two that the ends of ranges are rounded to.
STEPS = 64


class _Clips(CalibrationDataReader):
    """Batches of features, as the quantiser asks for them."""

    def __init__(self, batches: Iterable[np.ndarray]):
        self.batches = iter(batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self.batches, None)
        return None if batch is None else {FEATURES: batch}


def quantised(model: onnx.ModelProto, batches: Iterable[np.ndarray]) -> onnx.ModelProto:
    """`model` with weights in int8, a scale for each output channel, and values between layers in uint8.

    The ranges of the latter are the extremes on `batches` of features [n, 1, bands, frames], `rounded_outwards` and at
    least `LEAST_RANGE` wide; they must be of training clips: validation clips would flatter the accuracy.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, made, ranges = (Path(folder) / name for name in ("float32.onnx", "int8.onnx", "ranges.json"))
        onnx.save(model, given)
        save_tensors_data(_ranges(given, batches), ranges)
        logging.disable(logging.WARNING)  # it would like the model prepared by a tool that changes nothing here
        try:
            quantize_static(
                given,
                made,
                None,
                calibration_cache_path=ranges,
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={"MinimumRealRange": LEAST_RANGE},
            )
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(made)


def _ranges(path: Path, batches: Iterable[np.ndarray]) -> TensorsData:
    """The extremes of every value between the layers of a model's file, rounded outwards."""
    calibrator = create_calibrator(path, augmented_model_path=str(path.with_name("augmented.onnx")))
    calibrator.collect_data(_Clips(batches))
    extremes = calibrator.compute_data()
    rounded = {
        name: TensorData(**{end: rounded_outwards(getattr(extremes[name], end)) for end in ("lowest", "highest")})
        for name in extremes.keys()  # noqa: SIM118
    }
    return TensorsData(extremes.calibration_method, rounded)


def rounded_outwards(values: np.ndarray) -> np.ndarray:
    """Values [...] away from 0 to the next of `STEPS` steps of a power of two, at most 1 / 32 further out.

    onnxruntime's last bits depend on the processor; the ranges of an int8 file should not.
    """
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.copysign(np.ceil(np.abs(mantissa) * STEPS) / STEPS, mantissa), exponent).astype(values.dtype)


def bytes_of_constants(model: onnx.ModelProto) -> int:
    """The bytes of all constants of a model: weights, and in its int8 form their scales and the integer biases."""
    return sum(onnx.numpy_helper.to_array(tensor).nbytes for tensor in model.graph.initializer)
