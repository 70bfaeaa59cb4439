"""A proxy on the loopback interface that writes down every request, plain or through a tunnel."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Records ``METHOD target`` lines and the head of each request; refuses with `refuse` if that is a status."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse = refuse
        self.lines: list[str] = []
        self.heads: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def _record(self) -> bool:
        self.proxy.lines.append(f"{self.command} {self.path}")
        self.proxy.heads.append(str(self.headers))
        if self.proxy.refuse:
            self.send_error(self.proxy.refuse)
        return not self.proxy.refuse

    def do_CONNECT(self) -> None:
        if not self._record():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            self.close_connection = True
            back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
            back.start()
            _pump(self.connection, there)
            back.join(5)

    def _forward(self) -> None:
        if not self._record():
            return
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with closing(HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)) as connection:
            connection.request(self.command, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, dict(self.headers))
            answer = connection.getresponse()
            data = answer.read()
        self.wfile.write(f"HTTP/1.1 {answer.status} -\r\n".encode())
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in {"transfer-encoding", "connection"}]
        self.wfile.write("".join(f"{name}: {value}\r\n" for name, value in kept).encode() + b"Connection: close\r\n\r\n" + data)
        self.close_connection = True

    do_GET = do_POST = do_HEAD = _forward  # noqa: N815 - the standard library's names


def _pump(here: socket.socket, there: socket.socket) -> None:
    try:
        with suppress(OSError):
            while data := here.recv(65536):
                there.sendall(data)
    finally:
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
