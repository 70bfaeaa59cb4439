"""An untrusted JSON document. Each value knows its name, so that an error can name it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from patscan.errors import ReportError
from patscan.formats.places import SURROGATE
from patscan.model import Fact
from patscan.tuples import NamedTuple

_CONFLICT = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)
_LARGEST = 1 << 63


class Value(NamedTuple):
    """A value in the document, with its field and its file."""

    content: Any
    field: str
    file: str

    def at(self, key: str) -> Value:
        """A member of an object; a missing one is ``null``."""
        if not isinstance(self.content, dict):
            raise self.wrong("an object")
        return Value(self.content.get(key), f"{self.field}.{key}" if self.field else key, self.file)

    def each(self) -> Iterator[Value]:
        """The items of a list."""
        if not isinstance(self.content, list):
            raise self.wrong("a list")
        return (Value(item, f"{self.field}[{number}]", self.file) for number, item in enumerate(self.content))

    def text(self) -> str:
        """A text, with U+FFFD for each lone surrogate."""
        if not isinstance(self.content, str):
            raise self.wrong("a text")
        return self.content if self.content.isascii() else SURROGATE.sub("\ufffd", self.content)

    def text_or_none(self) -> str | None:
        """A text, or ``null``."""
        return None if self.content is None else self.text()

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.each())

    def number(self) -> int:
        """A whole number."""
        if type(self.content) is not int or not 0 <= self.content < _LARGEST:
            raise self.wrong("a whole number from 0")
        return self.content

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.content, bool):
            raise self.wrong("true or false")
        return self.content

    def truth_or_none(self) -> bool | None:
        """True, false or ``null``."""
        return None if self.content is None else self.truth()

    def one_of(self, words: Sequence[str]) -> str:
        """One of some words."""
        if self.content not in words:
            raise self.wrong(f"one of {', '.join(words)}")
        return self.text()

    def facts(self) -> dict[str, str | int | bool]:
        """An object of texts, numbers, true and false."""
        if not isinstance(self.content, dict):
            raise self.wrong("an object")
        return {key: self._fact(key) for key in self.content}

    def _fact(self, key: str) -> str | int | bool:
        value = self.at(key)
        if isinstance(value.content, str):
            return value.text()
        if not isinstance(value.content, int):
            raise value.wrong("a text, a whole number, true or false")
        return value.content

    def members(self) -> tuple[str, ...]:
        """The names of an object's members."""
        if not isinstance(self.content, dict):
            raise self.wrong("an object")
        return tuple(self.content)

    def fact(self) -> Fact:
        """A text, a whole number, true, false, ``null``, or a list or an object of those."""
        if isinstance(self.content, list):
            return tuple(item.fact() for item in self.each())
        if isinstance(self.content, dict):
            return {key: self.at(key).fact() for key in self.content}
        if self.content is not None and not isinstance(self.content, str | int):
            raise self.wrong("a text, a whole number, true, false or null, or made of those")
        return self.text() if isinstance(self.content, str) else self.content

    def wrong(self, wanted: str) -> ReportError:
        """An error that names the value and says what it must be."""
        return ReportError(f"{self.file}: {self.field or 'the document'} must be {wanted}.")


def parsed(data: bytes, name: str) -> Value:
    """The document in `data`, the content of a file called `name`. Raises `ReportError`."""
    try:
        return Value(json.loads(data), "", name)
    except RecursionError:
        raise ReportError(f"{name}: not a report of patscan: brackets are nested too deeply.") from None
    except UnicodeDecodeError as error:
        raise ReportError(f"{name}: not a text in UTF-8 ({error.reason} at byte {error.start}).") from None
    except json.JSONDecodeError as error:
        if _CONFLICT.search(data):
            raise ReportError(f"{name}: has markers of a merge conflict. Resolve it, or scan again.") from None
        text = error.doc.strip()
        if not text:
            raise ReportError(f"{name}: empty.") from None
        if text.startswith("{") and (error.pos >= len(error.doc.rstrip()) or not text.endswith("}")):
            raise ReportError(f"{name}: the report is cut off at line {error.lineno}. Scan again.") from None
        raise ReportError(f"{name}: not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except ValueError:
        raise ReportError(f"{name}: not a report of patscan: a number is too long.") from None
