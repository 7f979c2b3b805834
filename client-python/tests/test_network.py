"""Proxies, private authorities and connections that fail: each in words of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from looker_token_client import TokenBrokerError

from .fake_broker import FakeBroker
from .stand import TestClock, client_of, new_leases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def failure(broker: FakeBroker, endpoint: str, clock: TestClock | None = None) -> TokenBrokerError:
    with pytest.raises(TokenBrokerError) as raised:
        client_of(broker, clock or TestClock(), endpoint=endpoint).token()
    return raised.value


def test_a_port_where_nobody_listens(broker: FakeBroker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    error = failure(broker, f"http://{host}")
    assert (error.code, error.retryable) == ("unreachable", True)
    assert error.message == f"{host} cannot be reached (ECONNREFUSED)."


def test_a_name_that_does_not_exist_is_not_waited_for(broker: FakeBroker) -> None:
    clock = TestClock()
    error = failure(broker, "https://broker.invalid", clock)
    # Without any resolver in reach it may be over in a moment.
    assert error.message in (
        "broker.invalid cannot be reached (ENOTFOUND).",
        "broker.invalid cannot be reached (EAI_AGAIN).",
    )
    assert error.retryable is ("EAI_AGAIN" in error.message)


class Proxy:
    """Says no to each CONNECT, and remembers it."""

    def __init__(self, answer: str) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def __enter__(self) -> Proxy:
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    @property
    def url(self) -> str:
        return f"http://user:hunter2@127.0.0.1:{self._listening.getsockname()[1]}"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with connection:
                    self.asked.append(" ".join(connection.recv(4_096).decode().split()[:2]))
                    connection.sendall(f"HTTP/1.1 {self._answer}\r\ncontent-length: 0\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        ("407 Proxy Authentication Required", False),
        ("403 Forbidden", False),
        ("503 Service Unavailable", True),
    ],
)
def test_a_proxy_that_refuses_is_named(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch, answer: str, *, retryable: bool
) -> None:
    with Proxy(answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = failure(broker, "https://tokens.example.com")
    assert (error.code, error.retryable) == ("unreachable", retryable)
    assert error.message == f"The proxy does not connect to tokens.example.com ({answer})."
    assert error.hint == "Check HTTPS_PROXY, or name the host in NO_PROXY."
    assert set(proxy.asked) == {"CONNECT tokens.example.com:443"}
    assert "hunter2" not in str(error)


def test_a_broker_on_this_machine_is_asked_without_a_proxy(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy("403 Forbidden") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert client_of(broker).token().lease_id == "lease-1"
    assert proxy.asked == []


@pytest.fixture
def private(tmp_path: Path) -> Iterator[FakeBroker]:
    """With a certificate that no public authority has issued, in `broker.pem` of the test's folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "broker.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "broker.pem", tmp_path / "key.pem")
    with FakeBroker(new_leases(), context) as fake:
        yield fake


def test_a_certificate_of_a_private_authority_is_not_trusted_and_the_fix_is_said(private: FakeBroker) -> None:
    clock = TestClock()
    error = failure(private, private.url, clock)
    assert error.message.endswith("cannot be reached (CERTIFICATE_VERIFY_FAILED).")
    assert "AWS_CA_BUNDLE" in error.hint
    assert (error.retryable, clock.slept, private.asked) == (False, [], [])


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_is_trusted_by_its_file(
    private: FakeBroker, variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "broker.pem"))
    assert client_of(private, endpoint=private.url).token().lease_id == "lease-1"
