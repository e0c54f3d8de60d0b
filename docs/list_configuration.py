"""Write docs/reference/configuration.md from the schema and config.yaml: python docs/list_configuration.py"""

import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from channel_sparsity.validation import complete  # noqa: E402

SCHEMA = complete(yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")))
BASE = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))

HEAD = """# Every key of the configuration

Made from `workflow/schemas/config.schema.yaml` and `config.yaml` by `python docs/list_configuration.py`. `*` stands for
a name of your choice, `[]` for each entry of a list. The default is that of the paper's study; an overlay
(`--configfile config/demo.yaml`) changes mappings key by key and replaces lists.

| key | meaning | allowed | default |
|---|---|---|---|
"""


def resolved(schema):
    """A schema with what its reference says, its own words first."""
    return {**SCHEMA["$defs"].get(schema.get("$ref", "").rsplit("/", 1)[-1], {}), **schema}


def allowed(schema):
    """What a value may be, in a few words."""
    if "known" in schema:
        return f"one of the {schema['known']}"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(allowed(resolved(each)) for each in schema["oneOf"])
    if "items" in schema:
        return f"a list of: {allowed(resolved(schema['items']))}"
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {schema[key]}" for key, sign in bounds.items() if key in schema]
    words = {"object": "a mapping", "string": "text", "integer": "a whole number", "number": "a number"}
    kind = words.get(schema.get("type"), schema.get("type", "anything"))
    return " ".join([f"`{schema['pattern']}`" if "pattern" in schema else kind, ", ".join(limits)]).strip()


def rows(schema, prefix="", values=BASE, places=None):
    """A row for each key, in the order of the schema; what has the keys of another place (`places`) refers to it."""
    places = {} if places is None else places
    schema = resolved(schema)
    if schema.get("properties") and "$ref" in schema:
        first = places.setdefault(schema["$ref"], prefix)
        if first != prefix:
            yield f"| `{prefix.lstrip('.')}` | Any of the keys of `{first.lstrip('.')}`. | a mapping |  |"
            return
    if "items" in schema:
        yield from rows(schema["items"], prefix + "[]", None, places)
    for key, inner in schema.get("properties", {}).items():
        inner = resolved(inner)
        value = values.get(key) if isinstance(values, dict) else None
        plain = value is not None and not isinstance(value, dict) and "[]" not in prefix
        default = f"`{json.dumps(value)}`" if plain else ""
        default = default if len(default) < 400 else "in `config.yaml`"
        name = f"{prefix}.{key}".lstrip(".")
        yield f"| `{name}` | {inner['description']} | {allowed(inner).replace('|', chr(92) + '|')} | {default} |"
        yield from rows(inner, f"{prefix}.{key}", value, places)
    if isinstance(schema.get("additionalProperties"), dict):
        first = next(iter(values.values()), None) if isinstance(values, dict) else None
        value = first if prefix == ".datasets" else None
        yield from rows(schema["additionalProperties"], prefix + ".*", value, places)


def page():
    """The text of docs/reference/configuration.md."""
    return HEAD + "\n".join(rows(SCHEMA)) + "\n"


if __name__ == "__main__":
    (ROOT / "docs/reference/configuration.md").write_text(page(), encoding="utf-8")
