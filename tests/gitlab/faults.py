"""What goes wrong on demand. A fault is due for requests whose path ends as it says, as often as it says."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.gitlab import answers
from tests.gitlab.answers import Answer

if TYPE_CHECKING:
    from tests.gitlab.loopback import GitLab, Recorded

GIGABYTE = 1 << 30
LOGIN = b"<!DOCTYPE html><title>Sign in</title><form action=/users/sign_in>"


@dataclass
class Fault:
    """`what` is one of the methods of `_Faults`; `times` requests have it."""

    what: str
    times: int = 1 << 30
    path: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    method: str = ""

    def commit(self, handler: Any) -> None:
        getattr(_Faults, self.what)(handler, **self.more)


def due(gitlab: GitLab, request: Recorded) -> Fault | None:
    with gitlab.lock:
        for fault in gitlab.faults:
            if fault.times > 0 and request.method.startswith(fault.method) and request.path.partition("?")[0].endswith(fault.path):
                fault.times -= 1
                return fault
    return None


class _Faults:
    @staticmethod
    def silent(handler: Any, acted: bool, seconds: float = 3.0) -> None:
        """No answer, before or after the server has `acted`."""
        if acted:
            answers.answer(handler.gitlab, handler.recorded)
        time.sleep(seconds)
        handler.close_connection = True

    @staticmethod
    def slowly(handler: Any, seconds: float = 1.0) -> None:
        """The right answer, late."""
        answer = answers.answer(handler.gitlab, handler.recorded)
        time.sleep(seconds)
        handler.send(answer)

    @staticmethod
    def after(handler: Any, what: str, **more: Any) -> None:
        """Another fault, after the server has acted."""
        answers.answer(handler.gitlab, handler.recorded)
        getattr(_Faults, what)(handler, **more)

    @staticmethod
    def slow(handler: Any, seconds: float = 5.0) -> None:
        time.sleep(seconds)
        handler.send(Answer(200, b"{}"))

    @staticmethod
    def drip(handler: Any, seconds: float = 0.05) -> None:
        """A body that comes a byte at a time."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100_000):
            handler.wfile.write(b" ")
            time.sleep(seconds)

    @staticmethod
    def reset(handler: Any) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()

    @staticmethod
    def half(handler: Any) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"id": 1, "na')
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def status(handler: Any, code: int = 502, body: bytes = b"<html>Bad gateway</html>", headers: dict[str, str] | None = None) -> None:
        handler.send(Answer(code, body, {"Content-Type": "text/html"} | (headers or {})))

    @staticmethod
    def too_many(handler: Any, headers: dict[str, str] | None = None) -> None:
        handler.send(Answer(429, b"Retry later\n", {"Content-Type": "text/plain"} | (headers or {})))

    @staticmethod
    def redirect(handler: Any, to: str) -> None:
        handler.send(Answer(302, b"", {"Location": to}))

    @staticmethod
    def login(handler: Any) -> None:
        handler.send(Answer(200, LOGIN, {"Content-Type": "text/html"}))

    @staticmethod
    def wrong_json(handler: Any, body: bytes = b'{"id": ') -> None:
        handler.send(Answer(200, body))

    @staticmethod
    def huge(handler: Any) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        for _ in range(GIGABYTE >> 20):
            handler.wfile.write(b" " * (1 << 20))
