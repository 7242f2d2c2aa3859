"""A part of the house that is built at its first request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from resonanz.app.late import Late


async def _answered(scope: Any, receive: Any, send: Any) -> None:
    await send(scope["path"])


def test_it_is_built_once_however_many_ask_at_once() -> None:
    """Nothing is built before somebody asks; all who ask at the same time are answered by the same building."""
    built: list[str] = []
    answers: list[str] = []

    def build() -> Any:
        built.append("built")
        return _answered

    async def ask() -> None:
        async def send(message: str) -> None:
            answers.append(message)

        late = Late(build)
        assert built == []
        await asyncio.gather(*(late({"path": str(number)}, None, send) for number in range(5)))

    asyncio.run(ask())
    assert built == ["built"]
    assert sorted(answers) == ["0", "1", "2", "3", "4"]


def test_a_building_that_failed_is_tried_again() -> None:
    """Whoever wanted it gets the error; the next request is answered once it can be built."""
    outcomes = iter([OSError("disk"), None])

    def build() -> Any:
        if error := next(outcomes):
            raise error
        return _answered

    async def ask() -> list[str]:
        answers: list[str] = []

        async def send(message: str) -> None:
            answers.append(message)

        late = Late(build)
        with pytest.raises(OSError, match="disk"):
            await late({"path": "first"}, None, send)
        await late({"path": "second"}, None, send)
        return answers

    assert asyncio.run(ask()) == ["second"]
