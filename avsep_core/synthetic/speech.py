"""eSpeak NG behind one function: text in, samples and timed events out, always the same."""

import ctypes
import sys
import threading
from typing import Any, NamedTuple

import numpy as np

NATIVE_RATE = 22050

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_WORD, _PHONEME = 1, 7
_LOCK = threading.Lock()


class Event(NamedTuple):
    """Something eSpeak NG began: a word (`text` empty) or a phoneme (`text` its mnemonic).

    `sample` counts at `NATIVE_RATE`; `position` is the word's first character in the text.
    """

    kind: str
    sample: int
    text: str
    position: int


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def _paths() -> tuple[str, bytes]:
    try:
        import espeakng_loader
    except ImportError as error:
        raise ValueError(
            "the synthetic talkers speak through eSpeak NG, which is not installed; "
            "install it with: pip install espeakng-loader"
        ) from error
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()


def _unload(library: ctypes.CDLL) -> None:
    import _ctypes

    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)


def _run(library: Any, data: bytes, text: str, voice: str, settings: dict[int, int]) -> Any:
    chunks: list[np.ndarray] = []
    events: list[Event] = []

    def collect(samples: Any, count: int, reported: Any) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while reported[index].type != 0:
            event = reported[index]
            if event.type == _PHONEME:
                name = event.id.string.decode("utf-8", "replace")
                events.append(Event("phoneme", event.sample, name, event.text_position - 1))
            elif event.type == _WORD:
                events.append(Event("word", event.sample, "", event.text_position - 1))
            index += 1
        return 0

    callback = _CALLBACK(collect)
    options = _PHONEME_EVENTS | _DO_NOT_EXIT
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data, options) != NATIVE_RATE:
        raise ValueError(
            f"eSpeak NG did not start with its voices in {data.decode()}; reinstall it with: "
            "pip install espeakng-loader (a path longer than about 150 letters also stops it)"
        )
    try:
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"eSpeak NG has no voice {voice!r}; use for example 'en-us+f3'")
        for parameter, value in settings.items():
            library.espeak_SetParameter(parameter, value, 0)
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        library.espeak_Synth(encoded, size, 0, 0, 0, _UTF8, None, None)
    finally:
        library.espeak_Terminate()
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
    return samples, events


def synthesise(
    text: str, *, voice: str, pitch: int = 50, rate: int = 175, inflection: int = 50
) -> tuple[np.ndarray, list[Event]]:
    """Speak a text with eSpeak NG.

    Parameters: `text`; `voice`, a language and a variant such as "en-us+f3"; `pitch` and
    `inflection` (range of the pitch), 0..99; `rate` in words a minute, 80..450.
    Returns samples (n,) float32 in -1..1 at `NATIVE_RATE`, and the events in order of time.
    Raises ValueError for an empty text, an unknown voice, or when eSpeak NG is missing.

    eSpeak NG keeps its flutter, echo and noise running from one utterance to the next. A
    fresh copy of the library for each utterance makes the same text give the same samples
    whatever was spoken before.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    if not text.strip():
        raise ValueError("an empty text was given to speak; give at least one word")
    path, data = _paths()
    settings = {_RATE: rate, _VOLUME: 100, _PITCH: pitch, _RANGE: inflection}
    with _LOCK:
        library = ctypes.CDLL(path)
        try:
            samples, events = _run(library, data, text, voice, settings)
        finally:
            _unload(library)
    if not samples.size:
        raise ValueError(f"eSpeak NG found nothing to say in {text!r}; give at least one word")
    return samples.astype(np.float32) / 32768.0, events
