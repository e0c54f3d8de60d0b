"""Archives of a published record (Zenodo's, say), downloaded or at hand, whose MD5s stand for what is in them."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from channel_sparsity.data.sources import Costs, DataSource, Extent
from channel_sparsity.files import StudyError

SCENES = 10  # where the configuration does not tell; the last layer of a network hangs on it, and next to no time

_ARCHIVE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "bytes", "md5"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*[.]zip$",
            "wanted": "letters, digits, dots, dashes and underscores, with .zip at the end",
            "description": "Name of the file.",
        },
        "bytes": {"type": "integer", "minimum": 1, "description": "Its size."},
        "md5": {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "wanted": "32 hexadecimal digits (0 to 9, a to f)",
            "description": "Its MD5, which stands for its content.",
        },
    },
}
_RECORD = {
    "description": "For `record`: archives of clips in TAU's layout, from a place that serves them over HTTP or from a "
    "folder.",
    "type": "object",
    "additionalProperties": False,
    "required": ["address", "licence", "archives", "keep_archives", "keep_audio", "metadata", "audio"],
    "properties": {
        "address": {
            "type": "string",
            "pattern": "^https?://",
            "wanted": "an address that begins with https:// or http://",
            "description": "Where the archives lie: an archive's own address is this, a slash and its name.",
        },
        "licence": {"type": "string", "minLength": 1, "description": "Said before anything is downloaded."},
        "archives": {
            "oneOf": [{"type": "null"}, {"type": "string", "minLength": 1}],
            "description": "Folder that holds the archives already: nothing is downloaded, nothing there is changed; "
            "null to download.",
        },
        "keep_archives": {
            "type": "boolean",
            "description": "Whether downloaded audio archives stay in data/<dataset>/archives/.",
        },
        "keep_audio": {
            "type": "boolean",
            "description": "Whether the clips of `devices` stay in data/<dataset>/audio/.",
        },
        "metadata": _ARCHIVE | {"description": "Archive with meta.csv and the lists of the official split."},
        "audio": {"type": "array", "minItems": 1, "items": _ARCHIVE, "description": "Archives with the clips."},
    },
}


class Source(DataSource):
    """A record. Its clips are listed and read archive by archive, as these come."""

    settings: ClassVar = {"record": _RECORD}
    made: ClassVar = True
    stages: ClassVar = ("extract_archive", "merge_shards")
    deflated: ClassVar = True

    @property
    def _record(self) -> Mapping:
        return self.block["record"]

    @property
    def own_content(self) -> dict:
        """The archives: where they come from and what is kept decides nothing."""
        return {"record": {key: self._record[key] for key in ("metadata", "audio")}}

    @property
    def archives(self) -> list[Mapping]:
        """All archives, the metadata first."""
        return [self._record["metadata"], *self._record["audio"]]

    @property
    def jobs(self) -> dict[str, list[dict]]:
        return {"extract_archive": [{"archive": archive["name"]} for archive in self._record["audio"]]}

    def problems(self, config: Mapping) -> Iterable[tuple[tuple, str]]:
        """Archives need different names, since they lie in one folder."""
        names = [archive["name"] for archive in self.archives]
        keys = ("datasets", self.dataset, "record")
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield (*keys, "audio"), f"`{'.'.join(keys)}` lists the archive {name} twice"

    @property
    def description(self) -> str:
        return f"The data set {self.dataset} is a published record of recordings."

    @property
    def licence(self) -> str:
        return self._record["licence"]

    def extent(self) -> Extent:
        expected = self.block.get("expected", {})
        if "clips" not in expected:
            raise StudyError(
                f"`datasets.{self.dataset}.expected.clips` is missing: say there how many clips the record has"
            )
        each = expected.get("clips_per_scene")
        return Extent(expected["clips"], expected["clips"] // each if each else SCENES)

    def first(self, count: int) -> list[str]:
        return []

    def costs(self, audio_s: float, audio_bytes: int, features_bytes: int) -> Costs:
        """For a while there are the three largest archives, or features that wait to be merged."""
        kept = {}
        fetched = self._record["archives"] is None
        sizes = [archive["bytes"] for archive in self._record["audio"]]
        if fetched and self._record["keep_archives"]:
            kept["archives"] = sum(sizes)
        if fetched and self._record["keep_audio"]:
            kept["audio"] = audio_bytes
        passing = features_bytes
        if fetched and not self._record["keep_archives"]:
            passing = max(sum(sorted(sizes)[-3:]), features_bytes)
        download = sum(archive["bytes"] for archive in self.archives) if fetched else 0
        return Costs(kept=kept, passing=passing, download=download)
