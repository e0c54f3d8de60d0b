"""What is heard in a scene: steps, chimes, rails, engines, passing cars, birds, bells, crockery."""

from collections.abc import Callable, Sequence

import numpy as np

from channel_sparsity.data.sources.synthetic.sounds import (
    RATE_HZ,
    Bus,
    Curve,
    cycle,
    gusts,
    moments,
    noise,
    puff,
    ring,
    time_axis,
    wander,
    whistle,
)

STONE: Curve = ((100, -22), (300, -12), (900, 0), (2200, -2), (5000, -12), (12000, -28))
GRAVEL: Curve = ((300, -26), (1200, -10), (3500, 0), (7000, -2), (14000, -14))
IRON: Curve = ((40, -4), (90, 0), (250, -5), (800, -9), (2500, -14), (8000, -30))
AIR: Curve = ((500, -30), (2000, -8), (6000, 0), (12000, -3), (20000, -10))
WHEELS: Curve = ((80, -14), (200, -3), (500, 0), (1500, -4), (4000, -12), (12000, -26))


def occasionally(
    bus: Bus, rng: np.random.Generator, per_second: float, sound: Callable[[], np.ndarray], level_db: float
) -> None:
    """Strike a sound, drawn anew each time, at a Poisson process's moments, up to 8 dB below `level_db`."""
    for start in moments(rng, bus.seconds, per_second):
        bus.strike(start, sound(), level_db - 8 * rng.random())


def footsteps(bus: Bus, rng: np.random.Generator, people: float, ground: Curve, level_db: float) -> None:
    """A Poisson number of people walk, 1.6 to 2.2 steps a second, up to 12 dB below `level_db`."""
    for _ in range(rng.poisson(people)):
        step_s = 1 / rng.uniform(1.6, 2.2)
        heel = puff(rng, 0.06, ground, 0.05)
        thud = ring([rng.uniform(90, 160)], [0.09], [0.8])
        toe = puff(rng, 0.04, ground, 0.04)
        far_db = rng.uniform(0, 12)
        for start in np.arange(rng.random() * step_s, bus.seconds, step_s):
            step_db = level_db - far_db + rng.normal(0, 1.5)
            bus.strike(start, heel, step_db)
            bus.strike(start, thud, step_db)
            bus.strike(start + 0.02 + 0.13 * step_s, toe, step_db - 6)


def suitcase(bus: Bus, rng: np.random.Generator, level_db: float) -> None:
    """A case on wheels crosses 9 to 16 joints of a tiled floor a second and comes nearer or leaves."""
    joints_hz = rng.uniform(9, 16)
    bump = puff(rng, 0.05, WHEELS, 0.06)
    nearness_db = np.linspace(*rng.permutation([0.0, -14.0]), max(2, int(bus.seconds * joints_hz)))
    for number, near_db in enumerate(nearness_db):
        bus.strike((number + 0.1 * rng.random()) / joints_hz, bump, level_db + near_db)
    bus.add(noise(rng, bus.samples, WHEELS) * gusts(rng, bus.samples, 6, 3), level_db - 14)


def chime(notes_hz: Sequence[float]) -> np.ndarray:
    """The signal before an announcement: soft bells, one note every 0.35 s."""
    notes = [ring([note, 2 * note, 3.01 * note], [1.5, 0.8, 0.4], [1.0, 0.25, 0.1]) for note in notes_hz]
    gap = int(0.35 * RATE_HZ)
    wave = np.zeros(gap * (len(notes) - 1) + len(notes[0]), dtype=np.float32)
    for number, note in enumerate(notes):
        wave[number * gap :][: len(note)] += note
    return wave


def beep(pitch_hz: float, seconds: float) -> np.ndarray:
    """A till, a card reader, a closing door: a steady tone with an overtone."""
    return whistle([pitch_hz, pitch_hz], seconds, overtone=0.3)


def clink(rng: np.random.Generator) -> np.ndarray:
    """Crockery or glass: five inharmonic partials between 2 and 9 kHz."""
    return ring(rng.uniform(2000, 9000, 5), rng.uniform(0.05, 0.25, 5), rng.uniform(0.2, 0.6, 5))


def bicycle_bell(rng: np.random.Generator) -> np.ndarray:
    """Six strokes on a small dome, 18 a second."""
    dome_hz = rng.uniform(2200, 3300)
    stroke = ring([dome_hz, 1.51 * dome_hz, 2.43 * dome_hz], [0.5, 0.3, 0.2], [0.7, 0.4, 0.2])
    gap = RATE_HZ // 18
    wave = np.zeros(5 * gap + len(stroke), dtype=np.float32)
    for number in range(6):
        wave[number * gap :][: len(stroke)] += stroke
    return wave


def church_bell(pitch_hz: float) -> np.ndarray:
    """Hum, prime, tierce, quint and nominal of a bell, with a ringing of up to 4 s."""
    ratios = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 2.66])
    return ring(pitch_hz * ratios, [4.0, 2.5, 2.2, 1.5, 1.2, 0.7], [0.5, 0.6, 0.5, 0.3, 0.7, 0.3])


def gong(pitch_hz: float) -> np.ndarray:
    """The bell of a tram: one stroke on a steel bowl."""
    return ring(pitch_hz * np.array([1.0, 2.1, 3.4, 4.9]), [0.9, 0.6, 0.4, 0.25], [0.6, 0.6, 0.4, 0.3])


def horn(rng: np.random.Generator) -> np.ndarray:
    """A car's horn: two notes a major third apart, rich in harmonics, for 0.25 to 0.75 s."""
    time = time_axis(int(rng.choice([0.25, 0.5, 0.75]) * RATE_HZ))
    pitch = rng.uniform(380, 450)
    two = np.sin(2 * np.pi * pitch * time) + np.sin(2 * np.pi * 1.26 * pitch * time)
    swell = np.minimum(1, 60 * np.minimum(time, time[-1] - time))
    return (np.tanh(2.5 * two) * swell).astype(np.float32)


def birdsong(rng: np.random.Generator, pitch_hz: float) -> np.ndarray:
    """A phrase of two to seven chirps: one gliding syllable, repeated, as most songbirds do."""
    chirp_s = rng.choice([0.05, 0.08, 0.12, 0.18])
    path = pitch_hz * np.exp(0.22 * rng.standard_normal(4))
    chirp = whistle(path, chirp_s, overtone=0.05)
    gap = int(len(chirp) * rng.uniform(1.1, 2.0))
    count = rng.integers(2, 8)
    wave = np.zeros(gap * count, dtype=np.float32)
    for number in range(count):
        wave[number * gap :][: len(chirp)] += chirp * np.float32(rng.uniform(0.5, 1))
    return wave


def squeal(rng: np.random.Generator, pitch_hz: float) -> np.ndarray:
    """Flanges in a curve, or brakes: three partials that waver together, for 0.5 to 1.2 s."""
    seconds = rng.choice([0.5, 0.8, 1.2])
    path = pitch_hz * np.exp(0.05 * rng.standard_normal() + 0.012 * rng.standard_normal(int(25 * seconds)))
    return sum(
        np.float32(height) * whistle(path * ratio, seconds, overtone=0.0)
        for ratio, height in ((1.0, 0.8), (1.98, 0.4), (3.05, 0.15))
    )


def rail_joints(bus: Bus, rng: np.random.Generator, metres_per_second: float, level_db: float) -> None:
    """The two axles of a bogie over the joints of a track, 18 m apart."""
    clack = puff(rng, 0.12, IRON, 0.14)
    for start in np.arange(rng.random(), metres_per_second * bus.seconds / 18) * 18 / metres_per_second:
        for axle in (0.0, 2.0):
            bus.strike(start + axle / metres_per_second, clack, level_db + rng.normal(0, 2))


def diesel(place: np.random.Generator) -> np.ndarray:
    """One turn of a six-cylinder four-stroke engine: three firings, not quite alike, coloured by its body."""
    order = np.arange(1, 61)
    return cycle(place, order**-1.1 * np.where(order % 3 == 0, 1.0, 0.2) * np.exp(0.6 * place.standard_normal(60)))


def motor(place: np.random.Generator) -> np.ndarray:
    """One period of an electric drive's whine: a few harmonics of uneven strength."""
    order = np.arange(1, 13)
    return cycle(place, order**-0.9 * np.exp(0.7 * place.standard_normal(12)))


def speed(rng: np.random.Generator, samples: int, mean: float, change: float) -> np.ndarray:
    """A machine's speed [samples]: it wavers by 1 % and rises or falls by up to the share `change`."""
    ramp = np.linspace(-0.5, 0.5, samples, dtype=np.float32)
    return mean * (1 + np.float32(rng.uniform(-change, change)) * ramp + 0.01 * wander(rng, samples, 3))


def drive_past(bus: Bus, rng: np.random.Generator, per_second: float, curve: Curve, level_db: float) -> None:
    """Vehicles pass: noise whose amplitude follows the inverse square of their distance."""
    time = time_axis(bus.samples)
    envelope = np.zeros(bus.samples, dtype=np.float32)
    for moment in moments(rng, bus.seconds + 4, per_second) - 2:
        # Distance over speed: how long a car that goes by stays near.
        near_s = rng.uniform(0.25, 0.7)
        height = 10 ** (-rng.uniform(0, 9) / 20)
        envelope = np.maximum(envelope, height / (1 + ((time - np.float32(moment)) / near_s) ** 2))
    bus.add(envelope * noise(rng, bus.samples, curve), level_db)
