"""What a rule's fingerprint sees, and what it does not."""

import io
import tokenize
from pathlib import Path

import pytest

from channel_sparsity.bookkeeping.fingerprint import _files_of, _read, code_of, fingerprint

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"


def written(folder, files):
    """Write files, by their names."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def anew(*arguments):
    """The fingerprint of files as they are now."""
    for cached in (fingerprint, _read, _files_of):
        cached.cache_clear()
    return fingerprint(*arguments)


@pytest.fixture
def scripts(tmp_path):
    files = {
        "train.py": "from package.inner import step\n\n\nprint(step())\n",
        "draw.py": "import package.figures\n",
        "package/__init__.py": '"""The package."""\n',
        "package/inner.py": (
            'def step():\n    """One step."""\n    from package import other  # late\n\n    return other.RATE\n'
        ),
        "package/other.py": "RATE = 0.1\n",
        "package/figures.py": 'COLOUR = "red # not a comment"\n',
        "package/unused.py": "X = 1\n",
    }
    written(tmp_path, files)
    return lambda: [anew(tmp_path / name) for name in ("train.py", "draw.py")]


@pytest.mark.parametrize(
    ("name", "old", "new", "train_changes", "draw_changes"),
    [
        ("package/inner.py", "# late", "# of course", False, False),
        ("package/inner.py", '"""One step."""', '"""One\n\n    long step."""', False, False),
        ("package/inner.py", "\n\n    return", "\n    return", False, False),
        ("package/inner.py", "return other.RATE", "return 2 * other.RATE", True, False),
        ("package/other.py", "0.1", "0.2", True, False),
        ("package/__init__.py", "package.", "packet.", False, False),
        ("package/__init__.py", '"""\n', '"""\nX = 1\n', True, True),
        ("package/figures.py", "# not", "# NOT", False, True),
        ("package/unused.py", "1", "2", False, False),
    ],
)
def test_what_a_change_reruns(tmp_path, scripts, name, old, new, train_changes, draw_changes):
    before, text = scripts(), (tmp_path / name).read_text()
    assert old in text
    written(tmp_path, {name: text.replace(old, new)})
    assert [now != then for now, then in zip(scripts(), before, strict=True)] == [train_changes, draw_changes]


def test_code_of_drops_what_only_says_something():
    source = '''"""The module."""
x = 1  # one
"""About x."""
y = "# kept"


def f(): "é"; return y
'''
    assert code_of(source) == 'x = 1\ny = "# kept"\ndef f(): "é"; return y'


def test_space_counts_in_a_text_and_not_in_code():
    """Of a template, say, whose page has to be made anew; but not of a docstring."""
    text = 'PAGE = """a\n\nb \nc"""\n'
    assert len({code_of(text), code_of(text.replace("\n\n", "\n")), code_of(text.replace(" \n", "\n"))}) == 3
    assert code_of("x = 1  \n\n\ny = 1\n") == code_of("x = 1\ny = 1")
    assert code_of('"""a\n\nb \n"""\nx = "\N{LINE SEPARATOR}"\n"""About x."""\n') == 'x = "\N{LINE SEPARATOR}"'


#: What is chosen of a package: a file; a file, and one of the same name as the first elsewhere; a folder; nothing.
CHOSEN = ("kinds.one",), ("kinds.other", "elsewhere.one"), ("kinds.room",), ()


@pytest.fixture
def builder(tmp_path):
    files = {
        "build.py": 'from importlib import import_module\n\nimport_module(f"package.kinds.{input()}")\n',
        "package/__init__.py": "",
        "package/kinds/__init__.py": "",
        "package/kinds/one.py": "import package.shared\n",
        "package/kinds/other.py": "X = 1\n",
        "package/kinds/room/__init__.py": "import package.kinds.room.inside\n",
        "package/kinds/room/inside.py": "X = 1\n",
        "package/shared.py": "Y = 1\n",
    }
    written(tmp_path, files)
    return lambda: [anew(tmp_path / "build.py", chosen) for chosen in CHOSEN]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("kinds/one.py", [True, False, False, True]),
        ("kinds/other.py", [False, True, False, True]),
        ("kinds/room/inside.py", [False, False, True, True]),
        ("kinds/new.py", [False, False, False, True]),
        ("kinds/__init__.py", [True, True, True, True]),
        ("shared.py", [True, False, False, True]),
    ],
)
def test_of_a_package_the_chosen_modules_count_or_all(tmp_path, builder, name, changes):
    before = builder()
    with open(tmp_path / "package" / name, "a") as file:
        file.write("Z = 2\n")
    assert [new != old for new, old in zip(builder(), before, strict=True)] == changes


@pytest.mark.parametrize(
    "call", ["import_module(name)", "importlib.import_module('a.' + name)", "import_module(f'{a}.b')"]
)
def test_an_import_that_cannot_be_followed_is_refused(tmp_path, call):
    (tmp_path / "draw.py").write_text(f"{call}\n")
    with pytest.raises(ValueError, match=r"draw\.py imports a module by a name that the fingerprint cannot follow"):
        fingerprint(tmp_path / "draw.py")


def test_a_relative_import_is_refused(tmp_path):
    (tmp_path / "draw.py").write_text("from .inner import step\n")
    with pytest.raises(ValueError, match=r"draw\.py has a relative import"):
        fingerprint(tmp_path / "draw.py")


def test_comments_are_those_of_pythons_tokenizer_in_every_module():
    for path in sorted(SCRIPTS.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
        assert code_of("\n".join(lines) + "\n") == code_of(source), path
