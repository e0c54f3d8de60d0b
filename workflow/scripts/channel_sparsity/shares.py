"""Shares as people read them."""


def percent(share: float) -> str:
    """A share in percent, with one decimal: ``75.0 %``."""
    return f"{100 * share:.1f} %"


def points(share: float) -> str:
    """A difference of shares in points of percent, with one decimal."""
    return f"{round(100 * share, 1) + 0.0:.1f}"  # + 0.0: no -0.0
