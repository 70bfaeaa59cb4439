"""Servers on loopback: one that accepts and never answers, one that wants a password, and git's own over HTTP behind that."""

from __future__ import annotations

import base64
import http.server
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD = "ada~lovelace", "s3cr3t/p@ss:w%rd"


@contextmanager
def silent() -> Iterator[tuple[str, threading.Event]]:
    """The ``host:port`` of a server that takes connections and says nothing, and whether anybody came."""
    came = threading.Event()
    taken: list[socket.socket] = []

    def accept() -> None:
        try:
            while True:
                taken.append(server.accept()[0])
                came.set()
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", came
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


class Guarded(http.server.ThreadingHTTPServer):
    """git's own HTTP server (git-http-backend(1)) for the repositories in `root`, behind a user and a password."""

    daemon_threads = True

    def __init__(self, root: Path, user: str = USER, password: str = PASSWORD) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.met: list[str | None] = []
        """The ``Authorization`` of each request."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Guarded

    def do_GET(self) -> None:
        given = self.headers["Authorization"]
        self.server.met.append(given)
        if given != self.server.right:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="here"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        length = int(self.headers["Content-Length"] or 0)
        asked = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers["Content-Type"] or "",
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
            "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
        }
        done = subprocess.run(["git", "http-backend"], input=self.rfile.read(length), capture_output=True, env=asked, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Nothing."""


@contextmanager
def guarded(root: Path, user: str = USER, password: str = PASSWORD) -> Iterator[Guarded]:
    with Guarded(root, user, password) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
