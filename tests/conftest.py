"""Fixtures every test may ask for; what they hand out is built in `tests/kit`."""

pytest_plugins = ["tests.kit.browser", "tests.kit.databases", "tests.kit.website"]
