"""The other half of the chapters as Colab runs them: see test_colab.py."""

import pytest
from rehearsal import NAMES, run_chapter

pytestmark = [pytest.mark.slow, pytest.mark.colab]


@pytest.mark.parametrize("name", NAMES[1::2])
def test_a_chapter_runs_from_top_to_bottom_and_only_the_package_comes_in(colab, name):
    run_chapter(colab, name)
