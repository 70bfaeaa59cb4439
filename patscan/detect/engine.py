"""Search for many expressions in one pass. The only door to hyperscan.

hyperscan silently takes a length modulo 2^32. Pieces (`patscan.content`) are much shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    import hyperscan

Handler: TypeAlias = Callable[..., bool | None]
"""Called with an expression's number, 0, and the end of the match. A true result ends the scan."""
Scan: TypeAlias = Callable[[bytes | memoryview, Handler], None]


class Engine(NamedTuple):
    """A compiled search."""

    name: str
    scan: Scan
    stopped: type[Exception]
    """Raised by the search after a handler ended it."""


class Expression(NamedTuple):
    """A regular expression in PCRE's syntax, in which a dot matches any byte, and the number for its matches."""

    pattern: bytes
    number: int
    caseless: bool = False
    """Whether letters of any case match."""
    once: bool = False
    """Whether only its first match is reported."""


def literal(text: bytes) -> bytes:
    """The expression for `text`."""
    return b"\\x" + text.hex(" ").replace(" ", "\\x").encode()


def compiled(expressions: Sequence[Expression]) -> tuple[Engine, bytes] | None:
    """An engine for `expressions`, and its bytes for `loaded`; ``None`` without hyperscan."""
    try:
        import hyperscan
    except ImportError:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    caseless, once = hyperscan.HS_FLAG_CASELESS, hyperscan.HS_FLAG_SINGLEMATCH
    database.compile(
        expressions=[one.pattern for one in expressions],
        ids=[one.number for one in expressions],
        elements=len(expressions),
        flags=[one.caseless * caseless | one.once * once | hyperscan.HS_FLAG_DOTALL for one in expressions],
    )
    return _engine(database), hyperscan.dumpb(database)


def loaded(dumped: bytes) -> Engine | None:
    """The engine from the bytes of `compiled`; ``None`` without hyperscan, or if they are for another processor or version."""
    try:
        import hyperscan
    except ImportError:
        return None
    try:
        database = hyperscan.loadb(dumped, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except hyperscan.error:
        return None
    return _engine(database)


def _engine(database: hyperscan.Database) -> Engine:
    import hyperscan

    scan: Any = database.scan  # its stub lacks memoryview, which it accepts
    return Engine("hyperscan", scan, hyperscan.ScanTerminated)
