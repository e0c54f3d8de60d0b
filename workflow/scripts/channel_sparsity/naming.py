"""What the networks of Table 2 are called, in files and in what people read."""

from channel_sparsity.files import StudyError

#: Each family's networks, v1 to v4 of Table 2, with the names that people read.
_VARIANTS = {
    "vgg": {"vgg11": "VGG-11", "vgg13": "VGG-13", "vgg16": "VGG-16", "vgg19": "VGG-19"},
    "resnet": {
        "resnet11": "ResNet-11",
        "resnet20": "ResNet-20",
        "resnet29": "ResNet-29",
        "resnet38": "ResNet-38",
    },
    "mobilenet": {
        "mobilenet0.25": "MobileNet 0.25",
        "mobilenet0.50": "MobileNet 0.50",
        "mobilenet0.75": "MobileNet 0.75",
        "mobilenet1.00": "MobileNet 1.00",
    },
}

#: The twelve networks, in the order of Table 2.
NETWORKS = tuple(name for variants in _VARIANTS.values() for name in variants)


def family(network: str) -> str:
    """The family of a network: ``vgg``, ``resnet`` or ``mobilenet``; StudyError if it is unknown."""
    for name, variants in _VARIANTS.items():
        if network in variants:
            return name
    raise StudyError(f"there is no network {network}: choose from {', '.join(NETWORKS)}")


def variant(network: str) -> str:
    """The column of Table 2 that a network stands in: ``v1`` to ``v4``, ever deeper or wider."""
    return f"v{list(_VARIANTS[family(network)]).index(network) + 1}"


def label(network: str, width_scale: float = 1.0) -> str:
    """A network's name for people, with the factor on its widths if it is not 1: ``VGG-11 x 0.25``."""
    name = _VARIANTS[family(network)][network]
    return name if width_scale == 1 else f"{name} x {width_scale:g}"
