# Where the clips come from, and where they lie.

DATASET = config["datasets"][config["dataset"]]
DATA = f"data/{config['dataset']}"
CONTENT = configuration.content_of(DATASET)
# Where the clips lie; what is made or unpacked lies beside what is derived from it.
CLIPS = DATASET["path"] if DATASET["source"] == "folder" else DATA
META = f"{CLIPS}/meta.csv"
LISTS = f"{CLIPS}/evaluation_setup"
TRAIN_LIST = f"{LISTS}/{config['split']['train_list']}"


def if_given(path, made):
    """A file of the user's that a rule makes another from. If both are absent, the script says what is missing better
    than Snakemake; if the user's is gone afterwards, what was made stays."""
    return path if Path(path).exists() or Path(made).exists() else []


def train_list(_):
    """The official split's list of training clips, if that split is asked for."""
    if config["split"]["kind"] != "official":
        return []
    if DATASET["source"] == "folder":
        return if_given(TRAIN_LIST, f"{RESULTS}/split.csv")
    return ancient(LISTS)  # which never change without the manifest


def split_settings(_):
    """What of `split` the kind of split goes by."""
    if config["split"]["kind"] == "official":
        return {"kind": "official", "train_list": TRAIN_LIST}
    return {key: config["split"][key] for key in ("kind", "train_share", "seed")}


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
