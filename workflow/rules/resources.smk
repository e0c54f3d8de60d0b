# What jobs need of a machine: minutes, memory, a GPU. Measured, with a margin, and more at each attempt; what a place has
# of them stands in its profile. What asks for no memory takes seconds, and may have jobs by the thousand. They stay with
# the main process (`localrule`) and are never submitted to a cluster.
import json
import shutil

from channel_sparsity.planning import costs

# One step of training, full width, on 32 clips of 40 bands x 401 frames: seconds on one core of an AMD EPYC; and the memory
# (MB) of a training with its validations (docs/reference/benchmarks.md, "Memory of a training"), not less than a
# smaller network's of the family: how well freed memory can be used again is partly chance.
STEPS = {
    "vgg11": (4.2, 3700),
    "vgg13": (6.5, 5200),
    "vgg16": (8.7, 5200),
    "vgg19": (11.2, 5200),
    "resnet11": (1.2, 4500),
    "resnet20": (2.1, 7100),
    "resnet29": (2.7, 7600),
    "resnet38": (4.0, 8800),
    "mobilenet0.25": (0.6, 2000),
    "mobilenet0.50": (1.0, 3500),
    "mobilenet0.75": (1.6, 4500),
    "mobilenet1.00": (2.1, 5900),
}

# Trainings that a proposed grid takes at most: a ladder of twelve, and two between its last rungs.
TRIALS = 14

# One GPU, for trainings and curves that compute on one; with `auto`, where this machine has one.
ON_GPU = DEVICE == "cuda" or (DEVICE == "auto" and shutil.which("nvidia-smi"))
GPU = {"gpu": 1} if ON_GPU else {}


def step_of(wildcards, manifest):
    """Seconds and megabytes of a step of a network on this study's clips; a network of your own is taken for the largest.

    Both grow with the clip and (a network of half the width takes less than half) with the width; a stride of the first
    convolution shortens the clip both ways.
    """
    largest = tuple(map(max, zip(*STEPS.values())))
    seconds, megabytes = STEPS.get(wildcards.network, largest)
    made = features_of(manifest)
    shape = network_shape(wildcards)
    area = made["bands"] * made["frames"] / shape["stem_stride"] ** 2
    factor = area / (40 * 401) * shape["width_scale"]
    return seconds * factor, megabytes * factor


def features_of(manifest):
    """What the manifest says of the features; while there is none, Snakemake leaves open what depends on it."""
    return json.loads(Path(manifest).read_text(encoding="utf-8"))


def network_memory(wildcards, input, attempt):
    """Megabytes of a training or a curve, with the store: what is mapped of it counts in some places."""
    _, megabytes = step_of(wildcards, input.manifest)
    made = features_of(input.manifest)
    store = made["clips"] * made["bands"] * made["frames"] * 4 / 1e6
    batch = max(32, *BATCH_SIZES[wildcards.network])
    return attempt * round(1000 + store + megabytes * batch / 32)


def seconds_of(work, wildcards, manifest):
    """About how long a training (its settings) or a curve (its recipe) lasts on one core.

    From what the target `estimate` measured, if that was asked for and had this network; else from `STEPS`, for all clips.
    """
    made, estimate = features_of(manifest), Path(RESULTS) / "estimate.json"
    measured = read_json(estimate) if estimate.exists() else {"speeds": {}}
    if wildcards.network in measured["speeds"]:
        from channel_sparsity.planning.estimate import clips_of

        clips = clips_of(made["clips"], config["split"])
        return costs.seconds_of(measured, wildcards.network, clips, work)
    seconds, _ = step_of(wildcards, manifest)
    return costs.epochs_of(work) * made["clips"] / 32 * seconds


def minutes_of(work, wildcards, manifest, attempt):
    """Twice the minutes that a training or a curve is taken to last, and ten; but no more than a job may."""
    asked = attempt * round(10 + 2 * seconds_of(work, wildcards, manifest) / 60)
    longest = snakemake_internals.limit(workflow, "longest_minutes")
    return asked if longest is None else min(asked, longest)


def expected_seconds(jobs):
    """By the last file of each job, about how long it lasts; of those after the data, when it is known how many clips
    there are."""
    manifest, expected = f"{DATA}/manifest.json", {}
    for job in jobs:
        seconds = 3  # a start and what a table takes
        if job.rule_name == "train_network":
            seconds += seconds_of(config["training"], job.wildcards, manifest)
        elif job.rule_name == "prune_network":
            seconds += seconds_of(
                recipe_settings(job.wildcards), job.wildcards, manifest
            )
        last = (file for file in job.output[-1:] if not file.startswith(f"{DATA}/"))
        expected |= {Path(file): seconds for file in last}
    return expected


def training_minutes(wildcards, input, attempt):
    """Minutes of a training."""
    return minutes_of(config["training"], wildcards, input.manifest, attempt)


def proposal_minutes(wildcards, input, attempt):
    """Minutes of proposing a grid."""
    epochs = TRIALS * config["proposal"]["epochs"]
    work = {**config["training"], "epochs": epochs}
    return minutes_of(work, wildcards, input.manifest, attempt)


def curve_minutes(wildcards, input, attempt):
    """Minutes of a curve."""
    return minutes_of(recipe_settings(wildcards), wildcards, input.manifest, attempt)


def once_chosen(resource):
    """A resource of the job that makes a model's network again: that of its curve, at most."""

    def of(wildcards, input, attempt):
        return resource(SimpleNamespace(**chosen(wildcards)), input, attempt)

    return snakemake_internals.once_known(of, until_then=1000)


def decoding_memory(wildcards, threads, attempt):
    """Megabytes of decoding clips, a process each core."""
    return attempt * (500 + 250 * threads)


def timing_memory(wildcards, threads, attempt):
    """Megabytes of timing networks, a process each core, at most eight."""
    return attempt * 2500 * min(8, threads)


def decoding_minutes(wildcards, attempt):
    """Minutes of decoding, mostly those of a slow disk."""
    return attempt * 60
