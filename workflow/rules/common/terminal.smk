# What the terminal says before the first job and after the last, and for how long the run will last.
from channel_sparsity.bookkeeping.ending import outcome, unfinished
from channel_sparsity.bookkeeping.holding import holders
from channel_sparsity.bookkeeping.published import compared, is_current
from channel_sparsity.bookkeeping.remaining import Remaining

# For what the terminal says at the end: where everything lies, and the last file of each trained and each pruned network.
FOLDERS = Path(RESULTS), Path(DATA)
LAST_FILES = (
    [Path(file) for file in for_all(f"{TRAIN}/sparsity.json", CELLS)],
    [Path(file) for file in for_all(f"{PRUNE}/knee.json", CURVES)],
)
# Where jobs keep their state, and say that they are at work.
STATES = for_all(f"{TRAIN}/state", CELLS) + for_all(f"{PRUNE}/state", CURVES)
