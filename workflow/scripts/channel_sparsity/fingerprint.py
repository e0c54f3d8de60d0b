"""A digest of the code behind a rule: its script and every module of ours that the script reaches.

Snakemake reruns a rule when its script *file* is newer, whatever changed in it, and never when a module that the script
imports changes. With this digest among a rule's parameters, a changed comment reruns nothing, and a changed training
step reruns training and what follows.
"""

import ast
import functools
import hashlib
import io
import tokenize
from pathlib import Path


@functools.cache
def fingerprint(script: Path, chosen: tuple[str, ...] = ()) -> str:
    """The digest (16 hexadecimal digits) of a script and of the modules that it imports, directly or not.

    Modules are those of packages beside the script; a plain module beside it (job.py: logs and errors) decides no
    result. ``import_module(f"package.{name}")`` imports those modules of the package that are `chosen`, and any of them
    if none is: a network is not trained anew because another was added.
    """
    root = script.parent
    reached, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting.extend(_imports(path, root, chosen))
    digest = hashlib.sha256()
    for path in sorted(reached):
        digest.update(f"{path.relative_to(root).as_posix()}\n{code_of(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _imports(path: Path, root: Path, chosen: tuple[str, ...]) -> tuple[Path, ...]:
    """The files under `root` that a file imports, anywhere in it, with the packages that contain them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(
                    f"{path} has a relative import, which the fingerprint does not follow: make it absolute"
                )
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names.update(_from_a_package(node, path, root, chosen))
    found = set()
    for name in names:
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:depth])
            inside = [place / "__init__.py", *([place.with_name(f"{place.name}.py")] if depth > 1 else [])]
            found.update(path for path in inside if path.is_file())
    return tuple(sorted(found))


def _from_a_package(call: ast.Call, path: Path, root: Path, chosen: tuple[str, ...]) -> set[str]:
    """The modules that ``import_module(f"package.{name}")`` may import."""
    match call.args:
        case [ast.JoinedStr(values=[ast.Constant(value=prefix), ast.FormattedValue()])] if prefix.endswith("."):
            package = prefix.removesuffix(".")
        case _:
            raise ValueError(
                f"{path} imports a module by a name that the fingerprint cannot follow: "
                'use import_module(f"package.{name}")'
            )
    modules = {file.stem for file in root.joinpath(*package.split(".")).glob("[!_]*.py")}
    return {f"{package}.{name}" for name in modules.intersection(chosen) or modules}


def code_of(source: str) -> str:
    """Source text without comments, docstrings (of attributes too), blank lines and trailing space.

    Taken from the text rather than from the syntax tree, whose printed form differs between Python versions.
    """
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            rows = range(node.lineno - 1, node.end_lineno)
            before = lines[rows[0]].encode()[: node.col_offset]
            after = lines[rows[-1]].encode()[node.end_col_offset :]
            if not (before + after).strip():  # nothing else stands on its lines
                for row in rows:
                    lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
