# The grid of the study, the names of its files, and what every rule shares.
import atexit
import csv
import gc
import os
import re
import sys
from dataclasses import asdict
from types import SimpleNamespace

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError

SCRIPTS = ROOT / "workflow" / "scripts"
TEMPLATES = ROOT / "workflow" / "report"
sys.path.insert(0, str(SCRIPTS))

import warm_start
from channel_sparsity import arithmetic, configuration
from channel_sparsity.naming import label
from channel_sparsity.data.expected import check_expected
from channel_sparsity.deployment.names import BUDGET, name_of
from channel_sparsity.bookkeeping.ending import failures, outcome, unfinished
from channel_sparsity.files import StudyError, read_json, sha256
from channel_sparsity.bookkeeping.fingerprint import fingerprint
from channel_sparsity.bookkeeping.holding import holders
from channel_sparsity.memory import KEEP_FREED_MEMORY
from channel_sparsity.bookkeeping.orphans import refuse_orphans
from channel_sparsity.bookkeeping.published import compared, is_current
from channel_sparsity.bookkeeping.remaining import Remaining

# Planning makes many objects that stay: looking through them for garbage as often as Python does takes a fifth of it.
gc.freeze()
gc.set_threshold(100_000)

for variable, value in KEEP_FREED_MEMORY.items():
    os.environ.setdefault(variable, value)

try:
    configuration.check(
        config,
        configuration.read_yaml(ROOT / "workflow/schemas/config.schema.yaml"),
        [ROOT / "config.yaml", *workflow.overwrite_configfiles],
    )
    # Jobs inherit it; what the shell says does not count.
    arithmetic.hold(config["arithmetic"])
except StudyError as error:
    raise WorkflowError(str(error))

# How and where, not what: no rule may compare these, and no table has them in its record.
STATE_SECONDS = config.pop("state_seconds")
DEVICE = config["training"].pop("device")

# A parameter of whatever computes, since other arithmetic gives other bits.
ARITHMETIC = config["arithmetic"]

DATASET = config["datasets"][config["dataset"]]
DATA = f"data/{config['dataset']}"
RESULTS = f"results/{config['study']}"
CONTENT = configuration.content_of(DATASET)
# Where the clips lie; what is made or unpacked lies beside what is derived from it.
CLIPS = DATASET["path"] if DATASET["source"] == "folder" else DATA
META = f"{CLIPS}/meta.csv"
LISTS = f"{CLIPS}/evaluation_setup"
TRAIN_LIST = f"{LISTS}/{config['split']['train_list']}"

CELL = "{network}/lambda-{lam}/seed-{seed}"
TRAIN = f"{RESULTS}/train/{CELL}"
PRUNE = f"{RESULTS}/prune/{{recipe}}/{CELL}"

CELLS = [
    {"network": network, "lam": lam, "seed": seed}
    for network in config["networks"]
    for lam in configuration.lambdas_of(config, network)
    for seed in config["seeds"]
]
CURVES = [
    asdict(curve) | cell
    for curve, network in configuration.curves_of(config)
    for cell in CELLS
    if cell["network"] == network
]


DEPLOY = f"{RESULTS}/deploy"
# A model of each network and criterion, with the last of the repairs that are listed: the strongest. What is pruned in
# random order is a control, and no model at its knee.
WANTED = list(
    {
        (network, curve.criterion): (network, curve.recipe)
        for curve, network in configuration.curves_of(config)
        if config["recipes"][curve.criterion]["method"] != "random"
    }.values()
)
NAMED = configuration.named_curves(config)


wildcard_constraints:
    model="|".join(
        re.escape(each) for each in (*(name_of(*each) for each in WANTED), BUDGET)
    ),
    network="|".join(re.escape(network) for network in config["networks"]),
    lam="|".join(sorted({re.escape(cell["lam"]) for cell in CELLS})),
    seed="|".join(str(seed) for seed in config["seeds"]),
    recipe="|".join(re.escape(recipe) for recipe in NAMED),


def for_all(pattern, grid):
    """One file name for each point of a grid."""
    return [pattern.format(**point) for point in grid]


# For what the terminal says at the end: where everything lies, and the last file of each trained and each pruned network.
FOLDERS = Path(RESULTS), Path(DATA)
LAST_FILES = (
    [Path(file) for file in for_all(f"{TRAIN}/sparsity.json", CELLS)],
    [Path(file) for file in for_all(f"{PRUNE}/knee.json", CURVES)],
)
# Where jobs keep their state, and say that they are at work.
STATES = for_all(f"{TRAIN}/state", CELLS) + for_all(f"{PRUNE}/state", CURVES)


def code(script):
    """The fingerprint of a script in workflow/scripts and of the modules it reaches."""
    return fingerprint(SCRIPTS / f"{script}.py")


def code_for(script):
    """`code` for each network and recipe apart: what is in the files of other networks and methods does not count."""

    def of(wildcards):
        names = [configuration.family(wildcards.network)]
        if hasattr(wildcards, "recipe"):
            names.append(config["recipes"][NAMED[wildcards.recipe].criterion]["method"])
        return fingerprint(SCRIPTS / f"{script}.py", tuple(names))

    return of


# What was to decide, written down before the runs that it is for.
PLAN = ROOT / "docs" / "analysis-plan.md"


def fingerprints(names):
    """Of the analysis plan, and of the code of stages, for the record beside what they made."""
    plan = sha256(PLAN) if PLAN.exists() else "missing"
    return {"analysis_plan": plan} | {name: code(name) for name in names}


def digests(folder):
    """The SHA-256 of every file below a folder: for what a script reads beside its inputs and its code."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def users(path, made):
    """A file of the user's that a rule makes another from. If both are absent, the script says what is missing better
    than Snakemake; if the user's is gone afterwards, what was made stays."""
    return path if Path(path).exists() or Path(made).exists() else []


def train_list(_):
    """The official split's list of training clips, if that split is asked for."""
    if config["split"]["kind"] != "official":
        return []
    if DATASET["source"] == "folder":
        return users(TRAIN_LIST, f"{RESULTS}/split.csv")
    return ancient(LISTS)  # which never change without the manifest


def split_settings(_):
    """What of `split` the kind of split goes by."""
    if config["split"]["kind"] == "official":
        return {"kind": "official", "train_list": TRAIN_LIST}
    return {key: config["split"][key] for key in ("kind", "train_share", "seed")}


def untracked(value):
    """A parameter that decides no result: Snakemake does not compare those that depend on outputs."""
    # Nor those that depend on resources, but these it cannot know while a checkpoint is to come.
    return lambda wildcards, output: value


def unless_kept(path):
    """An archive that goes as soon as nobody needs it, unless archives are kept."""
    return path if DATASET["record"]["keep_archives"] else temp(path)


def archive_bytes(wildcards):
    """The size of an archive."""
    return configuration.archive_of(DATASET["record"], wildcards.archive)["bytes"]


def archive_md5(wildcards):
    """The MD5 of an archive."""
    return configuration.archive_of(DATASET["record"], wildcards.archive)["md5"]


def archive_priority(wildcards):
    """The metadata first: no archive can be read without them."""
    return 3 if wildcards.archive == DATASET["record"]["metadata"]["name"] else 0


def archive_url(wildcards, resources):
    """The address of an archive; untracked (see there)."""
    return f"{DATASET['record']['address'].rstrip('/')}/{wildcards.archive}"


def recipe_settings(wildcards):
    """The settings of the recipe that a curve is made by."""
    return configuration.recipe_of(config, wildcards.recipe)


def width_scale(wildcards):
    """The factor on the widths of a network."""
    return configuration.width_scale_of(config, wildcards.network)


def refuse_to_train_again(dag):
    """Before anything starts: refuse to train and prune what is finished for no more than a store that is gone. That its
    features come out the same Snakemake cannot know beforehand, and sees when they are made by themselves.
    """
    store, manifest = Path(DATA) / "logmel.h5", Path(DATA) / "manifest.json"
    if store.exists() or not manifest.exists():
        return
    reasons = [
        dag.reason(job)
        for job in dag.needrun_jobs()
        if job.rule.name in ("train_network", "prune_network")
    ]
    again = [
        each
        for each in reasons
        if each.updated_input_run and not (each.missing_output or each.forced)
    ]
    if again:
        raise WorkflowError(
            f"{store} is gone, and to make it on the way would run {len(again)} finished trainings and curves again. "
            "Run the target `features` first, with the same options: it makes the store alone. Then this command runs "
            "again only what other features change."
        )


# The readings of finished studies that stand beside this one's.
BESIDE = {study: f"results/{study}/tables/readings.csv" for study in config["beside"]}


def finished_readings(_):
    """Those of `BESIDE` that are there; one that is not is left to the script, whose error says more."""
    return [path for path in BESIDE.values() if Path(path).exists()]


def recipes_of(*methods):
    """The recipes that the study prunes by, of the given methods, in the order of the configuration."""
    recipes = dict.fromkeys(curve["recipe"] for curve in CURVES)
    return [
        name
        for name in recipes
        if config["recipes"][NAMED[name].criterion]["method"] in methods
    ]


def shown(path, kind, caption, category):
    """A file that Snakemake's own report shows, with a caption from workflow/report/."""
    labels = {kind: Path(path).stem.replace("_", " ")}
    return report(
        path, caption=f"../report/{caption}.rst", category=category, labels=labels
    )


def made_tables(tables):
    """The files of tables; the pages are shown."""
    return [
        path if format != "html" else shown(path, "table", "table", "Tables")
        for table in tables
        for format in ("csv", "html", "json")
        for path in [f"{table}.{format}"]
    ]


def drawn_figures(figures, category):
    """The files of figures; the SVGs are shown, each with the caption of its name."""
    return [
        path if format != "svg" else shown(path, "figure", Path(path).stem, category)
        for figure in figures
        for format in ("svg", "png")
        for path in [f"{figure}.{format}"]
    ]


# Another name of the results' folder, under which nothing is made: files are taken as they are.
AS_THEY_ARE = f"{RESULTS}/../{config['study']}"


def there(folder, *names):
    """The files of these names in a folder, as they are, for each point of a grid that is given later."""
    place = folder.replace(RESULTS, AS_THEY_ARE, 1)
    return {name: f"{place}/{name}" for name in names}


def finished(grid, *files):
    """The points of a grid of which all these files exist."""
    return [
        point
        for point in grid
        if all(
            Path(name.format(**point)).exists()
            for each in files
            for name in each.values()
        )
    ]


def in_partial(paths):
    """The names of the study's tables or figures in the folder of the partial ones."""
    return [path.replace(RESULTS, PARTIAL, 1) for path in paths]


def partial_targets(_):
    """All tables and figures; nothing can be shown before the first curve has its knee."""
    if not FINISHED_CURVES:
        raise WorkflowError(
            f"no curve of {RESULTS} is finished yet: there is nothing to show"
        )
    return in_partial([*rules.tables.input, *rules.figures.input])


def chosen_models():
    """The rows of models.csv, by model; Snakemake comes back here when the file is made."""
    with open(checkpoints.choose_models.get().output[0], encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def chosen(wildcards):
    """The row of a model that there is."""
    row = chosen_models()[wildcards.model]
    if row["status"] == "none":
        raise WorkflowError(row["sentence"])
    return row


def chosen_step(wildcards):
    """What of a model's row decides its network."""
    row = chosen(wildcards)
    return {key: row[key] for key in ("network", "lam", "seed", "step")}


def of_chosen(pattern):
    """An input function: a file of the cell that a model comes from."""
    return lambda wildcards: pattern.format(**chosen(wildcards))


def model_files(_):
    """The files of every model that there is."""
    return [
        f"{DEPLOY}/{name}{form}.onnx"
        for name, row in chosen_models().items()
        if row["status"] == "chosen"
        for form in ("", "-int8")
    ]


def deployed(wildcards):
    """`model_files`, and how long they take; nothing if there is no model."""
    files = model_files(wildcards)
    return [*files, f"{DEPLOY}/timing.csv"] if files else []


def chosen_code(script):
    """`code_for`, for the network and recipe that a model comes from."""
    return lambda wildcards: code_for(script)(SimpleNamespace(**chosen(wildcards)))


def chosen_recipe(wildcards):
    """The settings of the recipe that a model was pruned by."""
    return configuration.recipe_of(config, chosen(wildcards)["recipe"])


def chosen_scale(wildcards):
    """The factor on the widths of a model's network."""
    return configuration.width_scale_of(config, chosen(wildcards)["network"])


def chosen_label(wildcards):
    """A model's network for people."""
    return label(chosen(wildcards)["network"], chosen_scale(wildcards))


def refuse_another_data_set():
    """Two blocks that differ never share a folder: stop before one is written over the other."""
    manifest = Path(DATA) / "manifest.json"
    if not manifest.exists():
        return
    try:
        made = read_json(manifest)
    except StudyError as error:
        raise WorkflowError(str(error))
    if (made_from := made.get("settings", {})) != CONTENT:
        differing = sorted(
            k for k in {*made_from, *CONTENT} if made_from.get(k) != CONTENT.get(k)
        )
        raise WorkflowError(
            f"{DATA} was made from other settings of `datasets.{config['dataset']}` ({', '.join(differing)}): "
            f"give the block another name, or delete {DATA} to make it anew"
        )
    try:
        check_expected(made["clips_per_scene"], DATASET.get("expected", {}), DATA)
    except StudyError as error:
        raise WorkflowError(str(error))


refuse_another_data_set()
