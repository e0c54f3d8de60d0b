"""What the networks are called: the registry, in which each family of networks has a line."""

from typing import NamedTuple

from channel_sparsity.files import StudyError


class Family(NamedTuple):
    """A family's name for people, and its networks (v1 and so on), each named after the family and a number."""

    label: str
    networks: tuple[str, ...]


#: The families, by the files in networks/ that build them; the paper's (Table 2) come first.
FAMILIES = {
    "vgg": Family("VGG", ("vgg11", "vgg13", "vgg16", "vgg19")),
    "resnet": Family("ResNet", ("resnet11", "resnet20", "resnet29", "resnet38")),
    "mobilenet": Family("MobileNet", ("mobilenet0.25", "mobilenet0.50", "mobilenet0.75", "mobilenet1.00")),
}

#: Every network there is, in the order in which people see them.
NETWORKS = tuple(name for family in FAMILIES.values() for name in family.networks)

#: The paper's families, and its twelve networks in the order of Table 2, whatever else is registered.
PAPER_FAMILIES = ("vgg", "resnet", "mobilenet")
PAPER_NETWORKS = (
    *("vgg11", "vgg13", "vgg16", "vgg19"),
    *("resnet11", "resnet20", "resnet29", "resnet38"),
    *("mobilenet0.25", "mobilenet0.50", "mobilenet0.75", "mobilenet1.00"),
)

#: What stands for the network in rows that join several.
ALL = "all"


def family(network: str) -> str:
    """The family of a network, a key of `FAMILIES`; StudyError if it is unknown."""
    for name, (_, networks) in FAMILIES.items():
        if network in networks:
            return name
    raise StudyError(f"there is no network {network}: choose from {', '.join(NETWORKS)}")


def variant(network: str) -> str:
    """A network's place in its family, ``v1`` and so on: its column of Table 2, ever deeper or wider."""
    return f"v{FAMILIES[family(network)].networks.index(network) + 1}"


def label(network: str, width_scale: float = 1.0) -> str:
    """A network's name for people, with the factor on its widths if it is not 1: ``VGG-11 x 0.25``."""
    kind = family(network)
    number = network.removeprefix(kind)
    name = f"{FAMILIES[kind].label}{' ' if '.' in number else '-'}{number}"
    return name if width_scale == 1 else f"{name} x {width_scale:g}"
