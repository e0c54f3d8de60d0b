# What jobs need of a machine: minutes, memory, a GPU. Measured, with a margin, and more at each attempt; what a place has
# of them stands in its profile.
import json
import shutil

# One step of training, full width, on 32 clips of 40 bands x 401 frames: seconds on one core of an AMD EPYC, and the most
# memory (MB) of such a step or of validating 128 clips.
STEPS = {
    "vgg11": (4.2, 2300),
    "vgg13": (6.5, 3200),
    "vgg16": (8.7, 3700),
    "vgg19": (11.2, 3700),
    "resnet11": (1.2, 3500),
    "resnet20": (2.1, 4000),
    "resnet29": (2.7, 4900),
    "resnet38": (4.0, 5900),
    "mobilenet0.25": (0.6, 1500),
    "mobilenet0.50": (1.0, 2300),
    "mobilenet0.75": (1.6, 2800),
    "mobilenet1.00": (2.1, 3600),
}

# Trainings that a proposed grid takes at most: a ladder of twelve, and two between its last rungs.
TRIALS = 14

# One GPU, for trainings and curves that compute on one; with `auto`, where this machine has one.
ON_GPU = DEVICE == "cuda" or (DEVICE == "auto" and shutil.which("nvidia-smi"))
GPU = {"gpu": 1} if ON_GPU else {}


def step_of(wildcards, manifest):
    """Seconds and megabytes of a step of a network on this study's clips; a network of your own is taken for the largest.

    Both grow with the clip and (a network of half the width takes less than half) with the width.
    """
    largest = tuple(map(max, zip(*STEPS.values())))
    seconds, megabytes = STEPS.get(wildcards.network, largest)
    made = features_of(manifest)
    factor = made["bands"] * made["frames"] / (40 * 401) * width_scale(wildcards)
    return seconds * factor, megabytes * factor


def features_of(manifest):
    """What the manifest says of the features; while there is none, Snakemake leaves open what depends on it."""
    return json.loads(Path(manifest).read_text(encoding="utf-8"))


def network_memory(wildcards, input, attempt):
    """Megabytes of a training or a curve."""
    _, megabytes = step_of(wildcards, input.manifest)
    batch = max(32, config["training"]["batch_size"])
    return attempt * round(1000 + megabytes * batch / 32)


def minutes_of(epochs, wildcards, manifest, attempt):
    """Twice the minutes that so many epochs over all clips were measured to take, but no more than a job may."""
    seconds, _ = step_of(wildcards, manifest)
    steps = epochs * features_of(manifest)["clips"] / 32
    minutes = attempt * round(10 + 2 * steps * seconds / 60)
    if "longest_minutes" in workflow.global_resources:
        return min(minutes, workflow.global_resources["longest_minutes"].value)
    return minutes


def training_minutes(wildcards, input, attempt):
    """Minutes of a training."""
    return minutes_of(config["training"]["epochs"], wildcards, input.manifest, attempt)


def proposal_minutes(wildcards, input, attempt):
    """Minutes of proposing a grid."""
    return minutes_of(
        TRIALS * config["proposal"]["epochs"], wildcards, input.manifest, attempt
    )


def curve_minutes(wildcards, input, attempt):
    """Minutes of a curve: each step's fine-tuning and its two validations (a fifth of an epoch), and the control's."""
    recipe = recipe_settings(wildcards)
    tuning = recipe["finetuning"]
    epochs = 0.4 + (0 if tuning["when"] == "none" else tuning["epochs"])
    steps = 1 + recipe["highest_rate"] / recipe["step"]
    return minutes_of(steps * epochs, wildcards, input.manifest, attempt)


def chosen_memory(wildcards, input, attempt):
    """Megabytes of making the network of a model again."""
    return network_memory(SimpleNamespace(**chosen(wildcards)), input, attempt)


def chosen_minutes(wildcards, input, attempt):
    """Minutes of the same: a curve's, at most."""
    return curve_minutes(SimpleNamespace(**chosen(wildcards)), input, attempt)


def decoding_memory(wildcards, threads, attempt):
    """Megabytes of decoding clips, a process each core."""
    return attempt * (500 + 250 * threads)


def decoding_minutes(wildcards, attempt):
    """Minutes of decoding, mostly those of a slow disk."""
    return attempt * 60


def refuse_orphans_of(workflow):
    """Before anything is submitted to SLURM: refuse to run beside jobs that a killed main process left there."""
    prefix = getattr(workflow.executor_settings, "jobname_prefix", None)
    if prefix:
        try:
            refuse_orphans(prefix, Path.cwd())
        except StudyError as error:
            raise WorkflowError(str(error))
