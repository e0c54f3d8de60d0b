"""The model card as people read it."""

from collections.abc import Mapping

from channel_sparsity.words import percent

#: A larger loss of accuracy by quantisation, as a fraction, is said at the top of the card.
NOTABLE_LOSS = 0.01


def markdown(card: Mapping) -> str:
    """The card's Markdown, from what its JSON holds."""
    made, data, size, accuracy = (card[part] for part in ("made", "data", "size", "accuracy"))
    whole, int8 = accuracy["float32"], accuracy["int8"]
    parts = [
        f"# {card['model']}",
        card["chosen_because"],
        *(f"**{warning}**" for warning in card["warnings"]),
        "## What it is",
        f"A {made['network_label']} that says which of {len(data['scenes'])} acoustic scenes a recording of "
        f"{data['duration_s']:g} s is of, pruned to {size['channels']:,} of {made['channels_unpruned']:,} channels. "
        f"`{card['files']['float32']['name']}` and, quantised, `{card['files']['int8']['name']}` take a mono waveform "
        f"at {data['sample_rate_hz']:,} Hz (float32, full scale 1, [batch, {data['samples']:,}]) and give the scenes' "
        "probabilities; log-mel features and normalisation are inside.",
        f"```sh\npython workflow/scripts/channel_sparsity/classify.py {card['files']['int8']['name']} clip.wav\n```",
        "## How good it is",
        f"On {data['clips_validation']:,} validation clips, in onnxruntime; PyTorch's accuracy is "
        f"{percent(accuracy['pytorch'])}. {card['caution']}",
        _table(
            ["", "accuracy", *data["scenes"]],
            [
                [form, percent(each["accuracy"]), *map(percent, each["accuracy_per_scene"].values())]
                for form, each in (("float32", whole), ("int8", int8))
            ],
        ),
        "Confusion of the int8 form (rows: true scene; columns: answer):",
        _table(
            ["", *data["scenes"]],
            [[scene, *map(str, row)] for scene, row in zip(data["scenes"], int8["confusion"], strict=True)],
        ),
        "## What it costs",
        _table(
            ["", "", "budget"],
            [
                ["parameters, one byte each in int8", f"{size['parameters']:,}", f"{size['budget_bytes']:,}"],
                [
                    "multiply-accumulates per second of audio",
                    f"{size['macs_per_second']:,.0f}",
                    f"{size['budget_macs_per_second']:,.0f}",
                ],
                ["multiply-accumulates per clip", f"{size['macs']:,}", ""],
                ["file, float32 (bytes)", f"{card['files']['float32']['bytes']:,}", ""],
                ["file, int8 (bytes)", f"{card['files']['int8']['bytes']:,}", ""],
                ["... of which weights, scales and biases", f"{size['int8_constants_bytes']:,}", ""],
            ],
        ),
        f"Costs are the network's, without the log-mel front end. It is {'' if size['within_budget'] else 'not '}"
        f"within the study's budget. Times and memory on the machine that made it: `{card['timing']}`.",
        "## How it was checked",
        _checks(card["checks"]),
        "## How it was made",
        f"Study `{made['study']}`: {made['network_label']}, lambda {made['lam']}, seed {made['seed']}, step "
        f"{made['step']} of the curve of the recipe `{made['recipe']}`, trained on {data['clips_train']:,} clips. The "
        f"JSON beside this file has the settings, the fingerprints of the code and the SHA-256 of every file. Weights "
        f"for PyTorch: `{made['weights']}`.",
        "## Data",
        f"Data set `{data['dataset']}` ({data['source']}). {data['licence']}",
        "## What it is for",
        card["intended_use"],
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _checks(checks: Mapping) -> str:
    """What was compared with what, in sentences."""
    return (
        f"On all {checks['validation_clips']:,} validation clips the network in onnxruntime gives PyTorch's "
        f"log-probabilities within {checks['log_probability_tolerance']:g}. On {checks['signals']} test signals, noise "
        "at several levels and silence, the front end gives the study's features within "
        f"{checks['feature_tolerance_db']:g} dB, and the float32 file PyTorch's probabilities within "
        f"{checks['probability_tolerance']:g}. The differences that were found stand in the job's log."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; what stands in its cells cannot break it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
