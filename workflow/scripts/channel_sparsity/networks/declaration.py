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
    modules, state = dict(network.named_modules()), network.state_dict()
    left = {key: list(tensor.shape) for key, tensor in state.items()}
    for channels in network.channels:
        yield from _wrong_modules(modules, channels)
        width = modules[channels.name].num_features
        for key, dimension in network.slices(channels):
            if (count := state[key].shape[dimension]) != width:
                module = key.rpartition(".")[0]
                yield f"the channels `{channels.name}` are {width}, but `{module}` has {count} of them"
            left[key][dimension] = 1
        if len(channels.carriers) > 1 or len(channels.norms) != 1 + len(channels.carriers):
            yield f"the channels `{channels.name}` need one of `norms`, or two and one of `carriers` between them"
    declared = Counter(norm for channels in network.channels for norm in channels.norms)
    for name, module in modules.items():
        if isinstance(module, nn.BatchNorm2d) and declared[name] != 1:
            times = "more than one" if declared[name] else "none"
            yield f"the normalisation `{name}` belongs to {times} of the `channels`: declare it once"
        if name in declared and (module.weight is None or module.running_mean is None):
            yield f"the normalisation `{name}` needs `affine` and `track_running_stats`"
    if not isinstance(network.head, nn.Linear) or network.head.bias is None:
        yield "`head` needs to be a Linear with a bias"
    narrow = network.unfilled({channels.name: 1 for channels in network.channels}).state_dict()
    for key, tensor in narrow.items():
        if list(tensor.shape) != left.get(key):
            yield (
                f"asked for one channel each, `resized` makes `{key}` {list(tensor.shape)}, but the `channels` leave "
                f"{left.get(key)} of it: declare all that they pass through, and give widths by `planned`"
            )


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
