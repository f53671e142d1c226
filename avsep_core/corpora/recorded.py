"""Real talkers in turn: recordings of two people, laid one after the other on two tracks.

Nobody of GRID, or of your own videos, was filmed while listening. So the picture of the one who
listens runs forwards and backwards over the silent pictures at the start and the end of that
person's own recordings, and the sound is silent. No recording is used twice: what is heard alone
and what is heard in the overlap are different words.

Where recordings of one person meet, the picture jumps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from .. import faces
from ..clip import Clip
from .base import Corpus, CorpusError
from .dialogue_lists import DialogueItem
from .dialogues import RATE, Track

HEIGHT, WIDTH = 120, 88
_FACE = (0.56, 0.538)  # of the picture's height: side of the face box, and its middle
_LIPS_READY = 0.15  # s before the first sound and after the last in which lips may move
_ALONE, _OVERLAP = 1.2, 0.3  # s: what is left alone where possible, the least overlap
_LONGEST = 20.0  # s of a recording


@dataclass(frozen=True, eq=False)
class _Take:
    """A recording, cropped: frames (T, 120, 88, 3), sound (samples,), mouth boxes (T, 4), when
    speech begins and ends in s, and the numbers of silent frames before and after it."""

    frames: np.ndarray
    audio: np.ndarray
    mouth: np.ndarray
    speech: tuple[float, float]
    quiet: tuple[int, int]


def when_spoken(audio: np.ndarray, rate: int) -> tuple[float, float]:
    """When speech begins and ends in a recording of one person in a quiet room, in s.

    Parameters
    ----------
    audio : (samples,) float
    rate : Hz

    Returns
    -------
    First and last 10 ms whose level, smoothed over 90 ms, lies above the middle in dB between the
    quietest and the loudest twentieth; what lasts less than 0.2 s is no speech.

    Raises
    ------
    CorpusError : nothing stands out.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    hop = rate // 100
    blocks = np.asarray(audio[: len(audio) // hop * hop], float).reshape(-1, hop)
    level = median_filter(10 * np.log10((blocks**2).mean(axis=1) + 1e-12), 9, mode="nearest")
    floor, top = np.percentile(level, [5, 95]) if len(level) else (0, 0)
    loud = np.flatnonzero(level > (floor + top) / 2)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > 40) + 1)
    spoken = [group for group in groups if len(group) >= 20]
    if top - floor < 6 or not spoken:
        raise CorpusError(
            f"no speech stands out of the {len(audio) / rate:.2f} s of sound; choose a recording "
            "of one voice in a quiet room"
        )
    return float(spoken[0][0]) / 100, float(spoken[-1][-1] + 1) / 100


def _take(clip: Clip) -> _Take:
    """Crop the head out of a recording, always at the same place, and find speech and silence."""
    if clip.seconds > _LONGEST:
        clip = clip.trim(0, _LONGEST)
    track = faces.follow(clip.frames)[0]
    count = len(clip.frames)
    box = _head(np.median(track.boxes, axis=0), *clip.frames.shape[1:3])
    frames = faces.crop(clip.frames, np.tile(box, (count, 1)), size=(HEIGHT, WIDTH))
    mouth = (track.lips - [box[0], box[1], 0, 0]) * HEIGHT / box[3]
    begin, end = when_spoken(clip.audio, clip.rate)
    before = int((begin - _LIPS_READY) * clip.fps)
    after = count - int(np.ceil((end + _LIPS_READY) * clip.fps))
    audio = np.zeros(round(count / clip.fps * clip.rate), np.float32)
    audio[: len(clip.audio)] = clip.audio[: len(audio)]
    ramp = np.linspace(0, 1, clip.rate // 100, dtype=np.float32)
    audio[: len(ramp)] *= ramp
    audio[-len(ramp) :] *= ramp[::-1]
    quiet = (max(1, before), max(1, after))
    return _Take(frames, audio, mouth.astype(np.float32), (begin, end), quiet)


def _head(face: np.ndarray, height: int, width: int) -> np.ndarray:
    """The part of the picture around a face's box, within the picture where that can be."""
    x, y, w, h = face
    size = np.array([WIDTH / HEIGHT, 1.0]) * h / _FACE[0]
    corner = np.array([x + w / 2, y + h / 2]) - size * [0.5, _FACE[1]]
    most = np.maximum(np.array([width, height]) - size, 0)
    return np.concatenate([np.clip(corner, 0, most), size])


def _to_and_fro(size: int, count: int) -> np.ndarray:
    """(count,) steps away from an end: 1, 2, …, size - 1, size - 2, …, 0, 1, …"""
    if size == 1:
        return np.zeros(count, int)
    steps = np.arange(1, count + 1) % (2 * size - 2)
    return np.minimum(steps, 2 * size - 2 - steps)


def _listening(before: _Take | None, after: _Take | None, count: int) -> tuple[np.ndarray, ...]:
    """Frames and mouth boxes of somebody who has said `before` and is going to say `after`."""
    first = count if after is None else 0 if before is None else count // 2
    parts = []
    if before is not None and first:
        index = len(before.frames) - 1 - _to_and_fro(before.quiet[1], first)
        parts.append((before.frames[index], before.mouth[index]))
    if after is not None and count > first:
        index = _to_and_fro(after.quiet[0], count - first)[::-1]
        parts.append((after.frames[index], after.mouth[index]))
    frames, mouths = zip(*parts, strict=True)
    return np.concatenate(frames), np.concatenate(mouths)


def in_turn(corpus: Corpus, item: DialogueItem, *, fps: float = 25.0) -> tuple[list[Track], int]:
    """Lay the recordings of two real talkers on two tracks, so that they speak in turn.

    Who is going to be delayed begins. Each says all recordings of the item once: in two turns
    where both have two or more, else in one.

    Parameters
    ----------
    corpus : where their recordings are
    item : who sits left and right and what each says
    fps : pictures a second

    Returns
    -------
    The left and the right track, of equal length, and the number of pictures by which the one
    who begins is to be delayed: the turns then overlap for a third of the shorter one, or less
    where 1.2 s of it would not remain alone.

    Raises
    ------
    ValueError : no face is found, or no speech; CorpusError where a recording is missing.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    takes = []
    for speaker, said in zip(item.speakers, item.says, strict=True):
        takes.append([_named(corpus, speaker, each, fps) for each in said])
    count = min(2, *(len(each) for each in takes))
    order = (item.delayed, 1 - item.delayed)
    turns = [
        (who, [takes[who][k] for k in part])
        for part_of in range(count)
        for who in order
        for part in [np.array_split(np.arange(len(takes[who])), count)[part_of]]
    ]
    tracks = [_track(who, turns, fps) for who in (0, 1)]
    first, second = (tracks[who].turns[0] for who in order)
    shorter = min(end - start for track in tracks for start, end in track.turns)
    together = max(_OVERLAP, min(shorter / 3, shorter - _ALONE))
    return tracks, round((second[0] - first[1] + together) * fps)


def _named(corpus: Corpus, speaker: str, said: str, fps: float) -> _Take:
    try:
        return _take(corpus.clip(speaker, said, fps=fps, rate=RATE))
    except ValueError as error:
        raise CorpusError(f"{corpus.name}: {speaker} {said}: {error}") from error


def _track(who: int, turns: list[tuple[int, list[_Take]]], fps: float) -> Track:
    """What `who` says, with a listening picture and silence while the other speaks."""
    frames, mouths, pieces = [], [], []
    spoken: list[tuple[float, float]] = []
    now, before = 0, None
    mine = [k for k, (speaker, _) in enumerate(turns) if speaker == who]
    for k, (speaker, takes) in enumerate(turns):
        if speaker != who:
            length = sum(len(take.frames) for take in takes)
            after = turns[k + 1][1][0] if k + 1 in mine else None
            seen, boxes = _listening(before, after, length)
            frames.append(seen)
            mouths.append(boxes)
            now += length
            continue
        start = now / fps + takes[0].speech[0]
        for take in takes:
            frames.append(take.frames)
            mouths.append(take.mouth)
            pieces.append((now, take.audio))
            end = now / fps + take.speech[1]
            now += len(take.frames)
        spoken.append((start, end))
        before = takes[-1]
    audio = np.zeros(round(now / fps * RATE), np.float32)
    for place, piece in pieces:
        first = round(place / fps * RATE)
        room = audio[first : first + len(piece)]
        room += piece[: len(room)]
    return Track(np.concatenate(frames), audio, tuple(spoken), np.concatenate(mouths))
