"""https by certificate files: what is served, what is refused, and how the start fails."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from goclaw.cli.banner import reachable_url
from goclaw.cli.conversation import Peer, ask
from goclaw.cli.supervisor import own_connection
from goclaw.core.host import Host
from goclaw.core.settings import InvalidSettings, Settings, load_settings
from goclaw.security.tls import local_context, server_context
from tests.support.callers import add_agent, add_provider
from tests.support.server import RunningServer, running_server
from tests.upstream import ScriptedUpstream


def certificate_files(folder: Path, name: str = "gateway") -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("gateway.example")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(private(key, serialization.NoEncryption()))
    return files


def private(
    key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.fixture
def secure(tmp_path: Path) -> Settings:
    certificate, key = certificate_files(tmp_path)
    return Settings(tls_certificate=certificate, tls_key=key)


@pytest.fixture
def secure_host(host: Host, secure: Settings) -> Host:
    files = {"tls_certificate": secure.tls_certificate, "tls_key": secure.tls_key}
    return replace(host, settings=host.settings.model_copy(update=files))


async def test_the_server_speaks_https_and_tells_browsers_to_stay(secure_host: Host) -> None:
    async with running_server(secure_host) as server, aiohttp.ClientSession() as http:
        assert server.url.startswith("https://")
        context = local_context(secure_host.settings)
        headers = {"Authorization": f"Bearer {server.token}"}
        async with http.get(f"{server.url}/v1/agents", headers=headers, ssl=context) as answer:
            assert answer.status == 200
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        async with http.post(f"{server.url}/v1/session", headers=headers, ssl=context) as answer:
            assert answer.headers["Set-Cookie"].startswith("__Host-goclaw_session=")
        async with http.ws_connect(
            f"{server.url}/graphql", protocols=("graphql-transport-ws",), ssl=context
        ) as socket:
            assert socket.protocol == "graphql-transport-ws"
        own = own_connection(secure_host.settings, int(server.url.rpartition(":")[2]))
        assert await asyncio.to_thread(answers, own) == 200


def answers(own: object) -> int:
    own.request("GET", "/livez")  # type: ignore[attr-defined]
    status: int = own.getresponse().status  # type: ignore[attr-defined]
    own.close()  # type: ignore[attr-defined]
    return status


async def test_the_command_line_chats_over_https(
    secure_host: Host, upstream: ScriptedUpstream
) -> None:
    async with running_server(secure_host) as server:
        await add_agent(server.services, await add_provider(server.services, upstream))
        tls = local_context(secure_host.settings)
        peer = Peer(server.url, server.token, "scribe", "ada", tls)
        answer = await ask(peer, [{"role": "user", "content": "Hello?"}], lambda _: None)
        assert answer.text == "Hello from the scripted model."


async def test_another_certificate_is_not_taken_for_the_own_one(
    secure_host: Host, tmp_path: Path
) -> None:
    certificate, key = certificate_files(tmp_path, "other")
    other = local_context(Settings(tls_certificate=certificate, tls_key=key))
    async with running_server(secure_host) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.get(f"{server.url}/livez", ssl=other)


async def test_old_versions_and_plain_http_are_refused(secure_host: Host) -> None:
    async with running_server(secure_host) as server:
        port = int(server.url.rpartition(":")[2])
        old = local_context(secure_host.settings)
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=old)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(10):
            assert b"200" not in await reader.read()
        writer.close()


async def test_over_plain_http_browsers_are_not_told_to_stay(server: RunningServer) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/health") as answer:
        assert "Strict-Transport-Security" not in answer.headers


def test_the_address_printed_is_https(secure: Settings) -> None:
    assert reachable_url(secure, 18790) == "https://127.0.0.1:18790"
    assert server_context(secure).minimum_version is ssl.TLSVersion.TLSv1_2


def broken_files(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    certificate, key = certificate_files(folder)
    other, other_key = certificate_files(folder, "other")
    rubbish = folder / "rubbish.pem"
    rubbish.write_text("not a certificate")
    locked = folder / "locked.key"
    encryption = serialization.BestAvailableEncryption(b"secret")
    locked.write_bytes(private(ec.generate_private_key(ec.SECP256R1()), encryption))
    yield folder / "missing.pem", key, "GOCLAW_TLS_CERTIFICATE: .*missing.pem: No such file"
    yield certificate, folder / "missing.key", "GOCLAW_TLS_KEY: .*missing.key: No such file"
    yield folder, key, "GOCLAW_TLS_CERTIFICATE: .*: Is a directory"
    yield rubbish, key, "cannot be read as PEM"
    yield certificate, rubbish, "cannot be read as PEM"
    yield certificate, other_key, "do not belong together"
    yield other, key, "do not belong together"
    yield certificate, locked, "GOCLAW_TLS_KEY: the key is encrypted"


def test_files_that_do_not_do_are_named_at_the_start(tmp_path: Path) -> None:
    for certificate, key, complaint in broken_files(tmp_path):
        settings = Settings(tls_certificate=certificate, tls_key=key)
        with pytest.raises(InvalidSettings, match=complaint):
            server_context(settings)


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_a_certificate_without_its_key_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSettings, match="belong together"):
        load_settings(**{name: tmp_path / "file.pem"})
