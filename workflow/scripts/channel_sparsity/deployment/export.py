"""A pruned network as ONNX: by itself, and behind the front end as a file to take away."""

import io
import json
import warnings
from collections.abc import Mapping, Sequence

import onnx
import torch
from onnx import compose, helper
from torch.fx.experimental.optimization import fuse

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.frontend import FEATURES, IR_VERSION, OPSET, PROBABILITIES, frontend
from channel_sparsity.networks.channels import Network

#: What a network puts out; the classes' probabilities are their softmax.
LOGITS = "logits"


def exported(network: Network, bands: int, frames: int) -> onnx.ModelProto:
    """The network alone: normalised features [batch, 1, bands, frames] -> logits [batch, classes].

    Normalisations that follow a convolution are folded into it. The exporter would do so too, but by a square root of
    MKL's, whose last bit depends on the processor in any arithmetic.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        # PyTorch's newer exporter takes twenty times as long and wants a package more; the older one serves these
        # networks well, and says that it is the older one.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        torch.onnx.export(
            fuse(network.eval()),
            (torch.zeros(1, 1, bands, frames),),
            file,
            input_names=[FEATURES],
            output_names=[LOGITS],
            dynamic_axes={FEATURES: {0: "batch"}, LOGITS: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_from_string(file.getvalue())


def whole_model(
    part: onnx.ModelProto,
    settings: LogMel,
    mean_db: Sequence[float],
    deviation_db: Sequence[float],
    facts: Mapping[str, object],
) -> onnx.ModelProto:
    """Front end and network in one: waveform [batch, samples] -> probabilities [batch, classes].

    `part`: what `exported` or `quantised` gives. `facts` become the file's metadata, as JSON where they are not text.
    """
    network = _short_names(part)
    network.ir_version = IR_VERSION
    joined = compose.merge_models(
        frontend(settings, mean_db, deviation_db),
        network,
        io_map=[(FEATURES, FEATURES)],
        prefix1="",
        name="classifier",
    )
    graph = joined.graph
    graph.node.append(helper.make_node("Softmax", [LOGITS], [PROBABILITIES], axis=1))
    classes = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    del graph.output[:], graph.value_info[:]
    graph.output.append(helper.make_tensor_value_info(PROBABILITIES, onnx.TensorProto.FLOAT, ["batch", classes]))
    joined.producer_name = "channel-sparsity"
    helper.set_model_props(
        joined, {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}
    )
    onnx.checker.check_model(joined, full_check=True)
    return joined


def _short_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with short names inside: in a small quantised network they would take more bytes than the weights."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    kept = {"", *(value.name for value in (*graph.input, *graph.output))}
    names: dict[str, str] = {}

    def short(name: str) -> str:
        return name if name in kept else names.setdefault(name, f"n{len(names)}")

    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    for number, node in enumerate(graph.node):
        node.name, node.doc_string = f"{node.op_type}{number}", ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    del graph.value_info[:]
    return model
