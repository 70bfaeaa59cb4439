"""The message of a commit that is being made: the file that git hands to its commit-msg hook."""

from __future__ import annotations

import codecs
import re
from io import BytesIO
from pathlib import Path

from patscan.errors import TargetError
from patscan.model import Target
from patscan.sources.stream import Stream

_SCISSORS = "------------------------ >8 ------------------------"
_ANY_MARK = r"[#;@!$%^&|:]"
"""What ``core.commentChar=auto`` chooses from (git-config(1) names none; builtin/commit.c does)."""

_ENCODINGS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
"""In every other encoding that git stores messages in, comments and line feeds are ASCII."""


class Message(Stream):
    """A message as far as git keeps it. `comments` are the lines that git will take out, by number."""

    def __init__(self, path: Path, mark: str | None, strip: bool, cut: str) -> None:
        """`mark` begins a comment (``None``: git chooses one); `strip`: comments go.

        `cut`: what is below the ``first`` scissors goes, too, or below ``git``'s own, which a comment follows; empty: nothing.

        Raises `TargetError` for a file that can't be read.
        """
        self._path = path
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TargetError(f"{path}: the message can't be read: {error.strerror or error}.") from error
        encoding = next((name for marks, name in _ENCODINGS if content.startswith(marks)), "latin-1")
        text = content.decode(encoding, "replace")
        begin = rf"(?:{re.escape(mark) if mark else _ANY_MARK})"
        end = rf"(?=\r?\n{begin})" if cut == "git" else r"\r?$"
        scissors = re.search(rf"^{begin} {_SCISSORS}{end}", text, re.MULTILINE) if cut else None
        if scissors:
            text = text[: scissors.start()]
            content = content[: len(text.encode(encoding))]
        super().__init__(BytesIO(content))
        if scissors:
            self.gaps.note(str(path), "what stands below the scissors is no part of the message.")
        kept = enumerate(text.split("\n"), 1)
        self.comments = {number for number, line in kept if strip and mark and line.lstrip("\ufeff").startswith(mark)}

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("message", str(self._path))
