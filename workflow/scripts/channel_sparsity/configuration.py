"""The study's configuration: checked against the schema, with errors that say where to look, and looked up."""

import copy
import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from channel_sparsity.files import StudyError
from channel_sparsity.naming import FAMILIES, NETWORKS, family

#: JSON Schema takes 10.0 for an integer and NaN for a number; the jobs do not.
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda _, value: (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
    }
)

#: The names that the code knows, for the schema's own keyword `known`: a pruning method is a file in pruning/methods/.
_KNOWN = {
    "networks": NETWORKS,
    "families": tuple(FAMILIES),
    "places of lambdas": ("default", *FAMILIES, *NETWORKS),
    "methods": tuple(sorted(file.stem for file in Path(__file__).parent.glob("pruning/methods/[!_]*.py"))),
}


def _known(_validator: object, names: str, value: object, _schema: Mapping) -> Iterator[ValidationError]:
    if value not in _KNOWN[names]:
        yield ValidationError(f"{value!r} is not known")


_Validator = extend(Draft202012Validator, {"known": _known}, type_checker=_TYPES)


def read_yaml(path: str | Path) -> object:
    """What a YAML file holds."""
    # libyaml's parser, where there is one, takes a tenth of the time.
    return yaml.load(Path(path).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check(config: Mapping, schema: Mapping, files: Iterable[Path]) -> None:
    """Raise one sentence about the first wrong key or value of a merged configuration.

    `files` are the files it was merged from, the base first; the sentence names the last one that holds the key, or the
    command line if none does.
    """
    contents = [(path, read_yaml(path) or {}) for path in files]
    for keys, problem in _check_text(config):
        raise StudyError(f"{_where(keys, config, contents)}: {problem}")
    # Two problems in one configuration: the shallower first, and a wrong key before what follows from it.
    error = best_match(_Validator(schema).iter_errors(config))
    if error is not None:
        keys, problem = _explain(error)
        raise StudyError(f"{_where(keys, config, contents)}: {problem}")
    for keys, problem in _cross_check(config):
        raise StudyError(f"{_where(keys, config, contents)}: {problem}")


#: Characters that terminals, logs and tables do not take for text: controls, line ends, changes of direction.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LONGEST_TEXT = 1000


def _check_text(content: object, keys: tuple = ()) -> Iterable[tuple[tuple, str]]:
    """Keys and values that are no plain text, wherever they stand."""
    if isinstance(content, str):
        name = f"`{_CONTROL.sub('?', _dotted(keys))[:100]}`"
        if len(content) > LONGEST_TEXT:
            yield keys, f"{name} has {len(content)} characters, but may have {LONGEST_TEXT}"
        if _CONTROL.search(content):
            yield keys, f"{name} has a control character or a line end: {json.dumps(content)}"
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _check_text(str(key), (*keys, key))
            yield from _check_text(value, (*keys, key))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _check_text(value, (*keys, index))


_MISSING = object()


def _where(keys: tuple, config: Mapping, contents: list[tuple[Path, Mapping]]) -> str:
    """The last file that gives a key the value that it has in `config`; the command line if none does."""
    if not keys:
        return str(contents[0][0])
    value = _value(config, keys)
    for path, content in reversed(contents):
        found = _value(content, keys)
        if found is not _MISSING and (found == value or isinstance(found, Mapping)):
            return str(path)
    return "the command line (--config)"


def _value(content: object, keys: tuple) -> object:
    """What stands in nested mappings and lists under `keys`."""
    for key in keys:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return content


_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


#: What the patterns of some keys ask for.
_WORDS = {
    "address": "an address that begins with https:// or http://",
    "name": "letters, digits, dots, dashes and underscores, with .zip at the end",
    "md5": "32 hexadecimal digits (0 to 9, a to f)",
    "path": "a folder whose path has no { } < >, which Snakemake reads otherwise",
    "train_list": "the name of a file in evaluation_setup/",
}


def _dotted(keys: Iterable) -> str:
    """Keys as people write them: ``datasets.demo.devices[0]``."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def _explain(error: ValidationError) -> tuple[tuple, str]:
    """The keys that a schema error is about, and what is wrong with them, in a sentence without its subject's file."""
    keys = tuple(error.absolute_path)
    name = f"`{_dotted(keys)}`" if keys else "the configuration"
    value = json.dumps(error.instance, default=str)
    match error.validator:
        case "additionalProperties":
            allowed = list(error.schema["properties"])
            return _unknown_key((*keys, next(key for key in error.instance if key not in allowed)), allowed)
        case "known" if "propertyNames" in error.schema_path:
            return _unknown_key((*keys, error.instance), _KNOWN[error.validator_value])
        case "known":
            what = error.validator_value
            known = ", ".join(_KNOWN[what])
            return keys, f"{name} is {value}, but must be one of {known} (docs/tutorials/{what[:-1]}.md adds others)"
        case "required":
            missing = next(key for key in error.validator_value if key not in error.instance)
            return keys, f"`{_dotted((*keys, missing))}` is missing"
        case "enum":
            allowed = ", ".join(str(each) for each in error.validator_value)
            return keys, f"{name} is {value}, but must be one of {allowed}"
        case "type" | "oneOf":
            kinds = error.validator_value if error.validator == "oneOf" else [error.schema]
            wanted = " or ".join(_TYPE_NAMES[kind.get("type", "number")] for kind in kinds)
            hint = ""
            if "lambdas" in keys and error.validator_value == "string":
                hint = ' in quotes, like "1e-3" or "0"'
            elif isinstance(error.instance, str) and "number" in wanted:
                hint = (
                    " (1e-3 is text in YAML: write 0.001; and nested numbers in --config are text: use a --configfile)"
                )
            return keys, f"{name} is {value}, but must be {wanted}{hint}"
        case "pattern":
            if "lambdas" in keys:
                return keys, f'{name} is {value}, but must be like "0" or "1e-3" (one digit, e, a negative exponent)'
            if keys[-1] in _WORDS:
                return keys, f"{name} is {value}, but must be {_WORDS[keys[-1]]}"
            subject = (
                f"the name {value} in {name}" if "propertyNames" in error.schema_path else f"{name} is {value}, but"
            )
            return keys, f"{subject} must be lower-case letters, digits, dots, dashes and underscores"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            words = {
                "minimum": "at least",
                "exclusiveMinimum": "more than",
                "maximum": "at most",
                "exclusiveMaximum": "less than",
            }
            return keys, f"{name} is {value}, but must be {words[error.validator]} {error.validator_value}"
        case "maxProperties":
            return keys, f"{name} must be empty: {{}}"
        case "minItems" | "minProperties" | "minLength":
            return keys, f"{name} has too few entries: at least {error.validator_value} needed"
        case "uniqueItems":
            twice = next(each for i, each in enumerate(error.instance) if each in error.instance[:i])
            return keys, f"{name} lists {json.dumps(twice)} twice"
    return keys, f"{name}: {error.message}"


def _unknown_key(keys: tuple, allowed: Sequence[str]) -> tuple[tuple, str]:
    """That there is no such key, with the nearest that there is."""
    guess = difflib.get_close_matches(str(keys[-1]), allowed, n=1)
    hint = f"did you mean `{guess[0]}`?" if guess else f"allowed are {', '.join(allowed)}"
    return keys, f"unknown key `{_dotted(keys)}`: {hint}"


def _cross_check(config: Mapping) -> Iterable[tuple[tuple, str]]:
    """What a schema cannot say: names that must exist elsewhere, and values that must fit together."""

    def unknown(keys, value, known, what):
        if value not in known:
            yield (
                keys,
                f"`{_dotted(keys)}` is {value}, but must be one of {what}: {', '.join(map(str, known))}",
            )

    yield from unknown(("dataset",), config["dataset"], config["datasets"], "`datasets`")
    planned = set()
    for index, entry in enumerate(config["curves"]):
        yield from unknown(("curves", index, "recipe"), entry["recipe"], config["recipes"], "`recipes`")
        if entry["recipe"] in planned:
            yield (
                ("curves", index),
                f"`curves` lists the recipe {entry['recipe']} twice: put all its networks in one entry",
            )
        planned.add(entry["recipe"])
        for place, repair in enumerate(entry.get("repairs", [])):
            yield from unknown(("curves", index, "repairs", place), repair, config["repairs"], "`repairs`")
        for place, network in enumerate(entry.get("networks", [])):
            yield from unknown(
                ("curves", index, "networks", place), network, config["networks"], "the study's `networks`"
            )
    for name, block in config["datasets"].items():
        # A block of another source, merged in from a base configuration, is let be where its own source came over it.
        foreign = {"folder": ["synthetic"], "synthetic": ["path", "record"], "record": ["path", "synthetic"]}
        for key in foreign[block["source"]]:
            if key in block:
                keys = ("datasets", name, key)
                yield keys, f"`{_dotted(keys)}` does not go with `source: {block['source']}`"
        yield from _check_archives(("datasets", name, "record"), block.get("record"))
        keys, features = ("datasets", name, "features"), block["features"]
        if features["window_samples"] > features["fft_samples"]:
            yield (*keys, "window_samples"), f"`{_dotted(keys)}.window_samples` is larger than `fft_samples`"
        if not features["lowest_hz"] < features["highest_hz"] <= features["sample_rate_hz"] / 2:
            yield (
                (*keys, "highest_hz"),
                (
                    f"`{_dotted(keys)}.highest_hz` is {features['highest_hz']}, but must lie over `lowest_hz` "
                    f"and at or under half of `sample_rate_hz` ({features['sample_rate_hz'] / 2:g})"
                ),
            )
    if config["split"]["kind"] == "official" and config["datasets"][config["dataset"]]["source"] == "synthetic":
        yield ("split", "kind"), "`split.kind` is official, but the embedded scenes have no official split"
    if config["study"] in config["beside"]:
        yield ("beside",), f"`beside` lists {config['study']}, which is the study itself"
    if config["training"]["warmup_epochs"] >= config["training"]["epochs"]:
        yield ("training", "warmup_epochs"), "`training.warmup_epochs` must be fewer than `training.epochs`"
    if len(named_curves(config)) < len(config["recipes"]) * len(config["repairs"]):
        yield ("recipes",), "`recipes` has a name that is another recipe's with the name of one of `repairs` behind it"
    asked_for = {curve.recipe for curve, _ in curves_of(config)}
    # The recipes themselves first, and repairs only where a curve asks for them.
    for curve in sorted(named_curves(config).values(), key=lambda curve: curve.repair != FULL):
        if curve.repair != FULL and curve.recipe not in asked_for:
            continue
        recipe, name = recipe_of(config, curve.recipe), curve.recipe
        finetuning = recipe["finetuning"]
        place = ("recipes", name) if curve.repair == FULL else ("repairs", curve.repair)
        if finetuning["warmup_epochs"] >= finetuning["epochs"]:
            yield place, f"the recipe {name} has fine-tuning with `warmup_epochs` no fewer than `epochs`"
        if recipe["shrink_survivors"] and recipe["method"] != "ista":
            yield place, f"the recipe {name} has `shrink_survivors`, which goes with `method: ista` alone"
        if recipe["highest_rate"] < recipe["step"]:
            yield place, f"the recipe {name} has a `highest_rate` under its `step`: its curve would have no step"


def _check_archives(keys: tuple, record: Mapping | None) -> Iterable[tuple[tuple, str]]:
    """The archives of a record need different names, since they lie in one folder."""
    names = [archive["name"] for archive in archives_of(record)] if record else []
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield (*keys, "audio"), f"`{_dotted(keys)}` lists the archive {name} twice"


def archives_of(record: Mapping) -> list[Mapping]:
    """All archives of a record, the metadata first."""
    return [record["metadata"], *record["audio"]]


def archive_of(record: Mapping, name: str) -> Mapping:
    """The archive of a record that has some name."""
    return next(archive for archive in archives_of(record) if archive["name"] == name)


def content_of(block: Mapping) -> dict:
    """What of a data set's block decides its clips and features: where archives come from and what is kept does not."""
    match block["source"]:
        case "record":
            source = {"record": {key: block["record"][key] for key in ("metadata", "audio")}}
        case "folder":
            source = {"path": block["path"]}
        case "synthetic":
            source = {"synthetic": block["synthetic"]}
    return {"source": block["source"], **source, **{key: block[key] for key in ("devices", "features")}}


def width_scale_of(config: Mapping, network: str) -> float:
    """The factor on the widths of a network: its family's, 1 if it has none."""
    return config["width_scale"].get(family(network), 1)


def lambdas_of(config: Mapping, network: str) -> list[str]:
    """The lambdas that a network is trained at: its own list, or its family's, or the default."""
    lists = config["lambdas"]
    return next(lists[key] for key in (network, family(network), "default") if key in lists)


@dataclass(frozen=True)
class Curve:
    """What prunes a network: the `recipe` names its folder, `criterion` and `repair` are what that name is made of."""

    recipe: str
    criterion: str
    repair: str


#: The repair that `pruning.finetuning` describes, which a recipe's name leaves out.
FULL = "full"


def named_curves(config: Mapping) -> dict[str, Curve]:
    """Every recipe of `recipes` with every repair of `repairs`, by the name that its curves bear."""
    return {
        name: Curve(name, criterion, repair)
        for criterion in config["recipes"]
        for repair in config["repairs"]
        for name in [criterion if repair == FULL else f"{criterion}-{repair}"]
    }


def families_and_methods(config: Mapping) -> tuple[str, ...]:
    """The families of networks and the methods of pruning in a study: names of files in networks/ and methods/."""
    families = [family(network) for network in config["networks"]]
    methods = [config["recipes"][curve.criterion]["method"] for curve, _ in curves_of(config)]
    return tuple(sorted({*families, *methods}))


def recipe_of(config: Mapping, name: str) -> dict:
    """The settings of a pruning recipe: `pruning`, with what the recipe and its repair change."""
    curve = named_curves(config)[name]
    settings = copy.deepcopy(config["pruning"])
    changes = copy.deepcopy(config["recipes"][curve.criterion])
    settings["finetuning"] |= changes.pop("finetuning", {}) | config["repairs"][curve.repair]
    return settings | changes


def curves_of(config: Mapping) -> list[tuple[Curve, str]]:
    """All curves and their networks, in the order of the configuration."""
    named = {(each.criterion, each.repair): each for each in named_curves(config).values()}
    return [
        (named[entry["recipe"], repair], network)
        for entry in config["curves"]
        for repair in entry.get("repairs", [FULL])
        for network in entry.get("networks", config["networks"])
    ]
