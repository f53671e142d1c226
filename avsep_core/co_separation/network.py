"""The networks: a ResNet-18 that sees an object, a U-Net that masks its sound, a classifier.

Taught in `notebooks/05_co_separation.ipynb`, section "The network".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from ..checks import whole
from ..spectrogram import STFTS, log_unwarp, log_warp

KINDS = ("co_separation", "mix_and_separate", "sound_of_pixels")
"""What separates: objects (Gao and Grauman), whole videos with the same network, or whole videos
by channels that picture and sound share (Zhao and others, 2018)."""

PAPER = STFTS["co_separation"]
"""The transform of this chapter: 11025 Hz, 1022 samples, a step of 256 (section 4.2)."""
_QUIET = 1e-3  # the paper's program adds 1e-10


@dataclass(frozen=True)
class Architecture:
    """What a network is made of; the defaults are the paper's (section 4.2).

    `kind` of KINDS; `classes` C, without the adaptable class; `bins` and `frames` of the
    log-frequency spectrogram, powers of two; `levels` of the U-Net, each of which halves both;
    `base` filters of its first level, doubled from level to level up to eight times; `seeing` and
    `hearing` filters of the first blocks of the two ResNet-18; `vector` numbers that describe a
    picture; `side` of the pictures in px; `channels` K of Sound-of-Pixels. With `hearing` 0 there
    is no classifier. `modulated`: what is seen also scales and shifts what leaves each level on the
    way up (FiLM: Perez and others, 2018), where the paper joins it at the bottom only.
    """

    kind: str = "co_separation"
    classes: int = 15
    bins: int = 256
    frames: int = 256
    levels: int = 7
    base: int = 64
    seeing: int = 64
    hearing: int = 64
    vector: int = 512
    side: int = 224
    channels: int = 32
    modulated: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}; expected one of {', '.join(KINDS)}")
        for name in ("classes", "levels", "base", "seeing", "vector", "channels"):
            whole(getattr(self, name), name)
        whole(self.hearing, "hearing", least=0)
        least = 2**self.levels
        if self.bins % least or self.frames % least or self.side < 32:
            raise ValueError(
                f"{self.bins} bins, {self.frames} frames and pictures of {self.side} px; "
                f"{self.levels} levels halve both, so give multiples of {least}, and 32 px or more"
            )

    @property
    def samples(self) -> int:
        """Length of the sounds whose spectrogram has `frames` frames."""
        return PAPER.hop * self.frames - 1

    def described(self) -> dict[str, int | str | bool]:
        """Its fields, as a card keeps them: `Architecture(**described)` is the same."""
        return asdict(self)


def compact(**changes: int | str) -> Architecture:
    """The architecture of the shipped weights: three seconds, 128 bins, a fifth of the width.

    It is `modulated`, unlike the paper's; the recipe `row_tiled` makes a network that is not.

    Parameters
    ----------
    changes : any field of `Architecture`
    """
    told: dict[str, int | str] = {
        "classes": 9, "bins": 128, "frames": 128, "levels": 4, "base": 12, "seeing": 8,
        "hearing": 8, "vector": 64, "side": 56, "channels": 16, "modulated": True,
    }  # fmt: skip
    return Architecture(**{**told, **changes})  # type: ignore[arg-type]


def spectrogram(sound: torch.Tensor, bins: int) -> torch.Tensor:
    """Magnitudes on a logarithmic frequency axis.

    Parameters
    ----------
    sound : (..., samples) at `PAPER.rate`
    bins : rows

    Returns
    -------
    (..., bins, frames)
    """
    return warped(PAPER.forward(sound), bins)


def warped(X: torch.Tensor, bins: int) -> torch.Tensor:
    """Magnitudes of an STFT on a logarithmic frequency axis, as `spectrogram` has them.

    Parameters
    ----------
    X : (..., 512, frames) complex
    bins : rows

    Returns
    -------
    (..., bins, frames)
    """
    magnitudes = (X.real.square() + X.imag.square()).sqrt()  # faster than X.abs() on a CPU
    found: torch.Tensor = log_warp(magnitudes, bins)
    return found


def log_magnitudes(magnitudes: torch.Tensor) -> torch.Tensor:
    """Logarithms of magnitudes, brought near the range -1…2 as networks like it; same shape."""
    return (torch.log(magnitudes + _QUIET) + 3) / 3


def unwarped(masks: torch.Tensor) -> torch.Tensor:
    """Masks on the linear frequency axis again: (..., bins, frames) -> (..., 512, frames)."""
    found: torch.Tensor = log_unwarp(masks, PAPER.bins)
    return found


class Block(nn.Module):
    """Two convolutions of 3 x 3, and a shorter way around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(2))
        self.around: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.around = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, before, h, w) -> (batch, after, h / stride, w / stride)."""
        inner = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(self.norms[1](self.second(inner)) + self.around(x))


class ResNet18(nn.Module):
    """The convolutions of a ResNet-18 (He and others, 2016): 32 times smaller at the end.

    Parameters
    ----------
    channels : of the input
    width : filters of the first blocks, 64 in the original; eight times as many come out
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )  # fmt: skip
        widths = [width * 2**k for k in range(4)]
        self.blocks = nn.Sequential()
        for k, after in enumerate(widths):
            before = widths[max(k - 1, 0)]
            self.blocks.append(Block(before, after, 1 if k == 0 else 2))
            self.blocks.append(Block(after, after, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, h, w) -> (batch, 8 width, h / 32, w / 32)."""
        found: torch.Tensor = self.blocks(self.stem(x))
        return found


class Seeing(nn.Module):
    """One vector for the picture of an object (section 3.2): ResNet-18, 1 x 1 convolution, layer.

    Parameters
    ----------
    architecture : `seeing`, `side`, `vector`
    """

    reduced = 128

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = architecture
        self.trunk = ResNet18(3, a.seeing)
        self.reduce = nn.Conv2d(8 * a.seeing, min(self.reduced, 2 * a.seeing), 1)
        left = -(-a.side // 32)
        self.describe = nn.Linear(self.reduce.out_channels * left**2, a.vector)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, side, side) float, 0…1 -> (n, vector)."""
        found = torch.relu(self.reduce(self.trunk(4 * (pictures - 0.45))))
        return torch.relu(self.describe(found.flatten(1)))


class UNet(nn.Module):
    """Down to a few numbers a channel, joined by what is seen, and up again (section 3.2).

    Parameters
    ----------
    architecture : `levels`, `base`, `modulated`
    joined : numbers that are tiled at the bottom
    outputs : channels that come out
    """

    def __init__(self, architecture: Architecture, joined: int, outputs: int) -> None:
        super().__init__()
        a = architecture
        widths = [min(a.base * 2**k, 8 * a.base) for k in range(a.levels)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for k, after in enumerate(widths):
            layers: list[nn.Module] = [nn.Conv2d(widths[k - 1] if k else 1, after, 4, 2, 1)]
            if 0 < k < a.levels - 1:
                layers.append(nn.BatchNorm2d(after))
            self.down.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        for k in reversed(range(a.levels)):
            below = widths[k] + (joined if k == a.levels - 1 else widths[k])
            after = widths[k - 1] if k else outputs
            layers = [nn.ConvTranspose2d(below, after, 4, 2, 1)]
            if k:
                layers += [nn.BatchNorm2d(after), nn.ReLU()]
            self.up.append(nn.Sequential(*layers))
        told = widths[-2::-1] if a.modulated else []
        self.modulate = nn.ModuleList(nn.Linear(joined, 2 * width) for width in told)

    def forward(self, x: torch.Tensor, seen: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
        """Go down once for each mixture, and up once for each picture.

        Parameters
        ----------
        x : (mixtures, 1, bins, frames)
        seen : (n, joined)
        of : (n,) to which mixture a picture belongs

        Returns
        -------
        (n, outputs, bins, frames)
        """
        found = []
        for layer in self.down:
            x = layer(x)
            found.append(x)
        x = torch.cat([x[of], seen[..., None, None].expand(-1, -1, *x.shape[2:])], dim=1)
        for k, layer in enumerate(self.up):
            x = layer(x if k == 0 else torch.cat([x, found[-1 - k][of]], dim=1))
            if k < len(self.modulate):
                scale, shift = self.modulate[k](seen)[..., None, None].chunk(2, dim=1)
                x = x * (1 + scale) + shift
        return x


class Separator(nn.Module):
    """Masks for pictures, and the class of each sound that they let through.

    Parameters
    ----------
    architecture : of any kind
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        if a.kind == "sound_of_pixels":
            self.trunk = ResNet18(3, a.seeing)
            self.share = nn.Conv2d(8 * a.seeing, a.channels, 1)
            self.unet = UNet(replace(a, modulated=False), 1, a.channels)
            self.bias = nn.Parameter(torch.zeros(1))
            return
        self.see = Seeing(a)
        self.unet = UNet(a, a.vector, 1)
        if a.hearing:
            self.listen = ResNet18(1, a.hearing)
            self.name = nn.Linear(8 * a.hearing, a.classes + 1)

    def forward(
        self, mixture: torch.Tensor, pictures: torch.Tensor, of: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """A ratio mask for each picture, and what the sound behind it is like.

        Parameters
        ----------
        mixture : (mixtures, bins, frames) of `spectrogram`
        pictures : (n, 3, side, side) float, 0…1
        of : (n,) int64, to which mixture a picture belongs

        Returns
        -------
        (n, bins, frames), 0…1, and (n, classes + 1) of `sounds_like`; None without a classifier
        """
        x = log_magnitudes(mixture)[:, None]
        if self.architecture.kind == "sound_of_pixels":
            seen = torch.sigmoid(self.share(self.trunk(4 * (pictures - 0.45))).amax((2, 3)))
            nothing = x.new_zeros(len(x), 1)
            heard = self.unet(x, nothing, torch.arange(len(x), device=x.device))[of]
            return torch.sigmoid((seen[..., None, None] * heard).sum(1) + self.bias), None
        masks = torch.sigmoid(self.unet(x, self.see(pictures), of)[:, 0])
        heard = self.sounds_like(masks * mixture[of]) if self.architecture.hearing else None
        return masks, heard

    def deaf(self) -> Separator:
        """The same network without its classifier, which separating does not need."""
        made = Separator(replace(self.architecture, hearing=0))
        mine = self.state_dict()
        made.load_state_dict({name: mine[name] for name in made.state_dict()})
        return made.train(self.training)

    def sounds_like(self, separated: torch.Tensor) -> torch.Tensor:
        """How much each separated sound is of each class.

        Parameters
        ----------
        separated : (n, bins, frames) magnitudes

        Returns
        -------
        (n, classes + 1) before the softmax; the last is the adaptable class

        Raises
        ------
        ValueError : the network has no classifier
        """
        heard = self.heard(separated)
        return self.name(heard)

    def heard(self, separated: torch.Tensor) -> torch.Tensor:
        """What the classifier's last layer sees of a sound, (n, 8 hearing): Fig. 4.

        Raises ValueError where the network has no classifier.
        """
        if not hasattr(self, "listen"):
            raise ValueError(
                f"a network of kind {self.architecture.kind} without a classifier; take one whose "
                "`hearing` is above 0 and that is not sound_of_pixels"
            )
        found: torch.Tensor = self.listen(log_magnitudes(separated)[:, None]).mean((2, 3))
        return found
