"""The REST door: what other programs may ask and hand in, under `/api/v1`, described by its own OpenAPI page."""

from resonanz.api.access import ApiParts
from resonanz.api.door import build

__all__ = ["ApiParts", "build"]
