"""What the networks of Table 2 are called in files."""

from channel_sparsity.files import StudyError

#: Each family's networks, v1 to v4 of Table 2.
_VARIANTS = {
    "vgg": ("vgg11", "vgg13", "vgg16", "vgg19"),
    "resnet": ("resnet11", "resnet20", "resnet29", "resnet38"),
    "mobilenet": ("mobilenet0.25", "mobilenet0.50", "mobilenet0.75", "mobilenet1.00"),
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
    return f"v{_VARIANTS[family(network)].index(network) + 1}"
