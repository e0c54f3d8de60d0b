"""Weight Skewness (Eq. 4 to 6) and what stands beside it: how sparse a network's channels are."""

from collections.abc import Callable

import numpy
import pandas

from channel_sparsity.files import StudyError

#: A spread of the gammas under this share of the largest is rounding, since they were trained in 32 bits.
_RESOLUTION = float(numpy.finfo(numpy.float32).eps)

#: The magnitude under which a gamma counts as near zero.
NEAR_ZERO = 0.01

#: What the layers of depthwise convolutions are called in ``gammas.csv`` (R12).
DEPTHWISE = "depthwise"

#: What ``sparsity.json`` holds.
FIELDS = (
    "status",
    "reason",
    "ws",
    "ws_absolute",
    "ws_without_depthwise",
    "gini",
    "hoyer",
    "l1_l2",
    "entropy",
    "kurtosis",
    "share_lower_class",
    "undefined",
    "largest_contribution",
    "largest_contribution_layer",
    "largest_contribution_channel",
    "count",
    "mean",
    "standard_deviation",
    "minimum",
    "maximum",
    "near_zero",
    "share_near_zero",
    "layers",
)


def contributions(gammas: numpy.ndarray) -> numpy.ndarray | None:
    """What each gamma adds to WS: (gamma - mean)^3 / ((N - 1) sigma^3), so that the sum is Eq. 4.

    `gammas` [N], finite; sigma divides by N (Eq. 6). None if WS is undefined: under two gammas, or no spread.
    """
    if len(gammas) < 2:
        return None
    deviation = gammas - gammas.mean()
    sigma = numpy.sqrt(numpy.mean(deviation**2))
    if sigma <= _RESOLUTION * numpy.abs(gammas).max():
        return None
    return (deviation / sigma) ** 3 / (len(gammas) - 1)


def weight_skewness(gammas: numpy.ndarray) -> float | None:
    """WS of all scaling factors of a network, signed (Eq. 4; R14); None where it is undefined.

    N / (N - 1) times the skewness that SciPy calls biased.
    """
    terms = contributions(numpy.asarray(gammas, dtype=float))
    return None if terms is None else float(terms.sum())


def gini(gammas: numpy.ndarray) -> float:
    """Gini index of the magnitudes: sum of (2 i - N - 1) a_i / (N sum of a_i), a sorted upwards, i from 1.

    0 where all are alike, 1 - 1/N where one is left (Hurley & Rickard 2009). Not all may be zero.
    """
    magnitudes = numpy.sort(numpy.abs(gammas))
    weights = 2 * numpy.arange(1, len(magnitudes) + 1) - len(magnitudes) - 1
    return float(weights @ magnitudes / (len(magnitudes) * magnitudes.sum()))


def l1_l2(gammas: numpy.ndarray) -> float:
    """L1 norm over L2 norm: sqrt(N) where all magnitudes are alike, 1 where one is left. Not all may be zero."""
    return float(numpy.abs(gammas).sum() / numpy.linalg.norm(gammas))


def hoyer(gammas: numpy.ndarray) -> float:
    """Hoyer's measure (2004), (sqrt(N) - L1/L2) / (sqrt(N) - 1): from 0 (all alike) to 1 (one is left).

    For one network it is a falling line in L1/L2. Not all gammas may be zero.
    """
    root = numpy.sqrt(len(gammas))
    return float((root - l1_l2(gammas)) / (root - 1))


def entropy(gammas: numpy.ndarray) -> float:
    """Shannon entropy of the magnitudes' shares of their sum, over ln N: from 1 (all alike) to 0 (one is left).

    Not all gammas may be zero.
    """
    shares = numpy.abs(gammas) / numpy.abs(gammas).sum()
    shares = shares[shares > 0]
    return float(-(shares @ numpy.log(shares)) / numpy.log(len(gammas)))


def kurtosis(gammas: numpy.ndarray) -> float:
    """Excess kurtosis, m4 / m2^2 - 3, of all gammas, signed. They must have a spread."""
    squares = (gammas - gammas.mean()) ** 2
    return float((squares**2).mean() / squares.mean() ** 2 - 3)


def share_lower_class(gammas: numpy.ndarray) -> float:
    """Share of the gammas in the lower of the two classes that their magnitudes fall into best.

    The split with the largest variance between the classes (Otsu 1979), that is the two-point distribution
    that is nearest to the magnitudes in squares: what a threshold such as `NEAR_ZERO` has to be told, it finds. The
    magnitudes must differ.
    """
    magnitudes = numpy.sort(numpy.abs(gammas))
    total, lower = len(magnitudes), numpy.arange(1, len(magnitudes))
    below = numpy.cumsum(magnitudes)[:-1]
    distance = (magnitudes.sum() - below) / (total - lower) - below / lower
    between = numpy.where(magnitudes[:-1] < magnitudes[1:], lower * (total - lower) * distance**2, -1)
    return float(lower[between.argmax()] / total)


def share_removed_by(ws: float) -> float:
    """The share 1 - q of zeros in the distribution on two points that has this WS.

    If a share q of the gammas is left, all alike, and the others are zero, WS = (1 - 2 q) / sqrt(q (1 - q)) for many
    gammas, so that 1 - q = (1 + WS / sqrt(4 + WS^2)) / 2: rising in WS, flat towards 1. If exactly the zeros can go, it
    is also PK: the relation that holds by construction.
    """
    return float((1 + ws / numpy.sqrt(4 + ws**2)) / 2)


#: Measures of all gammas, and whether they need magnitudes that differ instead of one that is not zero.
_MEASURES: dict[str, tuple[Callable[[numpy.ndarray], float], bool]] = {
    "gini": (gini, False),
    "hoyer": (hoyer, False),
    "l1_l2": (l1_l2, False),
    "entropy": (entropy, False),
    "kurtosis": (kurtosis, True),
    "share_lower_class": (share_lower_class, True),
}


def _beside_ws(values: numpy.ndarray, depthwise: numpy.ndarray) -> dict:
    """The measures beside WS of two or more finite gammas, and `undefined`: why one of them is None.

    `depthwise` [N]: which gammas belong to depthwise convolutions.
    """
    magnitudes = numpy.abs(values)
    skewness = {"ws": values, "ws_absolute": magnitudes, "ws_without_depthwise": values[~depthwise]}
    found = {name: weight_skewness(those) for name, those in skewness.items()}
    undefined = {name: "these gammas do not differ" for name, ws in found.items() if ws is None}
    for name, (function, needs_spread) in _MEASURES.items():
        if needs_spread and contributions(values if name == "kurtosis" else magnitudes) is None:
            undefined[name] = "these gammas do not differ"
        elif not magnitudes.any():
            undefined[name] = "all gammas are 0"
        else:
            found[name] = function(values)
    return found | {"undefined": undefined}


def measure(gammas: pandas.DataFrame) -> dict:
    """Every measure of a network's gammas, as ``sparsity.json`` holds them.

    `gammas`: a row each, with the columns layer, channel and gamma. The result:

    - status (``measured``, or ``undefined`` with a reason; WS and what belongs to it are then None) and ws;
    - ws_absolute: WS of the magnitudes, which differs where gammas are negative; ws_without_depthwise: WS without
      the gammas of depthwise convolutions (R12);
    - gini, hoyer, l1_l2, entropy, kurtosis, share_lower_class: the functions of that name;
    - undefined: why any of these, by name, is None;
    - largest_contribution: the single term of Eq. 4 of the largest magnitude, signed and in units of WS, with
      the layer and channel that it comes from, since one outlier can make up most of a sum of cubes (R12,
      R14);
    - count, mean, standard_deviation (Eq. 6), minimum, maximum of all gammas, and share_near_zero, the
      share of those whose magnitude is under near_zero;
    - layers: for each, in order, its name, count, mean and share_near_zero.
    """
    missing = [name for name in ("layer", "channel", "gamma") if name not in gammas]
    if missing:
        raise StudyError(f"gammas.csv has no column {missing[0]}: delete it and train the network again")
    values = gammas["gamma"].to_numpy(dtype=float)
    result = dict.fromkeys(FIELDS) | {"status": "undefined", "count": len(values), "near_zero": NEAR_ZERO}
    finite = numpy.isfinite(values)
    if not finite.all():
        layer, channel = gammas.loc[~finite, ["layer", "channel"]].iloc[0]
        reason = f"{int((~finite).sum())} gammas are not finite, the first in {layer}, channel {channel}"
        return result | _unmeasured(reason)
    if len(values) < 2:
        return result | _unmeasured("fewer than two gammas")
    near = numpy.abs(values) < NEAR_ZERO
    result |= {
        "mean": float(values.mean()),
        "standard_deviation": float(values.std()),
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "share_near_zero": float(near.mean()),
        "layers": [
            {
                "layer": str(layer),
                "count": len(rows),
                "mean": float(values[rows].mean()),
                "share_near_zero": float(near[rows].mean()),
            }
            for layer, rows in gammas.groupby("layer", sort=False).indices.items()
        ],
    }
    result |= _beside_ws(values, gammas["layer"].astype(str).str.contains(DEPTHWISE, regex=False).to_numpy())
    terms = contributions(values)
    if terms is None:
        return result | {"reason": f"all gammas are {values.mean():.6g}"}
    largest = int(numpy.abs(terms).argmax())
    return result | {
        "status": "measured",
        "reason": "",
        "largest_contribution": float(terms[largest]),
        "largest_contribution_layer": str(gammas["layer"].iloc[largest]),
        "largest_contribution_channel": int(gammas["channel"].iloc[largest]),
    }


def _unmeasured(reason: str) -> dict:
    """What changes in the record of gammas of which nothing can be measured."""
    names = ("ws", "ws_absolute", "ws_without_depthwise", *_MEASURES)
    return {"reason": reason, "undefined": dict.fromkeys(names, reason)}
