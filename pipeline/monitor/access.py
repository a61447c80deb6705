"""Who may ask our HTTP endpoints: TLS, a password, and the names under which a browser may reach them."""

from __future__ import annotations

import base64
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any

from aiohttp import web

from pipeline.errors import SettingError
from pipeline.settings import Settings

# Probes of an orchestrator bring no password, and what these answer is no secret.
OPEN_PATHS = frozenset({"/livez", "/readyz"})


@dataclass(frozen=True, slots=True)
class Access:
    """`tls` None: plain HTTP. `username` empty: no password is asked for."""

    tls: ssl.SSLContext | None = None
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def scheme(self) -> str:
        """For addresses that we print."""
        return "https" if self.tls else "http"

    def allows(self, authorization: str) -> bool:
        """Whether this `Authorization` header, or its absence (empty), lets a caller in."""
        if not self.username:
            return True
        kind, _, given = authorization.partition(" ")
        wanted = base64.b64encode(f"{self.username}:{self.password}".encode())
        # In constant time, so that a caller cannot find the password sign by sign.
        return kind.lower() == "basic" and compare_digest(given.strip().encode(), wanted)


OPEN = Access()


def access_of(settings: Settings) -> Access:
    """What the `http_…` settings ask for.

    Raises SettingError where a file cannot be used, or a user name has no password or the other way round.
    """
    password = settings.http_secret()
    if bool(settings.http_username) != bool(password):
        raise SettingError("http_username and http_password (or http_password_file) go together: set both, or neither")
    return Access(_tls(settings), settings.http_username, password)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.http_certfile:
        if settings.http_keyfile:
            raise SettingError("http_keyfile needs http_certfile: without it all would be plain HTTP; set both")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.http_certfile, settings.http_keyfile or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"TLS: cannot use http_certfile={settings.http_certfile!r} with http_keyfile={settings.http_keyfile!r}"
            f" ({error}); both must be PEM files that this user may read"
        ) from error
    return context


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guard(access: Access) -> Any:
    """Middleware that lets in whom `access` allows, and anyone to `OPEN_PATHS`."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS and not access.allows(request.headers.get("Authorization", "")):
            ask = {"WWW-Authenticate": 'Basic realm="copydesk", charset="UTF-8"'}
            raise web.HTTPUnauthorized(headers=ask, text="copydesk: user name and password, please\n")
        return await handler(request)

    return check


def own_names(host: str) -> Any:
    """Middleware for a server on a loopback `host`: it answers under a loopback name alone.

    Else a foreign page could give its own name our address, and read what we serve with the visitor's browser.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_loopback(host) and not is_loopback(_name(request.host)):
            raise web.HTTPMisdirectedRequest(text="copydesk: ask for localhost, please\n")
        return await handler(request)

    return check


def _name(host: str) -> str:
    """The `Host` header without its port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def is_loopback(name: str) -> bool:
    """Whether `name` can only mean this machine."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() in ("localhost", "localhost.localdomain")
