"""Small networks and pairs of videos for the tests of this room."""

import torch

from avsep_core.co_separation.network import Architecture, Separator

TINY = Architecture(
    classes=3, bins=32, frames=32, levels=3, base=4, seeing=4, hearing=4, vector=24, side=32,
    channels=4,
)  # fmt: skip


def separator(**changes):
    """A network with random weights, always the same, in eval mode."""
    torch.manual_seed(0)
    return Separator(Architecture(**{**TINY.described(), **changes})).eval()


def batch(pairs=2, seed=0):
    """Pairs of videos: two objects and a scene in the first, one object and a scene in the other;
    the last slot is empty."""
    rng = torch.Generator().manual_seed(seed)
    slots = {
        "video": torch.tensor([0, 0, 0, 1, 1, 1]),
        "label": torch.tensor([0, 1, 3, 2, 3, 0]),
        "there": torch.tensor([True, True, True, True, True, False]),
        "present": torch.tensor([[0, 1, -1, -1]] * 3 + [[2, -1, -1, -1]] * 3),
    }
    return {
        "sounds": torch.randn(pairs, 2, TINY.samples, generator=rng),
        "pictures": torch.randint(
            0, 256, (pairs, 6, 3, TINY.side, TINY.side), generator=rng, dtype=torch.uint8
        ),
        **{name: part.expand(pairs, *part.shape).clone() for name, part in slots.items()},
    }
