# Where the clips come from, and where they lie.
from functools import cache

from channel_sparsity.bookkeeping import recordings
from channel_sparsity.data.sources import source_of

DATASET = config["datasets"][config["dataset"]]
DATA = f"data/{config['dataset']}"
SOURCE = source_of(DATASET, config["dataset"])
CONTENT = SOURCE.content
# What the source makes or fetches by rules of its own.
SOURCE_RULES = ROOT / "workflow" / "rules" / "sources" / f"{DATASET['source']}.smk"
TRAIN_LIST = f"{SOURCE.lists}/{config['split']['train_list']}"


def if_given(path, made):
    """A file of the user's that a rule makes another from. If both are absent, the script says what is missing better
    than Snakemake; if the user's is gone afterwards, what was made stays."""
    return path if Path(path).exists() or Path(made).exists() else []


# What the user's own files were like when the clips were listed; a source that makes its clips has no such file.
NOTED = {} if SOURCE.made else {"recordings": f"{DATA}/recordings.json"}


@cache
def own_files():
    """What the user's own files are like now, and what was noted of them."""
    now = recordings.states([SOURCE.table], SOURCE.recordings())
    try:
        return now, read_json(NOTED["recordings"])
    except StudyError:
        return now, {}


# A parameter of what is made from them. Evaluated for each of these jobs, and `own_files` once.
OF_OWN_FILES = {
    name: lambda wildcards: recordings.digest(*own_files()) for name in NOTED
}


def clip_list(_):
    """What the clips are listed from."""
    # What was made is compared with the recordings; those of the user's own are as they are.
    if SOURCE.made:
        return [SOURCE.table, ancient(f"{SOURCE.folder}/audio")]
    return if_given(SOURCE.table, f"{DATA}/clips.csv")


def train_list(_):
    """The official split's list of training clips, if that split is asked for."""
    if config["split"]["kind"] != "official":
        return []
    if SOURCE.made:
        return ancient(SOURCE.lists)  # which never change without the manifest
    return if_given(TRAIN_LIST, f"{RESULTS}/split.csv")


def split_settings(_):
    """What of `split` the kind of split goes by."""
    if config["split"]["kind"] == "official":
        return {"kind": "official", "train_list": TRAIN_LIST}
    return {key: config["split"][key] for key in ("kind", "train_share", "seed")}
