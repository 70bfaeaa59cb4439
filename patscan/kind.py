"""The kinds of places of tokens."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """A kind of place of a token: its word in a report, and its properties."""

    label: str
    """The description of a place without a path; ``{}`` stands for an object id."""
    remark: str
    """A remark on the place, unless it is simply a file."""
    is_file: bool
    """Whether the path names a file with lines."""
    commentable: bool
    """Whether an ignore comment counts. Messages and names can't be edited later, so a comment in one must not hide a token."""
    store: str
    """Where an address is read: an ``object`` by id, a ``file`` by path, the names of ``refs`` or ``paths``; empty: nowhere."""

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
        """`store`, but ``file`` for a link without an object: its text is read from the working tree."""
        return "file" if self is Kind.SYMLINK and blob is None else self.store

    def __new__(cls, word: str, label: str = "", remark: str = "", is_file: bool = True, commentable: bool = True, store: str = "") -> Self:
        """Create a member from its row. `word` is its value."""
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.label, kind.remark, kind.is_file, kind.commentable, kind.store = label, remark, is_file, commentable, store
        return kind
