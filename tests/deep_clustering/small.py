"""Small things that the tests of deep clustering share: networks, utterances, planted sounds."""

from dataclasses import replace

import numpy as np
import torch
from scipy.signal.windows import tukey

from avsep_core.corpora.store import SIDE, Example
from avsep_core.deep_clustering.features import STFT
from avsep_core.deep_clustering.network import Network, compact

TINY = compact(hidden=6, feature=4, embedding=4, filters=(2, 2, 4, 4), pictured=5, seeing=3)


def network(kind="avdc", **changes):
    """A narrow network that has learnt nothing, and to which what it sees matters."""
    torch.manual_seed(0)
    made = Network(replace(TINY, kind=kind, **changes)).eval()
    if made.architecture.looks:
        made.own[:] = 0.5**0.5
        eyes = made.lips.pictures
        for part in eyes.modules():
            if isinstance(part, torch.nn.Conv2d):
                part.weight.data *= 9
        eyes.inside.weight.data /= 300
        made.lips.out.weight.data *= 3
        made.embed_joined.weight.data *= 3
    return made


def pictures(faces, count=4, batch=1):
    """Lips and their flow, as `Network.look` takes them."""
    torch.manual_seed(1)
    return (
        torch.randint(0, 256, (batch, faces, count, 32, 48), dtype=torch.uint8),
        torch.randn(batch, faces, count, 2, 32, 48),
    )


def split(seconds=1.28, voices=2):
    """Voices (voices, samples) that share no bin: noise, each in a part of the scale of its own,
    which begins and ends softly."""
    samples = round(seconds * STFT.rate)
    S = np.fft.rfft(np.random.default_rng(7).standard_normal((voices, samples)))
    scale = np.linspace(0, voices, S.shape[1])
    for k in range(voices):
        S[k, (scale < k + 0.15) | (scale > k + 0.85)] = 0
    return (np.fft.irfft(S, samples) * tukey(samples, 0.2)).astype(np.float32)


def murmurs(place, *, seconds=3.0, rate=8000):
    """Utterances of three women and three men who murmur, with flickering faces."""

    def example(number):
        rng = np.random.default_rng([len(place), number])
        faces = rng.integers(0, 256, (round(25 * seconds), SIDE, SIDE), dtype=np.uint8)
        sound = 0.1 * rng.standard_normal(round(seconds * rate))
        who, sex = f"{place}{number % 6}", "fm"[number % 2]
        return Example(who, sex, sound, faces, np.zeros(len(faces), np.float32))

    return example
