"""A JSON document that somebody may have edited, cut off or mixed up: each value knows its name, so that an error can tell it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from patscan.errors import ReportError
from patscan.formats.places import SURROGATE
from patscan.model import Fact

_CONFLICT = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)
_LARGEST = 1 << 63


class Value(NamedTuple):
    """Something in the document, and what it is called there."""

    found: Any
    field: str
    file: str

    def at(self, key: str) -> Value:
        """A member of an object; one that isn't there counts as ``null``."""
        if not isinstance(self.found, dict):
            raise self.wrong("an object")
        return Value(self.found.get(key), f"{self.field}.{key}" if self.field else key, self.file)

    def each(self) -> Iterator[Value]:
        """The items of a list."""
        if not isinstance(self.found, list):
            raise self.wrong("a list")
        return (Value(item, f"{self.field}[{number}]", self.file) for number, item in enumerate(self.found))

    def text(self) -> str:
        """A text, with U+FFFD for half a character."""
        if not isinstance(self.found, str):
            raise self.wrong("a text")
        return self.found if self.found.isascii() else SURROGATE.sub("\ufffd", self.found)

    def text_or_none(self) -> str | None:
        """A text, or ``null``."""
        return None if self.found is None else self.text()

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.each())

    def number(self) -> int:
        """A whole number."""
        if type(self.found) is not int or not 0 <= self.found < _LARGEST:
            raise self.wrong("a whole number from 0")
        return self.found

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.found, bool):
            raise self.wrong("true or false")
        return self.found

    def truth_or_none(self) -> bool | None:
        """True, false or ``null``."""
        return None if self.found is None else self.truth()

    def one_of(self, words: Sequence[str]) -> str:
        """One of some words."""
        if self.found not in words:
            raise self.wrong(f"one of {', '.join(words)}")
        return self.text()

    def facts(self) -> dict[str, str | int | bool]:
        """An object of texts, numbers, true and false."""
        if not isinstance(self.found, dict):
            raise self.wrong("an object")
        return {key: self._fact(key) for key in self.found}

    def _fact(self, key: str) -> str | int | bool:
        value = self.at(key)
        if isinstance(value.found, str):
            return value.text()
        if not isinstance(value.found, int):
            raise value.wrong("a text, a whole number, true or false")
        return value.found

    def members(self) -> tuple[str, ...]:
        """The names of an object's members."""
        if not isinstance(self.found, dict):
            raise self.wrong("an object")
        return tuple(self.found)

    def fact(self) -> Fact:
        """A text, a whole number, true, false, ``null``, or a list or an object of such."""
        if isinstance(self.found, list):
            return tuple(item.fact() for item in self.each())
        if isinstance(self.found, dict):
            return {key: self.at(key).fact() for key in self.found}
        if self.found is not None and not isinstance(self.found, str | int):
            raise self.wrong("a text, a whole number, true, false or null, or made of those")
        return self.text() if isinstance(self.found, str) else self.found

    def wrong(self, wanted: str) -> ReportError:
        """The error that says what should stand here."""
        return ReportError(f"{self.file}: {self.field or 'the document'} must be {wanted}.")


def parsed(data: bytes, name: str) -> Value:
    """The document in `data`, the content of a file called `name`. Raises `ReportError`."""
    try:
        return Value(json.loads(data), "", name)
    except RecursionError:
        raise ReportError(f"{name}: too many brackets inside each other for a report of patscan.") from None
    except UnicodeDecodeError as error:
        raise ReportError(f"{name}: not a text in UTF-8 ({error.reason} at byte {error.start}).") from None
    except json.JSONDecodeError as error:
        if _CONFLICT.search(data):
            raise ReportError(f"{name}: holds the markers of a merge conflict. Resolve it, or scan again.") from None
        text = error.doc.strip()
        if not text:
            raise ReportError(f"{name}: empty.") from None
        if text.startswith("{") and (error.pos >= len(error.doc.rstrip()) or not text.endswith("}")):
            raise ReportError(f"{name}: ends in the middle (line {error.lineno}): the report was cut off.") from None
        raise ReportError(f"{name}: not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except ValueError:
        raise ReportError(f"{name}: holds a number that is too long for a report of patscan.") from None
