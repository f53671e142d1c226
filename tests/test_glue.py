"""Glue: numbers for the prose of a page, as myst_nb would lay them down."""

import math

import numpy as np
import pytest

from avsep_core import glue
from avsep_core.results import Ledger, LedgerError


@pytest.mark.parametrize("value", [6.125, -3, "it's 7 dB", 1e-9, True])
def test_the_glued_record_is_the_one_that_myst_nb_makes(value):
    myst_nb = pytest.importorskip("myst_nb")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    try:
        with capture_output() as theirs:
            myst_nb.glue("gain", value, display=False)
        with capture_output() as ours:
            glue.show("gain", value)
    finally:
        InteractiveShell.clear_instance()
    (a,), (b,) = theirs.outputs, ours.outputs
    assert (a.data, a.metadata) == (b.data, b.metadata)


def test_a_numpy_number_is_glued_as_a_plain_one(tmp_path):
    data, _ = glue.record("gain", np.float64(6.5))
    assert list(data.values()) == ["6.5"]
    book = Ledger("foundations", profile="quick", corpus="synthetic", folder=tmp_path)
    assert book.glue("gain", np.float32(0.5)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("a:b", 1), ("a b", 1), ("", 1), ("gain", math.nan), ("gain", [1]), ("gain", None)],
)
def test_what_the_glue_role_cannot_read_is_refused(name, value):
    with pytest.raises(LedgerError, match="glue"):
        glue.record(name, value)
