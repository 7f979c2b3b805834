"""An HTTP server in this process that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from typing_extensions import Self


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Reply:
    """An answer. A text is a page; anything else is sent as JSON."""

    status: int
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


def token_reply(
    lease: str, expires_in: object = 900, base_url: str = "https://example.cloud.looker.com"
) -> Reply:
    return Reply(
        200,
        {
            "access_token": planted_token(lease),
            "token_type": "Bearer",
            "expires_in": expires_in,
            "scope": "sales",
            "lease_id": lease,
            "base_url": base_url,
        },
    )


def planted_token(lease: str) -> str:
    return f"looker-access-token-of-{lease}"


def problem(status: int, code: str, retry_after: int | None = None) -> Reply:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Reply(status, {"title": "A title", "status": status, "code": code}, headers)


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that go away."""

    # Fifty threads connect at the same time: with the usual 5 some of them would try again a second later.
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


class FakeBroker:
    """On a free port of this machine. "drop" ends the connection without an answer."""

    def __init__(
        self, answer: Callable[[Asked], Reply | Literal["drop"]], tls: ssl.SSLContext | None = None
    ) -> None:
        self.answer = answer
        self._tls = tls
        self.asked: list[Asked] = []
        self._asking = threading.Lock()

    def __enter__(self) -> Self:
        broker = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, text)
                with broker._asking:
                    broker.asked.append(asked)
                reply = broker.answer(asked)
                if reply == "drop":
                    self.close_connection = True
                    return
                is_text = isinstance(reply.body, str)
                content = (reply.body if is_text else json.dumps(reply.body)).encode()
                self.send_response_only(reply.status)
                kind = "text/html" if is_text else "application/json"
                for name, value in {"content-type": kind, **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        if self._tls:
            # In the thread of each connection: a client that does not trust us must not end the server.
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_port}"

    def bodies(self) -> list[Any]:
        """Of the requests so far, None for none."""
        return [json.loads(each.text) if each.text else None for each in self.asked]
