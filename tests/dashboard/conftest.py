"""Fixtures of the dashboard's tests."""

from tests.kit.pages import empty_site, site

__all__ = ["empty_site", "site"]
