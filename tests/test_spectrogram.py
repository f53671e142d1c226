"""Going to the time-frequency plane and coming back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.spectrogram import (
    STFT,
    STFTS,
    decibels,
    is_tensor,
    log_unwarp,
    log_warp,
    window_weights,
)

NAMED = sorted(STFTS)
CENTRED = [name for name in NAMED if STFTS[name].centred]
named = pytest.mark.parametrize("name", NAMED)
centred = pytest.mark.parametrize("name", CENTRED)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def relative(found, true):
    return np.linalg.norm(found - true) / np.linalg.norm(true)


# --- there and back -----------------------------------------------------------------------------


@named
@given(extra=st.integers(0, 5000), seed=st.integers(0, 9))
def test_every_covered_sample_comes_back(name, extra, seed):
    stft = STFTS[name]
    x = noise(2, stft.window + extra, seed=seed)
    inside = stft.covered(x.shape[-1])
    back = stft.inverse(stft.forward(x), x.shape[-1])
    assert back.shape == x.shape
    assert relative(back[..., inside], x[..., inside]) < 1e-12
    outside = np.delete(back, np.arange(x.shape[-1])[inside], axis=-1)
    assert not outside.any()


@named
def test_single_precision_samples_come_back_within_a_millionth(name):
    stft = STFTS[name]
    x = noise(3, 40001).astype(np.float32)
    inside = stft.covered(40001)
    assert relative(stft.inverse(stft.forward(x), 40001)[:, inside], x[:, inside]) < 1e-12
    t = torch.tensor(x)
    back = stft.inverse(stft.forward(t), 40001)
    assert back.dtype == torch.float32
    # In float32 the ends without centring divide rounding by a vanishing window.
    well = slice(0, 40001) if stft.centred else slice(50, inside.stop - 50)
    assert relative(back[:, well].numpy(), x[:, well]) < 1e-6


@centred
@given(length=st.integers(1, 700))
def test_a_centred_transform_takes_signals_of_any_length(name, length):
    stft = STFTS[name]
    x = noise(length)
    assert relative(stft.inverse(stft.forward(x), length), x) < 1e-12


@given(length=st.integers(0, 399))
def test_without_centring_a_signal_shorter_than_a_window_is_refused(length):
    with pytest.raises(ValueError, match=f"{length} samples is too short; it needs at least 400"):
        STFTS["looking_to_listen"].forward(noise(length))


@given(
    window=st.integers(2, 64),
    hop=st.integers(1, 63),
    zeros=st.integers(0, 40),
    extra=st.integers(0, 200),
    centred=st.booleans(),
    shape=st.sampled_from(["hann", "sqrt_hann", "rectangular"]),
)
def test_any_transform_without_gaps_has_an_inverse(window, hop, zeros, extra, centred, shape):
    stft = STFT("mine", 8000, window, min(hop, window - 1), window + zeros, centred, shape)
    length = window + extra
    x = noise(length)
    inside = stft.covered(length)
    back = stft.inverse(stft.forward(x), length)
    np.testing.assert_allclose(back[inside], x[inside], atol=1e-9)


@named
def test_numpy_and_torch_agree_and_batches_are_done_one_by_one(name):
    stft = STFTS[name]
    x = noise(2, 3, 9001)
    X = stft.forward(x)
    T = stft.forward(torch.tensor(x))
    assert T.dtype == torch.complex128
    np.testing.assert_allclose(T.numpy(), X, atol=1e-12)
    np.testing.assert_allclose(stft.forward(x[1, 2]), X[1, 2], atol=1e-12)
    masked = X * 0.5 * (1 + np.sin(np.arange(X.shape[-1])))
    back = stft.inverse(torch.tensor(masked), 9001, floor=0.1)
    np.testing.assert_allclose(back.numpy(), stft.inverse(masked, 9001, floor=0.1), atol=1e-9)


def test_gradients_flow_through_both_ways():
    stft = STFTS["deep_clustering"]
    x = torch.tensor(noise(2000), requires_grad=True)
    stft.inverse(stft.forward(x), 2000).square().sum().div(2).backward()
    np.testing.assert_allclose(x.grad, x.detach(), atol=1e-12)


# --- what windows cover -------------------------------------------------------------------------


@named
@given(extra=st.integers(0, 3000))
def test_a_sample_leaves_a_trace_exactly_where_windows_cover_it(name, extra):
    stft = STFTS[name]
    length = stft.window + extra
    inside = stft.covered(length)
    edges = {0, 1, inside.start, inside.stop - 1, inside.stop, length - 1}
    for n in sorted(k for k in edges if k < length):
        impulse = np.zeros(length)
        impulse[n] = 1.0
        seen = np.abs(stft.forward(impulse)).max() > 0
        assert seen == (inside.start <= n < inside.stop)


def test_three_seconds_for_looking_to_listen_lose_the_first_sample_and_the_last_eighty():
    stft = STFTS["looking_to_listen"]
    assert stft.covered(48000) == slice(1, 47920)


def test_all_but_one_of_the_papers_transforms_are_centred():
    assert set(NAMED) - set(CENTRED) == {"looking_to_listen"}


@centred
@given(length=st.integers(1, 70000))
def test_centred_transforms_cover_everything(name, length):
    assert STFTS[name].covered(length) == slice(0, length)


# --- the papers' shapes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "length", "shape"),
    [
        ("foundations", 48000, (257, 376)),
        ("matching_pursuit", 24000, (257, 95)),
        ("low_rank", 48000, (321, 151)),
        ("looking_to_listen", 48000, (257, 298)),
        ("deep_clustering", 24000, (129, 376)),
        ("co_separation", 65535, (512, 256)),
    ],
)
def test_spectrograms_have_the_shape_that_the_paper_prints(name, length, shape):
    stft = STFTS[name]
    assert stft.forward(noise(length)).shape == shape
    assert (stft.bins, stft.frames(length)) == shape


def test_windows_last_as_long_as_the_papers_say():
    spans = {s.name: (1000 * s.window / s.rate, 1000 * s.hop / s.rate) for s in STFTS.values()}
    assert spans["looking_to_listen"] == (25, 10)
    assert spans["deep_clustering"] == (32, 8)
    assert spans["low_rank"] == (80, 40)  # a hop is one video frame at 25 fps
    assert spans["matching_pursuit"] == (64, 32)  # half overlapping
    assert STFTS["co_separation"].rate == 11025


def test_a_centred_transform_is_the_librarys_with_zeros_outside():
    stft = STFTS["foundations"]
    x = torch.tensor(noise(20000))
    w = torch.hann_window(512, dtype=x.dtype)
    theirs = torch.stft(x, 512, 128, window=w, pad_mode="constant", return_complex=True)
    np.testing.assert_allclose(stft.forward(x), theirs, atol=1e-9)


def test_padding_on_the_right_gives_looking_to_listen_its_last_frame():
    x = torch.tensor(noise(48000))
    w = torch.nn.functional.pad(torch.hann_window(400, dtype=x.dtype), (0, 112))
    options = {"window": w, "center": False, "return_complex": True}
    assert torch.stft(x, 512, 160, **options).shape == (257, 297)
    padded = torch.stft(torch.nn.functional.pad(x, (0, 112)), 512, 160, **options)
    np.testing.assert_allclose(STFTS["looking_to_listen"].forward(x), padded, atol=1e-9)


@named
def test_a_tone_peaks_at_its_frequency_and_a_click_at_its_time(name):
    stft = STFTS[name]
    t = np.arange(2 * stft.rate) / stft.rate
    k = stft.bins // 3
    tone = np.abs(stft.forward(np.cos(2 * np.pi * stft.freqs()[k] * t)))
    assert (tone[:, 3:-3].argmax(axis=0) == k).all()
    click = np.zeros(2 * stft.rate)
    click[stft.rate] = 1.0
    energy = (np.abs(stft.forward(click)) ** 2).sum(axis=0)
    at = stft.times(len(energy))[energy.argmax()]
    assert abs(at - 1.0) <= 0.5 * stft.hop / stft.rate


# --- the inverse of what is no spectrogram ------------------------------------------------------


def test_the_inverse_finds_the_signal_whose_spectrogram_is_nearest():
    stft = STFT("mine", 8000, 32, 8, 32, centred=False)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(17, 6)) + 1j * rng.normal(size=(17, 6))
    length = 5 * 8 + 32

    def distance(x):
        error = np.abs(stft.forward(x) - X) ** 2
        # Bins between DC and Nyquist stand for two.
        return 2 * error.sum() - error[[0, -1]].sum()

    best = stft.inverse(X, length)
    inside = stft.covered(length)
    for _ in range(20):
        step = np.zeros(length)
        step[inside] = 0.01 * rng.normal(size=length - 1)
        assert distance(best + step) > distance(best)


def test_a_floor_keeps_a_masked_edge_from_clicking():
    stft = STFTS["looking_to_listen"]
    x = noise(48000)
    X = stft.forward(x)
    masked = X * (np.random.default_rng(1).random(X.shape) > 0.5)
    assert np.abs(stft.inverse(masked, 48000)[:3]).max() > 10 * np.abs(x).max()
    calm = stft.inverse(masked, 48000, floor=0.1)
    assert np.abs(calm).max() < 2 * np.abs(x).max()
    np.testing.assert_allclose(calm[200:-400], stft.inverse(masked, 48000)[200:-400])


@centred
@given(length=st.integers(1, 3000))
def test_centred_transforms_need_no_floor(name, length):
    stft = STFTS[name]
    X = stft.forward(noise(length)) * 1j
    np.testing.assert_array_equal(stft.inverse(X, length), stft.inverse(X, length, floor=0.1))


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hop": 8}, "hop 8 leaves gaps"),
        ({"hop": 0}, "hop 0"),
        ({"fft": 4}, "fft 4 is shorter than the window 8"),
        ({"window": 1}, "needs 2 samples"),
        ({"rate": 0}, "rate 0 Hz"),
        ({"shape": "kaiser"}, "'kaiser' is unknown"),
    ],
)
def test_a_transform_that_cannot_be_undone_is_refused(change, message):
    good = {"rate": 8000, "window": 8, "hop": 4, "fft": 8, "centred": True, "shape": "hann"}
    STFT("mine", **good)
    with pytest.raises(ValueError, match=message):
        STFT("mine", **(good | change))


def test_signals_that_are_none_are_refused():
    stft = STFTS["foundations"]
    for x, message in [
        (np.array([0.0, np.nan]), "NaN"),
        (np.array([1j]), "complex"),
        (torch.ones(3, dtype=torch.complex64), "complex"),
        (np.float64(1.0), "single number"),
        (np.zeros(0), "0 samples is too short"),
    ]:
        with pytest.raises(ValueError, match=message):
            stft.forward(x)


def test_a_spectrogram_of_another_length_or_transform_is_refused():
    stft = STFTS["foundations"]
    X = stft.forward(noise(1000))
    with pytest.raises(ValueError, match=r"\(\.\.\., 257, 16\), not \(257, 8\)"):
        stft.inverse(X, 2000)
    with pytest.raises(ValueError, match=r"129"):
        STFTS["deep_clustering"].inverse(X, 1000)


def test_whole_numbers_and_half_precision_are_raised_to_real_numbers():
    stft = STFTS["deep_clustering"]
    whole = np.arange(500)
    np.testing.assert_array_equal(stft.forward(whole), stft.forward(whole.astype(float)))
    half = torch.ones(500, dtype=torch.float16)
    assert stft.forward(half).dtype == torch.complex64
    assert not is_tensor(whole)
    assert is_tensor(half)


def test_hann_windows_are_zero_once_and_their_square_root_adds_to_one():
    hann, root = (window_weights(shape, 8) for shape in ("hann", "sqrt_hann"))
    assert np.count_nonzero(hann) == 7
    np.testing.assert_allclose(root**2, hann)
    np.testing.assert_allclose(hann[:4] + hann[4:], 1.0)
    np.testing.assert_array_equal(window_weights("rectangular", 3), [1, 1, 1])


# --- the logarithmic axis -----------------------------------------------------------------------


def grid(rows, warp):
    """The sampling grid of the paper's own code, for torch's grid_sample."""
    v = torch.linspace(-1, 1, rows, dtype=torch.float64)
    y = (21 ** ((v + 1) / 2) - 11) / 10 if warp else torch.log(10 * v + 11) / np.log(21) * 2 - 1
    return y


@pytest.mark.parametrize("warp", [True, False])
def test_the_warp_is_grid_sampling_whose_corners_meet(warp):
    rows, frames = (256, 20) if warp else (512, 20)
    S = torch.rand(768 - rows, frames, dtype=torch.float64)
    x = torch.linspace(-1, 1, frames, dtype=torch.float64)
    y = grid(rows, warp)
    where = torch.stack([x.expand(rows, frames), y[:, None].expand(rows, frames)], dim=-1)
    theirs = torch.nn.functional.grid_sample(S[None, None], where[None], align_corners=True)
    ours = log_warp(S) if warp else log_unwarp(S)
    np.testing.assert_allclose(ours, theirs[0, 0], atol=1e-9)
    np.testing.assert_allclose(log_warp(S.numpy()) if warp else log_unwarp(S.numpy()), ours)


@given(bins=st.integers(2, 600), rows=st.integers(2, 600))
def test_an_all_ones_mask_survives_the_round_trip(bins, rows):
    ones = np.ones((rows, 3))
    np.testing.assert_allclose(log_unwarp(log_warp(ones, bins), rows), ones)


def test_corners_that_do_not_meet_would_lose_the_mask():
    ones = torch.ones(1, 1, 512, 4, dtype=torch.float64)
    y = grid(256, True)
    where = torch.stack([torch.zeros(256, 4), y[:, None].expand(256, 4)], dim=-1).double()
    warped = torch.nn.functional.grid_sample(ones, where[None], align_corners=False)
    assert warped.min() < 0.6


def test_a_log_axis_spends_its_rows_on_low_frequencies():
    ramp = np.arange(512.0)[:, None]
    rows = log_warp(ramp)[:, 0]
    assert rows[0] == pytest.approx(0)
    assert rows[-1] == pytest.approx(511)
    steps = np.diff(rows)
    assert (np.diff(steps) > 0).all()
    assert np.searchsorted(rows, 511 / 4) > 128  # the lowest quarter takes over half of the rows


def test_a_smooth_spectrum_comes_back_from_the_log_axis():
    smooth = np.exp(-np.linspace(0, 3, 512))[:, None] * np.ones((2, 512, 5))
    assert relative(log_unwarp(log_warp(smooth)), smooth) < 1e-4


def test_an_axis_with_one_row_cannot_be_warped():
    for warp in (log_warp, log_unwarp):
        with pytest.raises(ValueError, match="two frequencies"):
            warp(np.ones((1, 4)))
        with pytest.raises(ValueError, match="to 1 bins"):
            warp(np.ones((5, 4)), 1)


# --- decibels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_a_tenth_of_the_magnitude_is_twenty_decibels_less(kind):
    S = kind([[1j, 0.1], [-10.0, 0.0]])
    np.testing.assert_allclose(decibels(S), [[-20, -40], [0, -80]], atol=1e-6)
    np.testing.assert_allclose(decibels(S, floor=-30), [[-20, -30], [0, -30]], atol=1e-6)
    np.testing.assert_allclose(decibels(S * 7), decibels(S), atol=1e-6)


def test_silence_is_at_the_floor():
    assert (decibels(np.zeros((2, 2))) == -80).all()
    assert (decibels(torch.zeros(2, 2)) == -80).all()
    with pytest.raises(ValueError, match="must be negative"):
        decibels(np.ones(2), floor=3)
    with pytest.raises(ValueError, match="no largest"):
        decibels(np.ones((0, 2)))
