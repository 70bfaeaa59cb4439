"""The message of a new commit: the file that git passes to the commit-msg hook."""

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
"""The characters of ``core.commentChar=auto`` (git's builtin/commit.c)."""

_ENCODINGS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
"""Other encodings of messages in git encode comments and line feeds as in ASCII."""


class Message(Stream):
    """The part of a message that git keeps. `comments` has the numbers (from 1) of the lines that git removes."""

    def __init__(self, path: Path, mark: str | None, strip: bool, cut: str) -> None:
        """`mark` begins a comment (``None``: git chooses the mark). With `strip`, git removes comments.

        `cut` says what git cuts off: ``first``, the text below the first scissors line; ``git``, the text below a scissors line that a
        comment follows, as git writes it; empty, nothing.

        Raises `TargetError` if the file can't be read.
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
            self.gaps.note(str(path), "the text below the scissors line isn't part of the message, so it wasn't looked at.")
        kept = enumerate(text.split("\n"), 1)
        self.comments = {number for number, line in kept if strip and mark and line.lstrip("\ufeff").startswith(mark)}

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("message", str(self._path))
