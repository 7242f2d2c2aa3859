"""What every shape of the API is made of: an unknown or ill-typed field is refused, not guessed at."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=10_000_000)]
Line = Annotated[str, Field(max_length=2_000)]


class Incoming(BaseModel):
    """What a request carries."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=False)


class Outgoing(BaseModel):
    """What an answer carries."""

    model_config = ConfigDict(from_attributes=True)
