# The configuration, checked; what of it is no parameter of any rule; what this process is held to.
import gc
import os

import warm_start
from channel_sparsity import arithmetic
from channel_sparsity.files import read_csv, read_json, sha256
from channel_sparsity.memory import KEEP_FREED_MEMORY

TEMPLATES = ROOT / "workflow" / "report"

# Planning makes many objects that stay: looking through them for garbage as often as Python does takes a fifth of it.
gc.freeze()
gc.set_threshold(100_000)

for variable, value in KEEP_FREED_MEMORY.items():
    os.environ.setdefault(variable, value)

SCHEMA = validation.complete(
    validation.read_yaml(ROOT / "workflow/schemas/config.schema.yaml")
)
written = validation.canonical(config, SCHEMA)
config.clear()
config.update(written)
with refusing():
    validation.check(
        config,
        SCHEMA,
        [ROOT / "config.yaml", *snakemake_internals.configuration_files(workflow)],
    )
    # Jobs inherit it; what the shell says does not count.
    arithmetic.hold(config["arithmetic"])

# How and where, not what: no rule may compare these, and no table has them in its record.
STATE_SECONDS = config.pop("state_seconds")
OVERWRITE = config.pop("overwrite")
DEVICE = config["training"].pop("device")

# A parameter of whatever computes, since other arithmetic gives other bits.
ARITHMETIC = config["arithmetic"]
