"""The pre-activation bottleneck ResNet of Network Slimming (He et al. 2016, Liu et al. 2017)."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from channel_sparsity.files import StudyError
from channel_sparsity.networks.channels import Channels, Network, Select, initialise, planned, scaled

PLANES = (16, 32, 64)
"""Width of the bottlenecks in each of the three stages."""

EXPANSION = 4
"""The residual stream is this many times as wide as the bottlenecks."""


class Bottleneck(nn.Module):
    """Normalise, ReLU, convolve, three times (1 x 1, 3 x 3, 1 x 1), then add to the residual stream.

    inputs, outputs: width of the stream before and after the block.
    widths: of norm1 (channels taken from the stream), norm2 and norm3.
    """

    def __init__(self, inputs: int, widths: tuple[int, int, int], outputs: int, stride: int):
        super().__init__()
        taken, reduced, spatial = widths
        self.select = Select(inputs, taken)
        self.norm1 = nn.BatchNorm2d(taken)
        self.conv1 = nn.Conv2d(taken, reduced, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(reduced)
        self.conv2 = nn.Conv2d(reduced, spatial, 3, stride=stride, padding=1, bias=False)
        self.norm3 = nn.BatchNorm2d(spatial)
        self.conv3 = nn.Conv2d(spatial, outputs, 1, bias=False)
        changes_shape = stride != 1 or inputs != outputs
        # A convolution of the raw input, without a normalisation, as in Network Slimming.
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False) if changes_shape else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(self.select(x)), inplace=True))
        y = self.conv2(F.relu(self.norm2(y), inplace=True))
        y = self.conv3(F.relu(self.norm3(y), inplace=True))
        return y + self.shortcut(x)


class ResNet(Network):
    """ResNet of `depth` 9 n + 2: stem, three stages of n bottlenecks, normalisation, pooling, linear head.

    Every normalisation is prunable, the first of each block and the network's last included.
    """

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
        blocks = (depth - 2) // 9
        names = [f"stage{stage}.{n}" for stage in (1, 2, 3) for n in range(blocks)]
        last = Channels(norms=("norm",), producers=("select",), consumers=("head",))
        self.channels = (*(channels for name in names for channels in _declared(name)), last)

        stream = scaled(PLANES[0], width_scale)
        self.stem = nn.Conv2d(1, stream, 3, stem_stride, padding=1, bias=False)
        stages = []
        for stage, planes in enumerate((scaled(planes, width_scale) for planes in PLANES), 1):
            stages.append(nn.Sequential())
            for n in range(blocks):
                full = {"norm1": stream, "norm2": planes, "norm3": planes}
                taken, reduced, spatial = (
                    planned(widths, f"stage{stage}.{n}.{norm}", width) for norm, width in full.items()
                )
                stride = 2 if stage > 1 and n == 0 else 1
                stages[-1].append(Bottleneck(stream, (taken, reduced, spatial), planes * EXPANSION, stride))
                stream = planes * EXPANSION
        self.stage1, self.stage2, self.stage3 = stages
        taken = planned(widths, last.name, stream)
        self.select = Select(stream, taken)
        self.norm = nn.BatchNorm2d(taken)
        self.head = nn.Linear(taken, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        x = F.relu(self.norm(self.select(x)), inplace=True)
        return self.head(x.mean((2, 3)))


def _declared(block: str) -> tuple[Channels, Channels, Channels]:
    """The three sets of channels of the bottleneck of that name."""
    return (
        Channels((f"{block}.norm1",), producers=(f"{block}.select",), consumers=(f"{block}.conv1",)),
        Channels((f"{block}.norm2",), producers=(f"{block}.conv1",), consumers=(f"{block}.conv2",)),
        Channels((f"{block}.norm3",), producers=(f"{block}.conv2",), consumers=(f"{block}.conv3",)),
    )


def build(
    number: str,
    classes: int,
    width_scale: float = 1.0,
    stem_stride: int = 1,
    widths: Mapping[str, int] | None = None,
) -> ResNet:
    """`resnet11` to `resnet38`: the number is the depth; StudyError if it is none of 9 n + 2."""
    if not number.isdigit() or int(number) < 11 or int(number) % 9 != 2:
        raise StudyError(f"there is no network resnet{number}: the depth is 11, 20, 29 and so on")
    return ResNet(int(number), classes, width_scale, stem_stride, widths)
