"""What all tests share: seeds, the real clips where there are any, and paths."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile(
    "house",
    deadline=None,
    max_examples=25,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


def shared_folder() -> Path:
    """The folder of real clips: AVSEP_SHARED, by default ../shared/data beside the checkout."""
    return (ROOT / os.environ.get("AVSEP_SHARED", "../shared/data")).resolve()


@pytest.fixture(autouse=True)
def seeded():
    """Start every test from the same global seeds, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    """A fresh generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real clips, or a skip that says where they were looked for."""
    folder = shared_folder()
    if not (folder / "grid").is_dir():
        pytest.skip(f"no real clips: {folder / 'grid'} is not there (AVSEP_SHARED names another)")
    return folder
