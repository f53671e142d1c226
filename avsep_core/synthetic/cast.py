"""The cast: who the synthetic talkers are, how they sound and how they look."""

from dataclasses import dataclass

Colour = tuple[int, int, int]

ACCENTS = (
    "en-us", "en", "en-gb-x-rp", "en-us", "en-gb-scotland", "en-us-nyc", "en-gb-x-gbclan",
    "en-gb-x-gbcwmd", "en-029",
)  # fmt: skip

BASE_PITCH: dict[str, dict[str, float]] = {
    "f": {
        "f1": 182.3, "f2": 200.0, "f3": 215.6, "f4": 182.3, "f5": 209.5, "Annie": 246.2,
        "belinda": 232.4, "linda": 231.1, "steph": 186.6, "aunty": 172.1, "shelby": 186.6,
    },
    "m": {
        "m1": 95.5, "m2": 101.7, "m3": 107.2, "m4": 96.0, "m5": 104.7, "m6": 102.9, "m7": 109.1,
        "m8": 87.6, "Andy": 97.2, "Denis": 101.2, "Mike": 92.5, "john": 103.5, "max": 103.5,
        "norbert": 103.5, "pablo": 116.2, "robert": 99.4, "travis": 105.3,
    },
}  # fmt: skip

SKINS: tuple[Colour, ...] = (
    (246, 214, 192), (236, 196, 168), (224, 178, 146), (241, 203, 180), (198, 146, 110),
    (172, 120, 86), (232, 188, 156), (141, 94, 66), (212, 164, 128), (118, 78, 56),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (46, 32, 26), (92, 60, 38), (28, 24, 26), (134, 88, 52), (190, 146, 88), (118, 52, 30),
    (66, 44, 32), (160, 154, 150), (212, 176, 118), (24, 20, 20),
)  # fmt: skip
EYES: tuple[Colour, ...] = (
    (92, 62, 40), (70, 108, 140), (74, 108, 78), (60, 42, 30), (108, 92, 58), (96, 124, 150),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (62, 92, 130), (150, 66, 62), (74, 112, 92), (208, 196, 172), (66, 66, 78), (122, 88, 130),
    (196, 146, 70), (120, 150, 170), (232, 228, 220), (44, 60, 84), (170, 110, 120),
)  # fmt: skip
WALLS: tuple[Colour, ...] = (
    (206, 214, 220), (222, 212, 196), (190, 204, 196), (214, 200, 206), (178, 192, 210),
    (228, 224, 214), (196, 190, 182), (170, 186, 184),
)  # fmt: skip

HAIR_F = ("long", "bob", "bun", "wavy", "pony", "curly", "fringe", "pixie")
HAIR_M = ("short", "side", "buzz", "curly", "quiff", "receding", "mop", "bald")
BEARDS = ("none", "stubble", "none", "beard", "none", "none", "goatee")
TOPS = ("crew", "vneck", "collar", "turtleneck", "jacket")


@dataclass(frozen=True)
class Voice:
    """How a talker sounds: eSpeak `variant` and `accent`; `pitch` in Hz (median); `rate` in
    words a minute; `formant`, factor on all formants; `inflection` 0..99, range of pitch."""

    variant: str
    accent: str
    pitch: float
    rate: float
    formant: float
    inflection: int


@dataclass(frozen=True)
class Look:
    """How a talker looks: colours are RGB 0..255, shapes are -1..1 around the middle."""

    skin: Colour
    hair: Colour
    eye: Colour
    top: Colour
    wall: Colour
    hair_style: str
    beard: str
    top_style: str
    glasses: bool
    freckles: bool
    earrings: bool
    age: float
    width: float
    length: float
    jaw: float
    eyes: float
    spacing: float
    slant: float
    brow: float
    nose: float
    mouth: float
    upper_lip: float
    lower_lip: float
    light: float


@dataclass(frozen=True)
class Talker:
    """One synthetic person: `id` "t00"…, `sex` "f" or "m", a `voice` and a `look`."""

    id: str
    sex: str
    voice: Voice
    look: Look


def _spread(index: int, stream: int) -> float:
    """Evenly spread numbers in 0..1 (additive recurrence), the same on every machine."""
    root = (2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0, 37.0)[stream % 12]
    return ((index + 1) * (root**0.5 + stream // 12 * 0.0917) + 0.137 * stream) % 1.0


def _voice(index: int, sex: str) -> Voice:
    pair = index // 2
    variants = list(BASE_PITCH[sex])
    low, high = (172.0, 246.0) if sex == "f" else (88.0, 142.0)
    return Voice(
        variant=variants[pair % len(variants)],
        accent=ACCENTS[int(_spread(pair, 1 if sex == "f" else 2) * len(ACCENTS))],
        pitch=round(low + (high - low) * _spread(pair, 3 if sex == "f" else 4), 1),
        rate=round(138 + 34 * _spread(index, 5), 1),
        formant=round((0.95 if sex == "f" else 0.94) + 0.13 * _spread(pair, 0), 3),
        inflection=int(35 + 35 * _spread(index, 6)),
    )


def _look(index: int, sex: str) -> Look:
    pair = index // 2

    def pick(options: int, stream: int) -> int:
        return int(_spread(index, stream) * options)

    def around(stream: int) -> float:
        return round(2 * _spread(index, stream) - 1, 3)

    skin = SKINS[(pair * 3 + (index % 2) * 5) % len(SKINS)]
    dark = sum(skin) < 400
    hair = HAIRS[(pair * 7 + (index % 2) * 2 + pair // 10) % len(HAIRS)]
    eye = EYES[pick(len(EYES), 8)]
    if dark:
        hair = HAIRS[(0, 2, 9, 6, 2, 0, 9, 7)[pair % 8]]
        eye = EYES[3] if index % 4 else EYES[0]
    elif sum(skin) < 540 and sum(hair) > 300:
        hair = HAIRS[(pair + index) % 4]
    styles = HAIR_F if sex == "f" else HAIR_M
    return Look(
        skin=skin, hair=hair, eye=eye,
        top=CLOTHES[(index * 4 + pair // 3) % len(CLOTHES)],
        wall=WALLS[(index * 3 + pair // 4) % len(WALLS)],
        hair_style=styles[(pair * 3 + pair // 8) % len(styles)],
        beard="none" if sex == "f" else BEARDS[(pair * 4 + pair // 7) % len(BEARDS)],
        top_style=TOPS[pick(len(TOPS), 9)],
        glasses=_spread(index, 10) < 0.16 and not (dark and sum(hair) > 400),
        freckles=sum(skin) > 560 and sum(hair) < 500 and _spread(index, 11) < 0.25,
        earrings=sex == "f" and _spread(index, 12) < 0.45,
        age=round(_spread(index, 13), 3),
        width=around(14), length=around(15), jaw=around(16), eyes=around(17),
        spacing=around(18), slant=around(19), brow=around(20), nose=around(21),
        mouth=around(22), upper_lip=around(23), lower_lip=around(24), light=around(25),
    )  # fmt: skip


def _talker(index: int) -> Talker:
    sex = "fm"[index % 2]
    return Talker(f"t{index:02d}", sex, _voice(index, sex), _look(index, sex))


def _split(index: int) -> str:
    pair = index // 2
    return "test" if pair % 4 == 3 else "validation" if pair % 8 == 1 else "train"


TALKERS: tuple[Talker, ...] = tuple(_talker(i) for i in range(64))
SPLITS: dict[str, list[str]] = {
    name: [t.id for i, t in enumerate(TALKERS) if _split(i) == name]
    for name in ("train", "validation", "test")
}


def find(talker: "Talker | str") -> Talker:
    """The talker of that id.

    Parameters: `talker`, an id such as "t07", or a `Talker`, which is returned as it is.
    Raises ValueError for an unknown id.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    if isinstance(talker, Talker):
        return talker
    for known in TALKERS:
        if known.id == talker:
            return known
    raise ValueError(f"no talker {talker!r}; expected one of {TALKERS[0].id} … {TALKERS[-1].id}")
