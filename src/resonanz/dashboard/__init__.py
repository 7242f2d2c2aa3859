"""The HTML door: server-rendered pages, a live stream, and the preview of sent mail on an origin of its own."""

from resonanz.dashboard.door import build
from resonanz.dashboard.parts import DashboardParts
from resonanz.dashboard.preview import build_preview

__all__ = ["DashboardParts", "build", "build_preview"]
