"""Talkers: the promise of `speak`, determinism, splits, pitch, boxes and faces."""

import contextlib
import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avsep_core.synthetic import talkers
from avsep_core.synthetic.talkers import SPLITS, TALKERS, speak, speak_audio


def fingerprint(utterance):
    digest = hashlib.sha256(utterance.clip.frames.tobytes())
    digest.update(utterance.clip.audio.tobytes())
    return digest.hexdigest()


def test_speech_depends_on_the_seed_alone_and_not_on_what_came_before():
    first = fingerprint(speak("t06", kind="digits", seed=3))
    speak("t12", seed=9, vary=True)
    speak_audio("t06", kind="sentence", seed=3)
    assert fingerprint(speak("t06", kind="digits", seed=3)) == first
    assert fingerprint(speak("t06", kind="digits", seed=4)) != first
    assert fingerprint(speak("t06", kind="digits", seed=3, vary=True)) != first


def test_another_process_says_and_shows_the_very_same():
    code = (
        "from avsep_core.synthetic.talkers import speak; import hashlib;"
        "speak('t33', seed=1); u = speak('t17', seed=5, vary=True);"
        "d = hashlib.sha256(u.clip.frames.tobytes()); d.update(u.clip.audio.tobytes());"
        "print(d.hexdigest())"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == fingerprint(speak("t17", seed=5, vary=True))


def test_threads_do_not_mix_their_voices():
    wanted = [speak_audio(f"t{i:02d}", seed=i) for i in range(6)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda i: speak_audio(f"t{i:02d}", seed=i), range(6)))
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("vary", [False, True])
def test_sound_alone_equals_the_sound_of_the_clip(vary):
    settings = {"kind": "sentence", "seed": 8, "rate": 8000, "vary": vary}
    audio = speak_audio("t09", **settings)
    np.testing.assert_array_equal(audio, speak("t09", size=64, **settings).clip.audio)


@settings(max_examples=8, deadline=None)
@given(
    talker=st.sampled_from([t.id for t in TALKERS]),
    kind=st.sampled_from(talkers.KINDS),
    seed=st.integers(0, 2**40),
    seconds=st.sampled_from([0.5, 1.3, 3.0, 3.003]),
    fps=st.sampled_from([25.0, 30000 / 1001]),
    rate=st.sampled_from([8000, 11025, 16000, 48000]),
    vary=st.booleans(),
)
def test_a_clip_has_exactly_the_length_asked_for(talker, kind, seed, seconds, fps, rate, vary):
    u = speak(talker, kind=kind, seed=seed, seconds=seconds, fps=fps, rate=rate, size=48, vary=vary)
    frames = round(seconds * fps)
    assert u.clip.audio.shape == (round(seconds * rate),) and u.clip.audio.dtype == np.float32
    assert u.clip.frames.shape == (frames, 48, 48, 3) and u.clip.frames.dtype == np.uint8
    assert u.face.shape == u.lips.shape == (frames, 4) and u.opening.shape == (frames,)
    assert np.isfinite(u.clip.audio).all() and np.abs(u.clip.audio).max() < 1
    assert u.opening.min() >= 0 and u.opening.max() <= 1
    assert u.text and all(0 <= p.start < p.end <= seconds + 1e-6 for p in u.phonemes)


def test_a_voice_fills_most_of_three_seconds_at_a_comfortable_level():
    for i, talker in enumerate(TALKERS[::3]):
        audio = speak_audio(talker, kind=talkers.KINDS[i % 3], seed=i)
        heard = np.flatnonzero(np.abs(audio) > 0.01)
        assert np.ptp(heard) / 16000 > 1.9
        assert 0.06 < np.sqrt(np.mean(audio**2)) < 0.1


def test_a_given_text_is_spoken_whole_where_it_fits_and_to_a_whole_word_where_not():
    assert speak("t01", text="my name is Anna", size=48).text == "my name is Anna"
    long = "one two three four five six seven eight nine ten eleven twelve thirteen"
    said = speak("t01", text=long, size=48).text
    assert long.startswith(said + " ")


def test_there_are_64_talkers_of_two_sexes_and_no_split_shares_one():
    assert len(TALKERS) == 64 and sum(t.sex == "f" for t in TALKERS) == 32
    assert [len(SPLITS[s]) for s in ("train", "validation", "test")] == [40, 8, 16]
    assert sorted(i for ids in SPLITS.values() for i in ids) == sorted(t.id for t in TALKERS)
    by_id = {t.id: t for t in TALKERS}
    for ids in SPLITS.values():
        assert sum(by_id[i].sex == "f" for i in ids) == len(ids) / 2


def test_no_two_talkers_share_a_voice_or_a_face():
    assert len({t.voice for t in TALKERS}) == len({t.look for t in TALKERS}) == 64
    faces = [speak(t, seconds=0.5, size=64).clip.frames[0].astype(float) for t in TALKERS[:16]]
    for i, one in enumerate(faces):
        for other in faces[:i]:
            assert np.sqrt(np.mean((one - other) ** 2)) > 10


def test_women_speak_higher_than_men_and_near_their_own_pitch():
    librosa = pytest.importorskip("librosa")
    medians = {"f": [], "m": []}
    for talker in (*TALKERS[0:6], *TALKERS[22:26]):
        audio = speak_audio(talker, kind="sentence", seed=3)
        f0, voiced, _ = librosa.pyin(audio, fmin=60, fmax=400, sr=16000, frame_length=1024)
        pitch = float(np.median(f0[voiced]))
        assert pitch == pytest.approx(talker.voice.pitch, rel=0.2)
        medians[talker.sex].append(pitch)
    assert min(medians["m"]) > 80 and max(medians["m"]) < 150
    assert min(medians["f"]) > 160 and max(medians["f"]) < 265


def test_the_lip_box_lies_in_the_face_box_and_holds_what_moves_when_the_mouth_does():
    u = speak("t28", text="papa papa papa papa papa", seed=2)
    assert (u.lips[:, :2] > u.face[:, :2]).all()
    assert (u.lips[:, 0] + u.lips[:, 2] < u.face[:, 0] + u.face[:, 2]).all()
    frames = u.clip.frames.astype(float)
    change = np.abs(frames[u.opening > 0.7].mean(0) - frames[u.opening < 0.02].mean(0)).sum(2)
    x, y, w, h = u.lips.mean(0).astype(int)
    inside = np.zeros(change.shape, bool)
    inside[y : y + h + 1, x : x + w + 1] = True
    assert change[inside].mean() > 5 * change[~inside].mean()
    assert change[y, x : x + w].mean() < 0.35 * change[inside].mean()
    sides = change[y : y + h // 2, [x, x + w]]
    assert sides.mean() < 0.35 * change[inside].mean()


def test_boxes_scale_with_the_picture():
    small, large = (speak("t10", seed=6, size=s) for s in (64, 128))
    np.testing.assert_allclose(2 * small.lips, large.lips, atol=1e-3)
    np.testing.assert_allclose(2 * small.face, large.face, atol=1e-3)


def test_eyes_blink_and_heads_move_a_little():
    blinks = 0
    for i in range(6):
        u = speak(TALKERS[i], seed=i)
        step = np.diff(u.face[:, :2] + u.face[:, 2:] / 2, axis=0)
        assert 0.01 < np.sqrt(np.mean(step**2)) < 1.5
        x, y, w, h = u.face.mean(0).astype(int)
        eyes = u.clip.frames[:, y + h // 5 : y + h // 2, x : x + w].astype(float).mean((1, 2, 3))
        blinks += eyes.max() - np.median(eyes) > 1.0 or np.median(eyes) - eyes.min() > 1.0
    assert blinks >= 3


def test_a_face_finder_trained_on_people_finds_these_faces():
    finder = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = []
    for talker in TALKERS[::3]:
        u = speak(talker, seed=5)
        for t in range(0, 75, 15):
            grey = cv2.cvtColor(u.clip.frames[t], cv2.COLOR_RGB2GRAY)
            boxes = finder.detectMultiScale(grey, 1.1, 4, minSize=(30, 30))
            centre = u.face[t, :2] + u.face[t, 2:] / 2
            found.append(
                any(np.hypot(*(np.array(b[:2]) + np.array(b[2:]) / 2 - centre)) < 15 for b in boxes)
            )
    assert np.mean(found) >= 0.95


def test_variation_changes_voice_room_pose_light_and_camera():
    clips = [speak("t16", seed=s, text="hello again", vary=True) for s in range(6)]
    assert np.std([c.clip.frames.mean() for c in clips]) > 5
    assert np.std([c.face[:, 0].mean() for c in clips]) > 1
    assert np.std([c.face[:, 2].mean() for c in clips]) > 1
    lengths = [c.phonemes[-1].end - c.phonemes[0].start for c in clips]
    assert np.std(lengths) > 0.01
    plain = speak_audio("t16", seed=0, text="hello again")
    assert np.abs(plain[:400]).max() == 0 < np.abs(clips[0].clip.audio[:400]).max()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "poem"}, "'poem'.*command, digits, sentence"),
        ({"seed": -1}, "at least 0"),
        ({"seconds": 0.0}, "0.2 to 120"),
        ({"seconds": np.nan}, "0.2 to 120"),
        ({"seconds": 0.2, "fps": 1}, "no frame"),
        ({"rate": 100}, "4000 or more"),
        ({"rate": np.nan}, "whole number of Hz"),
        ({"fps": np.nan}, "1 to 240"),
        ({"fps": 0}, "1 to 240"),
        ({"size": 8}, "32 to 1024"),
        ({"size": 64.5}, "whole number of px"),
        ({"seconds": None}, "0.2 to 120"),
        ({"seed": 1.5}, "at least 0"),
        ({"text": 5}, "expected words"),
        ({"text": " "}, "empty text"),
    ],
)
def test_impossible_wishes_are_refused_with_what_was_expected(wrong, message):
    with pytest.raises(ValueError, match=message):
        speak("t00", **wrong)


def test_a_talker_without_time_for_a_sound_says_so_instead_of_being_silent():
    for seed in range(12):
        with contextlib.suppress(ValueError):
            assert speak_audio("t00", seconds=0.25, seed=seed).any()
        assert speak_audio("t00", seconds=0.5, seed=seed).any()
    with pytest.raises(ValueError, match=r"too short to say anything; 0\.5 s"):
        for seed in range(12):
            speak_audio("t00", seconds=0.2, seed=seed)


def test_an_unknown_talker_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'t99'.*t00.*t63"):
        speak("t99")
