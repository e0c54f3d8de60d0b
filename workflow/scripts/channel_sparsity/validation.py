"""The study's configuration, checked: against the schema and across its keys, with errors that say where to look."""

import copy
import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from channel_sparsity.configuration import FULL, curves_of, named_curves, recipe_of
from channel_sparsity.data import sources
from channel_sparsity.data.mel import empty_bands
from channel_sparsity.files import StudyError
from channel_sparsity.naming import FAMILIES, NETWORKS

#: JSON Schema takes 10.0 for an integer and NaN for a number; the jobs do not.
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda _, value: (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
    }
)

#: The names that the code knows, for the schema's own keyword `known`: a pruning method is a file in pruning/methods/,
#: a source of clips a file in data/sources/.
_KNOWN = {
    "networks": NETWORKS,
    "families": tuple(FAMILIES),
    "places of lambdas": ("default", *FAMILIES, *NETWORKS),
    "methods": tuple(sorted(file.stem for file in Path(__file__).parent.glob("pruning/methods/[!_]*.py"))),
    "sources": sources.NAMES,
}


def _known(_validator: object, names: str, value: object, _schema: Mapping) -> Iterator[ValidationError]:
    if value not in _KNOWN[names]:
        yield ValidationError(f"{value!r} is not known")


_Validator = extend(Draft202012Validator, {"known": _known}, type_checker=_TYPES)


def read_yaml(path: str | Path) -> object:
    """What a YAML file holds; StudyError with the line if it is none."""
    try:
        # libyaml's parser, where there is one, takes a tenth of the time.
        return yaml.load(Path(path).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where, problem = (f"{path}, line {mark.line + 1}", error.problem) if mark else (path, error)
        raise StudyError(
            f"{where}: this is no YAML ({problem}): correct it, and indent with spaces, not with tabs"
        ) from error


def complete(schema: Mapping) -> dict:
    """The schema with the keys of every source of clips, which stand in the sources' own files."""
    schema = copy.deepcopy(dict(schema))
    dataset = schema["$defs"]["dataset"]
    own = {name: sources.class_of(name).settings for name in sources.NAMES}
    dataset["properties"] |= {key: each for settings in own.values() for key, each in settings.items()}
    dataset["allOf"] = [
        {"if": {"properties": {"source": {"const": name}}}, "then": {"required": list(settings)}}
        for name, settings in own.items()
    ]
    return schema


def check(config: Mapping, schema: Mapping, files: Iterable[Path]) -> None:
    """Raise one sentence about the first wrong key or value of a merged configuration; `schema`: from `complete`.

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


def canonical(content: object, schema: Mapping, root: Mapping | None = None) -> object:
    """A configuration in the one form that all ways to write it have: keys in the schema's order, numbers as numbers.

    Snakemake compares parameters as text, so two lines that change places, or a default that is written out, would run
    trainings again. Where names are the user's own (`recipes`, say), their order is kept: it is that of the tables.
    Text that is a number becomes one where a number is wanted: YAML takes 1e-3 for text, and Snakemake whatever is
    nested in --config. What the schema does not know is left as it is, for `check`.
    """
    root = root or schema
    schema = _resolved(schema, root)
    if isinstance(content, list):
        return [canonical(each, schema.get("items", {}), root) for each in content]
    if isinstance(content, str) and schema.get("format") == "path":
        return content and str(Path(content))  # without a slash at its end
    if isinstance(content, str):
        return _as_number(content) if _wants_number(schema, root) else content
    if not isinstance(content, Mapping):
        return content
    named, other = schema.get("properties", {}), schema.get("additionalProperties")
    other = other if isinstance(other, Mapping) else None
    known = [] if other is not None else [key for key in named if key in content]
    return {
        key: canonical(content[key], named.get(key, other or {}), root) for key in dict.fromkeys((*known, *content))
    }


#: The settings that decide what a training or a curve comes to. (More networks, lambdas or seeds change no other.)
_DECIDING = (
    *("dataset", "arithmetic", "width_scale", "stem_stride", "datasets", "split"),
    *("training", "pruning", "repairs", "recipes"),
)


def differences(before: Mapping, after: Mapping, most: int = 3) -> str:
    """Where two configurations differ in what decides trainings and curves: ``training.epochs: 20, now 21``.

    What only one of them has is left out. Empty if nothing differs.
    """
    found = [
        f"{_dotted(keys)}: {json.dumps(old)}, now {json.dumps(new)}"
        for keys, old, new in _both(before, after)
        if keys[0] in _DECIDING and old != new
    ]
    more = [f"{len(found) - most} more"] if len(found) > most else []
    return "; ".join([*found[:most], *more])


def _both(one: object, other: object, keys: tuple = ()) -> Iterator[tuple[tuple, object, object]]:
    """The values that stand under the same keys in two configurations."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one:
            if key in other:
                yield from _both(one[key], other[key], (*keys, key))
    else:
        yield keys, one, other


def _resolved(schema: Mapping, root: Mapping) -> Mapping:
    """The schema that another refers to, or that one itself."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _wants_number(schema: Mapping, root: Mapping) -> bool:
    """Whether a number is all that a schema allows, or a number or null."""
    schema = _resolved(schema, root)
    if "oneOf" in schema:
        return any(_wants_number(each, root) for each in schema["oneOf"])
    return schema.get("type") in ("number", "integer")


def _as_number(text: str) -> object:
    """The number that a text is; the text if it is none."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


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
        if found is not _MISSING and (isinstance(found, Mapping) or _same(found, value)):
            return str(path)
    return "the command line (--config)"


def _same(found: object, value: object) -> bool:
    """Whether a value in a file is that of the configuration: equal, NaN both, or the same number as text."""
    return str(found) == str(value) or found == value or (isinstance(found, str) and _as_number(found) == value)


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
            quotes = "lambdas" in keys and error.validator_value == "string"
            hint = ' in quotes, like "1e-3" or "0"' if quotes else ""
            return keys, f"{name} is {value}, but must be {wanted}{hint}"
        case "pattern":
            if "lambdas" in keys:
                return keys, f'{name} is {value}, but must be like "0", "1e-3" or "1.5e-3" (e and a negative exponent)'
            if "wanted" in error.schema:
                return keys, f"{name} is {value}, but must be {error.schema['wanted']}"
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
    if not curves_of(config):
        yield ("curves",), f"`curves` prunes none of the study's `networks`: {', '.join(config['networks'])}"
    for name, block in config["datasets"].items():
        source = sources.source_of(block, name)
        of_others = {key for each in sources.NAMES for key in sources.class_of(each).settings}
        for key in sorted(of_others.difference(source.settings, source.tolerated).intersection(block)):
            keys = ("datasets", name, key)
            yield keys, f"`{_dotted(keys)}` does not go with `source: {block['source']}`"
        yield from source.problems(config)
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
        elif empty := empty_bands(features):
            yield (
                keys,
                (
                    f"`{_dotted(keys)}` makes {empty} of {features['bands']} bands so narrow that they hold nothing of "
                    "any clip: use fewer `bands`, a wider range of frequencies, or more `fft_samples`"
                ),
            )
    if config["study"] in config["beside"]:
        yield ("beside",), f"`beside` lists {config['study']}, which is the study itself"
    keys, bands = ("training", "frequency_mask_bands"), config["datasets"][config["dataset"]]["features"]["bands"]
    if (widest := _value(config, keys)) > bands:
        yield keys, f"`{_dotted(keys)}` is {widest}, but must be at most `bands` of the data set ({bands})"
    if config["training"]["warmup_epochs"] >= config["training"]["epochs"]:
        yield ("training", "warmup_epochs"), "`training.warmup_epochs` must be fewer than `training.epochs`"
    if len(named_curves(config)) < len(config["recipes"]) * len(config["repairs"]):
        yield ("recipes",), "`recipes` has a name that is another recipe's with the name of one of `repairs` behind it"
    for name, recipe in config["recipes"].items():
        if "keep_steps" in recipe:
            keys = ("recipes", name, "keep_steps")
            yield (
                keys,
                f"`{_dotted(keys)}` does not go by recipe: set `pruning.keep_steps`, for all curves of the study",
            )
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
