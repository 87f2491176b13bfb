"""What the web servers log of requests that they can't read: that there was one, never what it was.

aiohttp logs such a request whole, and a phone's path holds its token.
"""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _WithoutTheRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = "unreadable request error=%s", (type(error).__name__,)
            record.exc_info = None
        return True


server_logger = logging.getLogger(__name__)
server_logger.addFilter(_WithoutTheRequest())
