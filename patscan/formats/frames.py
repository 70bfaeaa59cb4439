"""Code frames for a terminal: numbered lines, a mark under the token, colours by Pygments (its only door)."""

from __future__ import annotations

import io
import re
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from patscan.formats.logs import harmless
from patscan.formats.places import in_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pygments.lexer import Lexer

    from patscan.formats import Style
    from patscan.model import Occurrence, Sighting

_MARK = "\x1b[1;31m{}\x1b[0m"
_FEW, _KEPT = 20, 100
"""Lexers from which on they are looked up by `_kind`, whose preparation takes as long as some look-ups by name; and lexers kept."""
_lexers: dict[str, Lexer] = {}
_COLORS = re.compile("\x1b\\[[0-9;]*m")


def draw(occurrence: Occurrence, token: str, style: Style, alone: bool = False, margin: int = 0) -> Iterator[str]:
    """The lines of `occurrence`'s frame, which shows its token as `token`; with `alone`, only the token's line.

    They leave `margin` columns of the terminal.
    """
    position, first, frame = occurrence.position, occurrence.frame_line, occurrence.frame
    hit = position.line - first
    # The frame shows a token that spans lines (folded base64) on one line, so the lines after it move up.
    numbers = [first + i + (position.end_line - position.line if i > hit else 0) for i in range(len(frame))]
    gutter = len(str(max(numbers, default=0)))
    room = max(style.width - margin - gutter - len(">  | "), len(token) + 2)
    shown = [i for i in range(len(frame)) if i == hit or not alone]
    lines = {i: _clean(frame[i]) for i in shown}
    marks = _marks(frame[hit], lines[hit], token, position.column) if hit in lines else []
    begin = max(0, marks[0] - (room - len(token)) // 2) if marks and len(lines[hit]) > room else 0
    code = [_cut(lines[i], begin if i == hit else 0, room) for i in shown]
    for i, plain, line in zip(shown, code, _highlighted(code, occurrence.sighting, style), strict=True):
        yield f"{'>' if i == hit else ' '} {numbers[i]:>{gutter}} | {line}".rstrip()
        if i == hit and not alone and (below := _below(plain, [mark - begin for mark in marks], len(token))):
            yield f"  {'':>{gutter}} | {_MARK.format(below) if style.color else below}"


def _clean(line: str) -> str:
    return harmless(line.replace("\t", "    "))


def _marks(line: str, clean: str, token: str, column: int) -> list[int]:
    """The columns of `token` in the line `clean`. Equal masks are all marked, unless one is at `column` of `line`, which isn't cleaned."""
    exact = len(_clean(line[: column - 1]))
    return [exact] if clean.startswith(token, exact) else [match.start() for match in re.finditer(re.escape(token), clean)]


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


def _highlighted(lines: list[str], sighting: Sighting, style: Style) -> list[str]:
    """`lines` in the colours of their file's language, if the report has colours."""
    if not style.color:
        return lines
    from pygments.formatters.terminal import TerminalFormatter
    from pygments.token import Error, Text

    out = io.StringIO()
    try:
        path = sighting.path or "" if in_file(sighting) else ""
        tokens = _lexer(path.rpartition("/")[2]).get_tokens("\n".join(lines))
        # A frame is a fragment, so a syntax error in it isn't marked. Spaces have no colour.
        TerminalFormatter().format(((Text if kind is Error or kind in Text else kind, text) for kind, text in tokens), out)
    except Exception:  # noqa: BLE001 - a lexer's error must not end the report
        return lines
    colored = out.getvalue().split("\n")
    # Some lexers drop or add a line feed. Lines that differ from the file are shown without colours.
    return colored if [_COLORS.sub("", line) for line in colored] == lines else lines


def _lexer(name: str) -> Lexer:
    """The lexer of the language that the file `name` is written in."""
    kind = name if len(_lexers) < _FEW else _kind(name)
    lexer = _lexers.get(kind)
    if not lexer:
        if len(_lexers) >= _KEPT:
            _lexers.clear()
        lexer = _lexers[kind] = _lexer_by_patterns(name)
    return lexer


def _kind(name: str) -> str:
    """The part of a file's name that decides its lexer.

    Pygments compares a name with a thousand patterns. Nearly all begin with ``*.``, so names with the same end have the same lexer.
    """
    return name if _whole_names().match(name) else f"*{name[name.find('.') :] if '.' in name else ''}"


@cache
def _whole_names() -> re.Pattern[str]:
    """The patterns of Pygments that don't begin with ``*.``, as one."""
    from fnmatch import translate

    from pygments.lexers import get_all_lexers

    patterns = sorted({pattern for _, _, patterns, _ in get_all_lexers() for pattern in patterns if not pattern.startswith("*.")})
    return re.compile("|".join(map(translate, patterns)))


def _lexer_by_patterns(name: str) -> Lexer:
    from pygments.lexers import get_lexer_for_filename
    from pygments.lexers.special import TextLexer
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    try:
        return get_lexer_for_filename(name, **options)
    except ClassNotFound:
        return TextLexer(**options)
