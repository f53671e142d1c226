"""Two talkers side by side who speak in turn, one of them delayed until they overlap.

The protocol of Llagostera Casanovas et al., section 4: two people utter digits alternately, then
"audio and video atoms of one speaker" are shifted by 150 frames. Here the recording itself is
shifted, sound and picture by the same 5.005 s, before there is any atom; so the sources are known
exactly, and sum to the mixture in float32. The shift is cut, not cyclic: what is left is the part
in which both recordings run, 150 frames less than before, and no picture jumps.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..checks import whole
from ..clip import Clip
from ..synthetic.duologue import FPS, SHIFT, Turns, perform, say, solo, take_turns
from .base import Corpus, CorpusError
from .dialogue_lists import DialogueItem, fixed_dialogues
from .mixtures import mix

__all__ = ["Dialogue", "DialogueItem", "Track", "fixed_dialogues", "make_dialogue", "overlap"]

RATE = 8000
"""Hz of every dialogue's sound."""

_THIRD = 5.0  # s: each of the two turns of somebody off screen
_SEXES = {"f": "woman", "m": "man"}


@dataclass(frozen=True, eq=False)
class Track:
    """One talker's recording: frames (T, H, W, 3) uint8, sound (samples,), turns in s, and mouth
    boxes (T, 4) [x, y, w, h] in px, or None where nobody knows."""

    frames: np.ndarray
    audio: np.ndarray
    turns: Turns
    mouth: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Dialogue:
    """Two talkers side by side, one of them delayed so that they overlap.

    `clip` has frames (T, 120, 176, 3) and the mixture at 8 kHz as sound. `sources` (2, samples)
    float32, left talker first, sum to it exactly, together with `off_screen` (samples,) where a
    third person speaks. `names` are unique: "woman" and "man", or "left woman" and "right woman".
    `mouths` (2, T, 4) are boxes [x, y, w, h] in px of the clip's picture, or None; `turns` are
    (start, end) in s of each talker, after the shift, and `off_turns` those of the third.
    """

    name: str
    kind: str
    clip: Clip
    sources: np.ndarray
    names: tuple[str, str]
    mouths: np.ndarray | None
    turns: tuple[Turns, Turns]
    off_screen: np.ndarray | None = None
    off_turns: Turns = field(default=())

    @property
    def solo(self) -> tuple[Turns, Turns]:
        """For each talker the slots (start, end) in s in which nobody else has a turn."""
        left, right, _ = solo([*self.turns, self.off_turns])
        return left, right


def make_dialogue(
    corpus: Corpus,
    item: DialogueItem,
    *,
    shift_frames: int | None = None,
    always: bool = False,
    third: str | None = None,
    moving: bool = False,
    solo_seconds: float | None = None,
) -> Dialogue:
    """Turn an item of a list into sound and pictures.

    Parameters
    ----------
    corpus : where its talkers are
    item : see `fixed_dialogues`
    shift_frames : how many pictures one talker is delayed by; 0 leaves the recording as it is;
        None is the corpus's own: 150 as in the paper, for GRID and own videos see `recorded`
    always : both talk all the time (synthetic talkers only, as all that follow)
    third : id of a talker who speaks off screen in two turns
    moving : both walk to and fro, 28 px from end to end
    solo_seconds : for how long each speaks alone, at equal overlap; None as drawn

    Returns
    -------
    Dialogue

    Raises
    ------
    ValueError : options that the corpus does not have, a shift that leaves nothing; CorpusError
        where a recording is missing.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    if corpus.lists != "synthetic":
        if always or moving or third is not None or solo_seconds is not None:
            raise CorpusError(
                f"{corpus.name}: always, third, moving and solo_seconds were asked of recordings; "
                "only synthetic talkers do as they are told"
            )
        return _recorded(corpus, item, shift_frames)
    shift = SHIFT if shift_frames is None else shift_frames
    seed = _seed(item)
    rng = np.random.default_rng([seed, 77])
    first, second, seconds = take_turns(rng, solo_seconds=solo_seconds)
    slots = [second, second]
    slots[item.delayed] = first
    if always:
        slots = [((0.0, seconds),)] * 2
    tracks = []
    for speaker, mine in zip(item.speakers, slots, strict=True):
        part = perform(speaker, mine, seconds=seconds, seed=seed, rate=RATE, moving=moving)
        tracks.append(Track(part.frames, part.audio, part.turns, part.mouth))
    if third is not None:
        begin = float(shift / FPS)
        left = seconds - begin
        length = min(_THIRD, left / 4)
        theirs = tuple(
            (middle - length / 2, middle + length / 2)
            for middle in (begin + left / 4, begin + 3 * left / 4)
        )
        audio, _, turns = say(third, theirs, seconds=seconds, seed=seed, rate=RATE)
        tracks.append(Track(np.zeros((len(tracks[0].frames), 0, 0, 3), np.uint8), audio, turns))
    sexes = (corpus.sex(item.speakers[0]), corpus.sex(item.speakers[1]))
    return overlap(item, tracks, sexes, fps=float(FPS), shift_frames=shift)


def _recorded(corpus: Corpus, item: DialogueItem, shift_frames: int | None) -> Dialogue:
    from .cuave import Cuave
    from .recorded import in_turn

    if isinstance(corpus, Cuave):
        fps, shift = float(FPS), SHIFT
        tracks = corpus.tracks(item.speakers[0].removesuffix("-left"), fps=fps)
    else:
        fps = 25.0
        tracks, shift = in_turn(corpus, item, fps=fps)
    sexes = (corpus.sex(item.speakers[0]), corpus.sex(item.speakers[1]))
    if isinstance(corpus, Cuave):
        delayed = sexes.index("m") if set(sexes) == {"f", "m"} else item.delayed
        item = replace(item, delayed=delayed, gains_db=_as_recorded(tracks))
    shift = shift if shift_frames is None else shift_frames
    return overlap(item, tracks, sexes, fps=fps, shift_frames=shift)


def _as_recorded(tracks: Sequence[Track]) -> tuple[float, float]:
    """Gains that leave two talkers of one recording as loud as they were."""
    left, right = (
        10 * np.log10(max(float(np.mean(t.audio**2.0)), 1e-12) / sum(b - a for a, b in t.turns))
        for t in tracks
    )
    loudest = max(left, right)
    return left - loudest, right - loudest


def overlap(
    item: DialogueItem,
    tracks: Sequence[Track],
    sexes: tuple[str, str],
    *,
    fps: float,
    shift_frames: int = SHIFT,
) -> Dialogue:
    """Delay one of two tracks of equal length, keep what both share, and put them side by side.

    Parameters
    ----------
    item : names, gains, and who is delayed
    tracks : the left talker, the right one, and perhaps one who is only heard; sound at RATE
    sexes : "f", "m" or "unknown" of left and right
    fps : pictures a second
    shift_frames : how many pictures the one is delayed by

    Returns
    -------
    Dialogue of `shift_frames` pictures less than the tracks.

    Raises
    ------
    ValueError : a shift that is no whole number of pictures from 0 on, or leaves less than 2 s; a
        talker who is then silent.
    """
    total = min(len(track.frames) for track in tracks)
    shift_frames = whole(shift_frames, "shift_frames", "pictures", least=0)
    count = total - shift_frames
    if count < 2 * fps:
        raise ValueError(
            f"{item.name}: shift_frames={shift_frames} was given; expected 0 to "
            f"{int(total - 2 * fps)} of {total} frames, so that 2 s remain"
        )
    skips = [0 if k == item.delayed else shift_frames for k in range(len(tracks))]
    cut = [_cut(track, skip, count, fps) for track, skip in zip(tracks, skips, strict=True)]
    sources, mixture = _levelled(item, cut)
    left, right = cut[:2]
    mouths = None
    if left.mouth is not None and right.mouth is not None:
        beside = np.array([left.frames.shape[2], 0, 0, 0])
        mouths = np.stack([left.mouth, right.mouth + beside]).astype(np.float32)
    frames = np.concatenate([left.frames, right.frames], axis=2)
    return Dialogue(
        name=item.name,
        kind=item.kind,
        clip=Clip(frames, fps, mixture, RATE, item.name),
        sources=sources[:2],
        names=_names(sexes),
        mouths=mouths,
        turns=(left.turns, right.turns),
        off_screen=sources[2] if len(sources) > 2 else None,
        off_turns=cut[2].turns if len(cut) > 2 else (),
    )


def _cut(track: Track, skip: int, count: int, fps: float) -> Track:
    """`count` pictures from picture `skip` on, and what is heard and said meanwhile."""
    begin, seconds = skip / fps, count / fps
    first = round(begin * RATE)
    samples = round(seconds * RATE)
    audio = track.audio[first : first + samples]
    moved = [(max(a - begin, 0.0), min(b - begin, seconds)) for a, b in track.turns]
    return Track(
        track.frames[skip : skip + count],
        np.pad(audio, (0, samples - len(audio))),
        tuple((a, b) for a, b in moved if b > a),
        None if track.mouth is None else track.mouth[skip : skip + count],
    )


def _levelled(item: DialogueItem, tracks: Sequence[Track]) -> tuple[np.ndarray, np.ndarray]:
    """Sources and their sum, as `mixtures.mix`, but with levels measured while each speaks."""
    gains = []
    for track, gain in zip(tracks, [*item.gains_db, 0.0][: len(tracks)], strict=True):
        spoken = sum(end - start for start, end in track.turns) * RATE
        gains.append(gain + 10 * np.log10(max(spoken, 1) / len(track.audio)))
    names = [f"{item.name}: {who}" for who in (*item.speakers, "the third")[: len(tracks)]]
    return mix([track.audio for track in tracks], gains, names=names)


def _names(sexes: tuple[str, str]) -> tuple[str, str]:
    if not set(sexes) <= set(_SEXES):
        return "left", "right"
    left, right = _SEXES[sexes[0]], _SEXES[sexes[1]]
    return (left, right) if left != right else (f"left {left}", f"right {right}")


def _seed(item: DialogueItem) -> int:
    kind, _, seed = item.says[0][0].partition(":")
    if kind != "digits" or not seed.isdecimal():
        raise CorpusError(f"{item.name}: {item.says[0][0]!r} was given; expected digits:seed")
    return int(seed)
