"""A real git repository in a temporary folder, with verbs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


class Repo:
    """Every method runs real git; dates advance by an hour a commit."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        self._clock = 1_700_000_000
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *args: str | bytes, stdin: bytes = b"", **environment: str) -> bytes:
        """The output of ``git ARGS``; raises if it fails."""
        stamp = {"GIT_AUTHOR_DATE": f"{self._clock} +0200", "GIT_COMMITTER_DATE": f"{self._clock} +0200"}
        env = {**os.environ, **IDENTITY, **stamp, **environment}
        done = subprocess.run(["git", *args], cwd=self.path, input=stdin, capture_output=True, env=env, check=False)
        if done.returncode:
            raise AssertionError((args, done.stderr))
        return done.stdout

    def line(self, *args: str | bytes, stdin: bytes = b"") -> str:
        return self.git(*args, stdin=stdin).decode().strip()

    def write(self, path: str | bytes, content: bytes | str) -> None:
        """Write a file of the working tree."""
        full = os.path.join(os.fsencode(self.path), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, bytes | str] | None = None, message: str = "change", *options: str) -> str:
        """Write files, stage everything and commit; returns the commit's id."""
        for path, content in (files or {}).items():
            self.write(path, content)
        self._clock += 3600
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", message, *options)
        return self.line("rev-parse", "HEAD")

    def pack(self, *options: str) -> None:
        """Everything into one pack, unreachable objects too."""
        self.git("repack", "-a", "-d", "-q", "--keep-unreachable", *options)
        self.git("prune-packed", "-q")

    def objects(self) -> dict[str, str]:
        """The kind of every object git knows, by id."""
        listed = self.line("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
        return dict(line.split() for line in listed.splitlines())
