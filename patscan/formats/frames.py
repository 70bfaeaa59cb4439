"""Code frames for a terminal: numbered lines, a mark under the token, colours by Pygments (its only door)."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from patscan.formats.logs import harmless
from patscan.formats.places import in_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pygments.lexer import Lexer

    from patscan.formats import Style
    from patscan.model import Occurrence

_MARK = "\x1b[1;31m{}\x1b[0m"
_COLORS = re.compile("\x1b\\[[0-9;]*m")


def draw(occurrence: Occurrence, token: str, style: Style) -> Iterator[str]:
    """The lines of `occurrence`'s frame, which shows its token as `token`."""
    position, first = occurrence.position, occurrence.frame_line
    hit = position.line - first
    # The frame shows a token that spans lines (folded base64) on one line, so the lines after it move up.
    numbers = [first + i + (position.end_line - position.line if i > hit else 0) for i in range(len(occurrence.frame))]
    gutter = len(str(max(numbers, default=0)))
    room = max(style.width - gutter - len(">  | "), len(token) + 2)
    lines = [_clean(line) for line in occurrence.frame]
    marks = _marks(occurrence.frame[hit], token, position.column) if 0 <= hit < len(lines) else []
    begin = max(0, marks[0] - (room - len(token)) // 2) if marks and len(lines[hit]) > room else 0
    code = [_cut(line, begin if i == hit else 0, room) for i, line in enumerate(lines)]
    below = _below(code[hit], [mark - begin for mark in marks], len(token)) if marks else ""
    for i, line in enumerate(
        _highlighted(code, occurrence.sighting.path if in_file(occurrence.sighting) else None) if style.color else code
    ):
        yield f"{'>' if i == hit else ' '} {numbers[i]:>{gutter}} | {line}".rstrip()
        if i == hit and below:
            yield f"  {'':>{gutter}} | {_MARK.format(below) if style.color else below}"


def _clean(line: str) -> str:
    return harmless(line.replace("\t", "    "))


def _marks(line: str, token: str, column: int) -> list[int]:
    """The columns of `token` in the cleaned line. Equal masks are all marked, unless one is at `column`."""
    columns = [match.start() for match in re.finditer(re.escape(token), _clean(line))]
    exact = len(_clean(line[: column - 1]))
    return [exact] if exact in columns else columns


def _cut(line: str, begin: int, room: int) -> str:
    shown = line[begin : begin + room]
    if begin:
        shown = "…" + shown[1:]
    return shown[:-1] + "…" if begin + room < len(line) else shown


def _below(line: str, marks: Sequence[int], length: int) -> str:
    cells = "".join("^" if any(mark <= i < mark + length for mark in marks) else " " for i in range(len(line)))
    return "".join(mark * _width(char) for char, mark in zip(line, cells, strict=True)).rstrip()


def _width(char: str) -> int:
    """The columns that `char` takes on a terminal (Unicode Standard Annex 11)."""
    return 0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1


def _highlighted(lines: list[str], path: str | None) -> list[str]:
    from pygments.formatters.terminal import TerminalFormatter
    from pygments.token import Error, Text

    out = io.StringIO()
    try:
        tokens = _lexer((path or "").rpartition("/")[2]).get_tokens("\n".join(lines))
        # A frame is a fragment, so a syntax error in it isn't marked. Spaces have no colour.
        TerminalFormatter().format(((Text if kind is Error or kind in Text else kind, text) for kind, text in tokens), out)
    except Exception:  # noqa: BLE001 - a lexer's error must not end the report
        return lines
    colored = out.getvalue().split("\n")
    # Some lexers drop or add a line feed. Lines that differ from the file are shown without colours.
    return colored if [_COLORS.sub("", line) for line in colored] == lines else lines


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer:
    from pygments.lexers import get_lexer_for_filename
    from pygments.lexers.special import TextLexer
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    try:
        return get_lexer_for_filename(name, **options)
    except ClassNotFound:
        return TextLexer(**options)
