"""What the paper claims, each claim put to a test: supported, contradicted or undecided.

A claim that has no evidence against it is not thereby supported: where an interval does not settle it, or the study
lacks the cells, it stays undecided and the reason says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial

import pandas

from channel_sparsity.claims import orderings, verdicts
from channel_sparsity.claims.evidence import Evidence, gather, printed
from channel_sparsity.claims.paper import METHODS, READINGS_OF_YE
from channel_sparsity.claims.verdicts import Judgement
from channel_sparsity.tables.saving import table

#: The columns of ``claims.csv`` and their types.
COLUMNS = {
    "claim": str,
    "says": str,
    "where": str,
    "recipe": str,
    "quantity": str,
    "estimate": float,
    "estimate_low": float,
    "estimate_high": float,
    "n": int,
    "verdict": str,
    "reason": str,
    "printed_verdict": str,
    "test": str,
}


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper and its test.

    says, where: the sentence and its section. quantity: what `Judgement.estimate` is. test: in words. judge: the test.
    about: ``recipe`` where it is about pruning by one method, so that each has a verdict of its own; ``methods`` where
    it compares the two, so that each reading of Ye et al. has one; ``study`` otherwise.
    """

    name: str
    says: str
    where: str
    quantity: str
    test: str
    judge: Callable[[Evidence], Judgement]
    about: str = "recipe"


CLAIMS = (
    Claim(
        "pk_grows_with_ws",
        "PK grows with the increase of WS; a significant positive relationship",
        "sections 4 and 5",
        "slope of PK on WS, mean over networks",
        "interval over networks: supported if the interval is above 0, contradicted if below",
        partial(verdicts.grows, column="pk"),
    ),
    Claim(
        "ws_above_zero",
        "WS is generally greater than 0",
        "section 2.2",
        "share of networks with WS > 0 at every lambda",
        "exact binomial interval over networks: above or below one half",
        verdicts.ws_above_zero,
        about="study",
    ),
    Claim(
        "ws_grows_with_lambda",
        "WS is expected to increase as the channels get sparser; lambda controls the sparsity",
        "sections 2.1 and 2.2",
        "share of networks in which WS rises with lambda",
        "exact binomial interval over networks: above or below one half",
        verdicts.ws_grows_with_lambda,
        about="study",
    ),
    Claim(
        "compression_grows_with_ws",
        "higher channel sparsity achieves greater compression rates at an acceptable accuracy",
        "abstract, section 6",
        "slope of the compression rate at PK on WS, mean over networks",
        "interval over networks: supported if the interval is above 0, contradicted if below",
        partial(verdicts.grows, column="compression_rate"),
    ),
    Claim(
        "loss_at_pk",
        "the loss of all CNNs at PK is approximately between 2 and 5 points",
        "section 3.3",
        "mean loss at PK, as a fraction",
        "1.5 to 5.5 points: supported if every network's interval is inside, contradicted if one is wholly outside",
        verdicts.loss_at_pk,
    ),
    Claim(
        "method_matters_little_to_pk",
        "the selection of the pruning method has little influence; differences are negligible",
        "abstract, sections 4 and 5",
        "paired difference of PK, Liu et al. less Ye et al.",
        "supported if the interval is within the margin, contradicted if it excludes 0 and leaves the margin",
        partial(verdicts.methods, quantity="pk"),
        about="methods",
    ),
    Claim(
        "method_matters_little_to_the_slope",
        "pruning methods have little influence on the relationship between channel sparsity and pruning",
        "abstract, sections 4 and 5",
        "paired difference of m, Liu et al. less Ye et al.",
        "supported if the interval is within the margin, contradicted if it excludes 0 and leaves the margin",
        partial(verdicts.methods, quantity="m"),
        about="methods",
    ),
    Claim(
        "mobilenets_have_the_highest_r",
        "MobileNets have robuster and higher correlation values than VGGNets and ResNets",
        "sections 4 and 5, Table 3",
        "Fisher's z of r, MobileNets less the next family",
        "supported if every lead excludes 0, contradicted if another family is certainly higher",
        partial(orderings.highest_family, name="z", first="mobilenet"),
    ),
    Claim(
        "mobilenets_have_the_highest_m",
        "MobileNets are most sensitive to the change of channel sparsity",
        "section 5, Table 4",
        "slope, MobileNets less the next family",
        "supported if every lead excludes 0, contradicted if another family is certainly steeper",
        partial(orderings.highest_family, name="m", first="mobilenet"),
    ),
    Claim(
        "mobilenet_1_is_the_steepest",
        "MobileNet (width 1.00) gets the highest slope of the regression line",
        "section 4, Table 4",
        "slope, MobileNet 1.00 less the next network",
        "supported if every lead excludes 0, contradicted if another network is certainly steeper",
        partial(orderings.highest_network, name="m", first="mobilenet1.00"),
    ),
    Claim(
        "vggs_have_the_largest_b",
        "VGGNets have larger bias values than the other two CNNs",
        "section 5, Table 4",
        "b, VGGs less the next family",
        "supported if every lead excludes 0, contradicted if another family is certainly higher",
        partial(orderings.highest_family, name="b", first="vgg"),
    ),
    Claim(
        "vgg16_has_the_largest_b",
        "VGGNet (depth 16) has the largest bias",
        "section 4, Table 4",
        "b, VGG-16 less the next network",
        "supported if every lead excludes 0, contradicted if another network is certainly higher",
        partial(orderings.highest_network, name="b", first="vgg16"),
    ),
    Claim(
        "b_is_pk_without_sparsification",
        "the bias value represents pruning performance without channel sparsification",
        "section 5",
        "b of the other lambdas less PK measured at lambda 0",
        "supported if the interval is within the margin of PK, contradicted if it excludes 0 and leaves the margin",
        verdicts.b_is_pk_without_sparsification,
    ),
    Claim(
        "vggs_prune_without_sparsification",
        "most channels in VGGNets can be safely pruned without channel sparsification",
        "section 5",
        "smallest PK of a VGG at lambda 0",
        "intervals over seeds: supported if all are above one half, contradicted if one is below",
        verdicts.vggs_prune_without_sparsification,
    ),
    Claim(
        "r_rises_with_width",
        "the linear relationship gets stronger with the width of MobileNets",
        "section 4, Table 3",
        "change of Fisher's z of r from one MobileNet to the next wider",
        "supported if the interval is above 0, contradicted if below",
        partial(orderings.trend_of_r, name="mobilenet", sign=1),
    ),
    Claim(
        "r_falls_with_depth",
        "the linear relationship gets weaker with the depth of VGGNets",
        "section 4, Table 3",
        "change of Fisher's z of r from one VGG to the next deeper",
        "supported if the interval is below 0, contradicted if above",
        partial(orderings.trend_of_r, name="vgg", sign=-1),
    ),
    Claim(
        "no_pattern_over_variants",
        "no regular pattern is found between hyper-parameters (width or depth) of one architecture",
        "section 5",
        "change of m from one variant of a family to the next",
        "supported if every interval is within the margin of m, contradicted if one excludes 0 and leaves the margin",
        orderings.no_pattern_over_variants,
    ),
)


def claims(cells: pandas.DataFrame, margins: Mapping[str, float]) -> pandas.DataFrame:
    """Every claim of the paper with our numbers and the verdict on them: ``claims.csv``.

    `cells`: the table of that name, of one repair. `margins`: differences of pk, m and r that count as none. Claims
    about pruning have a row for each of the paper's two methods that the study has, by its default recipe; claims about
    both methods one for each reading of Ye et al. `printed_verdict` is what the same test says of the paper's own
    printed numbers (`evidence.printed`), empty where they do not suffice.
    """
    there = set(cells["recipe"])
    recipes = [recipe for recipe in METHODS if recipe in there] or list(METHODS)
    readings = [recipe for recipe in READINGS_OF_YE if recipe in there] or list(READINGS_OF_YE[:1])
    of = {"recipe": recipes, "methods": readings, "study": recipes[:1]}

    @cache
    def evidence(pruned: str, ye: str = READINGS_OF_YE[0]) -> tuple[Evidence, Evidence]:
        """The study's and the paper's, of what one recipe pruned."""
        return gather(cells, pruned, margins, ye), printed(pruned, margins)

    rows = []
    for claim in CLAIMS:
        for recipe in of[claim.about]:
            both = evidence(recipes[0], recipe) if claim.about == "methods" else evidence(recipe)
            ours, theirs = (asdict(claim.judge(each)) for each in both)
            row = {name: getattr(claim, name) for name in ("says", "where", "quantity", "test")}
            row |= {"claim": claim.name, "recipe": "" if claim.about == "study" else recipe}
            row["printed_verdict"] = "" if theirs["estimate"] is None else theirs["verdict"]
            rows.append(row | ours)
    return table(rows, COLUMNS)
