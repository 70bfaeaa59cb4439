"""A repository with one token in every place that git has for bytes, and where each must be found."""

from __future__ import annotations

import base64
import os
import random
from typing import NamedTuple

from patscan.model import Position
from tests.repo import Repo
from tests.tokens import classic

BEFORE = 'é = "first line"\n\nключ, "'
"""What stands before a token in a file: characters that aren't bytes, on its own line too."""
AFTER = '" # and behind\n'


class Place(NamedTuple):
    """Where a token was planted: `form` is the token's bytes as they stand there, `content` all of it; `paths` with the commits."""

    token: str
    type: str
    object: str
    content: bytes
    form: bytes
    encodings: tuple[str, ...]
    text: str
    paths: tuple[tuple[str | None, str | None], ...]

    @property
    def span(self) -> tuple[int, int]:
        start = self.content.index(self.form)
        return start, start + len(self.form)

    @property
    def position(self) -> Position:
        start, end = self.span
        left = self.content[:start].decode(self.text, "surrogateescape")
        shown = self.content[start:end].decode(self.text)
        line, column = left.count("\n") + 1, len(left) - left.rfind("\n")
        if left.startswith("\ufeff") and line == 1:
            column -= 1
        return Position(line, column, line, column + len(shown))


class Planted:
    """The repository, and its places by name; `reachable` are those that a clone through a protocol has."""

    def __init__(self, repo: Repo, seed: int = 1) -> None:
        self.repo = repo
        self.places: dict[str, Place] = {}
        self.reachable: set[str] = set()
        self._rng = random.Random(seed)
        self._objects: list[tuple[str, str, str]] = []
        for plant in (self.files, self.encoded, self.merge, self.messages, self.names, self.rewritten, self.unfinished):
            plant()

    def token(self) -> str:
        return classic(self._rng)

    def note(
        self,
        name: str,
        token: str,
        object_name: str,
        *paths: tuple[str | None, str | None],
        kind: str = "blob",
        form: bytes = b"",
        encodings: tuple[str, ...] = (),
        text: str = "utf-8",
        reachable: bool = True,
    ) -> None:
        """Write down what was planted in an object."""
        content = self.repo.git("cat-file", self.repo.line("cat-file", "-t", object_name), object_name)
        self.places[name] = Place(token, kind, object_name, content, form or token.encode(), encodings, text, paths)
        if reachable:
            self.reachable.add(name)

    def file(self, name: str, content: bytes, token: str, path: str = "", **how: object) -> str:
        """A file of its own in a commit of its own."""
        path = path or f"files/{name}"
        commit = self.repo.commit({path: content}, f"adds {name}")
        self.note(name, token, self.blob(content), (path, commit), **how)  # type: ignore[arg-type]
        return commit

    def blob(self, content: bytes) -> str:
        return self.repo.line("hash-object", "--stdin", stdin=content)

    def files(self) -> None:
        repo = self.repo
        self.file("root commit", f"{BEFORE}{(token := self.token())}{AFTER}".encode(), token)
        self.file("normal", f"{BEFORE}{(token := self.token())}{AFTER}".encode(), token)
        removed = f"{(token := self.token())}\n".encode()
        self.file("removed later", removed, token)
        repo.git("rm", "-q", "files/removed later")
        repo.commit()
        self.file("binary", b"\0\1\xff\n\0" + (token := self.token()).encode() + b"\0\n", token)
        repo.commit({".gitattributes": "*.lock -diff\n*.dat binary\n"})
        self.file("without diffs", f"{(token := self.token())}\n".encode(), token, "yarn.lock")
        self.file("binary attribute", f"x\n{(token := self.token())}".encode(), token, "x.dat")
        content = f"{(token := self.token())} moves\n".encode()
        first = repo.commit({"old": content})
        repo.git("mv", "old", "new")
        self.note("renamed", token, self.blob(content), ("new", repo.commit()), ("old", first))
        target = f"/secrets/{(token := self.token())}/key"
        (repo.path / "link").symlink_to(target)
        self.note("symlink", token, self.blob(target.encode()), ("link", repo.commit()), kind="symlink")
        content = f"{(token := self.token())}\n".encode()
        path = b"sub\xff\nmodule/\x02 :path"
        repo.write(path, content)
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.line('rev-parse', 'HEAD')},submodule")
        self.note("odd path", token, self.blob(content), (os.fsdecode(path), repo.commit()))
        self.file("crlf", f"one\r\ntwo = {(token := self.token())}\r\nthree\r\n".encode(), token)
        self.file("in a long line", b"x" * 100_000 + b" " + (token := self.token()).encode() + b" " + b"x" * 100_000, token)

    def encoded(self) -> None:
        with_mark = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
        for text, mark in (*((text, "\ufeff") for text in with_mark), ("utf-16-le", ""), ("utf-16-be", "")):
            token = self.token()
            lines = f"{mark}the first line\nkey = {token}\nand the last of these lines\n"
            form = token.encode(text)
            name = f"{text} {'with' if mark else 'without'} a mark"
            self.file(name, lines.encode(text), token, form=form, encodings=(text[:6],), text=text)
        for before in range(3):
            token = self.token()
            packed = base64.b64encode(b"\n" * before + token.encode() + b"\n.")
            form = packed[8 * before // 6 : -(-8 * (before + len(token)) // 6)]
            self.file(f"base64, {before} before", b"data: " + packed + b"\n", token, form=form, encodings=("base64",))
        token = self.token()
        self.file("hex", f"\nid {token.encode().hex()}\n".encode(), token, form=token.encode().hex().encode(), encodings=("hex",))
        token = self.token()
        form = token.replace("-", "%2D").replace("_", "%5F").encode()
        self.file("percent", b"https://x.example/?private_token=" + form + b"&a=b\n", token, form=form, encodings=("percent",))

    def merge(self) -> None:
        repo = self.repo
        repo.commit({"conflict": "base"})
        repo.git("checkout", "-q", "-b", "side")
        repo.commit({"conflict": "side"})
        repo.git("checkout", "-q", "main")
        repo.commit({"conflict": "main"})
        repo.git("merge", "-q", "-s", "ours", "--no-commit", "side")
        content = f"resolved: {(token := self.token())}\n".encode()
        self.note("merge resolution", token, self.blob(content), ("conflict", repo.commit({"conflict": content})))

    def messages(self) -> None:
        repo = self.repo
        commit = repo.commit(None, f"Deploy\n\nключ {(token := self.token())}!")
        self.note("commit message", token, commit, (None, commit), kind="commit-message")
        repo.git("tag", "-a", "-m", f"Release with {(token := self.token())}", "v1")
        tag = repo.line("rev-parse", "v1")
        self.note("tag message", token, tag, (None, tag), kind="tag-message")
        repo.git("notes", "add", "-m", f"try {(token := self.token())}", commit)
        note = repo.line("rev-parse", f"refs/notes/commits:{commit}")
        self.note("note", token, note, (commit, repo.line("rev-parse", "refs/notes/commits")), kind="note")

    def names(self) -> None:
        repo = self.repo
        for who in ("AUTHOR", "COMMITTER"):
            token = self.token()
            repo.git("commit", "-q", "--allow-empty", "-m", who, **{f"GIT_{who}_NAME": token})
            commit = repo.line("rev-parse", "HEAD")
            self.note(f"{who.lower()} name", token, commit, (None, commit), kind="author")
        token = self.token()
        repo.git("branch", f"feature/{token}")
        refs = repo.git("for-each-ref", "--format=%(refname)")
        self.places["branch name"] = Place(
            token, "ref-name", "refs", refs, token.encode(), (), "utf-8", ((f"refs/heads/feature/{token}", None),)
        )
        self.reachable.add("branch name")

    def rewritten(self) -> None:
        repo = self.repo
        content = f"away: {(token := self.token())}\n".encode()
        commit = repo.commit({"amended": content})
        repo.commit({"amended": "amended"}, "amended", "--amend")
        self.note("amended away", token, self.blob(content), ("amended", commit), reachable=False)
        content = f"dangling: {(token := self.token())}\n".encode()
        blob = repo.git("hash-object", "-w", "--stdin", stdin=content).strip()
        tree = repo.line("mktree", stdin=b"100644 blob %b\tlost\n" % blob)
        self.note("dangling commit", token, blob.decode(), ("lost", repo.line("commit-tree", "-m", "lost", tree)), reachable=False)

    def unfinished(self) -> None:
        repo = self.repo
        content = f"stashed: {(token := self.token())}\n".encode()
        repo.write("amended", content)
        repo.git("stash", "-q")
        self.note("stash", token, self.blob(content), ("amended", repo.line("rev-parse", "refs/stash")))
        for name, path in (("once staged", None), ("staged", "staged")):
            content = f"{name}: {(token := self.token())}\n".encode()
            repo.write("staged", content)
            repo.git("add", "staged")
            self.note(name, token, self.blob(content), (path, None), kind="index" if path else "blob", reachable=False)
