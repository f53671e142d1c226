"""The network of Tables 1 and 2: two streams of dilated convolutions, a BLSTM, complex masks.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "The network".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import torch
from torch import nn

from ..spectrogram import STFT
from ..weights import load, shipped
from .representation import COMPACT, PAPER, C, K, compress_mask
from .vectors import SIZE

# (kernel, dilation) of conv3 to conv14 in Table 1, time first; `k` is the printed 5.
_WIDER = [1, 2, 4, 8, 16, 32]
AUDIO_DILATIONS = [(d, 1) for d in _WIDER] + [(d, d) for d in _WIDER]
VISUAL_DILATIONS = [1, 2, 4, 8, 16]
REPEATS = 4
"""Spectrogram frames a picture: 100 Hz over 25 Hz."""


@dataclass(frozen=True)
class Architecture:
    """What a network is made of; the defaults are the paper's.

    `faces` visual streams, 0 for the audio-only baseline; `voices` masks for voices and, with
    `background`, one more; `rate`, `window`, `hop`, `fft` of the spectrogram in Hz and samples.
    `audio`, `last` filters of conv1–14 and of conv15 (Table 1), `visual` of Table 2, `kernel` side
    of the filters from conv3 (audio) and conv2 (visual) on: 5 as printed, or 3, which has the
    printed contexts. `lstm` units a direction, `fc` units of each of three layers; 0 leaves the
    layer out. `mask` "complex" or "magnitude"; `fusion` "late" or "early"; `hearing` False is the
    visual-only network of Table 6; `bottleneck` squeezes each visual stream to that many numbers
    a frame; `centred` takes the mean over time out of the face vectors first.
    """

    faces: int = 2
    voices: int = 2
    background: bool = False
    rate: int = PAPER.rate
    window: int = PAPER.window
    hop: int = PAPER.hop
    fft: int = PAPER.fft
    audio: int = 96
    last: int = 8
    visual: int = 256
    kernel: int = 5
    lstm: int = 400
    fc: int = 600
    mask: str = "complex"
    fusion: str = "late"
    hearing: bool = True
    bottleneck: int = 0
    centred: bool = False

    def __post_init__(self) -> None:
        fits = self.voices == self.faces if self.faces else self.voices >= 1
        if not 0 <= self.faces <= 3 or not fits:
            raise ValueError(
                f"{self.faces} faces and {self.voices} voices; a network has one mask a face, for "
                "one to three faces, or no face and one voice or more"
            )
        if self.kernel % 2 == 0 or self.kernel < 1:
            raise ValueError(f"kernel {self.kernel}; give an odd side: 5 as printed, or 3")
        if self.mask not in ("complex", "magnitude") or self.fusion not in ("late", "early"):
            raise ValueError(
                f"mask {self.mask!r} and fusion {self.fusion!r}; expected complex or magnitude, "
                "and late or early"
            )
        if not self.faces and (not self.hearing or self.fusion == "early" or self.bottleneck):
            raise ValueError("without a face there is only sound: no bottleneck, no early fusion")
        if not self.hearing and self.fusion == "early":
            raise ValueError("early fusion joins picture and sound; a visual-only network has none")

    @property
    def stft(self) -> STFT:
        """The transform whose spectrograms the network takes."""
        return STFT("looking_to_listen", self.rate, self.window, self.hop, self.fft, centred=False)

    @property
    def outputs(self) -> int:
        """How many masks come out."""
        return self.voices + self.background

    def scaled(self, width: float, *, memory: float | None = None) -> Architecture:
        """The same network, narrower.

        Parameters
        ----------
        width : factor on the filters of both streams
        memory : factor on BLSTM and fully connected units, `width` where None
        """
        memory = width if memory is None else memory

        def times(units: int, factor: float, least: int) -> int:
            return max(least, round(units * factor)) if units else 0

        return replace(
            self,
            audio=times(self.audio, width, 2), last=times(self.last, width, 1),
            visual=times(self.visual, width, 2), lstm=times(self.lstm, memory, 4),
            fc=times(self.fc, memory, 4),
        )  # fmt: skip

    def described(self) -> dict[str, int | str | bool]:
        """Its fields, as a card keeps them: `Architecture(**described)` is the same."""
        return asdict(self)


def compact(**changes: int | str | bool) -> Architecture:
    """The architecture of the shipped weights: 8 kHz, filters of three, a sixth of the width.

    Parameters
    ----------
    changes : any field of `Architecture`

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "A network that fits a laptop".
    """
    small = {"audio": 16, "last": 6, "visual": 24, "kernel": 3, "lstm": 152, "fc": 200}
    sound = {"rate": COMPACT.rate, "window": COMPACT.window, "hop": COMPACT.hop, "fft": COMPACT.fft}
    return Architecture(**{"centred": True, **small, **sound, **changes})  # type: ignore[arg-type]


def audio_stream(channels: int, width: int, last: int, kernel: int) -> nn.Sequential:
    """Table 1: fifteen convolutions, each with batch norm and ReLU.

    Parameters
    ----------
    channels : of the input, 2 for real and imaginary part
    width : filters of conv1 to conv14
    last : filters of conv15
    kernel : side of the filters of conv3 to conv14

    Returns
    -------
    (batch, channels, frames, freq) -> (batch, last, frames, freq)
    """
    filters = [((1, 7), (1, 1), width), ((7, 1), (1, 1), width)]
    filters += [((kernel, kernel), dilation, width) for dilation in AUDIO_DILATIONS]
    filters += [((1, 1), (1, 1), last)]
    return _convolutions(channels, filters)


def visual_stream(width: int, kernel: int, *, bottleneck: int = 0) -> nn.Sequential:
    """Table 2: six convolutions over time, each with batch norm and ReLU.

    Returns a map (batch, SIZE, T, 1) -> (batch, width, T, 1), or `bottleneck` channels where that
    is not zero.
    """
    filters = [((7, 1), (1, 1), width)]
    filters += [((kernel, 1), (d, 1), width) for d in VISUAL_DILATIONS]
    if bottleneck:
        filters += [((1, 1), (1, 1), bottleneck)]
    return _convolutions(SIZE, filters)


Filter = tuple[tuple[int, int], tuple[int, int], int]


def _convolutions(channels: int, filters: Sequence[Filter]) -> nn.Sequential:
    layers: list[nn.Module] = []
    widths = [channels, *(width for *_, width in filters)]
    for (before, after), (kernel, dilation, _) in zip(pairwise(widths), filters, strict=True):
        around = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
        layers += [
            nn.Conv2d(before, after, kernel, dilation=dilation, padding=around, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


class Network(nn.Module):
    """From a noisy spectrogram and face vectors to one mask a voice (Fig. 4).

    The number of frames is free: convolutions and BLSTM take any length, and batch norm averages
    over time.

    Parameters
    ----------
    architecture : see `Architecture`

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "The network".
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        bins, wide = a.stft.bins, 0
        self.audio = self.visual = self.reduce = self.lstm = None
        if a.hearing:
            extra = a.faces if a.fusion == "early" else 0
            self.audio = audio_stream(2 + extra, a.audio, a.last, a.kernel)
            wide += a.last * bins
        if a.faces and a.fusion == "late":
            self.visual = visual_stream(a.visual, a.kernel, bottleneck=a.bottleneck)
            wide += a.faces * (a.bottleneck or a.visual)
        if a.faces and a.fusion == "early":
            self.reduce = nn.Sequential(
                nn.Linear(SIZE, bins), nn.ReLU(), nn.Linear(bins, bins), nn.ReLU()
            )
        if a.lstm:
            self.lstm = nn.LSTM(wide, a.lstm, batch_first=True, bidirectional=True)
            wide = 2 * a.lstm
        layers: list[nn.Module] = []
        for _ in range(3 if a.fc else 0):
            layers += [nn.Linear(wide, a.fc), nn.ReLU()]
            wide = a.fc
        self.parts = 2 if a.mask == "complex" else 1
        self.head = nn.Sequential(*layers, nn.Linear(wide, a.outputs * self.parts * bins))
        self._begin()

    @torch.no_grad()
    def _begin(self) -> None:
        """Weights whose outputs are as large as their inputs (He et al., 2015).

        With torch's own, which shrink from layer to layer, the deep stack learns nothing for
        thousands of steps. Masks begin near one half: the mixture, shared out.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        nn.init.xavier_normal_(last.weight)
        if self.parts == 2:
            last.bias.view(self.architecture.outputs, 2, -1)[:, 0] = 1 / (K * C)

    def forward(self, X: torch.Tensor, vectors: torch.Tensor | None = None) -> torch.Tensor:
        """Estimate masks.

        Parameters
        ----------
        X : (batch, 2, frames, freq) power-law spectrogram of the mixture
        vectors : (batch, faces, T, SIZE) face vectors at a quarter of the frames' rate, zeros
            where a face is not seen; None without faces

        Returns
        -------
        (batch, outputs, 2, frames, freq) within -K…K, or (batch, outputs, 1, …) within 0…1

        Raises
        ------
        ValueError : another number of bins or faces than the architecture's
        """
        a = self.architecture
        batch, frames = len(X), X.shape[2]
        self._check(X, vectors)
        if vectors is not None and a.centred:
            vectors = centred(vectors)
        features = []
        if vectors is not None and self.visual is not None:
            seen = vectors.flatten(0, 1).transpose(1, 2)[..., None]
            seen = upsample(self.visual(seen)[..., 0].transpose(1, 2), frames)
            features += list(seen.unflatten(0, (batch, a.faces)).unbind(1))
        if vectors is not None and self.reduce is not None:
            X = torch.cat([X, upsample(self.reduce(vectors), frames)], dim=1)
        if self.audio is not None:
            heard = self.audio(X.contiguous(memory_format=torch.channels_last))
            features.insert(0, heard.transpose(1, 2).flatten(2))
        h = torch.cat(features, dim=-1)
        if self.lstm is not None:
            h = self.lstm(h)[0]
        M = self.head(h).float().unflatten(-1, (a.outputs, self.parts, a.stft.bins))
        M = M.permute(0, 2, 3, 1, 4)
        return compress_mask(M, K=K, C=C) if self.parts == 2 else torch.sigmoid(M)

    def _check(self, X: torch.Tensor, vectors: torch.Tensor | None) -> None:
        a = self.architecture
        if X.ndim != 4 or X.shape[1] != 2 or X.shape[3] != a.stft.bins or not X.shape[2]:
            raise ValueError(
                f"a spectrogram of shape {tuple(X.shape)} was given; this network takes (batch, 2, "
                f"frames, {a.stft.bins})"
            )
        if vectors is not None and (vectors.ndim != 4 or vectors.shape[3] != SIZE):
            raise ValueError(
                f"face vectors of shape {tuple(vectors.shape)} were given; expected (batch, faces, "
                f"pictures, {SIZE})"
            )
        given = 0 if vectors is None else vectors.shape[1]
        if given != a.faces:
            raise ValueError(
                f"{given} faces were given to a network of {a.faces}; take the network for that "
                "many faces, or give as many"
            )


def centred(vectors: torch.Tensor) -> torch.Tensor:
    """Face vectors without their mean over the pictures in which the face is seen.

    Who it is does not change within a clip; what is left is how the face moves.

    Parameters
    ----------
    vectors : (..., T, SIZE); rows of zeros are missing faces, and stay zero

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "A network that fits a laptop".
    """
    seen = (vectors != 0).any(-1, keepdim=True)
    mean = vectors.sum(-2, keepdim=True) / seen.sum(-2, keepdim=True).clamp_min(1)
    return torch.where(seen, vectors - mean, 0.0)


def upsample(x: torch.Tensor, frames: int) -> torch.Tensor:
    """Nearest neighbour in time, from 25 to 100 Hz: each picture counts for four frames.

    Parameters
    ----------
    x : (..., T, channels)
    frames : wanted; 75 pictures give 300, of which the last two are dropped for 298. Where
        pictures end before the sound, the last one stays.

    Returns
    -------
    (..., frames, channels)

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Pictures at the pace of sound".
    """
    nearest = torch.arange(frames, device=x.device) // REPEATS
    return x[..., nearest.clamp_max(x.shape[-2] - 1), :]


def context(filters: Sequence[tuple[int, int]]) -> int:
    """Receptive field of a stack of convolutions along one axis: 1 + sum of d (k - 1).

    Parameters
    ----------
    filters : (kernel, dilation) of each layer along that axis

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "The network".
    """
    return 1 + sum(d * (k - 1) for k, d in filters)


def shipped_separator(name: str) -> Network:
    """A network whose weights come with the package, such as "av2_2s_clean", to evaluate.

    Raises ValueError where there is none of that name, or its file is damaged.
    """
    network = load(shipped("looking_to_listen", name), lambda made: Network(Architecture(**made)))
    assert isinstance(network, Network)
    return network
