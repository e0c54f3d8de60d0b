"""One page from a study's tables and figures: self-contained, and readable without its scripts."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

#: A figure whose SVG is larger than this, for its many marks, is shown in pixels if they are smaller: so the page of
#: a large study stays under 5 MB, which mail servers take.
VECTOR_BYTES = 300_000


@dataclass(frozen=True)
class Figure:
    """A static figure: the name of its file, a title, a caption, and the image as a data URI."""

    name: str
    title: str
    caption: str
    source: str


def figure(path: str | Path, caption: str) -> Figure:
    """An SVG file as the page holds it. `caption`: its first line is the title (bold), the paragraph under it the rest.

    As an image of its own, nothing in it can act on the page, nor its styles and names on one another. If it is larger
    than `VECTOR_BYTES` and than its pixels, those stand in, and the caption says so.
    """
    path = Path(path)
    title, _, text = caption.strip().partition("\n")
    kind, content = "svg+xml", path.read_bytes()
    if len(content) > VECTOR_BYTES:
        pixels = _in_few_colours(path.with_suffix(".png"))
        if len(pixels) < len(content):
            kind, content = "webp", pixels
            text += f" Shown in pixels for its many marks; {path.parent.name}/{path.name} has them sharp."
    data = base64.b64encode(content).decode("ascii")
    return Figure(path.stem, title.strip("*. "), " ".join(text.split()), f"data:image/{kind};base64,{data}")


def _in_few_colours(path: Path) -> bytes:
    """A PNG as WebP, pixel by pixel, with 128 colours, which a figure hardly misses: a quarter of the bytes."""
    with Image.open(path) as image:
        buffer = BytesIO()
        few = image.convert("RGB").quantize(128, dither=Image.Dither.NONE).convert("RGB")
        few.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def render(folder: str | Path, runtime: str, values: Mapping) -> str:
    """The page. `folder`: that of ``report.html``, ``page.css`` and ``page.js``; `runtime`: the library that draws.

    Every value is escaped where it stands; a content security policy lets nothing be loaded, and no script run but
    the page's own two, known by their digests.
    """
    folder = Path(folder)
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False, "separators": (",", ":")}
    scripts = {"runtime": _script(runtime), "own": _script((folder / "page.js").read_text(encoding="utf-8"))}
    return environment.get_template("report.html").render(
        values,
        style=Markup((folder / "page.css").read_text(encoding="utf-8")),
        scripts=scripts,
        digests=[_digest(script) for script in scripts.values()],
    )


def _script(text: str) -> Markup:
    """A script of ours for a script element, which its text must not close."""
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        raise ValueError("a script that holds </script or <!-- cannot stand in a page")
    return Markup(text.strip() + "\n")


def _digest(script: str) -> str:
    """How a content security policy names a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
