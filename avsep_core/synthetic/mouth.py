"""Mouth shapes over time: targets of the visemes, blended by dominance, closures kept shut."""

from dataclasses import dataclass

import numpy as np

from .phonemes import Phoneme, shapes

PARAMETERS = ("open", "wide", "round", "teeth", "tongue")

TARGETS: dict[str, tuple[float, float, float, float, float]] = {
    "rest": (0.00, 0.00, 0.00, 0.00, 0.00),
    "pbm": (0.06, 0.00, 0.00, 0.00, 0.00),
    "fv": (0.13, 0.15, 0.00, 0.00, 0.00),
    "th": (0.34, 0.10, 0.00, 0.10, 1.00),
    "td": (0.28, 0.15, 0.00, 0.40, 0.45),
    "l": (0.38, 0.10, 0.00, 0.10, 0.75),
    "sz": (0.24, 0.45, 0.00, 1.00, 0.05),
    "sh": (0.30, -0.45, 0.75, 0.90, 0.05),
    "kg": (0.34, 0.00, 0.00, 0.20, 0.00),
    "r": (0.26, -0.35, 0.45, 0.40, 0.10),
    "w": (0.10, -0.90, 1.00, 0.00, 0.00),
    "j": (0.24, 0.45, 0.00, 0.50, 0.10),
    "ee": (0.30, 0.85, 0.00, 0.60, 0.15),
    "ih": (0.40, 0.40, 0.00, 0.35, 0.15),
    "eh": (0.58, 0.30, 0.00, 0.10, 0.15),
    "ae": (0.82, 0.35, 0.00, 0.00, 0.15),
    "ah": (0.95, 0.00, 0.00, 0.00, 0.10),
    "aw": (0.68, -0.50, 0.55, 0.00, 0.00),
    "oo": (0.22, -0.85, 0.95, 0.00, 0.00),
    "er": (0.40, -0.20, 0.25, 0.25, 0.10),
    "uh": (0.45, 0.00, 0.00, 0.10, 0.10),
}  # fmt: skip

WEIGHTS: dict[str, tuple[float, float, float]] = {
    "rest": (1.0, 1.0, 1.0),
    "pbm": (0.5, 0.15, 0.15),
    "fv": (1.0, 0.5, 0.6),
    "th": (1.0, 0.4, 0.4),
    "td": (0.5, 0.2, 0.2),
    "l": (0.5, 0.2, 0.2),
    "sz": (1.3, 0.7, 0.5),
    "sh": (1.3, 1.2, 1.2),
    "kg": (0.15, 0.05, 0.05),
    "r": (0.8, 0.8, 0.8),
    "w": (1.4, 1.6, 1.6),
    "j": (0.8, 0.7, 0.7),
    "uh": (0.6, 0.4, 0.4),
}
_VOWEL = (1.2, 1.2, 1.2)
_SPREAD = 0.038
_STRESS = (0.85, 0.95, 1.12)
_SHUT = {"pbm": "shut", "fv": "tuck", "th": "bite"}


@dataclass(frozen=True, eq=False)
class Mouth:
    """Mouth parameters at T instants, each (T,) float64.

    `open` gap between the lips 0..1, `wide` -1 (narrow) .. 1 (spread), `round` 0..1 lips
    pushed forward, `teeth` 0..1 how closely the teeth meet, `tongue` 0..1 from low to between
    the teeth, `tuck` 0..1 lower lip under the upper teeth, `press` 0..1 lips pressed shut,
    `jaw` 0..1 how far the chin has dropped.
    """

    open: np.ndarray
    wide: np.ndarray
    round: np.ndarray
    teeth: np.ndarray
    tongue: np.ndarray
    tuck: np.ndarray
    press: np.ndarray
    jaw: np.ndarray


def _ramp(times: np.ndarray, start: float, end: float, before: float, after: float) -> np.ndarray:
    """1 in [start, end], falling smoothly to 0 within `before` and `after` s outside."""
    x = np.minimum((times - start) / before + 1, (end - times) / after + 1).clip(0, 1)
    return x * x * (3 - 2 * x)


def _segments(phonemes: tuple[Phoneme, ...]) -> list[tuple[float, float, str, int]]:
    segments = []
    for p in phonemes:
        names = shapes(p.symbol)
        edges = np.linspace(p.start, p.end, len(names) + 1)
        segments += [
            (float(a), float(b), name, p.stress)
            for a, b, name in zip(edges[:-1], edges[1:], names, strict=True)
        ]
    return segments


def move(phonemes: tuple[Phoneme, ...], times: np.ndarray, *, frame: float = 0.04) -> Mouth:
    """Mouth parameters that go with a string of phonemes.

    Parameters: `phonemes` in order; `times` (T,) in s; `frame`, s between pictures: a closure
    is never shorter, so that at least one picture shows it.
    Returns a `Mouth`. Each sound pulls the mouth to its shape with a weight that falls off
    exponentially in time (dominance functions, Cohen and Massaro 1993); lips that must meet
    (p, b, m), or meet the teeth (f, v), do meet.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    times = np.asarray(times, dtype=np.float64)
    first = phonemes[0].start if phonemes else 0.0
    last = phonemes[-1].end if phonemes else 0.0
    segments = _segments(phonemes)
    segments = [
        (first - 9.0, first - 0.06, "rest", 0),
        *segments,
        (last + 0.04, last + 9, "rest", 0),
    ]
    start, end = (np.array([s[i] for s in segments]) for i in (0, 1))
    target = np.array([TARGETS[s[2]] for s in segments])
    weight = np.array([WEIGHTS.get(s[2], _VOWEL) for s in segments])
    stress = np.array([_STRESS[s[3]] if s[2] not in WEIGHTS else 1.0 for s in segments])
    target[:, 0] *= stress
    core = np.minimum(0.3 * (end - start), 0.05)
    away = np.maximum(np.maximum(start + core - times[:, None], times[:, None] - end + core), 0)
    pull = np.exp(-away / _SPREAD)
    blended = {}
    for k, name in enumerate(PARAMETERS):
        w = pull * weight[:, min(k, 2)] + 1e-9
        blended[name] = (w * target[:, k]).sum(1) / w.sum(1)
    shut = {name: np.zeros_like(times) for name in ("shut", "tuck", "bite")}
    for p in phonemes:
        kind = _SHUT.get(p.viseme)
        if kind is None:
            continue
        until = p.release
        since = min(p.start, until - frame)
        lip = _ramp(times, since, until, 0.055, 0.045)
        shut[kind] = np.maximum(shut[kind], lip)
    gap = blended["open"] * (1 - shut["shut"])
    gap = gap * (1 - shut["tuck"]) + TARGETS["fv"][0] * shut["tuck"] * (1 - shut["shut"])
    jaw = 0.85 * gap * (1 - 0.5 * blended["teeth"]) + 0.12 * blended["open"]
    return Mouth(
        open=gap,
        wide=blended["wide"],
        round=blended["round"],
        teeth=blended["teeth"],
        tongue=np.maximum(blended["tongue"], shut["bite"] * 0.9),
        tuck=shut["tuck"] * (1 - shut["shut"]),
        press=shut["shut"],
        jaw=jaw,
    )
