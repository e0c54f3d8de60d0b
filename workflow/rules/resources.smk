import json
import shutil

# What jobs need of a machine: minutes, memory, a GPU. Measured, with a margin, and more at each attempt; what a place has
# of them stands in its profile.

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
LARGEST = tuple(map(max, zip(*STEPS.values())))  # for a network of your own

# Trainings that a proposed grid takes at most: a ladder of twelve, and two between its last rungs.
TRIALS = 14

# What trainings and curves ask for beside that: one GPU, if they compute on one; with `auto`, where this machine has one.
ON_GPU = DEVICE == "cuda" or (DEVICE == "auto" and shutil.which("nvidia-smi"))
GPU = {"gpu": 1} if ON_GPU else {}


def features_of(manifest):
    """What a manifest says of the features: how many clips, bands and frames. While there is none, Snakemake waits."""
    return json.loads(Path(manifest).read_text(encoding="utf-8"))


def share_of_a_step(manifest):
    """The size of a clip over that of `STEPS`."""
    made = features_of(manifest)
    return made["bands"] * made["frames"] / (40 * 401)


def network_memory(wildcards, input, attempt):
    """Megabytes of a training or a curve: they grow with the batch, the clip and the width."""
    batch = max(32, config["training"]["batch_size"]) / 32
    most = (
        STEPS.get(wildcards.network, LARGEST)[1]
        * batch
        * share_of_a_step(input.manifest)
    )
    return attempt * round(1000 + most * width_scale(wildcards))


def minutes_of(epochs, wildcards, manifest, attempt):
    """Minutes of so many epochs over all clips, twice as many as measured; no longer than the profile's longest job."""
    seconds = STEPS.get(wildcards.network, LARGEST)[0] / 32 * share_of_a_step(manifest)
    steps = epochs * features_of(manifest)["clips"] * width_scale(wildcards)
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
    """Minutes of a curve: its epochs of fine-tuning, the control's, and two validations a step, each as an epoch's fifth."""
    recipe = recipe_settings(wildcards)
    steps = recipe["highest_rate"] / recipe["step"]
    tuned = (
        0 if recipe["finetuning"]["when"] == "none" else recipe["finetuning"]["epochs"]
    )
    return minutes_of((steps + 1) * (tuned + 0.4), wildcards, input.manifest, attempt)


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
