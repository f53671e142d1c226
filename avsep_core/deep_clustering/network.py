"""Deep clustering with and without lips: the networks of Fig. 3 and their audio-only baselines.

Taught in `notebooks/04_deep_clustering.ipynb`, section "The networks".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from .. import weights
from .features import FPS, STFT

KINDS = ("dc", "upit", "avdc", "woa")


@dataclass(frozen=True)
class Architecture:
    """What a network is made of; the defaults are the paper's.

    `kind` "dc" (audio alone), "avdc", "woa" (AVDC without the audio embedding) or "upit" (masks
    of `voices` talkers, no embedding). `hidden` units a direction of each BLSTM, `shared` BLSTMs
    before the branches (3 for DC and AVDC, which then have one more a branch; 3 for uPIT).
    `feature` dimensions of a_t and v_it, `embedding` D, of which each face has half. `filters` of
    conv1 to conv4, `pictured` numbers a picture after them (fc-in), `seeing` units a direction of
    the visual BLSTM, `height` x `width` px of lips, `stacked` grey pictures.
    """

    kind: str = "avdc"
    voices: int = 2
    hidden: int = 300
    shared: int = 3
    feature: int = 128
    embedding: int = 40
    filters: tuple[int, ...] = (8, 16, 32, 64)
    pictured: int = 128
    seeing: int = 256
    height: int = 80
    width: int = 120
    stacked: int = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", tuple(self.filters))
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}; expected one of {', '.join(KINDS)}")
        if self.embedding % 2 or self.stacked % 2 == 0 or len(self.filters) != 4:
            raise ValueError(
                f"embedding {self.embedding}, {self.stacked} stacked pictures, filters "
                f"{self.filters}; expected an even, an odd number, and four"
            )

    @property
    def looks(self) -> bool:
        """Whether it takes lips."""
        return self.kind in ("avdc", "woa")

    def described(self) -> dict[str, object]:
        """Its fields, as a card keeps them: `Architecture(**described)` is the same."""
        return {**asdict(self), "filters": list(self.filters)}


def compact(**changes: object) -> Architecture:
    """The architecture of the shipped weights: a third of the width, lips of 32 x 48 px.

    Parameters
    ----------
    changes : any field of `Architecture`

    Taught in `notebooks/04_deep_clustering.ipynb`, section "A network that fits a laptop".
    """
    small: dict[str, object] = {
        "hidden": 100, "shared": 2, "feature": 64, "embedding": 20, "filters": (4, 8, 16, 32),
        "pictured": 64, "seeing": 64, "height": 32, "width": 48,
    }  # fmt: skip
    return Architecture(**{**small, **changes})  # type: ignore[arg-type]


def _convolved(a: int, b: int) -> list[nn.Module]:
    return [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]


class Pictures(nn.Module):
    """The feed-forward part of the visual network: VGG-style, a picture of lips at a time.

    Two stacks of convolutions, one for grey pictures and one for optical flow, meet in conv3
    (section III-B2). Normalisation is part of it: `grey` (2, H, W), mean and deviation a pixel,
    and `moved` (2, 2), of each channel of the flow, all of the training data (section IV-A3).
    """

    grey: torch.Tensor
    moved: torch.Tensor

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        one, two, three, four = a.filters
        self.stacked, self.size = a.stacked, (a.height, a.width)
        flat = torch.zeros(a.height, a.width)
        self.register_buffer("grey", torch.stack([flat, flat + 1]))
        self.register_buffer("moved", torch.tensor([[0.0, 0.0], [1.0, 1.0]]))

        def early(channels: int) -> nn.Sequential:
            return nn.Sequential(
                *_convolved(channels, one), *_convolved(one, one), nn.MaxPool2d(2),
                *_convolved(one, two), *_convolved(two, two), nn.MaxPool2d(2),
            )  # fmt: skip

        self.look, self.follow = early(a.stacked), early(2)
        self.late = nn.Sequential(
            *_convolved(2 * two, three), nn.MaxPool2d(2), *_convolved(three, four)
        )
        self.inside = nn.Linear(four * (a.height // 8) * (a.width // 8), a.pictured)

    def forward(self, mouths: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """(batch, T, H, W) grey 0…255 and (batch, T, 2, H, W) px -> (batch, T, pictured)."""
        batch, count = mouths.shape[:2]
        grey = (mouths.float() / 255 - self.grey[0]) / self.grey[1]
        mean, spread = self.moved[:, :, None, None]
        moved = (flow.float() - mean) / spread
        half = self.stacked // 2
        when = torch.arange(count, device=mouths.device)
        stack = torch.stack(
            [grey[:, (when + k).clamp(0, count - 1)] for k in range(-half, half + 1)], dim=2
        )
        still, moving = (
            x.flatten(0, 1).contiguous(memory_format=torch.channels_last) for x in (stack, moved)
        )
        joined = torch.cat([self.look(still), self.follow(moving)], dim=1)
        return F.relu(self.inside(self.late(joined).flatten(1))).view(batch, count, -1)


class Lips(nn.Module):
    """The visual network: pictures one by one, then one BLSTM through time, then v_t.

    All faces share its weights.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.pictures = Pictures(a)
        self.lstm = nn.LSTM(a.pictured, a.seeing, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * a.seeing, a.feature)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(batch, T, pictured) of `Pictures` -> (batch, T, feature)."""
        found: torch.Tensor = self.out(self.lstm(features)[0])
        return found


class Network(nn.Module):
    """From a mixture's levels, and lips, to an embedding a bin, or (uPIT) to masks.

    `level` holds mean and deviation of the training data's log amplitudes (section IV-A3), `own`
    (D / 2,) where the bins of a face lie in that face's part of an embedding, as seen from those of
    others: it ties clusters to faces.

    Parameters
    ----------
    architecture : see `Architecture`

    Taught in `notebooks/04_deep_clustering.ipynb`, section "The networks".
    """

    level: torch.Tensor
    own: torch.Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        bins, both = STFT.bins, 2 * a.hidden
        self.register_buffer("level", torch.tensor([0.0, 1.0]))
        self.shared = nn.LSTM(
            bins, a.hidden, num_layers=a.shared, batch_first=True, bidirectional=True
        )
        if a.kind == "upit":
            self.mask = nn.Linear(both, a.voices * bins)
        if a.kind in ("dc", "avdc"):
            self.hear = nn.LSTM(both, a.hidden, batch_first=True, bidirectional=True)
            self.embed = nn.Linear(both, bins * a.embedding)
        if a.looks:
            self.lips = Lips(a)
            self.reduce = nn.Linear(both, a.feature)
            self.join = nn.LSTM(2 * a.feature, a.hidden, batch_first=True, bidirectional=True)
            self.embed_joined = nn.Linear(both, bins * a.embedding // 2)
            self.register_buffer("own", torch.zeros(a.embedding // 2))

    def look(self, mouths: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """What is seen in each picture of each face, which `forward` takes.

        Parameters
        ----------
        mouths : (batch, faces, T, height, width) grey, 0…255
        flow : (batch, faces, T, 2, height, width) px a picture

        Returns
        -------
        (batch, faces, T, pictured)
        """
        seen = self.lips.pictures(mouths.flatten(0, 1), flow.flatten(0, 1))
        return seen.unflatten(0, mouths.shape[:2])

    def forward(
        self,
        level: torch.Tensor,
        features: torch.Tensor | None = None,
        *,
        lips: tuple[torch.Tensor, torch.Tensor] | None = None,
        counted: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embeddings, or masks.

        Parameters
        ----------
        level : (batch, frames, freq) of `features.levels`
        features : (batch, faces, T, pictured) of `look`, for a network that looks
        lips : mouths and flow instead, so that gradients reach the first convolution
        counted : (batch, frames, freq) bool, the bins whose embeddings are wanted; all by default

        Returns
        -------
        (batch, frames, freq, dimensions) of length one: D numbers that were heard, then D / 2 for
        each face (eq. 5); with `counted` (bins, dimensions), one mixture's after the other's. For
        uPIT (batch, frames, freq, voices), masks that add up to one

        Raises
        ------
        ValueError : lips for a network that does not look, or none for one that does
        """
        a = self.architecture
        seeing = features is not None or lips is not None
        if a.looks != seeing:
            raise ValueError(
                f"{'lips' if seeing else 'no lips'} for a network of kind {a.kind!r}, which takes "
                f"them {'always' if a.looks else 'never'}; the kinds that look are avdc and woa"
            )
        if lips is not None:
            features = self.look(*lips)
        batch, frames, bins = level.shape
        h = self.shared((level - self.level[0]) / self.level[1])[0]
        if a.kind == "upit":
            masks: torch.Tensor = self.mask(h).view(batch, frames, bins, a.voices).softmax(-1)
            return masks
        parts = []
        if a.kind != "woa":
            parts.append(self.embed(self.hear(h)[0]).view(batch, frames, bins, -1))
        if features is not None:
            parts += self._faces(self.reduce(h), features)
        V = torch.cat(parts, dim=-1)
        return F.normalize((V if counted is None else V[counted]).float(), dim=-1)

    def _faces(self, heard: torch.Tensor, features: torch.Tensor) -> list[torch.Tensor]:
        batch, faces, count = features.shape[:3]
        frames = heard.shape[1]
        seen = self.lips(features.flatten(0, 1))
        seen = seen[:, shown(frames, count, seen.device)]
        both = torch.cat([heard.repeat_interleave(faces, dim=0), seen], dim=-1)  # eq. 2
        made = self.embed_joined(self.join(both)[0]).view(batch, faces, frames, STFT.bins, -1)
        return list(made.unbind(1))


def shipped_network(name: str) -> Network:
    """A network with the weights that come with the package, such as "avdc"; in eval mode."""
    place = weights.shipped("deep_clustering", name)
    return cast(Network, weights.load(place, lambda told: Network(Architecture(**told))))


def shown(frames: int, count: int, device: torch.device | None = None) -> torch.Tensor:
    """The picture that is shown at each spectrogram frame, (frames,) integers below `count`."""
    when = torch.arange(frames, device=device) * STFT.hop * FPS // STFT.rate
    return when.clamp_max(count - 1)
