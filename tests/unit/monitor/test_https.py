"""Page and endpoints over TLS with a password, by a real handshake: who has both gets in, nobody else."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import trustme
from prometheus_client import CollectorRegistry

from pipeline.monitor.access import access_of
from pipeline.monitor.endpoint import Endpoint
from pipeline.monitor.web.server import Page
from pipeline.settings import Settings

NAME, PASSWORD = "desk", "geheim: ü"


def login(name: str, password: str) -> dict[str, str]:
    """The headers of a client that logs in."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


RIGHT = login(NAME, PASSWORD)


@dataclass(frozen=True)
class Served:
    """Two servers of ours, and whom to trust."""

    endpoint: int
    page: int
    authority: trustme.CA
    oldest: ssl.TLSVersion

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts our authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


def serve(folder: Path, check: Callable[[Served], Awaitable[None]], *, key_apart: bool = True) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "word").write_text(PASSWORD + "\n")
    settings = Settings(
        broker="127.0.0.1:1",
        http_certfile=str(folder / ("cert.pem" if key_apart else "both.pem")),
        http_keyfile=str(folder / "key.pem") if key_apart else "",
        http_username=NAME,
        http_password_file=str(folder / "word"),
        page_port=0,
    )

    async def body() -> None:
        endpoint = Endpoint(CollectorRegistry(), access=access_of(settings))
        page = Page(settings, dict)
        await endpoint.start()
        try:
            assert endpoint.address == f"https://127.0.0.1:{endpoint.port}/metrics"
            await page.start()
            try:
                assert page.address == f"https://127.0.0.1:{page.port}/"
                tls = access_of(settings).tls
                assert tls
                await check(Served(endpoint.port, page.port, authority, tls.minimum_version))
            finally:
                await page.stop()
        finally:
            await endpoint.stop()

    asyncio.run(body())


@pytest.mark.parametrize("key_apart", [True, False])
def test_the_right_authority_and_password_get_in(tmp_path: Path, key_apart: bool) -> None:
    async def check(served: Served) -> None:
        async with aiohttp.ClientSession(headers=RIGHT) as session:
            for port, path, words in ((served.endpoint, "metrics", "copydesk_ready 1.0"), (served.page, "", "<h1>")):
                url = f"https://127.0.0.1:{port}/{path}"
                async with session.get(url, ssl=served.trusting()) as answer:
                    assert (answer.status, words in await answer.text()) == (200, True)

    serve(tmp_path, check, key_apart=key_apart)


def test_a_wrong_password_gets_nothing_but_the_probes(tmp_path: Path) -> None:
    async def check(served: Served) -> None:
        logins: tuple[dict[str, str], ...] = ({}, login(NAME, "geheim"), login("", PASSWORD))
        paths = [(served.endpoint, path) for path in ("metrics", "status", "version", "nothing")]
        paths += [(served.page, path) for path in ("", "app.js", "events", "articles", "letters", "letters/0/0/bytes")]
        for given in logins:
            async with aiohttp.ClientSession(headers=given) as session:
                for port, path in paths:
                    async with session.get(f"https://127.0.0.1:{port}/{path}", ssl=served.trusting()) as answer:
                        assert answer.status == 401, path
                        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
                        assert "geheim" not in await answer.text()
                for path in ("livez", "readyz"):
                    url = f"https://127.0.0.1:{served.endpoint}/{path}"
                    async with session.get(url, ssl=served.trusting()) as answer:
                        assert answer.status == 200, path

    serve(tmp_path, check)


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    async def check(served: Served) -> None:
        stranger = ssl.create_default_context()
        trustme.CA().configure_trust(stranger)
        async with aiohttp.ClientSession(headers=RIGHT) as session:
            for port in (served.endpoint, served.page):
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.get(f"https://127.0.0.1:{port}/", ssl=stranger)
                # The name counts too: the certificate is for 127.0.0.1.
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.get(f"https://localhost:{port}/", ssl=served.trusting())

    serve(tmp_path, check)


def test_no_plain_text_and_no_old_protocol(tmp_path: Path) -> None:
    async def check(served: Served) -> None:
        assert served.oldest == ssl.TLSVersion.TLSv1_2
        for port in (served.endpoint, served.page):
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.ClientError):
                    await session.get(f"http://127.0.0.1:{port}/")
            assert await asyncio.to_thread(protocol, port, served.trusting()) == "TLSv1.3"

    serve(tmp_path, check)


def protocol(port: int, context: ssl.SSLContext) -> str | None:
    """The version that both ends agree on."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        return secured.version()
