"""Log-mel features: ours beside librosa clip by clip and beside the floor; memory; several processes.

    PYTHONPATH=workflow/scripts python benchmarks/features.py

About five minutes. The clips are synthetic, in TAU's format: 24 bits, 44.1 kHz, mono, 10 s.
"""

import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import numpy
import scipy.fft
import soundfile
import soxr
from measuring import Side, in_turn, machine, rounded, spread, table, write_section

from channel_sparsity.data.archives import contents, read_archived_clip, read_bytes
from channel_sparsity.data.audio import read_clip
from channel_sparsity.data.extraction import compute
from channel_sparsity.data.logmel import LogMel
from channel_sparsity.data.sources.synthetic.recordings import write_scenes

SECONDS, CLIPS_IN_TURN, ROUNDS = 10.0, 8, 30
COUNTS = (40, 400, 4000)
FLOOR = "floor: read, decode, FFT alone"
ARCHIVED_FLOOR = "floor of the archive: inflate, decode, FFT"
COMPARED = {  # shown: (made by, memory kept)
    "ours, WAV files": ("ours", True),
    "ours, zip archive": ("ours_archived", True),
    FLOOR: ("floor", True),
    ARCHIVED_FLOOR: ("floor_archived", True),
    "ours, WAV files, memory not kept": ("ours", False),
    "librosa, WAV files": ("librosa", False),
    "librosa, zip archive": ("librosa_archived", False),
    "librosa, WAV files, memory kept": ("librosa", True),
}


FORMATS = {  # shown: (ending, channels, rate, encoding)
    "WAV, 24 bits, 1 channel, 44.1 kHz": ("wav", 1, 44100, "PCM_24"),
    "WAV, 16 bits, 2 channels, 48 kHz": ("wav", 2, 48000, "PCM_16"),
    "Ogg Vorbis, 1 channel, 44.1 kHz": ("ogg", 1, 44100, "VORBIS"),
}


def prepare(name: str, root: Path) -> Callable[[], None]:
    """What computes the features of the next few clips, by a side's name."""
    settings = LogMel()
    paths, members = sources(root)
    upcoming = cycle(members if name.endswith("archived") else paths)
    if name.startswith("librosa"):
        import librosa

    def by_librosa(source: Path | io.BytesIO) -> None:
        waveform, rate = librosa.load(source, sr=settings.sample_rate_hz)
        power = librosa.feature.melspectrogram(
            y=waveform,
            sr=rate,
            n_fft=settings.n_fft,
            win_length=settings.win_length,
            hop_length=settings.hop_length,
            n_mels=settings.n_mels,
        )
        librosa.power_to_db(power)

    def transform(waveform: numpy.ndarray) -> None:
        padded = numpy.pad(waveform, settings.n_fft // 2)
        frames = numpy.lib.stride_tricks.sliding_window_view(padded, settings.n_fft)[:: settings.hop_length]
        for start in range(0, len(frames), 32):  # blocks that stay in the cache
            scipy.fft.rfft(frames[start : start + 32])

    work = {
        "ours": lambda path: settings(read_clip(path, settings).waveform),
        "ours_archived": lambda member: settings(read_archived_clip(member, settings).waveform),
        "librosa": by_librosa,
        "librosa_archived": lambda member: by_librosa(io.BytesIO(read_bytes(member))),
        "floor": lambda path: transform(read_clip(path, settings).waveform),
        "floor_archived": lambda member: transform(read_archived_clip(member, settings).waveform),
    }[name]

    def some() -> None:
        for source in islice(upcoming, CLIPS_IN_TURN):
            work(source)

    return some


def sources(root: Path) -> tuple[list[Path], list]:
    """The clips as files and as members of the archive."""
    archive = root / "clips.zip"
    return sorted(root.glob("audio/*")), sorted(contents(archive).values()) if archive.exists() else []


def extract(root: Path, archived: bool, clips: int, workers: int) -> Callable[[], None]:
    """What computes the features of so many clips, which are the same ones over and over, as a job does."""
    files, members = sources(root)
    chosen = list(islice(cycle(members if archived else files), clips))

    def work() -> None:
        for _ in compute(read_archived_clip if archived else read_clip, chosen, LogMel(), workers):
            pass

    return work


def make_clips(root: Path) -> None:
    """Forty clips, as files and in an archive."""
    write_scenes(
        root,
        scenes=["airport", "bus", "park", "tram"],
        cities=2,
        locations=1,
        segments=5,
        duration_s=SECONDS,
        seed=1,
        workers=1,
    )
    with zipfile.ZipFile(root / "clips.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.glob("audio/*.wav")):
            archive.write(path, path.relative_to(root))


def compare(root: Path) -> str:
    """The sides on one core."""
    sides = {shown: Side(prepare, name, root, memory_kept=kept) for shown, (name, kept) in COMPARED.items()}
    cpu = in_turn(sides, ROUNDS).cpu
    rows = [
        [
            name,
            spread(1000 * cpu[name] / CLIPS_IN_TURN),
            rounded(SECONDS * CLIPS_IN_TURN / cpu[name].median()),
            spread(cpu["librosa, zip archive" if "archive" in name else "librosa, WAV files"] / cpu[name]),
            spread(cpu[name] / cpu[ARCHIVED_FLOOR if "archive" in name else FLOOR]),
        ]
        for name in sides
    ]
    return table(["one core", "ms a clip", "times real time", "times librosa's speed", "times the floor's time"], rows)


def formats(root: Path) -> str:
    """Ours beside librosa, both with memory kept, on the same clips in several formats."""
    rows = []
    for number, (shown, (ending, channels, rate, encoding)) in enumerate(FORMATS.items()):
        folder = root / f"format{number}"
        (folder / "audio").mkdir(parents=True)
        for path in sorted(root.glob("audio/*.wav"))[:CLIPS_IN_TURN]:
            recorded, recorded_rate = soundfile.read(path)
            samples = soxr.resample(recorded, recorded_rate, rate)
            samples = numpy.column_stack([samples, numpy.roll(samples, 100)][:channels])
            soundfile.write(folder / "audio" / f"{path.stem}.{ending}", samples, rate, encoding)
        sides = {name: Side(prepare, name, folder, memory_kept=True) for name in ("ours", "librosa")}
        cpu = in_turn(sides, ROUNDS).cpu
        times = [spread(1000 * cpu[name] / CLIPS_IN_TURN) for name in sides]
        rows.append([shown, *times, spread(cpu["librosa"] / cpu["ours"])])
    return table(["memory kept", "ours, ms a clip", "librosa, ms a clip", "times librosa's speed"], rows)


def several(root: Path, clips: int = 1200) -> str:
    """One process beside one for each core, with what starting them takes."""
    cores = os.cpu_count()
    rows = []
    for archived, shown in ((False, "WAV files"), (True, "zip archive")):
        sides = {n: Side(extract, root, archived, clips, n, memory_kept=True) for n in (1, cores)}
        cpu, wall, _ = in_turn(sides, 2)
        rows.append(
            [
                shown,
                rounded(SECONDS * clips / wall[1].median()),
                rounded(SECONDS * clips / wall[cores].median()),
                spread(wall[1] / wall[cores]),
                spread(cores * cpu[1] / cpu[cores]),
            ]
        )
    header = ["1 process: times real time", f"{cores} processes", "speed-up", "speed-up on idle cores"]
    return table([f"{clips} clips, wall time", *header], rows)


def memory(root: Path) -> str:
    """Peak memory by the number of clips."""
    rows = []
    for archived, shown in ((False, "WAV files"), (True, "zip archive")):
        peaks = []
        for clips in COUNTS:
            side = Side(extract, root, archived, clips, 1, memory_kept=True)
            peaks.append(in_turn({"": side}, 1, warm_up=0).peak[""])
        rows.append([shown, *(f"{peak / 1e6:,.0f} MB" for peak in peaks), rounded(peaks[-1] / peaks[0])])
    return table(["peak memory of one process", *(f"{n:,} clips" for n in COUNTS), "last / first"], rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_clips(root)
        write_section(
            "Features",
            "Decoding and log-mel (40 bands, 401 frames) of synthetic clips in TAU's format (24 bits, 44.1 kHz, "
            f"{SECONDS:.0f} s). {CLIPS_IN_TURN} of 40 clips in each of {ROUNDS} rounds. librosa uses `load`, "
            "`melspectrogram` and `power_to_db` with the same settings and the same files. The archive is compressed.",
            compare(root),
            several(root),
            "The speed-up on idle cores is calculated from the CPU time. The 40 clips are repeated.",
            memory(root),
            machine("numpy", "scipy", "librosa", "soundfile"),
        )
        write_section(
            "Features by format",
            f"The same {CLIPS_IN_TURN} clips in each format, in {ROUNDS} rounds. Both sides mix the channels and bring "
            "the clips to 44.1 kHz (soxr, high quality). Most of the time that Ogg takes is decoding, which "
            "libsndfile does on both sides.",
            formats(root),
            machine("numpy", "scipy", "librosa", "soundfile", "soxr"),
        )


if __name__ == "__main__":
    main()
