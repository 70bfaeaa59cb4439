"""The only door to hyperscan: many expressions over the same bytes in one pass.

hyperscan silently takes a length modulo 2^32: what comes here is a piece (`patscan.content`), never near that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

Handler: TypeAlias = Callable[..., bool | None]
"""Called with an expression's number, 0, and the byte behind the match; a true answer ends the scan."""
Scan: TypeAlias = Callable[[bytes | memoryview, Handler], None]


class Expression(NamedTuple):
    """A regular expression in PCRE's syntax, and the number that its matches are reported under."""

    pattern: bytes
    number: int
    caseless: bool = False
    """Whether letters of any case match."""
    once: bool = False
    """Whether one match in the bytes is enough."""


def literal(text: bytes) -> bytes:
    """The expression that matches `text` alone."""
    return b"\\x" + text.hex(" ").replace(" ", "\\x").encode()


def compiled(expressions: Sequence[Expression]) -> tuple[Scan, type[Exception]] | None:
    """A scan for `expressions`, and what it raises when its handler has ended it; ``None`` without hyperscan."""
    try:
        import hyperscan
    except ImportError:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[one.pattern for one in expressions],
        ids=[one.number for one in expressions],
        elements=len(expressions),
        flags=[one.caseless * hyperscan.HS_FLAG_CASELESS | one.once * hyperscan.HS_FLAG_SINGLEMATCH for one in expressions],
    )
    scan: Any = database.scan  # its stub forgets memoryview, which its code takes
    return scan, hyperscan.ScanTerminated
