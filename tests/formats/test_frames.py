"""Code frames: the right line, the mark under the token, nothing too wide."""

from __future__ import annotations

import re

import pytest
from pygments.lexers import get_all_lexers

from patscan.formats import Style, frames
from patscan.formats.frames import draw
from patscan.model import Position
from tests.formats.reports import PLAIN, occurrence

MASK = "glpat-…(26)"
TOKEN = "x" * 26
COLOR = PLAIN._replace(color=True)


def drawn(
    *frame: str, line: int, column: int, first: int, style: Style = PLAIN, end_line: int | None = None, path: str = "a.py"
) -> list[str]:
    position = Position(line, column, end_line or line, column + 26)
    return list(draw(occurrence(TOKEN, frame=frame, frame_line=first, position=position, path=path), MASK, style))


def test_three_lines() -> None:
    assert drawn("a = 1", f"b = '{MASK}'", "", line=10, column=6, first=9) == [
        "   9 | a = 1",
        "> 10 | b = 'glpat-…(26)'",
        "     |      ^^^^^^^^^^^",
        "  11 |",
    ]


def test_first_line_of_a_file() -> None:
    assert drawn(MASK, line=1, column=1, first=1) == ["> 1 | glpat-…(26)", "    | ^^^^^^^^^^^"]


def test_tabs_and_wide_characters_keep_the_mark_below() -> None:
    assert drawn(f"\t日本é\u0301 {MASK}", line=1, column=7, first=1) == [
        "> 1 |     日本é\u0301 glpat-…(26)",
        "    |           ^^^^^^^^^^^",
    ]


def test_the_column_decides_between_equal_masks() -> None:
    assert drawn(f"{MASK} {MASK}", line=1, column=1, first=1)[1] == "    | ^^^^^^^^^^^"


def test_without_a_telling_column_all_equal_masks_are_marked() -> None:
    # The second one's column in the file lies further right than in the frame: the first mask is shorter than its token.
    assert drawn(f"{MASK} {MASK}", line=1, column=28, first=1)[1] == "    | ^^^^^^^^^^^ ^^^^^^^^^^^"


def test_folded_token_moves_the_numbers_after_it() -> None:
    assert drawn("a", MASK, "b", line=5, column=1, first=4, end_line=8) == ["  4 | a", "> 5 | glpat-…(26)", "    | ^^^^^^^^^^^", "  9 | b"]


@pytest.mark.parametrize("width", [40, 60, 100])
def test_long_lines_are_cut_around_the_token(width: int) -> None:
    lines = drawn("y" * 300, f"{'x' * 200}{MASK}{'z' * 200}", line=2, column=5001, first=1, style=PLAIN._replace(width=width))
    assert all(len(line) <= width for line in lines)
    assert lines[0].endswith("y…")
    assert re.fullmatch(r"> 2 \| …x+glpat-…\(26\)z+…", lines[1])
    assert lines[2].index("^") == lines[1].index(MASK)
    assert lines[2].count("^") == len(MASK)


@pytest.mark.parametrize("at", [0, 5, 95, 190])
def test_token_near_an_edge_of_a_long_line(at: int) -> None:
    lines = drawn(f"{'x' * at}{MASK}{'z' * (190 - at)}", line=1, column=at + 1, first=1, style=PLAIN._replace(width=60))
    assert MASK in lines[0]
    assert lines[1].index("^") == lines[0].index(MASK)


def test_frame_without_the_token_has_no_mark() -> None:
    assert drawn("a", "b", line=2, column=1, first=1) == ["  1 | a", "> 2 | b"]


def test_nothing_to_draw() -> None:
    assert drawn(line=1, column=1, first=1) == []


@pytest.mark.parametrize(
    "path", ["a.py", "a.json", "a.yml", "Dockerfile", ".env", "a.unheard-of", "", "a.md", "x.php", "a.ini", "a\udcff.py", "*", "a.html"]
)
def test_colours_change_no_character(path: str) -> None:
    frame = ("", f"\tpassword: '{MASK}' \"", "  } <?php \\ `")
    plain = drawn(*frame, line=2, column=13, first=1, path=path)
    assert [
        re.sub("\x1b\\[[0-9;]*m", "", line).rstrip() for line in drawn(*frame, line=2, column=13, first=1, path=path, style=COLOR)
    ] == plain


def test_code_is_highlighted() -> None:
    colored = drawn("def f(): pass", f"x = '{MASK}'", line=2, column=6, first=1, style=COLOR)
    assert "\x1b[34mdef\x1b[39;49;00m" in colored[0]
    assert colored[2] == "    | \x1b[1;31m     ^^^^^^^^^^^\x1b[0m"


def test_lexer_that_fails_costs_nothing_but_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_lexer", lambda _: None)
    assert drawn("a = 1", f"b = '{MASK}'", line=2, column=6, first=1, style=COLOR)[0] == "  1 | a = 1"


def names() -> list[str]:
    """For every pattern of Pygments, a name that matches it and two that nearly do."""
    patterns = {pattern for _, _, patterns, _ in get_all_lexers() for pattern in patterns}
    plain = sorted(re.sub(r"\[(.)[^]]*\]", r"\1", pattern) for pattern in patterns)
    return [name for pattern in plain for name in (pattern.replace("*", "a"), pattern.replace("*", ""), f"b.{pattern.replace('*', 'c.d')}")]


def test_a_name_has_the_lexer_that_pygments_gives_it() -> None:
    kinds: dict[str, type[object]] = {}
    for name in names():
        lexer = type(frames._lexer_by_patterns(name))
        assert kinds.setdefault(frames._kind(name), lexer) is lexer, name
        assert type(frames._lexer(name)) is lexer, name
    assert 500 < len(kinds) < len(names())


def test_files_of_one_kind_share_a_lexer(monkeypatch: pytest.MonkeyPatch) -> None:
    made, lexer_by_patterns = [], frames._lexer_by_patterns
    monkeypatch.setattr(frames, "_lexers", {})
    monkeypatch.setattr(frames, "_lexer_by_patterns", lambda name: made.append(name) or lexer_by_patterns(name))
    for number in range(200):
        frames._lexer(f"config_{number}.yml")
    assert len(made) == frames._FEW + 1
