"""Logs: one line an event, for people on a terminal and as JSON elsewhere. No personal data by default."""

from __future__ import annotations

import logging
import sys
from typing import Any

# structlog loads rich wherever it is installed, for tracebacks that are switched off below: 5 MB in every process.
# While structlog is loaded there is no rich; commands that print with it find it afterwards. It works for whoever loads
# this file before any room, as the commands that start roles do.
if "structlog" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # makes its import fail
import structlog

if sys.modules.get("rich") is None:
    sys.modules.pop("rich", None)


def configure_logs(role: str, *, form: str = "auto", level: str = "info", stays: bool = False) -> None:
    """Send every log line of this process, ours and the libraries', through one formatter to standard error.

    Of a process that `stays` each logger is made once, which is quicker, and can no longer be changed.
    """
    json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if json else _keep,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=stays,
    )
    # The console's usual tracebacks show local variables, and with them addresses, mails and passwords.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer() if json else console
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Libraries report each request or mail at INFO, with addresses; our own lines say it without them.
    for chatty in ("httpx2", "httpcore2", "aiosmtplib", "mail.log", "alembic", "asyncio", "granian.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(role=role)


def _keep(_logger: Any, _name: str, event: Any) -> Any:
    return event
