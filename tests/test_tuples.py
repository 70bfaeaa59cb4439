"""The named tuples of patscan do what those of typing do."""

from __future__ import annotations

import pickle
import typing

from patscan.tuples import NamedTuple


class Quick(NamedTuple):
    """A place."""

    line: int
    """1-based."""
    path: str = "a"

    @property
    def text(self) -> str:
        """Path and line."""
        return f"{self.path}:{self.line}"

    @classmethod
    def first(cls) -> Quick:
        """The first line."""
        return cls(1)


class Usual(typing.NamedTuple):
    """A place."""

    line: int
    path: str = "a"


def test_it_is_a_tuple_with_fields_and_defaults_like_typings() -> None:
    for name in ("_fields", "_field_defaults", "__doc__", "__module__", "__slots__", "__match_args__"):
        assert getattr(Quick, name) == getattr(Usual, name)
    assert Quick(2) == Usual(2) == (2, "a")
    assert repr(Quick(2, path="b")) == "Quick(line=2, path='b')"
    assert Quick(2)._replace(line=5)._asdict() == {"line": 5, "path": "a"}


def test_methods_are_the_classs() -> None:
    assert (Quick.first().text, Quick.__qualname__) == ("a:1", "Quick")


def test_it_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(Quick(7))) == Quick(7)  # noqa: S301 - it was written here
