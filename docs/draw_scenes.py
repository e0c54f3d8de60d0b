"""Draw docs/background/scenes.png: a spectrogram of one clip of each embedded scene.

Run in the environment of the study: `PYTHONPATH=workflow/scripts python docs/draw_scenes.py`.
"""

import io
import tempfile
from pathlib import Path

import librosa
import matplotlib
import numpy as np
from PIL import Image

from channel_sparsity.data.sources.synthetic.recordings import Spot, write_scenes
from channel_sparsity.data.sources.synthetic.scenes import SCENES

matplotlib.use("Agg")
from matplotlib import pyplot

DURATION_S = 6.0
SEED = 1
BANDS = 64


def spectrogram(path: Path) -> np.ndarray:
    """Log-mel energies of a clip in dB below its loudest [BANDS, frames]."""
    waveform, rate = librosa.load(path, sr=None)
    power = librosa.feature.melspectrogram(y=waveform, sr=rate, n_fft=2048, hop_length=882, n_mels=BANDS)
    return librosa.power_to_db(power, ref=np.max, top_db=70)


def main() -> None:
    """Write one clip of each scene, the first of the first location, and draw them side by side."""
    ticks_hz = np.array([100, 500, 1000, 2000, 5000, 10000])
    centres_hz = librosa.mel_frequencies(BANDS, fmax=22050)
    figure, axes = pyplot.subplots(5, 2, figsize=(10, 11), sharex=True, sharey=True, layout="constrained")
    with tempfile.TemporaryDirectory() as folder:
        write_scenes(
            folder,
            scenes=list(SCENES),
            cities=1,
            locations=1,
            segments=1,
            duration_s=DURATION_S,
            seed=SEED,
            workers=1,
        )
        for axis, scene in zip(axes.flat, SCENES, strict=True):
            levels = spectrogram(Path(folder) / Spot(scene, "barcelona", 0).filename(0))
            image = axis.imshow(
                levels,
                origin="lower",
                aspect="auto",
                cmap=matplotlib.colormaps["magma"].resampled(24),
                extent=(0, DURATION_S, 0, BANDS),
                vmin=-70,
                vmax=0,
            )
            axis.set_title(scene.replace("_", " "))
            axis.set_yticks(
                np.interp(ticks_hz, centres_hz, np.arange(BANDS) + 0.5), [f"{hz / 1000:g}" for hz in ticks_hz]
            )
    figure.supxlabel("time / s")
    figure.supylabel("frequency / kHz (mel)")
    figure.colorbar(image, ax=axes, label="dB below the loudest", shrink=0.5)
    with io.BytesIO() as drawing:
        figure.savefig(drawing, dpi=80)
        # A palette makes the file a third as large.
        picture = Path(__file__).with_name("background") / "scenes.png"
        Image.open(drawing).convert("RGB").quantize(64).save(picture, optimize=True)


if __name__ == "__main__":
    main()
