"""The guard before every request: who may ask, how much may be sent, and what the browser is told to refuse.

Another site's page, open in the same browser, could otherwise drive the lab: by requests to 127.0.0.1, or by a name of
its own that it lets point there (DNS rebinding).  The first carry their Origin, the second a foreign Host.
"""

import hmac
import ipaddress
import json
import re
import socket
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONTENT_SECURITY_POLICY", "BodyTooLarge", "Guard", "allowed_names", "is_loopback"]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


_COOKIE = "firsthand-lab"


def is_loopback(host: str) -> bool:
    """Return whether an address or name is this machine's own, which nobody else can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def allowed_names(host: str) -> frozenset[str]:
    """The names by which a server bound to `host` may be asked, addresses aside."""
    own = {"localhost"} if is_loopback(host) else {"localhost", socket.gethostname().lower()}
    return frozenset(own | {host.lower()})


class Guard:
    """ASGI middleware: refuses foreign hosts, foreign origins and large bodies; adds the security headers.

    Args:
        app: what is guarded.
        host: the address that the server is bound to.
        max_body: bytes that a request may carry.
        token: what every request has to show, as `?token=` or in the cookie that the answer to this sets; None where
            nobody else reaches the server.
    """

    def __init__(self, app: ASGIApp, host: str, max_body: int, token: str | None = None) -> None:
        self.app, self.max_body, self.token = app, max_body, token
        self.names = allowed_names(host)
        # an address cannot be made to point elsewhere; which of ours it is matters only when all are served
        self.any_address = not is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(headers)
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        by_address = self.token is not None and self._shown(asked.get("token"))
        if not refused and self.token is not None and not by_address and not self._shown(_cookies(headers)):
            refused = 401, "token: none or another found, expected the one in the address that the lab has printed"
        if refused:
            await _refuse(scope, send, *refused)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            cookie = f"{_COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/" if by_address else None
            await self.app(scope, _limited(receive, self.max_body), _with_headers(send, cookie))

    def _shown(self, found: list[str] | None) -> bool:
        token = (self.token or "").encode()
        return any(hmac.compare_digest(each.encode(errors="replace"), token) for each in found or ())

    def _refusal(self, headers: Headers) -> tuple[int, str] | None:
        host = headers.getlist("host")
        if len(host) != 1 or not self._is_ours(host[0]):
            return 421, f"Host: found {', '.join(host) or 'none'}, expected this lab's own address"
        origins = headers.getlist("origin")
        if any(urlsplit(origin).netloc.lower() != host[0].lower() for origin in origins):
            return 403, f"Origin: found {', '.join(origins)}, expected this lab's own page"
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return 403, "Sec-Fetch-Site: found cross-site, expected this lab's own page"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.max_body:
            return 413, f"Content-Length: found {length}, expected at most {self.max_body:,} bytes"
        return None

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:  # several, or a user, or a path
            return False
        try:
            address = ipaddress.ip_address(found["name"].strip("[]"))
        except ValueError:
            return found["name"].lower() in self.names
        return address.is_loopback or self.any_address


_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?")


def _cookies(headers: Headers) -> list[str]:
    try:
        found = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return []
    return [found[_COOKIE].value] if _COOKIE in found else []


def _limited(receive: Receive, limit: int) -> Receive:
    """The same messages, cut off where a body without a declared length grows too long."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge(limit)
        return message

    return counted


class BodyTooLarge(HTTPException):
    """A body without a declared length went over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"body: over {limit:,} bytes found, expected at most that")


def _with_headers(send: Send, cookie: str | None = None) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            for name, value in _HEADERS.items():
                headers[name] = value
            if cookie is not None:
                headers.append("Set-Cookie", cookie)
        await send(message)

    return add


async def _refuse(scope: Scope, send: Send, status: int, error: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error[:120]})
        return
    body = json.dumps({"error": error}).encode()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": status, "headers": headers}
    await _with_headers(send)(start)
    await send({"type": "http.response.body", "body": body})
