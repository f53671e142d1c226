"""What training asks for: whose voice where there are faces, any order where there are none."""

import numpy as np
import pytest
import torch
from torch import nn

from avsep_core.looking_to_listen.network import Network, compact
from avsep_core.looking_to_listen.objective import Objective, Validation
from avsep_core.looking_to_listen.representation import power_law, undo_power_law
from avsep_core.looking_to_listen.vectors import SIZE

SAMPLES, PICTURES = 16200, 51
SMALL = dict(audio=2, last=1, visual=2, lstm=8, fc=16)


class Toy:
    """Numbered mixtures of murmurs, as `tasks.Mixtures` gives them; every third of two sexes."""

    def __init__(self, talkers=2, noise=False):
        self.talkers, self.noise = talkers, noise

    def __getitem__(self, number):
        make = torch.Generator().manual_seed(number)
        parts = torch.randn(self.talkers + self.noise, SAMPLES, generator=make)
        parts = parts / parts.sum(0).square().mean().sqrt()
        found = {"mixture": parts.sum(0), "sources": parts[: self.talkers]}
        if self.noise:
            found["noise"] = parts[-1]
        vectors = torch.randn(self.talkers, PICTURES, SIZE, generator=make)
        return {**found, "vectors": vectors}

    def kind(self, number):
        return "different" if number % 3 == 0 else "same"


class Perfect(nn.Module):
    """Knows the answers: finds the mixture among the first few and returns its ideal masks."""

    def __init__(self, architecture, mixtures, *, order=None):
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1))
        self.known = []
        for number in range(4):
            batch = as_batch(mixtures, [number])
            X = power_law(architecture.stft.forward(batch["mixture"]))
            _, wanted = Objective(architecture).spectrograms(Blind(architecture), batch)
            M = torch.complex(*wanted.unbind(2)) / torch.complex(*X.unbind(1))[:, None]
            M = torch.stack([M.real, M.imag], dim=2)
            self.known.append((X, M if order is None else M[:, order]))

    def forward(self, X, vectors=None):
        return min(self.known, key=lambda pair: float((pair[0] - X).square().sum()))[1]


class Blind(nn.Module):
    """Gives the mixture for each output."""

    def __init__(self, architecture):
        super().__init__()
        self.outputs, self.place = architecture.outputs, nn.Parameter(torch.zeros(1))

    def forward(self, X, vectors=None):
        M = torch.zeros(len(X), self.outputs, *X.shape[1:])
        M[:, :, 0] = 1
        return M


def as_batch(mixtures, numbers=(0, 1)):
    examples = [mixtures[n] for n in numbers]
    return {name: torch.stack([x[name] for x in examples]) for name in examples[0]}


def reordered(batch):
    return {**batch, "sources": batch["sources"].flip(1)}


def test_without_faces_the_order_of_the_voices_does_not_matter():
    a = compact(faces=0, voices=2, **SMALL)
    network, batch = Network(a).eval(), as_batch(Toy())
    loss = Objective(a)(network, batch)
    torch.testing.assert_close(Objective(a)(network, reordered(batch)), loss)


def test_the_background_keeps_its_place_where_voices_change_theirs():
    a, toy = compact(faces=0, voices=2, background=True), Toy(noise=True)
    batch = as_batch(toy, [3])
    for order, free in (([1, 0, 2], True), ([0, 2, 1], False)):
        loss = float(Objective(a)(Perfect(a, toy, order=order), batch))
        assert (loss < 1e-8) is free


def test_a_face_is_tied_to_its_voice():
    a = compact(**SMALL)
    network, batch = Network(a).eval(), as_batch(Toy())
    loss = Objective(a)(network, batch)
    assert Objective(a)(network, reordered(batch)).item() != loss.item()
    perfect = Perfect(a, Toy())
    assert float(Objective(a)(perfect, as_batch(Toy(), [1]))) < 1e-8
    assert float(Objective(a)(perfect, reordered(as_batch(Toy(), [1])))) > 0.1


def test_who_has_no_face_belongs_to_the_background():
    a = compact(faces=1, voices=1, background=True)
    batch = as_batch(Toy(noise=True))
    estimates, wanted = Objective(a).spectrograms(Blind(a), batch)
    assert estimates.shape == wanted.shape == (2, 2, 2, 201, 101)
    S = undo_power_law(wanted)
    torch.testing.assert_close(S[:, 0], a.stft.forward(batch["sources"][:, 0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(S.sum(1), a.stft.forward(batch["mixture"]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("faces", [0, 2])
def test_a_perfect_network_has_no_loss_and_a_high_gain(faces):
    a = compact(faces=faces, voices=2)
    found = Validation(a, Toy(), count=4)(Perfect(a, Toy()))
    assert found["loss"] < 1e-8 and found["si_sdr"] > 20


def test_the_mixture_itself_gains_nothing():
    a = compact()
    found = Validation(a, Toy(), count=2)(Blind(a))
    assert found["si_sdr"] == pytest.approx(0, abs=0.1) and found["loss"] > 0.1


def test_voices_in_another_order_are_perfect_without_faces_and_wrong_with_them():
    for faces, right in ((0, True), (2, False)):
        a = compact(faces=faces, voices=2)
        found = Validation(a, Toy(), count=3)(Perfect(a, Toy(), order=[1, 0]))
        assert (found["si_sdr"] > 20) is right and (found["loss"] < 1e-8) is right


def test_three_voices_find_their_places():
    a = compact(faces=0, voices=3)
    found = Validation(a, Toy(3), count=3)(Perfect(a, Toy(3), order=[2, 0, 1]))
    assert found["si_sdr"] > 20 and found["loss"] < 1e-8


def test_mixtures_of_one_sex_and_of_two_are_counted_apart():
    a = compact(**SMALL)
    found = Validation(a, Toy(), count=5)(Network(a).eval())
    mean = np.average([found["different"], found["same"]], weights=[2, 3])
    assert found["si_sdr"] == pytest.approx(mean)
    alone = Validation(a, Toy(), count=1)(Network(a).eval())
    assert set(alone) == {"loss", "si_sdr", "different"}


def test_learning_on_one_mixture_lowers_its_loss():
    a = compact(**SMALL)
    network, batch = Network(a), as_batch(Toy(), [0])
    adam = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        loss = Objective(a)(network, batch)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
