"""Every command that takes long is killed at any moment: the next one finishes, and nothing tells it from an undisturbed run."""

import killed
import pytest
from servers import no_proxy, serve

__all__ = ["no_proxy", "serve"]
NUMBERS = [pytest.param(3, id="few"), pytest.param(30, id="many", marks=pytest.mark.thorough)]


def assert_made_good(command, make, tmp_path, kills):
    """Few kills fall upon one place, one after the other; of many, each upon a place of its own."""
    met = killed.killed_again_and_again(make, tmp_path, kills, seed=kills, in_a_row=kills < 10)
    print(f"{command}: {met} of {kills} kills met it at work")
    assert met > kills // 2


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "refresh", "record", "build"])
@pytest.mark.parametrize("kills", NUMBERS)
def test_a_command_that_is_killed_is_made_good_by_the_next(kills, command, tmp_path):
    assert_made_good(command, killed.MADE[command], tmp_path, kills)


@pytest.mark.slow
@pytest.mark.parametrize("kills", NUMBERS)
def test_a_download_that_is_killed_is_made_good_by_the_next(kills, tmp_path, serve):
    server = serve(killed.made_up_mnist()[1], pause=0.3)
    assert_made_good("data", lambda folder: killed.data(folder, server.url), tmp_path, kills)


def test_moments_are_spread_over_the_whole_command():
    drawn = sorted(killed.moments(30, 60, seed=1))
    assert all(2 * number <= moment < 2 * number + 2 for number, moment in enumerate(drawn))
    assert killed.moments(30, 60, seed=1) != killed.moments(30, 60, seed=2)
