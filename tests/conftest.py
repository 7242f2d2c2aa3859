"""Fixtures every test may ask for; what they hand out is built in `tests/kit`."""

import os

from hypothesis import settings

pytest_plugins = ["tests.kit.browser", "tests.kit.commands", "tests.kit.databases", "tests.kit.website"]

# The same examples every time, so that a red run means a change and not luck; and no deadline, because no test asserts
# a duration. `HYPOTHESIS_PROFILE=explore make unit` looks for what nobody has found yet.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
