"""The embedded scenes as a data set: recordings that nobody made, in TAU's layout and naming.

Every clip is drawn from `scenes`, heard at a location that has a sound of its own, and written as a 24-bit
WAV file.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas
import soundfile
from scipy import fft

from channel_sparsity.data.sources.synthetic.scenes import SCENES, City, Play
from channel_sparsity.data.sources.synthetic.sounds import RATE_HZ, Bus, Curve, amplitude, noise, octaves, time_axis
from channel_sparsity.files import StudyError, whole, write_text
from channel_sparsity.seeds import derive

CITIES = (
    "barcelona",
    "helsinki",
    "lisbon",
    "london",
    "lyon",
    "milan",
    "paris",
    "prague",
    "stockholm",
    "vienna",
)
SHORTEST_S = 0.1

_DEVICE = "a"
_PEAK = 0.9
_EQUALISER_HZ = (60, 150, 400, 1000, 2500, 6000, 14000)
_LOCATION_EQUALISER_DB = 1.5
_CLIP_EQUALISER_DB = 1.2
_LOCATION_LEVEL_DB = 3.0
_CLIP_LEVEL_DB = 2.0
_CLIP_DISTANCE_DB = 2.0
_WHITE: Curve = ((20, 0), (20000, 0))
_RECORDER_NOISE_DB = -76


@dataclass(frozen=True)
class Spot:
    """A location: a place in a city where one scene is recorded; `index` counts those of a city and scene."""

    scene: str
    city: str
    index: int

    @property
    def number(self) -> int:
        """The location's number in file names: unlike that of any other location of its city, as in TAU."""
        return self.index * len(SCENES) + list(SCENES).index(self.scene)

    @property
    def identifier(self) -> str:
        """The location's name in `meta.csv`."""
        return f"{self.city}-{self.number}"

    def filename(self, segment: int) -> str:
        """A clip's name relative to the data set's folder."""
        return f"audio/{self.scene}-{self.identifier}-{segment}-{_DEVICE}.wav"


def write_scenes(
    root: str | Path,
    *,
    scenes: Sequence[str],
    cities: int,
    locations: int,
    segments: int,
    duration_s: float,
    seed: int,
    workers: int,
    report: Callable[[int], None] = lambda done: None,
) -> None:
    """Write `root`/audio/*.wav (24 bits, 44.1 kHz, mono) and then `root`/meta.csv with TAU's four columns.

    `scenes` are names of `SCENES`, `cities` the number of cities (the first of `CITIES`), `locations` how
    many there are for each city and scene, `segments` how many clips for each location, `duration_s` the
    length of a clip. A clip's bytes depend on `seed`, its own name and its length alone: neither on what else
    is made nor on `workers`, the number of processes. More than one are spawned: the main script must be
    importable, its work behind `if __name__ == "__main__"`. `report` is told how many clips are done. Raises
    `StudyError` for clips that are too short and for recordings in the way; the schema checks the other settings.
    """
    if not duration_s >= SHORTEST_S:
        raise StudyError(f"`duration_s` is {duration_s}, but an embedded scene lasts at least {SHORTEST_S} s")
    root = Path(root)
    spots = [Spot(scene, city, index) for scene in scenes for city in CITIES[:cities] for index in range(locations)]
    rows = [
        (spot.filename(segment), spot.scene, spot.identifier, _DEVICE) for spot in spots for segment in range(segments)
    ]
    meta = pandas.DataFrame(rows, columns=["filename", "scene_label", "identifier", "source_label"])
    strangers = {f"audio/{path.name}" for path in (root / "audio").glob("*.wav")} - set(meta["filename"])
    if strangers:
        raise StudyError(f"{root} already holds {min(strangers)}, which is not one of these scenes: empty the folder")
    write = partial(_write_spot, root, segments=segments, samples=round(duration_s * RATE_HZ), seed=seed)
    with _pool(min(workers, len(spots))) as pool:
        # Reading the results raises what a worker raised.
        for done, _ in enumerate(pool(write, spots), start=1):
            report(done * segments)
    write_text(root / "meta.csv", meta.to_csv(sep="\t", index=False, lineterminator="\n"))


@contextmanager
def _pool(workers: int) -> Iterator[Callable]:
    """A `map` over some spawned processes; the plain one where one is enough."""
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield pool.map


def _write_spot(root: Path, spot: Spot, *, segments: int, samples: int, seed: int) -> None:
    """Write the clips of one location."""
    location = Location.draw(spot, fft.next_fast_len(samples, real=True), seed)
    for segment in range(segments):
        rng = np.random.default_rng(derive(seed, "clip", spot.scene, spot.identifier, segment))
        with whole(root / spot.filename(segment)) as path:
            try:
                soundfile.write(path, location.record(rng)[:samples], RATE_HZ, subtype="PCM_24")
            except soundfile.LibsndfileError as error:
                # Of a full disk libsndfile says "System error".
                clip = root / spot.filename(segment)
                raise StudyError(f"{clip} could not be written ({error}): make room and run again") from error


@dataclass(frozen=True)
class Location:
    """How a location sounds: its scene's settings, and the filters from what happens there to the recorder.

    `near` and `far` are spectra [samples // 2 + 1] of what is close by and of what is heard through the room.
    """

    play: Play
    samples: int
    level_db: float
    equaliser_db: np.ndarray
    near: np.ndarray
    far: np.ndarray

    @classmethod
    def draw(cls, spot: Spot, samples: int, seed: int) -> "Location":
        """The location that (seed, city, scene, index) stand for, for clips of `samples`."""
        rng = np.random.default_rng(derive(seed, "location", spot.scene, spot.identifier))
        city = City.draw(np.random.default_rng(derive(seed, "city", spot.city)))
        scene = SCENES[spot.scene]
        play = scene.model(rng, city)
        room = _room(rng, samples, rng.uniform(*scene.reverberation_s))
        tilt = city.tilt_db * np.log10(np.array(_EQUALISER_HZ) / 1000) / 2
        direct = rng.uniform(0.3, 0.7)
        return cls(
            play,
            samples,
            level_db=scene.level_db + rng.normal(0, _LOCATION_LEVEL_DB),
            equaliser_db=tilt + rng.normal(0, _LOCATION_EQUALISER_DB, len(_EQUALISER_HZ)),
            near=1 + 0.15 * room,
            far=direct + (1 - direct) * room,
        )

    def record(self, rng: np.random.Generator) -> np.ndarray:
        """One clip, float32 [samples], within full scale."""
        near, far = Bus(self.samples), Bus(self.samples)
        self.play(rng, near, far)
        distance = np.float32(amplitude(rng.normal(0, _CLIP_DISTANCE_DB)))
        mix = near.spectrum() * (self.near / distance) + far.spectrum() * (self.far * distance)
        levels_db = self.level_db + self.equaliser_db + rng.normal(0, _CLIP_EQUALISER_DB, len(_EQUALISER_HZ))
        mix *= _equaliser(self.samples, levels_db + rng.normal(0, _CLIP_LEVEL_DB))
        clip = fft.irfft(mix, self.samples)
        clip += noise(rng, self.samples, _WHITE) * np.float32(amplitude(_RECORDER_NOISE_DB))
        return clip * np.float32(min(1.0, _PEAK / np.max(np.abs(clip))))


@lru_cache(maxsize=4)
def _equaliser_bands(samples: int) -> np.ndarray:
    """The weights of the equaliser's bands at every bin, float32 [bands, samples // 2 + 1]; they sum to 1."""
    bands = np.eye(len(_EQUALISER_HZ))
    return np.array([np.interp(octaves(samples), np.log2(_EQUALISER_HZ), band) for band in bands], np.float32)


def _equaliser(samples: int, levels_db: np.ndarray) -> np.ndarray:
    """Amplitude of every bin, float32 [samples // 2 + 1], interpolated between the levels of the bands."""
    return np.exp(levels_db.astype(np.float32) * np.float32(np.log(10) / 20) @ _equaliser_bands(samples))


def _room(rng: np.random.Generator, samples: int, reverberation_s: float) -> np.ndarray:
    """Spectrum of a reverberation of unit energy [samples // 2 + 1].

    It is noise that falls by 60 dB within `reverberation_s`. Above 2 kHz it falls twice as fast, as air and
    cloth make it.
    """
    time = time_axis(samples)
    low: Curve = ((20, 0), (1000, 0), (4000, -24), (20000, -60))
    high: Curve = ((20, -60), (1000, -24), (4000, 0), (20000, 0))
    tail = sum(
        noise(rng, samples, curve) * np.exp(np.float32(-6.9 * speed / reverberation_s) * time)
        for curve, speed in ((low, 1), (high, 2))
    )
    return fft.rfft(tail / np.sqrt(np.sum(tail**2)))
