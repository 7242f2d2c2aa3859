"""Telling people and programs what just happened: the live hub."""

from resonanz.notify.hub import Hub
from resonanz.notify.notice import Notice, NoticeKind

__all__ = ["Hub", "Notice", "NoticeKind"]
