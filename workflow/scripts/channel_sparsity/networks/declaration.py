"""Whether what a network declares of its channels fits its modules; what does not is said in one sentence."""

from collections import Counter
from collections.abc import Iterator, Mapping

from torch import nn

from channel_sparsity.files import StudyError
from channel_sparsity.networks.channels import Channels, Network, Select

#: What the modules may be that channels name.
_KINDS = {
    "norms": (nn.BatchNorm2d,),
    "producers": (nn.Conv2d, Select),
    "carriers": (nn.Conv2d,),
    "consumers": (nn.Conv2d, nn.Linear),
}


def check(network: Network, file: str) -> None:
    """Raise StudyError, with the `file` that builds the network, about the first mistake in its `channels`."""
    for problem in _problems(network):
        raise StudyError(f"{file}: {problem}")


def _problems(network: Network) -> Iterator[str]:
    """What is wrong, as ends of a sentence."""
    modules = dict(network.named_modules())
    for channels in network.channels:
        yield from _wrong_modules(modules, channels)
        yield from _other_widths(modules, channels)
    declared = Counter(norm for channels in network.channels for norm in channels.norms)
    for name, module in modules.items():
        if isinstance(module, nn.BatchNorm2d) and declared[name] != 1:
            times = "more than one" if declared[name] else "none"
            yield f"the normalisation `{name}` belongs to {times} of the `channels`: declare it once"
    narrow = network.unfilled({channels.name: 1 for channels in network.channels})
    for channels in network.channels:
        if narrow.get_submodule(channels.name).num_features != 1:
            yield f"`resized` does not give `{channels.name}` the width that it is asked for"


def _wrong_modules(modules: Mapping[str, nn.Module], channels: Channels) -> Iterator[str]:
    """Names that no module bears, and modules that cannot play the part that they are named for."""
    for part, kinds in _KINDS.items():
        for name in getattr(channels, part):
            if name not in modules:
                yield f"the {part} of the channels `{channels.name}` name `{name}`, which the network does not have"
            elif not isinstance(modules[name], kinds):
                wanted = " or ".join(kind.__name__ for kind in kinds)
                found = type(modules[name]).__name__
                yield f"the {part} of the channels `{channels.name}` name `{name}`, a {found}, but need a {wanted}"


def _other_widths(modules: Mapping[str, nn.Module], channels: Channels) -> Iterator[str]:
    """Modules that have another number of these channels than their first normalisation has."""
    width = modules[channels.name].num_features
    sides = dict.fromkeys((*channels.norms, *channels.producers, *channels.carriers), _outputs)
    for name, count in (sides | dict.fromkeys(channels.consumers, _inputs)).items():
        if count(modules[name]) != width:
            yield f"the channels `{channels.name}` are {width}, but `{name}` has {count(modules[name])} of them"


def _outputs(module: nn.Module) -> int:
    """The channels that a normalisation, a convolution or a selection puts out."""
    if isinstance(module, nn.BatchNorm2d):
        return module.num_features
    return len(module.index) if isinstance(module, Select) else module.out_channels


def _inputs(module: nn.Module) -> int:
    """The channels that a convolution or the linear head reads."""
    return module.in_features if isinstance(module, nn.Linear) else module.in_channels
