"""The HTML door: server-rendered pages, a live stream, the preview of sent mail on an origin of its
own, and what edges fetch for readers."""

from resonanz.dashboard.door import build
from resonanz.dashboard.parts import DashboardParts
from resonanz.dashboard.preview import build_preview
from resonanz.dashboard.readers import ReaderParts, build_readers

__all__ = ["DashboardParts", "ReaderParts", "build", "build_preview", "build_readers"]
