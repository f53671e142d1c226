"""A bank of noises, as one meets them under speech on the web: six kinds, no two clips alike.

It stands in for AudioSet where that is not at hand (`avsep_core.corpora.audioset` reads the real
one). Every kind is made by filters, envelopes and oscillators from one random generator.
"""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, lfilter, oaconvolve, sosfilt

from ..checks import whole, within
from .backgrounds import background
from .talkers import TALKERS

NOISES = ("babble", "street", "music", "wind", "alarms", "applause")
"""The kinds of noise."""

LEAST, LONGEST = 0.5, 120.0
"""Seconds that a noise may last."""

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
_TABLE = 2048  # samples of one period

_Instrument = tuple[np.ndarray, float, float, float, float]


def noise(
    kind: str,
    seconds: float,
    rate: int,
    rng: np.random.Generator,
    *,
    without: Sequence[str] = (),
) -> np.ndarray:
    """Make a noise.

    Parameters: `kind`, one of `NOISES`; `seconds`, 0.5 to 120; `rate` in Hz; `rng`, which decides
    everything; `without`, ids of talkers who shall not speak in a babble. "babble" is several
    talkers at once; "street" traffic that rumbles, cars that pass, a horn now and then; "music"
    chords, bass, melody and drums; "wind" low noise in gusts; "alarms" beeps, a siren or a bell;
    "applause" many short claps that swell and die away.
    Returns (round(seconds * rate),) float32 of power one. Raises ValueError for another kind, a
    length or a rate out of range, or a babble without anybody.
    Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
    """
    if kind not in NOISES:
        raise ValueError(f"noise {kind!r} given; expected one of {', '.join(NOISES)}")
    within(seconds, "seconds", LEAST, LONGEST)
    rate = whole(rate, "rate", least=4000)
    if kind == "babble":
        sound = _babble(seconds, rate, rng, without)
    else:
        make = {"street": _street, "music": _music, "wind": _wind, "alarms": _alarms,
                "applause": _applause}[kind]  # fmt: skip
        sound = make(round(seconds * rate), rate, rng)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), np.float32)


def _band(count: int, rate: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of power one between `low` and `high` Hz; low 0 lets everything below through."""
    high = min(high, 0.45 * rate)
    edges = [min(low, 0.5 * high), high] if low else high
    sos = butter(2, edges, "bandpass" if low else "lowpass", fs=rate, output="sos")
    sound = sosfilt(sos, rng.standard_normal(count))
    return sound / np.sqrt(np.mean(sound**2) + 1e-12)


def _slow(count: int, rate: int, hertz: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random curve of variance about one that changes `hertz` times a second."""
    knots = int(np.ceil(count / rate * hertz)) + 4
    places = (np.arange(knots) - 1 - rng.random()) / hertz * rate
    return CubicSpline(places, rng.standard_normal(knots))(np.arange(count))


def echoed(sound: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The sound in a random room, with an echo that dies away in 0.1 to 0.8 s.

    Parameters: `sound` (n,); `rate` in Hz; `rng`, for the room.
    Returns (n,), the sound itself and its echo.
    """
    lasts = rng.uniform(0.1, 0.8)
    times = np.arange(round(0.6 * lasts * rate)) / rate
    echo = rng.standard_normal(len(times)) * np.exp(-6.9 * times / lasts)
    echo *= rng.uniform(0.1, 0.8) / np.sqrt(np.sum(echo**2))
    return np.asarray(sound + oaconvolve(sound, echo)[: len(sound)])


def _room(sound: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The sound in a random room, and a little hiss."""
    sound = echoed(sound, rate, rng)
    level = np.sqrt(np.mean(sound**2)) * 10 ** (-rng.uniform(25, 45) / 20)
    return sound + level * _band(len(sound), rate, 0, 3000, rng)


def _partials(slope: float, odd: bool, rng: np.random.Generator) -> np.ndarray:
    """Complex sizes of the partials 1, 2, … of a tone, about k^-slope; `odd`: no even ones."""
    k = np.arange(1, 41)
    sizes = k**-slope * np.exp(rng.normal(0, 0.5, 40)) * ((k % 2 == 1) | (not odd))
    return sizes * np.exp(2j * np.pi * rng.random(40))


def _wave(partials: np.ndarray, hertz: float, rate: int) -> np.ndarray:
    """One period of a tone with those partials that lie below half the rate: (_TABLE,)."""
    count = min(max(int(0.45 * rate / hertz), 1), len(partials))
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    spectrum[1 : count + 1] = partials[:count]
    return np.fft.irfft(spectrum, _TABLE) * _TABLE / np.sqrt(2 * np.sum(np.abs(partials) ** 2))


def _sung(wave: np.ndarray, hertz: np.ndarray, rate: int) -> np.ndarray:
    """A period played at the momentary pitch `hertz` (n,): (n,)."""
    turns = np.cumsum(hertz) / rate
    return wave[(turns * _TABLE).astype(int) % _TABLE]


def _babble(
    seconds: float, rate: int, rng: np.random.Generator, without: Sequence[str]
) -> np.ndarray:
    """Talkers at once, in a room, nearer or farther."""
    if all(talker.id in without for talker in TALKERS):
        raise ValueError("without names every talker; leave at least one who may speak in a babble")
    sound = background("babble", seconds, rate, rng, without=without).astype(float)
    return _room(lfilter([1.0, -rng.uniform(0, 0.6)], [1.0], sound), rate, rng)


def _street(count: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Traffic far away, an engine that stands near, cars that pass, a horn now and then."""
    far = _band(count, rate, 0, rng.uniform(150, 500), rng)
    sound = far * np.exp(0.3 * _slow(count, rate, 0.5, rng))
    sound += rng.uniform(0.05, 0.25) * _band(count, rate, 300, rng.uniform(1200, 3500), rng)
    if rng.random() < 0.6:
        hertz = rng.uniform(25, 60) * np.exp(0.08 * _slow(count, rate, 0.4, rng))
        wave = _wave(_partials(rng.uniform(0.3, 1), False, rng), hertz.max(), rate)
        engine = _sung(wave, hertz, rate)
        sound += rng.uniform(0.3, 1.2) * engine * (1 + 0.2 * _slow(count, rate, 20, rng))
    seconds = count / rate
    tyres = _band(count, rate, rng.uniform(300, 700), rng.uniform(1500, 5000), rng)
    body = _band(count, rate, 40, rng.uniform(200, 500), rng)
    for _ in range(1 + rng.poisson(0.35 * seconds)):
        turn = int(rng.integers(count))
        sound += _car(np.roll(tyres, turn), np.roll(body, turn), rate, rng)
    for _ in range(rng.poisson(0.08 * seconds)):
        sound += _horn(count, rate, rng)
    return sound


def _car(
    tyres: np.ndarray, body: np.ndarray, rate: int, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """A car that passes: louder and brighter the nearer, higher as it comes than as it goes."""
    seconds = len(tyres) / rate
    times = np.arange(len(tyres)) / rate - rng.uniform(-0.3, seconds + 0.3)
    place = times / rng.uniform(0.25, 1.0)
    near = 1 / (1 + place**2)
    shift = 1 - 0.05 * np.tanh(place)
    motor = _sung(_wave(_partials(1.0, False, rng), 200, rate), rng.uniform(50, 180) * shift, rate)
    tone = rng.uniform(0.1, 0.5) * motor
    return rng.uniform(0.5, 2.5) * (near**1.5 * tyres * rng.uniform(0.4, 1) + near * (body + tone))


def _horn(count: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Two reeds a third apart, one to three times."""
    times, sound = np.arange(count) / rate, np.zeros(count)
    gate, start = np.zeros(count), rng.uniform(0, 0.9) * count / rate
    for _ in range(int(rng.integers(1, 4))):
        held = rng.uniform(0.1, 0.7)
        inside = np.minimum(times - start, start + held - times)
        gate = np.maximum(gate, np.clip(inside / 0.015, 0, 1))
        start += held + rng.uniform(0.08, 0.3)
    hertz = rng.uniform(300, 480)
    for ratio in (1.0, rng.choice([1.2, 1.25, 1.26])):
        pitch = np.full(count, hertz * ratio)
        sound += _sung(_wave(_partials(0.8, False, rng), hertz * ratio, rate), pitch, rate)
    return rng.uniform(0.4, 1.5) * gate * sound


def _music(count: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A band in a random key and tempo: chords, and mostly a bass, a melody and drums."""
    beat = 60 / rng.uniform(70, 150)
    beats = int(np.ceil(count / rate / beat)) + 1
    key, scale = rng.uniform(45, 57), _SCALES[int(rng.integers(len(_SCALES)))]
    sound = np.zeros(count + rate)
    offset = rng.random() * beat

    def play(degree: int, start: float, held: float, level: float, voice: _Instrument) -> None:
        octave, step = divmod(degree, 7)
        hertz = 440 * 2 ** ((key + 12 * octave + scale[step] - 69) / 12)
        first = round((start * beat - offset) * rate)
        tone = level * _note(hertz, held * beat, voice, rate)
        tone = tone[max(-first, 0) : max(len(sound) - first, 0)]
        sound[max(first, 0) : max(first, 0) + len(tone)] += tone

    chords, bass, lead = (_voice(rng) for _ in range(3))
    length = int(rng.choice([2, 4]))
    roots = rng.choice([0, 3, 4, 5, 1], beats // length + 1)
    has_bass, has_lead, has_drums = rng.random(3) < (0.75, 0.75, 0.6)
    for bar, root in enumerate(roots):
        for degree in (0, 2, 4, 6)[: 3 + int(rng.random() < 0.3)]:
            play(int(root) + degree, bar * length, length, 0.5, chords)
        if has_bass:
            for start in np.arange(0, length, rng.choice([1.0, 2.0])):
                play(int(root) - 7, bar * length + start, 0.9, 1.0, bass)
    place, degree = 0.0, int(rng.integers(7, 14))
    while has_lead and place < beats:
        held = float(rng.choice([0.5, 1.0, 1.5, 2.0]))
        degree = int(np.clip(degree + rng.integers(-3, 4), 5, 18))
        if rng.random() < 0.85:
            play(degree, place, held, 0.8, lead)
        place += held
    sound = sound[:count]
    if has_drums:
        sound += rng.uniform(0.5, 1.5) * _drums(count, rate, beat, offset, rng)
    return _room(sound, rate, rng)


def _voice(rng: np.random.Generator) -> _Instrument:
    """An instrument: its partials, rise in s, decay in 1/s, and vibrato in Hz and as a share."""
    partials = _partials(rng.uniform(0.8, 2.2), bool(rng.random() < 0.25), rng)
    struck = rng.random() < 0.5
    rise = 0.004 if struck else rng.uniform(0.02, 0.1)
    decay = rng.uniform(1.5, 6) if struck else 0.2
    return partials, rise, decay, rng.uniform(4, 7), 0 if struck else rng.uniform(0, 0.008)


def _note(hertz: float, held: float, voice: _Instrument, rate: int) -> np.ndarray:
    """A note of `held` seconds on a `_voice`, with a short release: (n,)."""
    partials, rise, decay, shake, depth = voice
    times = np.arange(round((held + 0.05) * rate)) / rate
    level = np.minimum(times / rise, 1) * np.exp(-decay * times)
    level *= np.clip((held + 0.05 - times) / 0.05, 0, 1)
    pitch = hertz * (1 + depth * np.sin(2 * np.pi * shake * times))
    return level * _sung(_wave(partials, hertz, rate), pitch, rate)


def _drums(
    count: int, rate: int, beat: float, offset: float, rng: np.random.Generator
) -> np.ndarray:
    """Kick, snare and hat in a random pattern of eighths that repeats each four beats."""
    sound = np.zeros(count + rate)
    times = np.arange(round(0.25 * rate)) / rate
    deep = rng.uniform(45, 70)
    hiss = _band(len(times), rate, 2500, 9000, rng)
    kick = 2.5 * np.sin(2 * np.pi * (deep * times + 4 * (1 - np.exp(-times / 0.03)) * deep / 60))
    snare = _band(len(times), rate, 200, 6000, rng) + 0.6 * np.sin(2 * np.pi * 190 * times)
    drums = [(kick * np.exp(-times / 0.09), 0.2), (snare * np.exp(-times / 0.06), 0.15),
             (0.6 * hiss * np.exp(-times / rng.uniform(0.01, 0.06)), 0.8)]  # fmt: skip
    pattern = np.array([rng.random(8) < chance for _, chance in drums])
    pattern[0, 0] = pattern[1, [2, 6]] = True
    for eighth in range(int(np.ceil(2 * (count / rate + offset) / beat))):
        first = round((eighth * beat / 2 - offset) * rate)
        if first < 0:
            continue
        for (drum, _), hit in zip(drums, pattern[:, eighth % 8], strict=True):
            if hit:
                sound[first : first + len(drum)] += drum * rng.uniform(0.7, 1)
    return sound[:count]


def _wind(count: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Low noise whose gusts are louder and brighter; at times it whistles round a corner."""
    gust = rng.uniform(0.4, 0.9) * _slow(count, rate, rng.uniform(0.4, 1.5), rng)
    sound = np.exp(gust) * _band(count, rate, 0, rng.uniform(40, 110), rng)
    sound += rng.uniform(0.2, 0.6) * np.exp(1.7 * gust) * _band(count, rate, 60, 280, rng)
    sound += rng.uniform(0.02, 0.1) * np.exp(2.2 * gust) * _band(count, rate, 300, 1100, rng)
    if rng.random() < 0.35:
        hertz = rng.uniform(300, 900)
        howl = _band(count, rate, 0.96 * hertz, 1.04 * hertz, rng)
        sound += rng.uniform(0.05, 0.15) * np.exp(1.5 * gust) * howl
    return sound


def _alarms(count: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Beeps, a siren or a bell, in a room."""
    make = (_beeps, _siren, _bell)[int(rng.integers(3))]
    return _room(make(np.arange(count) / rate, rate, rng), rate, rng)


def _beeps(times: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Groups of short tones of one or two pitches, then a pause."""
    step, group = rng.uniform(0.09, 0.35), int(rng.integers(1, 5))
    slot = times / step + rng.uniform(0, 0.3)
    place, number = slot % 1, slot.astype(int) % (group + int(rng.integers(0, 3)))
    held = rng.uniform(0.4, 0.8)
    gate = np.clip(np.minimum(place, held - place) * step / 0.004, 0, 1) * (number < group)
    low, high = np.sort(rng.uniform(700, min(3200, 0.4 * rate), 2))
    wave = _wave(_partials(rng.uniform(1.5, 3), True, rng), high, rate)
    pitch = np.where((number % 2 == 1) & (rng.random() < 0.5), low, high)
    return gate * _sung(wave, pitch, rate)


def _siren(times: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A tone that sweeps up and down, jumps between two pitches, or rises again and again."""
    turn = times * np.exp(rng.uniform(np.log(0.3), np.log(4))) + rng.random()
    shape = int(rng.integers(3))
    sweep = (0.5 - 0.5 * np.cos(2 * np.pi * turn), (turn % 1 < 0.5).astype(float), turn % 1)[shape]
    low = rng.uniform(400, 800)
    pitch = low * rng.uniform(1.3, 2.2) ** sweep
    wave = _wave(_partials(rng.uniform(1, 2.5), False, rng), 2.2 * low, rate)
    return _sung(wave, pitch, rate)


def _bell(times: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Partials that fit no one pitch, struck 6 to 25 times a second, in rings and pauses."""
    strikes = rng.uniform(6, 25)
    since = (times * strikes) % 1 / strikes
    base, sound = rng.uniform(500, 1300), np.zeros_like(times)
    for ratio in (1, 1.51, 2.0, 2.74, 3.76, 5.4):
        hertz = base * ratio * rng.uniform(0.98, 1.02)
        if hertz < 0.45 * rate:
            dies = np.exp(-since * rng.uniform(1, 12) * ratio)
            sound += ratio**-0.7 * rng.uniform(0.4, 1) * dies * np.sin(2 * np.pi * hertz * times)
    period, on = rng.uniform(1.5, 6), rng.uniform(0.5, 1)
    place = (times / period + rng.uniform(0, 0.8 * on)) % 1
    return sound * np.clip(np.minimum(place, on - place) * period / 0.02, 0, 1)


def _applause(count: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """People who clap, each at their own pace, place and pitch, while the crowd swells and dies."""
    people = round(np.exp(rng.uniform(np.log(8), np.log(90))))
    crowd = np.clip(0.65 + 0.3 * _slow(count, rate, rng.uniform(0.2, 0.6), rng), 0.15, 1)
    size = round(0.03 * rate)
    times, sound = np.arange(size) / rate, np.zeros(count + size)
    for k in range(people):
        middle = min(np.exp(rng.uniform(np.log(700), np.log(2800))), 0.3 * rate)
        hand, air = rng.standard_normal((2, size))
        ring = np.exp(-1200 * np.pi / rate)
        poles = [1.0, -2 * ring * np.cos(2 * np.pi * middle / rate), ring**2]
        clap = 2 * (1 - ring) * lfilter([1.0, 0.0, -1.0], poles, hand) + 0.3 * air
        clap *= np.exp(-times / rng.uniform(0.002, 0.008)) * np.exp(rng.normal(0, 0.8))
        pace = rng.uniform(2.5, 5)
        claps = np.cumsum(rng.normal(1, 0.08, int(count / rate * pace * 1.3) + 2) / pace)
        for first in ((claps - rng.random() / pace) * rate).astype(int):
            if 0 <= first < count and k < people * crowd[first]:
                sound[first : first + size] += rng.uniform(0.7, 1.2) * clap
    return _room(sound[:count], rate, rng)
