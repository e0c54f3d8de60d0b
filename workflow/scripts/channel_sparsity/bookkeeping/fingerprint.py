"""A digest of the code behind a rule: its script and every module of ours that the script reaches.

Snakemake reruns a rule when its script *file* is newer, whatever changed in it, and never when a module that the script
imports changes. With this digest among a rule's parameters, a changed comment reruns nothing, and a changed training
step reruns training and what follows.
"""

import ast
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

#: A piece of text, or a comment. (A regular expression, since this is read at every start: the tokenizer takes ten
#: times as long. f-strings with their own quotes inside, which Python 3.11 does not know, are not for it.)
_TEXT_OR_COMMENT = re.compile(
    r"""(?s)"{3}(?:\\.|[^\\])*?"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(#[^\n]*)"""
)

#: Where a line of a text is blank, or ends in space.
_SPACE = re.compile(r"(?m)^$|(?<=[ \t])$")


@functools.cache
def fingerprint(script: Path, chosen: tuple[str, ...] = ()) -> str:
    """The digest (16 hexadecimal digits) of a script and of the modules that it imports, directly or not.

    Modules are those of packages beside the script; a plain module beside it (job.py: logs and errors) decides no
    result. ``import_module(f"package.{name}")`` imports those modules of the package that are `chosen`
    (``networks.vgg``: the package's own name, and the module's), and any of them if none is: a network is not trained
    anew because another was added.
    """
    root = script.parent
    reached, waiting = {}, [script]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached[path], imported, packages = _read(path, root)
            waiting.extend(imported)
            for package in packages:
                waiting.extend(_chosen_of(package, root, chosen))
    digest = hashlib.sha256()
    for path, code in sorted(reached.items()):
        digest.update(f"{path.relative_to(root).as_posix()}\n{code}\n".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _read(path: Path, root: Path) -> tuple[str, tuple[Path, ...], tuple[str, ...]]:
    """What a file does (`code_of`), the files under `root` that it imports, anywhere in it, with their packages, and
    the packages of which it imports modules by name."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    statements = list(_statements(tree))
    if any(isinstance(each, ast.ImportFrom) and each.level for each in statements):
        raise ValueError(f"{path} has a relative import, which the fingerprint does not follow: make it absolute")
    # Few files have such calls, and to look at every expression takes long.
    packages = _packages(tree, path) if "import_module" in source else ()
    return _code_of(source, statements), tuple(sorted(_imports(statements, root))), packages


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """The statements in a module or in a statement, at every depth."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, part, ()):
            yield child
            yield from _statements(child)


def _imports(statements: Iterable[ast.AST], root: Path) -> set[Path]:
    names = set()
    for node in statements:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {path for name in names for path in _files_of(name, root)}


@functools.cache
def _files_of(name: str, root: Path) -> tuple[Path, ...]:
    """The files under `root` that the import of a module (or of a name in one) runs."""
    parts = name.split(".")
    if not root.joinpath(parts[0]).is_dir():
        return ()
    found = []
    for depth in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:depth])
        inside = [place / "__init__.py", *([place.with_name(f"{place.name}.py")] if depth > 1 else [])]
        found.extend(path for path in inside if path.is_file())
    return tuple(found)


def _packages(tree: ast.Module, path: Path) -> tuple[str, ...]:
    """The packages of which ``import_module(f"package.{name}")`` imports modules."""
    packages = []
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and "import_module" in ast.unparse(call.func)):
            continue
        match call.args:
            case [ast.JoinedStr(values=[ast.Constant(value=prefix), ast.FormattedValue()])] if prefix.endswith("."):
                packages.append(prefix.removesuffix("."))
            case _:
                raise ValueError(
                    f"{path} imports a module by a name that the fingerprint cannot follow: "
                    'use import_module(f"package.{name}")'
                )
    return tuple(packages)


def _chosen_of(package: str, root: Path, chosen: tuple[str, ...]) -> list[Path]:
    """The files of those modules of a package that are chosen, of all of them if none is."""
    place = root.joinpath(*package.split("."))
    files = [*place.glob("[!_]*.py"), *(file.parent for file in place.glob("*/__init__.py"))]
    modules = {file.stem for file in files}
    wanted = {name for name in modules if f"{place.name}.{name}" in chosen}
    return [path for name in wanted or modules for path in _files_of(f"{package}.{name}", root)]


def code_of(source: str) -> str:
    """Source text without comments, docstrings (of attributes too), blank lines and trailing space.

    Taken from the text rather than from the syntax tree, whose printed form differs between Python versions.
    """
    return _code_of(source, _statements(ast.parse(source)))


def _code_of(source: str, statements: Iterable[ast.AST]) -> str:
    # In a text, the space at the end of a line counts, and so does a blank line: marked, they are not taken away.
    lines = _TEXT_OR_COMMENT.sub(lambda found: "" if found[1] else _SPACE.sub("\0", found[0]), source).split("\n")
    for node in statements:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            rows = range(node.lineno - 1, node.end_lineno)
            before = lines[rows[0]].encode()[: node.col_offset]
            after = lines[rows[-1]].encode()[node.end_col_offset :]
            if not (before + after).strip():  # nothing else stands on its lines
                for row in rows:
                    lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
