"""A repository made at random, with tokens in the places that ``patscan history`` looks at, behind every layer."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.archives.packing import CONTAINERS, STREAMS, zipped
from tests.repo import Repo
from tests.tokens import classic
from tests.wrapped import ENDLESS, KINDS, WRAPPERS

ARCHIVES = CONTAINERS | STREAMS | {"zip in zip": lambda data: zipped(zipped(data), "inner.zip")}


class Random:
    """The repository. `changed` are the ids of blobs that hold a token, `kept` what must be found again after its removal."""

    def __init__(self, path: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.repo = Repo(path)
        self.tokens: list[str] = []
        self.changed: set[str] = set()
        self.archives: set[str] = set()
        self.exact: dict[str, tuple[bytes, bytes]] = {}
        """Of blobs that hold a token as it is or in UTF-16, what stands before and behind it."""
        self._number = 0
        self.repo.commit({"README": "nothing\n", "data.bin": bytes(range(256)), ".gitattributes": "*.lock -diff\n"})
        # Every place, every layer and every end has its turn among six repositories.
        places = [name for number, name in enumerate(PLACES) if number % 6 == seed % 6 or self.rng.random() < 0.35]
        layers = [name for number, name in enumerate(WRAPPERS) if number % 6 == seed % 6]
        archives = [name for number, name in enumerate(ARCHIVES) if number % 5 == seed % 5]
        steps: list[Callable[[], None]] = [getattr(self, name) for name in places]
        steps += [lambda name=name: self.wrapped(name) for name in layers]  # type: ignore[misc]
        steps += [lambda name=name: self.archive(name) for name in archives]  # type: ignore[misc]
        self.rng.shuffle(steps)
        for step in steps:
            step()
            if self.rng.random() < 0.3:
                self.repo.commit({f"clean/{self.number()}": f"text {self.rng.random()}\n"})
        for name in dict.fromkeys((ENDS[seed % len(ENDS)], *self.rng.sample(ENDS, k=self.rng.randint(1, 3)))):
            getattr(self, name)()

    def number(self) -> int:
        self._number += 1
        return self._number

    def token(self, kind: str = "") -> str:
        token = KINDS[kind](self.rng) if kind else classic(self.rng)
        self.tokens.append(token)
        return token

    def add(self, path: str, content: bytes, message: str = "change") -> str:
        commit = self.repo.commit({path: content}, message)
        self.changed.add(self.repo.line("hash-object", "--stdin", stdin=content))
        return commit

    def surrounded(self, path: str, before: bytes, token: str, after: bytes, text: str = "ascii") -> None:
        content = before + token.encode(text) + after
        self.add(path, content)
        self.exact[self.repo.line("hash-object", "--stdin", stdin=content)] = before, after

    # Places

    def wrapped(self, name: str) -> None:
        kinds = [kind for kind in KINDS if kind not in ENDLESS and not ("split" in name and kind == "gitlab-routable-custom-prefix")]
        content = WRAPPERS[name](self.token(self.rng.choice(kinds)), self.rng)
        self.add(f"layers/{self.number()}", content)
        if self.rng.random() < 0.3:
            self.repo.commit({f"layers/{self._number}": "taken out\n"})

    def archive(self, name: str) -> None:
        path, content = f"archives/{self.number()}", ARCHIVES[name](f"TOKEN={self.token()}\n".encode())
        if self.rng.random() < 0.5:
            self.repo.commit({path: "an older version\n"})
        self.add(path, content)
        self.archives.add(self.repo.line("hash-object", "--stdin", stdin=content))

    def plain(self) -> None:
        self.surrounded(f"a/{self.number()}.env", "é\r\nTOKEN=".encode(), self.token(), b"\r\n")

    def twice(self) -> None:
        token = self.token()
        self.add(f"a/{self.number()}", f"{token} {token}\n{token.encode().hex()}\n".encode())

    def binary(self) -> None:
        self.surrounded(f"b/{self.number()}.bin", b"\0\1\xff\n\0", self.token(), b"\0\n\0end")

    def late_nul(self) -> None:
        self.surrounded(f"b/{self.number()}", b"x\n" * 5000, self.token(), b"\n\0\0")

    def wide(self) -> None:
        self.surrounded(f"b/{self.number()}", "\ufeffone\n".encode("utf-16-le"), self.token(), "\n".encode("utf-16-le"), "utf-16-le")

    def symlink(self) -> None:
        target = f"/secrets/{self.token()}/key"
        (self.repo.path / f"link{self.number()}").symlink_to(target)
        self.repo.commit()
        self.changed.add(self.repo.line("hash-object", "--stdin", stdin=target.encode()))

    def renamed(self) -> None:
        name = f"old{self.number()}"
        self.add(name, f"{self.token()}\n".encode())
        self.repo.git("mv", name, f"{name}.new")
        self.repo.commit()

    def odd_path(self) -> None:
        content = f"{self.token()}\n".encode()
        self.repo.write(b"sub\xff/\x02 :%d" % self.number(), content)
        self.repo.commit()
        self.changed.add(self.repo.line("hash-object", "--stdin", stdin=content))

    def path_name(self) -> None:
        self.repo.commit({f"names/{self.token()}/{self.number()}.txt": "clean\n"})

    def hex_path_name(self) -> None:
        self.repo.commit({f"names/{self.token().encode().hex()}.txt": "clean\n"})

    def message(self) -> None:
        self.repo.commit(None, f"Deploy\n\nключ {self.token()}!\n{self.token().encode().hex()}")

    def latin_message(self) -> None:
        self.repo.git(
            "-c", "i18n.commitEncoding=latin1", "commit", "-q", "--allow-empty", "-m", f"caf\xe9 {self.token()}".encode("latin-1")
        )

    def people(self) -> None:
        for field in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
            if self.rng.random() < 0.6:
                self.repo.git("commit", "-q", "--allow-empty", "-m", field, **{f"GIT_{field}": f"x{self.rng.choice(' +')}{self.token()}"})

    def tag_message(self) -> None:
        self.repo.git("tag", "-a", "-m", f"Release with {self.token()}", f"v{self.number()}", GIT_COMMITTER_NAME=f"J {self.token()}")

    def tag_name(self) -> None:
        self.repo.git("tag", f"t/{self.token()}")
        self.repo.git("tag", "-a", "-m", "annotated", f"a/{self.token()}")

    def tag_of_tag(self) -> None:
        name = f"n{self.number()}"
        self.repo.git("tag", "-a", "-m", f"inner {self.token()}", name)
        self.repo.git("-c", "advice.nestedTag=false", "tag", "-a", "-m", f"outer {self.token()}", f"{name}-2", name)

    def branch_name(self) -> None:
        self.repo.git("branch", f"feature/{self.token()}")
        self.repo.git("branch", f"feature/{self.token()}")

    def note(self) -> None:
        self.repo.git("notes", "add", "-f", "-m", f"try {self.token()}")
        self.changed.add(self.repo.line("rev-parse", f"refs/notes/commits:{self.repo.line('rev-parse', 'HEAD')}"))

    def merge(self) -> None:
        side, number = f"side{self.number()}", self._number
        self.repo.commit({f"conflict{number}": "base"})
        self.repo.git("checkout", "-q", "-b", side)
        self.add(f"conflict{number}", f"side {self.token()}".encode())
        self.repo.git("checkout", "-q", "main")
        self.repo.commit({f"conflict{number}": "main"})
        self.repo.git("merge", "-q", "-s", "ours", "--no-commit", side)
        self.add(f"conflict{number}", f"resolved: {self.token()}\n".encode(), f"Merge {side}")

    def amended(self) -> None:
        self.add("amended", f"away: {self.token()}\n".encode())
        self.repo.commit({"amended": f"{self.number()}\n"}, "amended", "--amend")

    def dangling(self) -> None:
        blob = self.repo.git("hash-object", "-w", "--stdin", stdin=f"dangling: {self.token()}\n".encode()).strip()
        self.repo.line("commit-tree", "-m", "lost", self.repo.line("mktree", stdin=b"100644 blob %b\tlost\n" % blob))

    def once_staged(self) -> None:
        self.repo.write("staged", f"{self.token()}\n")
        self.repo.git("add", "staged")
        self.repo.git("rm", "-q", "-f", "--cached", "staged")
        os.unlink(self.repo.path / "staged")

    def stash(self) -> None:
        for _ in range(2):
            content = f"stashed: {self.token()}\n".encode()
            self.repo.write("README", content)
            self.changed.add(self.repo.line("hash-object", "--stdin", stdin=content))
            self.repo.git("stash", "-q", "-m", f"with {self.token()}")

    def server_ref(self) -> None:
        self.repo.git("update-ref", f"refs/keep-around/{self.number()}", "HEAD")

    # Ends

    def fetched(self) -> None:
        """A branch of the remote that has gone on."""
        self.repo.git("remote", "add", "origin", "https://gitlab.example.com/a/b.git")
        self.repo.git("checkout", "-q", "--detach")
        self.add("theirs", f"{self.token()}\n".encode())
        self.repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.repo.git("checkout", "-q", "main")
        self.repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")

    def submodule(self) -> None:
        if (self.repo.path / ".git" / "worktrees").exists():
            return  # git won't remove working trees with submodules
        inner = Repo(self.repo.path.parent / "inner")
        inner.commit({"a.env": f"TOKEN={self.token()}\n"}, f"with {self.token()}")
        inner.commit({"a.env": "x"})
        self.repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "sub")
        self.repo.commit()

    def worktrees(self) -> None:
        if (self.repo.path / ".gitmodules").exists():
            return
        self.repo.git("worktree", "add", "-q", "--detach", str(self.repo.path.parent / f"w{self.number()}"), "HEAD~1")
        self.repo.git("worktree", "add", "-q", "-b", "linked", str(self.repo.path.parent / f"w{self.number()}"))

    def packed(self) -> None:
        self.repo.pack()

    def on_token_branch(self) -> None:
        self.repo.git("checkout", "-q", "-b", f"head-{self.token()}")

    def detached(self) -> None:
        self.repo.git("checkout", "-q", "--detach")
        self.add("detached", f"{self.token()}\n".encode())


PLACES = [
    *("plain", "twice", "binary", "late_nul", "wide", "symlink", "renamed", "odd_path", "path_name", "hex_path_name", "message", "people"),
    *("latin_message", "tag_message", "tag_name", "tag_of_tag", "branch_name", "note", "merge", "amended", "dangling", "once_staged"),
    *("stash", "server_ref"),
]
ENDS = ["fetched", "worktrees", "packed", "on_token_branch", "detached", "submodule"]
