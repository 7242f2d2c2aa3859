"""Fixtures every test may ask for; what they hand out is built in `tests/kit`."""

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.kit.browser", "tests.kit.commands", "tests.kit.databases", "tests.kit.website"]

# The same examples every time, so that a red run means a change and not luck; and no deadline, because no test asserts
# a duration. `HYPOTHESIS_PROFILE=explore make unit` looks for what nobody has found yet.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups; pytest-randomly has shuffled by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share something for their file's time go to one worker, or each would start it for itself; the long
    ones, which mostly wait, begin first, beside everything else."""
    for item in items:
        if _shares_with_its_file(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=_turn)


def _shares_with_its_file(item: pytest.Item) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    return any(one.scope == "module" for found in definitions.values() for one in found)


def _turn(item: pytest.Item) -> int:
    """A file's tests that share something should not be what everybody waits for at the end, either."""
    if "e2e" in item.path.parts:
        return 1 if item.get_closest_marker("timeout") is None else 0  # a time of its own is for what takes long
    return 2 if item.get_closest_marker("xdist_group") else 3
