"""Text for logs of CI servers, which execute commands in them: text of a repository must not be one.

GitHub's runner and Azure's agent execute ``##[…]`` anywhere in a line (actions/runner, ``ActionCommand.TryParse``), Azure ``##vso[…]`` and
TeamCity ``##teamcity[…]``. GitHub executes ``::…`` at the beginning of a line, after spaces (``ActionCommand.TryParseV2``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from patscan.formats.places import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")
_FIRST = re.compile(r"^((?:\x1b\[[0-9;]*m|\s)*):(?=:)")
_ESCAPED = r"\1\\x3a"


def harmless(text: str) -> str:
    r"""`text`, `printable`, with ``#\x23[`` for ``##[``."""
    text = printable(text)
    return _COMMAND.sub(r"#\\x23", text) if "##" in text else text


def write_lines(stream: TextIO, lines: Iterable[str]) -> None:
    r"""Write `lines`, with ``\x3a:`` for two colons where one begins."""
    stream.writelines(f"{_FIRST.sub(_ESCAPED, line) if '::' in line else line}\n" for line in lines)
