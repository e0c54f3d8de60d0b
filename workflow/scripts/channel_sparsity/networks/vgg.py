"""VGG as in Network Slimming (Liu et al. 2017): normalised convolutions, average pooling, one linear head."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from channel_sparsity.files import StudyError
from channel_sparsity.networks.channels import Channels, Network, initialise, planned, scaled

LAYERS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Depth -> convolutions in each of the five stages; of the three linear layers it counts, one is left."""

WIDTHS = (64, 128, 256, 512, 512)


class Layer(nn.Module):
    """3 x 3 convolution, normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


class VGG(Network):
    """VGG of `depth` 11 to 19, without dropout (section 3.2); each stage after the first halves its input."""

    def __init__(
        self,
        depth: int,
        classes: int,
        width_scale: float = 1.0,
        stem_stride: int = 1,
        widths: Mapping[str, int] | None = None,
    ):
        super().__init__()
        self.design = depth, classes, width_scale, stem_stride
        names = [f"stage{stage}.{n}" for stage, layers in enumerate(LAYERS[depth], 1) for n in range(layers)]
        consumers = [f"{name}.conv" for name in names[1:]] + ["head"]
        self.channels = tuple(
            Channels(norms=(f"{name}.norm",), producers=(f"{name}.conv",), consumers=(consumer,))
            for name, consumer in zip(names, consumers, strict=True)
        )

        stages, inputs, stride = [], 1, stem_stride
        for stage, (layers, width) in enumerate(zip(LAYERS[depth], WIDTHS, strict=True), 1):
            stages.append(nn.Sequential())
            for n in range(layers):
                outputs = planned(widths, f"stage{stage}.{n}.norm", scaled(width, width_scale))
                stages[-1].append(Layer(inputs, outputs, stride))
                inputs, stride = outputs, 1
        self.stage1, self.stage2, self.stage3, self.stage4, self.stage5 = stages
        self.head = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage1(x)
        for stage in (self.stage2, self.stage3, self.stage4, self.stage5):
            x = stage(F.max_pool2d(x, 2))
        return self.head(x.mean((2, 3)))


def build(
    number: str,
    classes: int,
    width_scale: float = 1.0,
    stem_stride: int = 1,
    widths: Mapping[str, int] | None = None,
) -> VGG:
    """`vgg11` to `vgg19`: the number is the depth; StudyError if there is none of that depth."""
    if number not in map(str, LAYERS):
        raise StudyError(f"there is no network vgg{number}: the depth is one of {', '.join(map(str, LAYERS))}")
    return VGG(int(number), classes, width_scale, stem_stride, widths)
