"""One edge process for all tests of a module that only ask it things."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.edges import Edge, running_edge


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A running edge."""
    with running_edge(tmp_path_factory.mktemp("edge")) as edge:
        yield edge
