"""Ten acoustic scenes as generative models: what stands still, what moves, what happens in each.

A scene is a function of a place: it draws what belongs to the location (its machines, its floor, how busy it
is) and returns a function that plays one clip of it onto two buses, one for what is near and one for what is
heard through the room. Levels are in dB relative to a scene's usual loudness.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from channel_sparsity.data.sources.synthetic import events
from channel_sparsity.data.sources.synthetic.events import AIR, GRAVEL, STONE, occasionally
from channel_sparsity.data.sources.synthetic.sounds import Bus, Curve, cycle, gusts, noise, puff, ring, turn
from channel_sparsity.data.sources.synthetic.voices import Crowd, talk

Play = Callable[[np.random.Generator, Bus, Bus], None]

VENTILATION: Curve = ((20, -6), (60, 0), (125, -2), (500, -8), (2000, -18), (8000, -32), (20000, -44))
TRAFFIC: Curve = (
    (20, -4), (63, 0), (125, -3), (250, -7), (500, -10), (1000, -11), (2000, -17), (4000, -27), (16000, -50),
)  # fmt: skip
TYRES: Curve = (
    (20, -24), (60, -12), (125, -9), (315, -6), (800, 0),
    (1300, -1), (2500, -8), (5000, -17), (10000, -28), (20000, -42),
)  # fmt: skip
ROAD: Curve = ((20, -10), (60, 0), (150, -2), (400, -10), (1000, -16), (4000, -28), (16000, -46))
TRACK: Curve = ((20, -12), (80, -5), (200, -1), (450, 0), (1000, -6), (3000, -18), (8000, -32), (20000, -48))
LEAVES: Curve = ((20, -30), (100, -26), (500, -14), (2000, -3), (5000, 0), (9000, -4), (20000, -16))
WIND: Curve = ((20, 0), (60, -4), (150, -16), (400, -32), (1000, -48), (20000, -90))
WATER: Curve = ((20, -34), (200, -20), (500, -7), (1500, 0), (5000, -4), (12000, -12), (20000, -20))


@dataclass(frozen=True)
class City:
    """What the scenes of a city share: its language, chimes, trains, trams and birds."""

    pitch_hz: float
    syllables_per_second: float
    chime_hz: tuple[float, ...]
    whine_hz: float
    gong_hz: float
    bird_hz: float
    tilt_db: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "City":
        """A city by chance; `tilt_db` is the rise of everything from 100 Hz to 10 kHz."""
        root = rng.uniform(380, 620)
        steps = rng.choice([-5, -3, 4, 5, 7], size=rng.integers(1, 4))
        return cls(
            pitch_hz=rng.uniform(130, 185),
            syllables_per_second=rng.uniform(3.8, 5.6),
            chime_hz=(root, *(root * 2 ** (np.cumsum(steps) / 12))),
            whine_hz=rng.uniform(280, 620),
            gong_hz=rng.uniform(650, 1000),
            bird_hz=rng.uniform(3000, 5000),
            tilt_db=rng.normal(0, 1.5),
        )

    def crowd(self, rng: np.random.Generator, voices: float) -> Crowd:
        """A Poisson number of its people."""
        return Crowd(int(rng.poisson(voices)), self.pitch_hz, self.syllables_per_second)


def airport(place: np.random.Generator, city: City) -> Play:
    """A hall: ventilation, a murmur from all sides, wheeled suitcases, announcements after a chime, steps."""
    air_db, murmur_db = place.normal(-6, 2), place.normal(-5, 2)
    voices, cases, walkers = place.uniform(3, 8), place.uniform(0.6, 1.6), place.uniform(0.5, 2)
    announcements = place.uniform(0.08, 0.3)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.hiss(rng, VENTILATION, air_db)
        talk(far, rng, city.crowd(rng, voices), murmur_db)
        talk(near, rng, city.crowd(rng, 0.4), -15)
        for _ in range(rng.poisson(cases)):
            events.suitcase(near, rng, 1 - rng.uniform(0, 9))
        events.footsteps(far, rng, walkers, STONE, 3)
        occasionally(far, rng, announcements, lambda: events.chime(city.chime_hz), 2)
        if rng.random() < announcements:
            talk(far, rng, Crowd(1, 1.2 * city.pitch_hz, city.syllables_per_second, 0), 1)
        occasionally(far, rng, 0.1, lambda: events.beep(rng.uniform(900, 2200), 0.15), -3)

    return play


def shopping_mall(place: np.random.Generator, city: City) -> Play:
    """A gallery: ventilation, a murmur, music from the shops, beeping tills, steps, now and then crockery."""
    air_db, murmur_db, music_db = place.normal(-9, 2), place.normal(-5, 2), place.normal(-2, 2)
    voices, walkers, tills = place.uniform(3, 8), place.uniform(1, 3), place.uniform(0.1, 0.5)
    till_hz, beats = place.uniform(1500, 2600), place.uniform(2.5, 4.5)
    root = place.uniform(180, 300)
    scale = root * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.hiss(rng, VENTILATION, air_db)
        talk(far, rng, city.crowd(rng, voices), murmur_db)
        talk(near, rng, city.crowd(rng, 0.6), -13)
        events.footsteps(far, rng, walkers, STONE, 3)
        for start in np.arange(rng.random() / beats, far.seconds, 1 / beats):
            note = rng.choice(scale)
            far.strike(
                start,
                ring(note * np.arange(1, 6), [0.7, 0.5, 0.4, 0.3, 0.2], [1, 0.6, 0.4, 0.3, 0.2]),
                music_db,
            )
            far.strike(start, ring([root / 2, root], [0.5, 0.3], [1, 0.4]), music_db + rng.normal(0, 2))
        occasionally(far, rng, tills, lambda: events.beep(till_hz, 0.12), -1)
        occasionally(near, rng, 0.2, lambda: events.clink(rng), -5)

    return play


def metro_station(place: np.random.Generator, city: City) -> Play:
    """A platform: an escalator's hum and clatter, a murmur, steps, announcements, trains that roll in."""
    air_db, murmur_db, hum_db = place.normal(-8, 2), place.normal(-8, 2), place.normal(-5, 2)
    voices, walkers, trains = place.uniform(2, 6), place.uniform(1, 3), place.uniform(0.4, 0.75)
    announcements = place.uniform(0.05, 0.25)
    hum_hz, treads_hz = place.uniform(22, 27), place.uniform(1.4, 2.2)
    escalator = cycle(place, np.arange(1, 25) ** -0.6 * np.exp(0.8 * place.standard_normal(24)))
    drive = events.motor(place)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.hiss(rng, VENTILATION, air_db)
        far.add(turn(rng, escalator, np.full(far.samples, hum_hz)), hum_db)
        tread = puff(rng, 0.1, events.IRON, 0.1)
        for start in np.arange(rng.random() / treads_hz, far.seconds, 1 / treads_hz):
            far.strike(start, tread, hum_db + 6)
        talk(far, rng, city.crowd(rng, voices), murmur_db)
        events.footsteps(far, rng, walkers, STONE, 4)
        if rng.random() < trains:
            loud_db = rng.uniform(-8, 4)
            far.add(gusts(rng, far.samples, 1, 3) * noise(rng, far.samples, TRACK), loud_db)
            pace = events.speed(rng, far.samples, city.whine_hz * rng.uniform(0.4, 1), 0.5)
            far.add(turn(rng, drive, pace), loud_db - 12)
            occasionally(far, rng, 0.4, lambda: events.squeal(rng, rng.uniform(2200, 4200)), loud_db - 6)
        occasionally(far, rng, announcements, lambda: events.chime(city.chime_hz), 2)
        if rng.random() < announcements:
            talk(far, rng, Crowd(1, 1.2 * city.pitch_hz, city.syllables_per_second, 0), 1)

    return play


def metro(place: np.random.Generator, city: City) -> Play:
    """In an underground train: rolling noise, rail joints, the drive's whine, squeal, beeping doors."""
    roll_db, whine_db, joint_db = place.normal(-1, 2), place.normal(-10, 3), place.normal(4, 2)
    squeals, voices, beep_hz = place.uniform(0.05, 0.35), place.uniform(0.3, 2), place.uniform(700, 1600)
    drive = events.motor(place)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        pace = rng.uniform(0.35, 1.1)
        slow_db = 14 * np.log10(pace)
        far.add(gusts(rng, far.samples, 1.5, 1.5) * noise(rng, far.samples, TRACK), roll_db + slow_db)
        near.hiss(rng, VENTILATION, -12)
        near.add(turn(rng, drive, events.speed(rng, near.samples, city.whine_hz * pace, 0.35)), whine_db)
        events.rail_joints(near, rng, 20 * pace, joint_db + slow_db)
        occasionally(far, rng, squeals, lambda: events.squeal(rng, rng.uniform(2500, 4800)), 0)
        talk(near, rng, city.crowd(rng, voices), -10)
        occasionally(near, rng, 0.08, lambda: events.beep(beep_hz, 0.4), -7)

    return play


def tram(place: np.random.Generator, city: City) -> Play:
    """In a tram: lighter rolling noise, joints, a higher whine, squeal, the gong, the street, passengers."""
    roll_db, whine_db, joint_db = place.normal(-4, 2), place.normal(-8, 3), place.normal(3, 2)
    squeals, voices, street_db = place.uniform(0.05, 0.35), place.uniform(0.8, 3), place.normal(-7, 3)
    drive = events.motor(place)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        pace = rng.uniform(0.2, 1.1)
        slow_db = 14 * np.log10(pace)
        near.add(gusts(rng, near.samples, 1.5, 1.5) * noise(rng, near.samples, TRACK), roll_db + slow_db)
        near.hiss(rng, TRAFFIC, street_db)
        near.add(turn(rng, drive, events.speed(rng, near.samples, 1.5 * city.whine_hz * pace, 0.35)), whine_db)
        events.rail_joints(near, rng, 12 * pace, joint_db + slow_db)
        occasionally(far, rng, squeals, lambda: events.squeal(rng, rng.uniform(1800, 3600)), 0)
        occasionally(far, rng, 0.1, lambda: events.gong(city.gong_hz), 1)
        talk(near, rng, city.crowd(rng, voices), -9)

    return play


def bus(place: np.random.Generator, city: City) -> Play:
    """In a bus: a diesel that idles or pulls, the road, rattling panels, compressed air, passengers."""
    engine_db, road_db, rattles = place.normal(-2, 3), place.normal(-3, 2), place.uniform(0.5, 3)
    idle, voices, hisses = place.uniform(9.5, 13), place.uniform(0.5, 2.5), place.uniform(0.08, 0.3)
    engine = events.diesel(place)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        pulls = rng.random() < 0.65
        turns = idle * (rng.uniform(1.4, 2.6) if pulls else 1.0)
        near.add(turn(rng, engine, events.speed(rng, near.samples, turns, 0.3 if pulls else 0.02)), engine_db)
        near.add(gusts(rng, near.samples, 2, 2) * noise(rng, near.samples, ROAD), road_db - (0 if pulls else 8))
        near.hiss(rng, VENTILATION, -12)
        occasionally(near, rng, rattles, lambda: puff(rng, 0.08, events.WHEELS, 0.09), 3)
        occasionally(far, rng, hisses, lambda: puff(rng, 0.7, AIR, 0.9, attack_s=0.02), -2)
        talk(near, rng, city.crowd(rng, voices), -9)

    return play


def park(place: np.random.Generator, city: City) -> Play:
    """Birds, wind in leaves and on the microphone, steps on gravel, the town far away, few voices."""
    leaves_db, town_db, wind_db = place.normal(-8, 3), place.normal(-7, 2), place.normal(-8, 3)
    birds, walkers, voices = place.uniform(0.3, 1.6), place.uniform(0.1, 0.6), place.uniform(0.1, 1)
    singers = city.bird_hz * np.exp(0.25 * place.standard_normal(3))

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.add(gusts(rng, near.samples, 1.5, 3) * noise(rng, near.samples, LEAVES), leaves_db)
        near.add(gusts(rng, near.samples, 3, 4) * noise(rng, near.samples, WIND), wind_db)
        near.hiss(rng, TRAFFIC, town_db)
        occasionally(far, rng, birds, lambda: events.birdsong(rng, rng.choice(singers)), 3)
        events.footsteps(near, rng, walkers, GRAVEL, 3)
        talk(far, rng, city.crowd(rng, voices), -9)

    return play


def public_square(place: np.random.Generator, city: City) -> Play:
    """Open space: voices and steps on all sides, traffic around it, a fountain, a bell, sparrows."""
    town_db, voices, walkers = place.normal(-9, 2), place.uniform(2, 6), place.uniform(0.5, 3)
    water_db = place.normal(-6, 2) if place.random() < 0.5 else None
    bell_hz, birds = place.uniform(260, 480), place.uniform(0.2, 0.8)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.hiss(rng, TRAFFIC, town_db)
        if water_db is not None:
            near.hiss(rng, WATER, water_db)
        near.add(gusts(rng, near.samples, 3, 4) * noise(rng, near.samples, WIND), -10)
        talk(far, rng, city.crowd(rng, voices), -3)
        talk(near, rng, city.crowd(rng, 0.5), -9)
        events.footsteps(far, rng, walkers, STONE, 6)
        events.drive_past(far, rng, 0.1, TYRES, -8)
        occasionally(far, rng, birds, lambda: events.birdsong(rng, 1.1 * city.bird_hz), 0)
        occasionally(far, rng, 0.1, lambda: events.church_bell(bell_hz), 2)

    return play


def street_pedestrian(place: np.random.Generator, city: City) -> Play:
    """Between houses: many steps close by, talk in passing, crockery, bicycle bells, distant traffic."""
    town_db, voices, walkers = place.normal(-7, 2.5), place.uniform(1.5, 5), place.uniform(2.5, 6)
    crockery, bells = place.uniform(0, 0.8), place.uniform(0.02, 0.15)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.hiss(rng, TRAFFIC, town_db)
        talk(near, rng, city.crowd(rng, voices), -9)
        talk(far, rng, city.crowd(rng, voices), -13)
        events.footsteps(near, rng, walkers, STONE, 5)
        occasionally(near, rng, crockery, lambda: events.clink(rng), -3)
        occasionally(far, rng, bells, lambda: events.bicycle_bell(rng), 0)

    return play


def street_traffic(place: np.random.Generator, city: City) -> Play:
    """A busy road: tyres that swell and fade, engines that wait or pull away, a horn, few steps."""
    town_db, cars, tyres_db = place.normal(-7, 2), place.uniform(0.25, 0.7), place.normal(2, 2)
    walkers, voices, waits = place.uniform(0, 1), place.uniform(0, 1), place.uniform(0.1, 0.5)
    engine = events.diesel(place)

    def play(rng: np.random.Generator, near: Bus, far: Bus) -> None:
        near.hiss(rng, TRAFFIC, town_db)
        events.drive_past(near, rng, cars, TYRES, tyres_db)
        if rng.random() < waits:
            turns = rng.uniform(11, 26)
            pace, engine_db = events.speed(rng, near.samples, turns, 0.3), -5 - rng.uniform(0, 8)
            near.add(turn(rng, engine, pace), engine_db)
        events.footsteps(near, rng, walkers, STONE, 1)
        talk(near, rng, city.crowd(rng, voices), -12)
        occasionally(far, rng, 0.05, lambda: events.horn(rng), 2)

    return play


@dataclass(frozen=True)
class Scene:
    """How a scene plays, how long its rooms reverberate (from, to), how loud it is (dB re full scale)."""

    model: Callable[[np.random.Generator, City], Play]
    reverberation_s: tuple[float, float]
    level_db: float


SCENES = {
    "airport": Scene(airport, (1.2, 2.4), -32),
    "bus": Scene(bus, (0.1, 0.25), -27),
    "metro": Scene(metro, (0.15, 0.4), -26),
    "metro_station": Scene(metro_station, (1.0, 2.2), -30),
    "park": Scene(park, (0.2, 0.5), -36),
    "public_square": Scene(public_square, (0.4, 1.2), -33),
    "shopping_mall": Scene(shopping_mall, (0.8, 1.8), -32),
    "street_pedestrian": Scene(street_pedestrian, (0.3, 1.0), -32),
    "street_traffic": Scene(street_traffic, (0.3, 0.9), -28),
    "tram": Scene(tram, (0.1, 0.3), -28),
}
"""TAU's ten scenes. Their order is part of a location's number: new ones go to the end."""
