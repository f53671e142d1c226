"""Videos in which one thing sounds, with the reader's own pictures of where that thing is.

Pu et al. (the low-rank paper, section 3) use three videos of earlier papers: *Wooden Horse* and
*Violin Yanni* of Izadinia, Saleemi and Shah, "Multimodal analysis for identification and
segmentation of moving-sounding objects", IEEE Transactions on Multimedia 15(2), 378-390, 2013; and
*Guitar Solo* of Li, Ye and Hua, "What's making that sound?", ACM Multimedia 2014, 147-156.
They belong to those who filmed them; nothing is downloaded or passed on here. Cite the papers.

We know of no archive of these videos with regions, so the layout is ours: a folder holds one video
of each scene, and beside it a picture that the reader paints:

    wooden_horse.avi
    wooden_horse_region.png    white where the thing that sounds moves, black elsewhere
    wooden_horse_other.png     if you like: white where other things move

Any other video with a `_region.png` beside it counts too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import clip as clips
from ..checks import within
from .base import CorpusError, need_folder
from .folder import SUFFIXES, _video

__all__ = ["KNOWN", "AvBench", "Filmed", "read_mask"]

KNOWN = ("wooden_horse", "violin_yanni", "guitar_solo")
"""The paper's videos, first in `AvBench.names`; spaces, hyphens and capitals are forgiven."""

ADVICE = (
    "make a folder with one video of each scene, such as wooden_horse.avi, and beside it a picture "
    "wooden_horse_region.png that is white where the sounding thing moves; pass it as data_root"
)
PAINT = (
    "open a still of the video in a paint program, paint white where the sounding thing moves, "
    "black elsewhere, and save it as PNG"
)
_GREY, _STRETCH = 0.1, 0.05  # most of a mask that may be grey, most that its aspect may be off


@dataclass(frozen=True, eq=False)
class Filmed:
    """A filmed scene. `source` is the film's own sound: noise is added to it, as in the paper.

    Parameters
    ----------
    name : such as "wooden_horse"
    clip : pictures and sound
    region : (H, W) bool, where the thing that sounds moves
    distractor : (H, W) bool, where other things move; all False where the reader gave none
    source : (samples,) float32, the clip's sound, taken as clean: there is no other reference
    """

    name: str
    clip: clips.Clip
    region: np.ndarray
    distractor: np.ndarray
    source: np.ndarray


class AvBench:
    """The videos of a folder that have a region.

    Parameters
    ----------
    data_root : the folder, see this module's first lines

    Raises
    ------
    CorpusError : no folder, no video, no video with a region, or two files for one name.

    The low-rank paper, section 3, "Datasets". Taught in `notebooks/02_low_rank.ipynb`, section
    "The data".
    """

    def __init__(self, data_root: str | Path | None) -> None:
        self.root = need_folder("av_bench", data_root, ADVICE)
        paths = sorted(self.root.iterdir())
        self._videos = self._by_key([path for path in paths if _video(path)])
        self._masks = self._by_key([p for p in paths if p.suffix.lower() == ".png"])
        if not self._videos:
            raise CorpusError(
                f"av_bench: {self.root} holds no video with one of the suffixes "
                f"{' '.join(SUFFIXES)}; {ADVICE}"
            )
        if not self.names:
            wanted = ", ".join(f"{path.stem}_region.png" for path in self._videos.values())
            raise CorpusError(
                f"av_bench: no video in {self.root} has a region; expected one of {wanted}: {PAINT}"
            )

    def _by_key(self, paths: list[Path]) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in paths:
            twin = found.setdefault(_key(path.stem), path)
            if twin != path:
                raise CorpusError(
                    f"av_bench: {twin.name} and {path.name} in {self.root} would both be "
                    f"{_key(path.stem)!r}; rename one of them"
                )
        return found

    @property
    def names(self) -> list[str]:
        """Every video that has a region: those of the paper first, then others by file name."""
        whole = [key for key in self._videos if f"{key}_region" in self._masks]
        others = [self._videos[key].stem for key in whole if key not in KNOWN]
        return [name for name in KNOWN if name in whole] + others

    def item(
        self,
        name: str,
        *,
        fps: float = 25.0,
        rate: int = 8000,
        size: tuple[int, int] | None = None,
        seconds: float | None = None,
    ) -> Filmed:
        """One scene, seen and heard.

        Parameters
        ----------
        name : one of `names`
        fps, rate : wanted frames per second and Hz
        size : (height, width) in pixels; None keeps the video's own. Masks of any size follow by
            nearest neighbour.
        seconds : take the first part of this length; None, or more than there is, takes all

        Returns
        -------
        Filmed; where both masks are white, the pixel belongs to the region.

        Raises
        ------
        CorpusError : names the video or mask that is missing or cannot be used, and how to make
            one; a silent video.
        MediaError : the video cannot be read, or has no sound; see `clip.read`.

        The low-rank paper, section 3. Taught in `notebooks/02_low_rank.ipynb`, section "The data".
        """
        if seconds is not None:
            within(seconds, "seconds", 0, float("inf"))
        video, painted = self._pair(name)
        name = _key(name) if _key(name) in KNOWN else video.stem
        clip = replace(clips.read(video, fps=fps, rate=rate, size=size), name=name)
        own = clip.frames.shape[1:3] if size is None else _own_size(video)
        if seconds is not None and seconds < min(clip.seconds, len(clip.frames) / clip.fps):
            clip = clip.trim(0.0, seconds)
        if not clip.audio.any():
            raise CorpusError(
                f"av_bench: {video.name} in {self.root} is silent from its start on; its own sound "
                "is the source: choose another part or another video"
            )
        height, width = clip.frames.shape[1:3]
        region = _fitted(painted, own, (height, width))
        distractor = np.zeros_like(region)
        other = self._masks.get(f"{_key(name)}_other")
        if other is not None:
            distractor = _fitted(other, own, (height, width)) & ~region
            if not distractor.any():
                raise CorpusError(
                    f"av_bench: {other} lies within {painted.name}; paint the other things that "
                    "move, or delete it if nothing else does"
                )
        return Filmed(name, clip, region, distractor, clip.audio)

    def _pair(self, name: str) -> tuple[Path, Path]:
        """The video and the mask of a name."""
        video, region = self._videos.get(_key(name)), self._masks.get(f"{_key(name)}_region")
        if video is None:
            raise CorpusError(
                f"av_bench: expected a video {self.root / name} with one of the suffixes "
                f"{' '.join(SUFFIXES)}; with a region there are {', '.join(self.names)}"
            )
        if region is None:
            raise CorpusError(
                f"av_bench: expected {self.root / (video.stem + '_region.png')} beside "
                f"{video.name}: {PAINT}"
            )
        return video, region


def read_mask(path: str | Path) -> np.ndarray:
    """A black and white picture as a mask.

    Parameters
    ----------
    path : PNG; edges may be soft, transparent counts as black

    Returns
    -------
    (H, W) bool, True where it is white

    Raises
    ------
    CorpusError : not a picture, more than a tenth of it neither black nor white, nothing white,
        or nothing black.

    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    import cv2

    path = Path(path)
    if not path.is_file():
        raise CorpusError(f"av_bench: expected the picture {path}, which does not exist; {PAINT}")
    data = np.frombuffer(path.read_bytes(), np.uint8)
    stored = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if stored is None:
        raise CorpusError(f"av_bench: {path} is no picture that can be read; {PAINT}")
    full = 65535 if stored.dtype == np.uint16 else 255
    image = np.atleast_3d(stored).astype(np.float32) / full
    if image.shape[-1] in (2, 4):
        image = image[..., :-1] * image[..., -1:]
    darkest, brightest = image.min(axis=-1), image.max(axis=-1)
    grey = float(np.mean((darkest < 0.75) & (brightest > 0.25)))
    if grey > _GREY:
        raise CorpusError(
            f"av_bench: {100 * grey:.0f}% of {path} is neither black nor white; expected a mask "
            f"of two colours, not a picture: {PAINT}"
        )
    white = darkest > 0.5
    if not white.any():
        raise CorpusError(
            f"av_bench: nothing in {path} is white (its brightest value is "
            f"{100 * brightest.max():.1f}% of full scale; a mask of 0 and 1 must be stored as 0 "
            f"and 255); {PAINT}"
        )
    if white.all():
        raise CorpusError(f"av_bench: {path} is white everywhere; leave the rest black: {PAINT}")
    return white


def _key(stem: str) -> str:
    return re.sub(r"[\s_-]+", "_", stem.strip().lower())


def _own_size(video: Path) -> tuple[int, int]:
    """Height and width of a video's pictures as they are seen, before any scaling."""
    height, width = clips.read(video, fps=0.05, rate=8000).frames.shape[1:3]
    return height, width


def _fitted(path: Path, own: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
    """A mask drawn for pictures of `own` (height, width), in `size`, by nearest neighbour."""
    mask = read_mask(path)
    wanted, given = own[1] / own[0], mask.shape[1] / mask.shape[0]
    if abs(given / wanted - 1) > _STRETCH:
        raise CorpusError(
            f"av_bench: {path} has {mask.shape[1]}x{mask.shape[0]} px, but the video {own[1]}x"
            f"{own[0]}: the shapes differ; paint the mask on a whole still of this video"
        )
    rows = ((np.arange(size[0]) + 0.5) * mask.shape[0] / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * mask.shape[1] / size[1]).astype(int)
    fitted = mask[rows[:, None], columns]
    if not fitted.any() or fitted.all():
        raise CorpusError(
            f"av_bench: of {path} nothing is {'black' if fitted.all() else 'white'} at "
            f"{size[1]}x{size[0]} px; paint larger areas or ask for a larger size"
        )
    return fitted
