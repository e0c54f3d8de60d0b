"""Exported and quantised networks against PyTorch, and what the whole files say of themselves."""

import json

import numpy as np
import onnx
import pytest
import torch

from channel_sparsity.data.logmel import LogMel
from channel_sparsity.deployment.export import exported, whole_model
from channel_sparsity.deployment.frontend import PROBABILITIES, WAVEFORM
from channel_sparsity.deployment.quantisation import bytes_of_constants, quantised, rounded_outwards
from channel_sparsity.deployment.running import outputs, running_cost, session

LOGMEL = LogMel(win_length=3528, hop_length=3528, n_fft=4096, duration_s=2.6)
BANDS, FRAMES = LOGMEL.n_mels, LOGMEL.frames
MEAN, DEVIATION = np.linspace(-70, -30, BANDS), np.linspace(5, 15, BANDS)


def features(clips, seed=2):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(clips, 1, BANDS, FRAMES)).astype(np.float32)


def whole(part):
    return whole_model(part, LOGMEL, MEAN, DEVIATION, {"scenes": ["bus", "park", "tram"], "sample_rate_hz": 44100})


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_a_cut_network_answers_in_onnxruntime_as_in_pytorch(pruned, name):
    network, clips = pruned(name), features(5)
    with torch.inference_mode():
        expected = network(torch.from_numpy(clips)).numpy()
    model = exported(network, BANDS, FRAMES)
    onnx.checker.check_model(model, full_check=True)
    np.testing.assert_allclose(outputs(model, [clips[:2], clips[2:]]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["vgg11", "resnet11", "mobilenet0.25"])
def test_the_int8_form_is_near_and_smaller(pruned, name):
    network, clips = pruned(name, 0.25), features(16)
    model = exported(network, BANDS, FRAMES)
    int8 = quantised(model, [clips])
    assert bytes_of_constants(int8) < 0.55 * bytes_of_constants(model)
    weights = {tensor.name: tensor for tensor in int8.graph.initializer}
    kernels = [node.input[1] for node in int8.graph.node if node.op_type in ("Conv", "Gemm")]
    made = {node.output[0]: node for node in int8.graph.node}
    assert kernels and all(weights[made[kernel].input[0]].data_type == onnx.TensorProto.INT8 for kernel in kernels)
    ours, theirs = outputs(int8, [clips]), outputs(model, [clips])
    assert np.abs(ours - theirs).max() < 0.2 * (theirs.max() - theirs.min())


def test_what_follows_a_dead_layer_keeps_its_biases_in_int8(pruned):
    network, clips = pruned("mobilenet0.25"), features(16)
    torch.nn.init.constant_(network.block13.depthwise_norm.bias, -100.0)  # its ReLU lets nothing through
    network.block13.pointwise.weight.data *= 1000  # and nothing is what these weigh
    model = exported(network, BANDS, FRAMES)
    ours, theirs = outputs(quantised(model, [clips]), [clips]), outputs(model, [clips])
    assert np.abs(ours - theirs).max() < 0.05 * np.abs(theirs).max()


def test_a_whole_file_takes_waveforms_and_gives_probabilities(pruned):
    network = pruned("resnet11")
    model = whole(exported(network, BANDS, FRAMES))
    ready = session(model)
    (given,), (gives,) = ready.get_inputs(), ready.get_outputs()
    assert (given.name, given.type, given.shape) == (WAVEFORM, "tensor(float)", ["batch", LOGMEL.samples])
    assert (gives.name, gives.shape) == (PROBABILITIES, ["batch", 3])
    facts = ready.get_modelmeta().custom_metadata_map
    assert json.loads(facts["scenes"]) == ["bus", "park", "tram"] and facts["sample_rate_hz"] == "44100"

    waveforms = (0.1 * np.random.default_rng(4).normal(size=(3, LOGMEL.samples))).astype(np.float32)
    logmel = np.stack([LOGMEL(waveform) for waveform in waveforms])
    normalised = ((logmel - MEAN[:, None]) / DEVIATION[:, None]).astype(np.float32)[:, None]
    with torch.inference_mode():
        expected = network(torch.from_numpy(normalised)).softmax(1).numpy()
    np.testing.assert_allclose(outputs(model, [waveforms]), expected, rtol=1e-3, atol=1e-5)


def test_the_same_network_gives_the_same_bytes(pruned):
    first, second = (
        [whole(part).SerializeToString(deterministic=True) for part in (model, quantised(model, [features(4)]))]
        for model in (exported(pruned("mobilenet0.25"), BANDS, FRAMES) for _ in range(2))
    )
    assert first == second


def test_last_bits_do_not_change_an_int8_file(pruned):
    model, clips = exported(pruned("resnet11"), BANDS, FRAMES), features(16)
    first, second = (quantised(model, [each]).SerializeToString() for each in (clips, clips * np.float32(1 + 1e-6)))
    assert first == second


def test_ranges_are_rounded_outwards():
    values = np.array([-1.001, -1.0, 0.0, 0.75, 3.0001, 1e-30], np.float32)
    rounded = rounded_outwards(values)
    assert rounded.dtype == np.float32 and np.all(np.abs(rounded) >= np.abs(values))
    np.testing.assert_array_equal(rounded[1:4], values[1:4])
    np.testing.assert_allclose(rounded, values, rtol=1 / 32)
    np.testing.assert_array_equal(rounded, rounded_outwards(rounded))


def test_names_inside_cost_next_to_nothing(pruned):
    part = quantised(exported(pruned("vgg11"), BANDS, FRAMES), [features(4)])
    assert len(whole(part).SerializeToString()) < len(part.SerializeToString())


def test_what_running_costs(pruned, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(whole(exported(pruned("vgg11"), BANDS, FRAMES)), path)
    cost = running_cost(path)
    assert cost.keys() == {"clip_ms", "front_end_ms", "network_ms", "peak_memory_mb"}
    assert min(cost["clip_ms"], cost["front_end_ms"], cost["network_ms"]) > 0 and cost["peak_memory_mb"] >= 0
