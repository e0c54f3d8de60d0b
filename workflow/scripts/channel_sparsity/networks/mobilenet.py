"""MobileNetV1 (Howard et al. 2017): depthwise and pointwise convolutions, each normalised."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from channel_sparsity.networks.channels import Channels, Network, initialise, planned, scaled

STEM = 32
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
"""Width and stride of each block, at a multiplier of 1."""


class Block(nn.Module):
    """3 x 3 depthwise and 1 x 1 pointwise convolution, each followed by normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.pointwise_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.depthwise_norm(self.depthwise(x)), inplace=True)
        return F.relu(self.pointwise_norm(self.pointwise(x)), inplace=True)


class MobileNet(Network):
    """MobileNetV1 with widths multiplied by `multiplier` (Table 2: 0.25, 0.50, 0.75, 1.00).

    The original stem halves its 224 x 224 input; with 40 bands a `stem_stride` of 1, so 16 in all, leaves
    three rows at the end. A depthwise convolution cannot drop a channel on its own: its gammas belong to the
    channels of the layer before it.
    """

    def __init__(
        self,
        multiplier: float,
        classes: int,
        width_scale: float = 1.0,
        stem_stride: int = 1,
        widths: Mapping[str, int] | None = None,
    ):
        super().__init__()
        self.design = multiplier, classes, width_scale, stem_stride
        convolutions = ["stem", *(f"block{n}.pointwise" for n in range(1, len(BLOCKS) + 1))]
        tied = (_tied(convolution, f"block{n}") for n, convolution in enumerate(convolutions[:-1], 1))
        last = Channels((f"{convolutions[-1]}_norm",), producers=(convolutions[-1],), consumers=("head",))
        self.channels = (*tied, last)

        scale = multiplier * width_scale
        inputs = planned(widths, "stem_norm", scaled(STEM, scale))
        self.stem = nn.Conv2d(1, inputs, 3, stem_stride, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(inputs)
        for n, (width, stride) in enumerate(BLOCKS, 1):
            outputs = planned(widths, f"block{n}.pointwise_norm", scaled(width, scale))
            self.add_module(f"block{n}", Block(inputs, outputs, stride))
            inputs = outputs
        self.head = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem_norm(self.stem(x)), inplace=True)
        for n in range(1, len(BLOCKS) + 1):
            x = getattr(self, f"block{n}")(x)
        return self.head(x.mean((2, 3)))


def _tied(convolution: str, block: str) -> Channels:
    """The channels that `convolution` makes and the depthwise convolution of the next block carries on."""
    return Channels(
        norms=(f"{convolution}_norm", f"{block}.depthwise_norm"),
        producers=(convolution,),
        consumers=(f"{block}.pointwise",),
        carriers=(f"{block}.depthwise",),
    )


def build(
    number: str,
    classes: int,
    width_scale: float = 1.0,
    stem_stride: int = 1,
    widths: Mapping[str, int] | None = None,
) -> MobileNet:
    """`mobilenet0.25` to `mobilenet1.00`: the number is the multiplier."""
    return MobileNet(float(number), classes, width_scale, stem_stride, widths)
