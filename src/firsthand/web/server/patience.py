"""Connections that stop in the middle of a request are closed, so that they lock nobody out."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["PATIENCE", "PatientProtocol"]

PATIENCE = 10.0  # seconds for a request's head, and between two parts of its body
_EVERY = 1.0  # seconds


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits for the head of a request, and for each part of its body, no longer than PATIENCE.

    (uvicorn's own timeout is of connections that are idle between two whole requests.)
    """

    def connection_made(self, transport: Any) -> None:
        """Begin to watch a connection."""
        super().connection_made(transport)
        now = self.loop.time()
        self._heard = now
        self._head_awaited_since: float | None = now
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(_EVERY, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the watch."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note when a part of a request came."""
        self._heard = self.loop.time()
        super().data_received(data)

    def _look(self) -> None:
        self._timer = None
        # a WebSocket has taken the connection over
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        now, state = self.loop.time(), self.conn.their_state
        if state is h11.IDLE and (self.cycle is None or self.cycle.response_complete):
            self._head_awaited_since = self._head_awaited_since or now
            late = now - self._head_awaited_since > PATIENCE
        else:
            self._head_awaited_since = None
            late = state is h11.SEND_BODY and not self.flow.read_paused and now - self._heard > PATIENCE
        if late:
            self.transport.abort()
            return
        self._timer = self.loop.call_later(_EVERY, self._look)
