"""Nothing that is read can carry a program, and no name can become one."""

import ast
from pathlib import Path

import pytest
import yaml

from channel_sparsity.data.meta import LONGEST, PLAIN, read_meta
from channel_sparsity.files import StudyError

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "workflow").rglob("*.py"))
#: What runs, or unpickles, what it is given; the safe forms have other names (yaml.safe_load, safetensors' load_file).
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "tarfile"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "popen", "read_pickle", "read_hdf", "unsafe_load"}
UNSAFE_MEMBERS = {
    ("os", "system"),
    ("torch", "load"),
    ("np", "load"),
    ("numpy", "load"),
    ("yaml", "load"),
    ("zipfile", "extractall"),
}


def _safe(call):
    """Whether a call of yaml.load is told to load safely."""
    loaders = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "Loader")]
    return any("SafeLoader" in ast.unparse(loader) for loader in loaders)


def unsafe(source):
    """What of a module's text runs or unpickles data, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            yield from ((node.lineno, name) for name in names if name.split(".")[0] in UNSAFE_MODULES)
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) if name in UNSAFE_CALLS:
                    yield node.lineno, name
                case ast.Attribute(value=ast.Name(id=module), attr=name) if (
                    module,
                    name,
                ) in UNSAFE_MEMBERS and not _safe(node):
                    yield node.lineno, f"{module}.{name}"
                case ast.Attribute(attr=name) if name in UNSAFE_CALLS:
                    # A network's eval() and re.compile() are something else.
                    if name not in ("eval", "compile"):
                        yield node.lineno, name
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            for risk in ("allow_pickle", "shell"):
                if risk in given and getattr(given[risk], "value", True):
                    yield node.lineno, risk


def test_nothing_that_is_read_is_unpickled_or_run():
    found = [f"{path.relative_to(ROOT)}:{line} {what}" for path in SOURCES for line, what in unsafe(path.read_text())]
    assert found == [] and len(SOURCES) > 80


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "numpy.load(p, allow_pickle=True)",
        "eval(text)",
        "os.system(text)",
        "yaml.load(text)",
        "subprocess.run(text, shell=True)",
        "model.eval(); exec(x)",
    ],
)
def test_the_search_finds_what_it_is_for(text):
    assert list(unsafe(text))


def test_no_rule_has_a_shell_command():
    for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").rglob("*.smk")]:
        assert not any(line.strip().startswith(("shell:", "shell(", "run:")) for line in path.read_text().splitlines())


HARMFUL = (
    "<script>alert(1)</script>",
    '"><img onerror=alert(1)>',
    "$(touch x)",
    "; rm -rf ~",
    "`id`",
    "a\x00b",
    "\N{RIGHT-TO-LEFT OVERRIDE}cod",
    "\N{GRINNING FACE}",
    "-rf",
    "{wildcard}",
    "$x^2$",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "+1",
    "%s",
    "x" * (LONGEST + 1),
    "",
    "..",
    "a/b",
    "a'b",
    "a;b",
    "\u0301a",
)
COLUMNS = ("filename", "scene_label", "identifier", "source_label")


@pytest.mark.parametrize("label", HARMFUL, ids=lambda label: ascii(label[:20]))
@pytest.mark.parametrize("column", [1, 2, 3])
def test_a_label_that_could_do_harm_is_refused_in_one_line(tmp_path, label, column):
    row = ["audio/x.wav", "bus", "lisbon-1", "a"]
    row[column] = label
    meta = tmp_path / "meta.csv"
    meta.write_text("\t".join(COLUMNS) + "\n" + "\t".join(row) + "\n")
    with pytest.raises(StudyError) as raised:
        read_meta(meta)
    sentence = str(raised.value)
    assert f"has the {COLUMNS[column]} {label!r} for 'audio/x.wav': " in sentence
    assert sentence.isprintable() and len(sentence) < 600


def test_no_plain_label_and_no_name_is_a_spreadsheets_formula():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["$defs"]["name"]["pattern"].startswith("^[a-z0-9]")
    for sign in "=+-@\t\r":
        assert not PLAIN.fullmatch(f"{sign}cmd") and not PLAIN.fullmatch(f"{sign}1")
