"""Fixtures every test may ask for; what they hand out is built in `tests/kit`."""

import os
from collections import Counter

import pytest
from hypothesis import settings

pytest_plugins = ["tests.kit.browser", "tests.kit.commands", "tests.kit.databases", "tests.kit.website"]

# The same examples every time, so that a red run means a change and not luck; and no deadline, because no test asserts
# a duration. `HYPOTHESIS_PROFILE=explore make unit` looks for what nobody has found yet.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


LONG_SECONDS = 900  # the time limit of tests that take a minute where others take a second


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests run on one worker (`--dist loadfile`): what they share is started once. What takes long, which
    mostly waits, begins first, beside everything else, and nobody waits for a large file at the end."""
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: _turn(item, sizes[item.path]))


def _turn(item: pytest.Item, size: int) -> int:
    limit = item.get_closest_marker("timeout")
    if limit is not None and limit.args[0] >= LONG_SECONDS:
        return 0
    if "e2e" in item.path.parts:
        return 1
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    is_shared = any(one.scope == "module" for found in definitions.values() for one in found)
    return 2 if is_shared or size > 100 else 3
