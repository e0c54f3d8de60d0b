"""The configuration, its schema and its errors; and that schema, configuration and docs stay in step."""

import copy
import json
import random
import re
import runpy
from pathlib import Path

import pytest
import yaml

from channel_sparsity.configuration import (
    FULL,
    Curve,
    batch_sizes_of,
    curves_of,
    lambdas_of,
    named_curves,
    recipe_of,
    shape_of,
    width_scale_of,
)
from channel_sparsity.data.sources import source_of
from channel_sparsity.files import StudyError
from channel_sparsity.naming import PAPER_NETWORKS
from channel_sparsity.validation import canonical, check, complete, differences

ROOT = Path(__file__).parents[2]
SCHEMA = complete(yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text()))
BASE = yaml.safe_load((ROOT / "config.yaml").read_text())
DEMO = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
ARCHIVE = {"name": "x.zip", "bytes": 1, "md5": "0" * 32}
OVERLAYS = sorted((ROOT / "config").rglob("*.yaml"))


def merge(base, changes):
    """As Snakemake merges: mappings key by key, everything else replaced."""
    merged = copy.deepcopy(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def complaint(tmp_path, changes):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(yaml.safe_dump(changes))
    with pytest.raises(StudyError) as caught:
        check(merge(BASE, changes), SCHEMA, [ROOT / "config.yaml", overlay])
    return str(caught.value).replace(str(tmp_path) + "/", "").replace(str(ROOT) + "/", "")


@pytest.mark.parametrize("overlay", [None, *OVERLAYS], ids=lambda path: path.name if path else "config.yaml")
def test_the_configurations_that_ship_are_valid(overlay):
    changes = yaml.safe_load(overlay.read_text()) if overlay else {}
    check(merge(BASE, changes), SCHEMA, [ROOT / "config.yaml", *filter(None, [overlay])])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trainig": {}}, "mine.yaml: unknown key `trainig`: did you mean `training`?"),
        ({"training": {"epoch": 3}}, "mine.yaml: unknown key `training.epoch`: did you mean `epochs`?"),
        ({"training": {"epochs": 0}}, "mine.yaml: `training.epochs` is 0, but must be at least 1"),
        (
            {"training": {"epochs": "ten"}},
            'mine.yaml: `training.epochs` is "ten", but must be a whole number',
        ),
        (
            {"training": {"optimiser": "rmsprop"}},
            'mine.yaml: `training.optimiser` is "rmsprop", but must be one of sgd, adam',
        ),
        ({"networks": ["vgg11", "vgg12"]}, '`networks[1]` is "vgg12", but must be one of vgg11, vgg13'),
        ({"networks": ["vgg11", "vgg11"]}, '`networks` lists "vgg11" twice'),
        ({"lambdas": {"default": [0]}}, "`lambdas.default[0]` is 0, but must be text in quotes"),
        (
            {"lambdas": {"default": ["0.001"]}},
            '`lambdas.default[0]` is "0.001", but must be like "0", "1e-3" or "1.5e-3"',
        ),
        ({"lambdas": {"default": ["1.0e-3"]}}, '`lambdas.default[0]` is "1.0e-3", but must be like "0"'),
        ({"lambdas": {"vgg12": ["0"]}}, "mine.yaml: unknown key `lambdas.vgg12`: did you mean `vgg1"),
        ({"stem_stride": {"vgg": 1.5}}, "mine.yaml: `stem_stride.vgg` is 1.5, but must be a whole number"),
        ({"stem_stride": {"vgg": 0}}, "mine.yaml: `stem_stride.vgg` is 0, but must be at least 1"),
        (
            {"recipes": {"slimming": {"keep_steps": True}}},
            "mine.yaml: `recipes.slimming.keep_steps` does not go by recipe: set `pruning.keep_steps`",
        ),
        ({"width_scale": {"vgg11": 1}}, "mine.yaml: unknown key `width_scale.vgg11`: did you mean `vgg`?"),
        (
            {"recipes": {"mine": {"method": "tailor"}}},
            '`recipes.mine.method` is "tailor", but must be one of ',
        ),
        ({"study": "../x"}, '`study` is "../x", but must be lower-case letters'),
        ({"dataset": "tau"}, "mine.yaml: `dataset` is tau, but must be one of `datasets`: tau2020"),
        (
            {"curves": [{"recipe": "thinet"}]},
            "mine.yaml: `curves[0].recipe` is thinet, but must be one of `recipes`: slimming",
        ),
        (
            {"curves": [{"recipe": "ista"}, {"recipe": "ista"}]},
            "mine.yaml: `curves` lists the recipe ista twice",
        ),
        (
            {"curves": [{"recipe": "ista", "repairs": ["full", "partial"]}]},
            "mine.yaml: `curves[0].repairs[1]` is partial, but must be one of `repairs`: cut, statistics, gentle, full",
        ),
        (
            {"curves": [{"recipe": "ista", "repairs": ["cut", "cut"]}]},
            'mine.yaml: `curves[0].repairs` lists "cut" twice',
        ),
        (
            {"curves": [{"recipe": "ista", "repairs": []}]},
            "mine.yaml: `curves[0].repairs` has too few entries",
        ),
        ({"repairs": {"long": {"epoch": 9}}}, "mine.yaml: unknown key `repairs.long.epoch`: did you mean `epochs`?"),
        ({"repairs": {"full": {"epochs": 9}}}, "mine.yaml: `repairs.full`"),
        (
            {
                "repairs": {"warm": {"warmup_epochs": 9, "epochs": 9}},
                "curves": [{"recipe": "slimming", "repairs": ["warm"]}],
            },
            "mine.yaml: the recipe slimming-warm has fine-tuning with `warmup_epochs` no fewer than `epochs`",
        ),
        (
            {"recipes": {"ista-cut": {"method": "ista"}}},
            "mine.yaml: `recipes` has a name that is another recipe's with the name of one of `repairs` behind it",
        ),
        (
            {"knee": {"rule": "steepest"}},
            'mine.yaml: `knee.rule` is "steepest", but must be one of fixed_ends, literal, kneed',
        ),
        (
            {"recipes": {"x": {"method": "random", "shrink_survivors": True}}},
            "mine.yaml: the recipe x has `shrink_survivors`, which goes with `method: ista` alone",
        ),
        ({"split": {"train_share": 1}}, "`split.train_share` is 1, but must be less than 1"),
        (
            {"datasets": {"tau2020": {"source": "disk"}}},
            '`datasets.tau2020.source` is "disk", but must be one of folder, record, synthetic (docs/tutorials/',
        ),
        ({"datasets": {"x": {"source": "folder"}}}, "mine.yaml: `datasets.x.path` is missing"),
        (
            {"datasets": {"tau2020": {"features": {"highest_hz": 30000}}}},
            "mine.yaml: `datasets.tau2020.features.highest_hz` is 30000, but must lie over",
        ),
        (
            {"datasets": {"tau2020": {"features": {"highest_hz": 100}}}},
            "mine.yaml: `datasets.tau2020.features` makes 32 of 40 bands so narrow that they hold nothing of any clip",
        ),
        (
            {"training": {"frequency_mask_bands": 41}},
            "mine.yaml: `training.frequency_mask_bands` is 41, but must be at most `bands` of the data set (40)",
        ),
        (
            {"datasets": {"mine": BASE["datasets"]["tau2020"] | {"synthetic": DEMO["datasets"]["demo"]["synthetic"]}}},
            "mine.yaml: `datasets.mine.synthetic` does not go with `source: record`",
        ),
        (
            {"datasets": {"tau2020": {"record": {"address": "ftp://x"}}}},
            'mine.yaml: `datasets.tau2020.record.address` is "ftp://x", but must be an address that begins with https://',
        ),
        (
            {"datasets": {"tau2020": {"record": {"audio": [ARCHIVE | {"md5": "1"}]}}}},
            'mine.yaml: `datasets.tau2020.record.audio[0].md5` is "1", but must be 32 hexadecimal digits',
        ),
        (
            {"datasets": {"tau2020": {"record": {"audio": [ARCHIVE | {"name": "../x.zip"}]}}}},
            'mine.yaml: `datasets.tau2020.record.audio[0].name` is "../x.zip", but must be letters, digits',
        ),
        (
            {"datasets": {"tau2020": {"record": {"audio": [ARCHIVE, ARCHIVE]}}}},
            "mine.yaml: `datasets.tau2020.record` lists the archive x.zip twice",
        ),
        (
            {"split": {"train_list": "../train.csv"}},
            'mine.yaml: `split.train_list` is "../train.csv", but must be the name of a file in evaluation_setup/',
        ),
        (
            DEMO | {"split": {"kind": "official"}},
            "mine.yaml: `split.kind` is official, but the embedded scenes have no official split",
        ),
        ({"beside": ["paper"]}, "mine.yaml: `beside` lists paper, which is the study itself"),
        ({"recipes": {"mine": {"step": 0.1}}}, "mine.yaml: `recipes.mine.method` is missing"),
        ({"training": {"warmup_epochs": 100}}, "mine.yaml: `training.warmup_epochs` must be fewer"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path, changes, expected):
    assert expected in complaint(tmp_path, changes)
    assert "\n" not in complaint(tmp_path, changes)


def test_methods_are_listed_with_the_page_that_adds_others(tmp_path):
    said = complaint(tmp_path, {"recipes": {"mine": {"method": "tailor"}}})
    listed = re.search(r"must be one of (.*) \(docs/tutorials/method\.md adds others\)$", said)[1]
    assert {"ista", "random", "slimming", "taylor"} <= set(listed.split(", "))


def test_a_repair_that_no_curve_asks_for_needs_not_fit():
    """Gentle fine-tuning has one epoch, which warm-up would fill."""
    changes = {"pruning": {"finetuning": {"warmup_epochs": 1}}, "curves": [{"recipe": "slimming"}]}
    check(merge(BASE, changes), SCHEMA, [ROOT / "config.yaml"])


def test_networks_that_a_study_lacks_need_not_be_taken_out_of_its_curves(tmp_path):
    curves = [{"recipe": "slimming", "networks": ["vgg11", "mobilenet0.25"]}, {"recipe": "ista", "networks": ["vgg11"]}]
    config = merge(BASE, {"networks": ["mobilenet0.25"], "curves": curves})
    check(config, SCHEMA, [ROOT / "config.yaml"])
    assert [(curve.recipe, network) for curve, network in curves_of(config)] == [("slimming", "mobilenet0.25")]
    said = complaint(tmp_path, {"networks": ["resnet11"], "curves": curves})
    assert said == "mine.yaml: `curves` prunes none of the study's `networks`: resnet11"


@pytest.mark.parametrize("path", ["recordings", "recordings/", "./recordings", "recordings//"])
def test_a_folder_is_the_same_with_a_slash_behind_it(path):
    block = {"datasets": {"mine": BASE["datasets"]["tau2020"] | {"source": "folder", "path": path}}}
    config = canonical(merge(BASE, block), SCHEMA)
    assert source_of(config["datasets"]["mine"], "mine").content["path"] == "recordings"


def test_an_empty_path_is_refused_and_not_taken_for_this_folder():
    block = {"datasets": {"tau2020": {"source": "folder", "path": ""}}}
    with pytest.raises(StudyError, match=r"`datasets\.tau2020\.path` has too few entries"):
        check(canonical(merge(BASE, block), SCHEMA), SCHEMA, [ROOT / "config.yaml"])


def test_batches_are_those_of_training_and_of_every_fine_tuning_that_is_asked_for():
    curves = [{"recipe": "slimming", "repairs": ["cut"]}, {"recipe": "mine", "networks": ["vgg16"]}]
    recipes = {"mine": {"method": "slimming", "finetuning": {"batch_size": 17}}}
    config = merge(BASE, {"networks": ["vgg11", "vgg16"], "curves": curves, "recipes": recipes})
    assert batch_sizes_of(config) == {"vgg11": [32], "vgg16": [17, 32]}


def test_a_value_from_the_command_line_is_said_to_be_from_there():
    with pytest.raises(StudyError, match=r"^the command line \(--config\): `dataset` is nowhere"):
        check(merge(BASE, {"dataset": "nowhere"}), SCHEMA, [ROOT / "config.yaml"])


def test_tau_may_also_lie_unpacked_in_a_folder():
    check(
        merge(BASE, {"datasets": {"tau2020": {"source": "folder", "path": "clips"}}}),
        SCHEMA,
        [ROOT / "config.yaml"],
    )


def test_the_record_of_tau_is_whole():
    """The counts and the sum of the sizes are the record's."""
    block = BASE["datasets"]["tau2020"]
    assert len(block["record"]["audio"]) == 16
    documentation = 18066
    assert sum(archive["bytes"] for archive in source_of(block).archives) + documentation == 27_364_817_167


def test_where_archives_come_from_and_what_is_kept_is_no_content():
    block = BASE["datasets"]["tau2020"]
    elsewhere = {"address": "https://example.org", "licence": "x", "archives": "y", "keep_archives": True}
    content = source_of(block).content
    assert source_of(merge(block, {"record": elsewhere, "expected": {"clips": 1}})).content == content
    assert source_of(merge(block, {"record": {"audio": [ARCHIVE]}})).content != content
    assert source_of(merge(block, {"devices": ["b"]})).content != content


def test_lambdas_of_a_network_come_before_its_familys_and_the_default():
    config = {"lambdas": {"default": ["0"], "vgg": ["1e-3"], "vgg16": ["2e-3"]}}
    assert [lambdas_of(config, n) for n in ("vgg16", "vgg11", "resnet11")] == [["2e-3"], ["1e-3"], ["0"]]


def test_a_family_without_a_factor_or_a_stride_keeps_the_papers_shape():
    config = {"width_scale": {"vgg": 0.5}, "stem_stride": {"resnet": 2}}
    assert [width_scale_of(config, network) for network in ("vgg11", "resnet11")] == [0.5, 1]
    assert shape_of(config, "vgg11") == {"width_scale": 0.5, "stem_stride": 1}
    assert shape_of(config, "resnet11") == {"width_scale": 1, "stem_stride": 2}
    assert shape_of({"width_scale": {}}, "resnet11") == {"width_scale": 1, "stem_stride": 1}


def test_a_recipe_is_pruning_with_its_changes():
    recipe = recipe_of(BASE, "slimming-once")
    assert recipe == merge(BASE["pruning"], {"method": "slimming", "finetuning": {"when": "once"}})
    assert BASE["pruning"]["finetuning"]["when"] == "each", "the base is left as it was"


def test_a_repair_is_the_last_to_change_a_recipe():
    config = merge(BASE, {"repairs": {"short": {"when": "each", "epochs": 2}}})
    recipe = recipe_of(config, "slimming-once-short")
    changed = {"when": "each", "epochs": 2}
    assert recipe == merge(BASE["pruning"], {"method": "slimming", "finetuning": changed})
    assert recipe_of(config, "ista-short")["finetuning"]["penalty"] == "ista", "what it does not name is the recipe's"
    assert config["repairs"]["short"] == changed and BASE["pruning"]["finetuning"]["when"] == "each"


def test_the_repairs_of_the_configuration_go_from_nothing_to_all():
    tuned = {repair: recipe_of(BASE, curve)["finetuning"] for (curve, repair) in slimmings().items()}
    assert list(tuned) == ["cut", "statistics", "gentle", "full"]
    assert tuned["full"] == BASE["pruning"]["finetuning"]
    assert [each["when"] for each in tuned.values()] == ["none", "none", "each", "each"]
    assert [each["recalibrate"] for each in tuned.values()] == [False, True, True, False]
    assert tuned["gentle"]["epochs"] < tuned["full"]["epochs"]


def slimmings():
    """The repair of each curve of the recipe `slimming`."""
    return {name: curve.repair for name, curve in named_curves(BASE).items() if curve.criterion == "slimming"}


def test_a_curve_is_named_after_its_recipe_and_its_repair_but_for_the_full_one():
    named = named_curves(BASE)
    assert len(named) == len(BASE["recipes"]) * len(BASE["repairs"])
    assert named["slimming-once-statistics"] == Curve("slimming-once-statistics", "slimming-once", "statistics")
    assert named["slimming-once"] == Curve("slimming-once", "slimming-once", FULL)
    assert all(curve.recipe == name for name, curve in named.items())


def test_curves_come_in_the_order_of_the_configuration_with_the_full_repair_unless_told_otherwise():
    config = merge(
        BASE,
        {
            "networks": ["vgg11", "resnet11"],
            "curves": [
                {"recipe": "ista", "networks": ["resnet11"]},
                {"recipe": "taylor", "repairs": ["statistics", "full", "cut"]},
            ],
        },
    )
    assert [(curve.recipe, network) for curve, network in curves_of(config)] == [
        ("ista", "resnet11"),
        *(("taylor-statistics", network) for network in config["networks"]),
        *(("taylor", network) for network in config["networks"]),
        *(("taylor-cut", network) for network in config["networks"]),
    ]


def test_the_papers_study_is_72_trainings_and_936_curves():
    assert tuple(BASE["networks"]) == PAPER_NETWORKS
    assert sum(len(lambdas_of(BASE, network)) for network in BASE["networks"]) == 72
    assert sum(len(lambdas_of(BASE, network)) for _, network in curves_of(BASE)) == 936


def keys_of(schema, prefix=""):
    """Every key that the schema allows, dotted, with `*` for names that the user chooses."""
    if "$ref" in schema:
        schema = {**SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema}
    if "items" in schema:
        yield from keys_of(schema["items"], prefix + "[]")
    for key, inner in schema.get("properties", {}).items():
        yield f"{prefix}.{key}".lstrip("."), inner
        yield from keys_of(inner, f"{prefix}.{key}")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys_of(schema["additionalProperties"], prefix + ".*")


def test_the_docs_list_what_the_schema_allows():
    made = runpy.run_path(str(ROOT / "docs/list_configuration.py"))["page"]()
    assert (ROOT / "docs/reference/configuration.md").read_text() == made, "run python docs/list_configuration.py"


def test_every_key_is_described_in_the_schema():
    for key, inner in keys_of(SCHEMA):
        resolved = {**SCHEMA["$defs"].get(inner.get("$ref", "").rsplit("/", 1)[-1], {}), **inner}
        assert resolved.get("description"), f"{key} has no description"


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img onerror=alert(1)>',
    "$(touch x)",
    "; rm -rf ~",
    "../../x",
    "demo\n",
    "a\0b",
    "x" * 5000,
    "\N{RIGHT-TO-LEFT OVERRIDE}cod",
    "\N{GRINNING FACE}",
    "-rf",
    "{wildcard}",
    "$x^2$",
    "=cmd()",
    "..",
    "a/b",
    "C:x",
    "",
)


def places(name):
    """Changes that use a name in each place that a configuration has for one."""
    return (
        {"study": name},
        {"datasets": {name: BASE["datasets"]["tau2020"]}, "dataset": name},
        {"recipes": {name: {"method": "slimming"}}, "curves": [{"recipe": name}]},
        {"repairs": {name: {"epochs": 1}}, "curves": [{"recipe": "slimming", "repairs": [name]}]},
        {"networks": [name]},
        {"lambdas": {"default": [name]}},
        {"beside": [name]},
        {"split": {"train_list": name}},
        {"datasets": {"tau2020": {"record": {"metadata": {"name": name}}}}},
        {"datasets": {"tau2020": {"record": {"metadata": {"md5": name}}}}},
        {"datasets": {"tau2020": {"record": {"address": name}}}},
        {name: 1},
    )


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: ascii(text[:30]))
def test_a_name_that_could_do_harm_is_refused_in_one_line(tmp_path, hostile):
    """Names become paths, wildcards, words in figures and on pages."""
    for changes in places(hostile) if hostile == "demo\n" else places(hostile)[:1]:
        sentence = complaint(tmp_path, changes)
        assert len(sentence) < 700 and sentence.isprintable()


@pytest.mark.parametrize("path", ["/a/{network}", "/a/<results>/b"])
def test_a_folder_that_snakemake_would_rewrite_is_refused(tmp_path, path):
    block = {"source": "folder", "path": path, "devices": ["a"], "features": BASE["datasets"]["tau2020"]["features"]}
    assert "but must be a folder whose path has no { } < >" in complaint(tmp_path, {"datasets": {"mine": block}})


@pytest.mark.parametrize("hostile", ["a\nb", "a\0b", "\x1b[2J", "x" * 5000, "\N{RIGHT-TO-LEFT OVERRIDE}x"])
def test_no_text_anywhere_may_act_on_a_terminal(tmp_path, hostile):
    for changes in (
        {"datasets": {"tau2020": {"record": {"licence": hostile}}}},
        {"datasets": {"tau2020": {"record": {"archives": hostile}}}},
        {"datasets": {"tau2020": {"devices": ["a", hostile]}}},
    ):
        sentence = complaint(tmp_path, changes)
        assert sentence.isprintable() and "datasets.tau2020" in sentence and len(sentence) < 6000


def shuffled(content, rng):
    """The same mappings with their keys in another order, at every depth; the user's own names stay where they are."""
    if not isinstance(content, dict):
        return content
    keys = list(content)
    if not {"slimming", "cut", "tau2020", "default", "vgg"} & set(content):
        rng.shuffle(keys)
    return {key: shuffled(content[key], rng) for key in keys}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_keys_changes_nothing(seed):
    config = merge(BASE, DEMO)
    other = shuffled(config, random.Random(seed))
    assert json.dumps(other) != json.dumps(config)
    written = json.dumps(canonical(config, SCHEMA))
    assert json.loads(written) == config, "no key is lost and none is changed"
    assert json.dumps(canonical(other, SCHEMA)) == written


def test_the_users_own_names_keep_their_order():
    doses = {"mine": {}, "full": {}, "cut": {"when": "none"}}
    assert list(canonical(BASE | {"repairs": doses}, SCHEMA)["repairs"]) == list(doses)


def test_text_that_is_a_number_becomes_one_where_a_number_is_wanted():
    changes = {"training": {"epochs": "30", "learning_rate": "1e-3", "clip_norm": "2.5", "schedule": "linear"}}
    written = canonical(merge(BASE, changes), SCHEMA)
    check(written, SCHEMA, [ROOT / "config.yaml"])
    training = written["training"]
    assert (training["epochs"], training["learning_rate"], training["clip_norm"]) == (30, 0.001, 2.5)
    assert type(training["epochs"]) is int and training["schedule"] == "linear"
    assert written["lambdas"] == BASE["lambdas"], "a lambda is text, as it is written"
    assert canonical({"training": {"epochs": "ten", "clip_norm": None}}, SCHEMA)["training"]["epochs"] == "ten"


@pytest.mark.parametrize("value", [".nan", "'-1e-3'"])
def test_a_wrong_number_is_sought_in_the_file_that_holds_it(tmp_path, value):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(f"training: {{learning_rate: {value}}}\n")
    config = canonical(merge(BASE, yaml.safe_load(overlay.read_text())), SCHEMA)
    with pytest.raises(StudyError, match=r"mine.yaml: `training.learning_rate` is (NaN|-0.001), but must be"):
        check(config, SCHEMA, [ROOT / "config.yaml", overlay])


def test_differences_name_what_both_have_with_both_values():
    other = {"training": {"epochs": 7, "momentum": 0.5}, "pruning": {"step": 0.1, "absorb": True}}
    assert differences(BASE, BASE) == ""
    assert differences(BASE, merge(BASE, other)) == (
        "training.epochs: 100, now 7; training.momentum: 0.9, now 0.5; pruning.step: 0.05, now 0.1; 1 more"
    )
    assert differences(BASE, BASE | {"dataset": "mine"}) == 'dataset: "tau2020", now "mine"'
    harmless = {"seeds": [1, 2], "knee": {"axis": "masked"}, "recipes": {"mine": {"method": "random"}}}
    assert differences(BASE, merge(BASE, harmless)) == "", "no training or curve that is there depends on these"
