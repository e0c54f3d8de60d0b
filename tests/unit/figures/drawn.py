"""What tests read from figures."""

from channel_sparsity.figures.style import save
from channel_sparsity.files import sha256


def words(figure):
    """Every text of a figure."""
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return "\n".join(texts)


def saved(figures, folder):
    """The digest of every figure by its file, as SVG and PNG. `figures`: by name."""
    paths = {folder / f"{name}.{suffix}": figure for name, figure in figures.items() for suffix in ("svg", "png")}
    for path, figure in paths.items():
        save(figure, path)
    return {path.name: sha256(path) for path in paths}
