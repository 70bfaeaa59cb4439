"""Places where tokens without a prefix leak: each context has the shape of a public file or page, named beside it, in words of our own.

``@@`` is the token, ``@64@`` the token in base64, ``@USER:64@`` a user and the token in base64. A blank line ends a context's text.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.tokens import FRIENDLY, hexadecimal

_PAIR = re.compile(r"@([^@\s]*):64@")
_BODIES = {"friendly": 20, "agent": 50, "secret": 64, "trigger": 40, "old-trigger": 30, "cookie": 32}


class Sample(NamedTuple):
    """One context: its name, the body that its tokens have, where its shape is from, and the text."""

    name: str
    body: str
    source: str
    text: str

    def token(self, rng: random.Random) -> str:
        """A token as GitLab's generator draws it."""
        length = _BODIES[self.body]
        if self.body in {"friendly", "agent"}:
            return "".join(rng.choices(FRIENDLY, k=length))
        return hexadecimal(rng, "", length)

    def filled(self, token: str) -> str:
        """The text with `token` in it."""
        encoded = base64.b64encode(token.encode()).decode()
        text = _PAIR.sub(lambda user: base64.b64encode(f"{user[1]}:{token}".encode()).decode(), self.text)
        return text.replace("@64@", encoded).replace("@@", token)


def samples() -> Iterator[Sample]:
    """Every context of the files beside this one: a line ``=== name | body | source``, then the text."""
    for file in sorted(Path(__file__).parent.glob("*.txt")):
        for part in file.read_text("utf-8").split("\n=== ")[1:]:
            head, _, text = part.partition("\n")
            name, body, source = (field.strip() for field in head.split(" | "))
            yield Sample(name, body, source, text.strip("\n") + "\n")
