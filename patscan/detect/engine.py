"""The only door to hyperscan: many expressions over the same bytes in one pass.

hyperscan silently takes a length modulo 2^32: what comes here is a piece (`patscan.content`), never near that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import hyperscan

Handler: TypeAlias = Callable[..., bool | None]
"""Called with an expression's number, 0, and the byte behind the match; a true answer ends the scan."""
Scan: TypeAlias = Callable[[bytes | memoryview, Handler], None]


class Engine(NamedTuple):
    """A way to search."""

    name: str
    scan: Scan
    stopped: type[Exception]
    """What the search raises when a handler has stopped it."""


class Expression(NamedTuple):
    """A regular expression in PCRE's syntax, in which a dot is any byte, and the number that its matches are reported under."""

    pattern: bytes
    number: int
    caseless: bool = False
    """Whether letters of any case match."""
    once: bool = False
    """Whether one match in the bytes is enough."""


def literal(text: bytes) -> bytes:
    """The expression that matches `text` alone."""
    return b"\\x" + text.hex(" ").replace(" ", "\\x").encode()


def compiled(expressions: Sequence[Expression]) -> tuple[Engine, bytes] | None:
    """An engine for `expressions`, and what `loaded` makes one of again; ``None`` without hyperscan."""
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
    """What `compiled` made; ``None`` without hyperscan, or if that was done for another processor or version."""
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

    scan: Any = database.scan  # its stub forgets memoryview, which its code takes
    return Engine("hyperscan", scan, hyperscan.ScanTerminated)
