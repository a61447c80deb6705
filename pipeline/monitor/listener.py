"""Starts and stops one HTTP server; a port that cannot be had is one line that names the setting."""

from __future__ import annotations

import errno
import logging
import os

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pipeline.errors import PortTakenError, SettingError
from pipeline.monitor.access import Access


class _ClientFaults(logging.Filter):
    """Leaves out requests that are no HTTP: they are answered, and whoever sends them shall not fill our log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_client_faults = _ClientFaults()


class Listener:
    """`application` on `host`:`port`. `what` and `setting` (`metrics`, `page`) name it in messages."""

    def __init__(
        self, application: web.Application, host: str, port: int, access: Access, *, what: str, setting: str
    ) -> None:
        logging.getLogger("aiohttp.server").addFilter(_client_faults)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._host, self._port, self._access = host, port, access
        self._what, self._setting = what, setting

    async def start(self) -> int:
        """Listen and return the real port. Raises PortTakenError, or SettingError on a foreign address."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._access.tls).start()
        except (OSError, UnicodeError) as error:
            await self._runner.cleanup()
            raise self._refused(error) from error
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stop listening; requests that still run get a second."""
        await self._runner.cleanup()

    def _refused(self, error: OSError | UnicodeError) -> PortTakenError | SettingError:
        if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return PortTakenError(
                f"cannot serve {self._what} on {self._host}:{self._port} ({os.strerror(error.errno)});"
                f" end the other program or choose another --{self._setting}-port (0 takes a free one)"
            )
        # A name that cannot be sent to a name server never gets as far as the system.
        why = error.strerror if isinstance(error, OSError) else "no host can have that name"
        return SettingError(
            f"cannot listen on {self._setting}_host {self._host!r} ({why}); it must be an address of this machine"
        )
