"""How AVSpeech was made: out of videos whose truth is known come the segments that should."""

import numpy as np
import pytest

from avsep_core.clip import Clip
from avsep_core.looking_to_listen import web
from avsep_core.looking_to_listen.web import THRESHOLD, candidates, keep, poor, shots, speech_snr
from avsep_core.synthetic.webvideo import webvideo

RATE = 8000
PLAN = (
    (("seen", 3.6),),
    (("slide", 3.2),),
    (("dark", 3.2),),
    (("seen", 3.4), ("away", 1.8), ("seen", 0.8)),
    (("blurred", 3.2),),
    (("seen", 3.2), ("blurred", 0.4)),
)
FIT = [(0.0, 3.6), (10.0, 13.4), (19.2, 22.8)]


@pytest.fixture(scope="module")
def video():
    """Six shots, of which three show a face well for three seconds."""
    return webvideo(5, plan=PLAN, snr_db=17, noise="applause", rate=RATE, size=96)


@pytest.fixture(scope="module")
def all_kept(video):
    """Every segment whose pictures are fit, with its SNR."""
    return keep(video.clip, oracle(video), threshold=-np.inf, smallest=0.3)


def oracle(video):
    """A denoiser that knows: it gives the clean speech of whatever part it is asked about."""

    def denoise(audio, rate):
        windows = np.lib.stride_tricks.sliding_window_view(video.clip.audio, 50)
        start = int(np.flatnonzero((windows == audio[:50]).all(axis=1))[0])
        return video.speech[start : start + len(audio)]

    return denoise


def test_a_web_video_is_its_plan_and_speech_and_noise_at_the_snr_asked_for(video):
    assert len(video.clip.frames) == 570 and video.clip.seconds == pytest.approx(22.8)
    assert np.array_equal(video.speech + video.noise, video.clip.audio)
    assert video.snr() == pytest.approx(17, abs=1e-3)
    assert video.cuts == pytest.approx([3.6, 6.8, 10.0, 16.0, 19.2])
    assert video.visible.sum() == 25 * (3.6 + 3.4 + 0.8 + 3.2)
    assert [s.kind for s in video.stretches] == [kind for shot in PLAN for kind, _ in shot]


def test_the_same_seed_gives_the_same_video_and_another_does_not():
    def small(seed):
        return webvideo(seed, seconds=5, size=48, rate=RATE, noise="wind")

    one, same, other = small(1), small(1), small(2)
    assert np.array_equal(one.clip.frames, same.clip.frames)
    assert np.array_equal(one.clip.audio, same.clip.audio)
    assert one.stretches == same.stretches
    assert not np.array_equal(one.clip.audio, other.clip.audio)


def test_a_voice_alone_has_no_noise_and_no_end_to_its_snr():
    alone = webvideo(0, seconds=4, size=48, rate=RATE, noise=None)
    assert not alone.noise.any() and alone.snr() == np.inf
    assert alone.stretches[-1].end == 4.0


def test_every_cut_is_found_and_nothing_else(video):
    """Not the fading light, the pan or the loss of focus within a shot."""
    for film in (video, *(webvideo(seed, seconds=16, size=48, rate=RATE) for seed in (3, 7))):
        found = [first / 25 for first, _ in shots(film.clip.frames)]
        assert found == pytest.approx([0, *film.cuts])


def test_shots_fill_a_video_and_a_still_is_one_shot():
    still = np.full((30, 48, 48, 3), 90, np.uint8)
    assert shots(still) == [(0, 30)]
    still[12:] = 200
    assert shots(still) == [(0, 12), (12, 30)]
    assert shots(still[:1]) == [(0, 1)]


def test_dark_blurred_and_faceless_stretches_are_dropped(video, all_kept):
    """What is left are the stretches in which the face is well seen, to within 0.3 s."""
    for segment, (start, end) in zip(all_kept, FIT, strict=True):
        assert segment.start == pytest.approx(start, abs=0.3)
        assert segment.end == pytest.approx(end, abs=0.3)
        assert len(segment.track) == round(25 * (segment.end - segment.start))
        first = round(25 * segment.start)
        visible = video.visible[first : first + len(segment.track)]
        assert np.mean(segment.track.seen == visible) > 0.9


def test_a_segment_may_miss_15_percent_of_its_frames_and_no_more(video):
    """The last shot is blurred for 0.4 of its 3.6 s, 11 %; less patience leaves it out."""
    shot = video.clip.trim(19.2, 3.6)
    (segment,) = candidates(shot, smallest=0.3)
    assert 0.02 < segment.missing <= 0.15
    assert segment.missing == pytest.approx(1 - segment.track.seen.mean())
    assert not candidates(shot, most_missing=0.5 * segment.missing, smallest=0.3)


def test_a_shot_of_twelve_seconds_becomes_two_segments_of_six():
    long = webvideo(2, plan=((("seen", 12.0),),), noise=None, rate=RATE, size=48)
    found = candidates(long.clip, smallest=0.4)
    assert [(s.start, s.end) for s in found] == [(0, 6), (6, 12)]
    assert all(np.isnan(s.snr) and s.missing < 0.05 for s in found)


def test_poor_frames_are_those_in_the_dark_and_out_of_focus():
    plan = ((("seen", 0.6),), (("dark", 0.6),), (("blurred", 0.6),))
    for seed in range(3):
        film = webvideo(seed, plan=plan, noise=None, rate=RATE, size=96)
        boxes = np.tile(np.array([24.0, 28, 48, 48], np.float32), (45, 1))
        assert np.array_equal(poor(film.clip.frames, boxes), ~film.visible)


@pytest.mark.parametrize("level", [-10.0, 0.0, 17.0, 40.0])
def test_with_a_perfect_denoiser_the_estimate_is_the_truth(level, rng):
    speech, noise = rng.standard_normal((2, 8000))
    noise *= np.linalg.norm(speech) / np.linalg.norm(noise) * 10 ** (-level / 20)
    assert speech_snr(speech + noise, RATE, lambda *_: speech) == pytest.approx(level, abs=1e-3)


def test_a_denoiser_that_harms_speech_cannot_tell_clean_from_very_clean(rng):
    """Why figure 3b bends: what it loses of speech, here a seventh, passes for noise."""
    speech, noise = rng.standard_normal((2, 80000))
    told = [
        speech_snr(speech + noise * 10 ** (-level / 20), RATE, lambda *_: 6 / 7 * speech)
        for level in (0.0, 10.0, 30.0, 50.0)
    ]
    assert told[0] == pytest.approx(0, abs=1.5)
    assert told[2] == pytest.approx(told[3], abs=0.5) and told[3] < 17


def test_silence_and_pure_noise_have_an_snr_too():
    sound = np.ones(100)
    assert speech_snr(sound, RATE, lambda x, _: x) == np.inf
    assert speech_snr(sound, RATE, lambda x, _: 0 * x) == -np.inf


def test_each_segment_is_measured_to_half_a_decibel(video, all_kept):
    assert len(all_kept) == len(FIT)
    for segment in all_kept:
        assert segment.snr == pytest.approx(video.snr(segment.start, segment.end), abs=0.5)


def test_the_threshold_parts_clean_segments_from_noisy_ones(video, all_kept, monkeypatch):
    """Noise of one level throughout is nearer to some segments' speech than to others'."""
    monkeypatch.setattr(web, "candidates", lambda *_, **__: all_kept)
    levels = sorted(segment.snr for segment in all_kept)
    middle = (levels[0] + levels[1]) / 2
    fit = keep(video.clip, oracle(video), threshold=middle, smallest=0.3)
    assert [s.start for s in fit] == [s.start for s in all_kept if s.snr > middle]
    assert len(fit) == 2 and THRESHOLD == 17


def test_what_cannot_be_used_is_refused(video):
    with pytest.raises(ValueError, match=r"shape \(3, 4\)"):
        shots(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="most_missing=2"):
        candidates(video.clip, most_missing=2)
    with pytest.raises(ValueError, match="threshold=nan"):
        keep(video.clip, oracle(video), threshold=float("nan"))
    with pytest.raises(ValueError, match=r"shape \(9,\) for \(10,\)"):
        speech_snr(np.ones(10), RATE, lambda x, _: x[1:])


def test_a_video_without_faces_has_no_segment():
    page = np.full((100, 48, 48, 3), 200, np.uint8)
    assert candidates(Clip(page, 25.0, np.ones(32000, np.float32), RATE)) == []
    assert candidates(Clip(page[:50], 25.0, np.ones(16000, np.float32), RATE)) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": -1}, "seed -1"),
        ({"noise": "rain"}, "'rain'.*babble, street"),
        ({"seconds": 2}, "seconds=2"),
        ({"snr_db": float("nan")}, "snr_db"),
        ({"plan": ()}, "the plan is empty"),
        ({"plan": ((("asleep", 2.0),),)}, "'asleep'.*seen, away, blurred, dark, slide"),
        ({"plan": ((("seen", 2.0), ("slide", 2.0)),)}, "own shot"),
        ({"plan": ((("seen", 0.2),),)}, "length of shot 0"),
        ({"talker": "t999"}, "t999"),
    ],
)
def test_videos_that_cannot_be_made_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        webvideo(**({"seed": 0, "size": 48} | given))
