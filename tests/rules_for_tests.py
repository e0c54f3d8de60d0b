"""Prints, as JSON, which rules a configuration has, and of each whether it is submitted and the resources it asks for.

    python tests/rules_for_tests.py [configuration...]

Asked of Snakemake itself; a process of its own, since the workflow changes what Python imports.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def rules_of(*configurations: Path) -> dict[str, dict]:
    """What this file prints, for the configuration of these files."""
    command = [sys.executable, __file__, *map(str, configurations)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import ConfigSettings, ResourceSettings

    with tempfile.TemporaryDirectory() as folder, SnakemakeApi() as api:
        workflow = api.workflow(
            ResourceSettings(cores=2),
            ConfigSettings(configfiles=[Path(name).absolute() for name in sys.argv[1:]]),
            snakefile=ROOT / "Snakefile",
            workdir=Path(folder),
        )._workflow
        # Not `Workflow.is_local`, for which all is local until there is an executor.
        stay = {rule.name for rule in workflow.rules if rule.norun} | workflow._localrules
        print(json.dumps({r.name: {"submitted": r.name not in stay, "asks": [*r.resources]} for r in workflow.rules}))
