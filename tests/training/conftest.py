"""The data that the tests of training share."""

import pytest
from small_runs import make_splits


@pytest.fixture(scope="module")
def splits():
    return make_splits()
