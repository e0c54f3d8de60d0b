# What is compared beside files: digests of code, of the plan and of folders; and what is not compared.

from channel_sparsity.bookkeeping.fingerprint import fingerprint
from channel_sparsity.bookkeeping.snakemake_internals import untracked

# Files of networks and methods that the study does not have never count.
OF_STUDY = configuration.families_and_methods(config)


def code(script):
    """The fingerprint of a script in workflow/scripts and of the modules it reaches."""
    return fingerprint(SCRIPTS / f"{script}.py", OF_STUDY)


def code_for(script):
    """`code` for each network and recipe apart: what is in the files of the study's others does not count either."""

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


def folder_digests(folder):
    """The SHA-256 of every file below a folder: for what a script reads beside its inputs and its code."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
