"""Weight Skewness (Eq. 4 to 6) and what stands beside it: how sparse a network's channels are."""

import numpy
import pandas
from scipy import stats

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
    "l_skewness",
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


def _beside_ws(values: numpy.ndarray, depthwise: numpy.ndarray) -> dict:
    """The measures beside WS of two or more finite gammas, and `undefined`: why one of them is None.

    `depthwise` [N]: which gammas belong to depthwise convolutions.
    """
    skewness = {"ws": values, "ws_absolute": numpy.abs(values), "ws_without_depthwise": values[~depthwise]}
    found = {name: weight_skewness(those) for name, those in skewness.items()}
    found["l_skewness"] = None if found["ws"] is None or len(values) < 3 else float(stats.lmoment(values, order=3))
    undefined = {name: "these gammas do not differ" for name in found if found[name] is None}
    if found["ws"] is not None and len(values) < 3:
        undefined["l_skewness"] = "fewer than three gammas"
    return found | {"undefined": undefined}


def measure(gammas: pandas.DataFrame) -> dict:
    """Every measure of a network's gammas, as ``sparsity.json`` holds them.

    `gammas`: a row each, with the columns layer, channel and gamma. The result:

    - status (``measured``, or ``undefined`` with a reason; WS and what belongs to it are then None) and ws;
    - ws_absolute: WS of the magnitudes, which differs where gammas are negative; ws_without_depthwise: WS without
      the gammas of depthwise convolutions (R12);
    - l_skewness: L-skewness, signed: the third L-moment over the second (Hosking 1990), between -1 and 1. WS is a sum
      of cubes, which a dozen large gammas may decide (R12); this one is a sum of first powers;
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
    names = ("ws", "ws_absolute", "ws_without_depthwise", "l_skewness")
    return {"reason": reason, "undefined": dict.fromkeys(names, reason)}
