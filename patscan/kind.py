"""The sorts of places that hold a token, one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """What sort of place holds a token: the word in a report, and what follows from it, a row each."""

    label: str
    """What people call the place where a path doesn't say it; ``{}`` is an object id."""
    remark: str
    """What is odd about the place, if it isn't simply a file."""
    is_file: bool
    """Whether there is a line to open at the path."""
    commentable: bool
    """Whether an ignore comment counts: nobody can write one into a message or a name afterwards, and nobody should silence one there."""
    store: str
    """What an address is read from: an ``object`` by its id, a ``file`` by its path, the names of ``refs`` or ``paths``; empty: nothing."""

    BLOB = "blob", "blob {}", "", True, True, "object"
    SYMLINK = "symlink", "", "symlink target", True, False, "object"
    NOTE = "note", "", "git note", False, True, "object"
    INDEX = "index", "", "staged, never committed", True, True, "object"
    FILE = "file", "", "", True, True, "file"
    STDIN = "stdin", "<stdin>", "", False, True, ""
    MESSAGE = "message", "", "", True, False, ""
    COMMIT_MESSAGE = "commit-message", "commit {} message", "", False, False, "object"
    TAG_MESSAGE = "tag-message", "tag {} message", "", False, False, "object"
    AUTHOR = "author", "commit {} author line", "", False, False, "object"
    REF_NAME = "ref-name", "", "ref name", False, False, "refs"
    PATH = "path", "", "file name", False, False, "paths"

    def kept_in(self, blob: str | None) -> str:
        """`store`, but for a link that no object stands for: its text is read from the working tree."""
        return "file" if self is Kind.SYMLINK and blob is None else self.store

    def __new__(cls, word: str, label: str = "", remark: str = "", is_file: bool = True, commentable: bool = True, store: str = "") -> Self:
        """A row of the table; by its `word` alone a member is looked up."""
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.label, kind.remark, kind.is_file, kind.commentable, kind.store = label, remark, is_file, commentable, store
        return kind
