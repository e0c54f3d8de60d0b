"""What the networks are called in what people read."""

from channel_sparsity.naming import FAMILIES, family

#: What stands for the network in rows that join several.
ALL = "all"


def label(network: str, width_scale: float = 1.0) -> str:
    """A network's name for people, with the factor on its widths if it is not 1: ``VGG-11 x 0.25``."""
    kind = family(network)
    number = network.removeprefix(kind)
    name = f"{FAMILIES[kind].label}{' ' if '.' in number else '-'}{number}"
    return name if width_scale == 1 else f"{name} x {width_scale:g}"
