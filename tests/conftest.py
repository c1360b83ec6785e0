"""What all tests share: strict numerics."""

import jax
import pytest

# a test that relies on silent promotion of types tests something else than what it says
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture
def float64():
    """Double precision inside the test."""
    with jax.enable_x64(True):
        yield
