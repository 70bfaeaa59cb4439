"""The forms in which a token may stand in a report's strings: whole, without its prefix, and encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patscan.layers import LAYERS, PAIRS
from patscan.layers import forms as layered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.model import Finding

_BODY = 16
"""The least length of a token's body that is masked without its prefix. A shorter body may be a common word."""
_NO_TOKEN = frozenset(("placeholder", "regex", "interpolation", "elision"))
"""Reasons for matches that are no token: the body may be a common word, and so may the whole match without a prefix."""
_DOUBTFUL = frozenset(("checksum", "length", "malformed", "confidence"))
"""Reasons for matches that are probably no token: only the whole match is masked, not its body alone."""
_USUAL = ("percent", "base64")
"""Layers of a name or a path besides hexadecimal. Only their usual forms are masked: folded and separated ones would be a hundred."""


def forms(finding: Finding) -> Iterator[tuple[str, str]]:
    """The forms of a token in text, each with its mask."""
    token, prefix = finding.secret.reveal(), finding.rule.prefix.encode()
    if finding.reason in _NO_TOKEN and not prefix:
        return
    yield token.decode("utf-8", "surrogateescape"), str(finding.secret)
    body = token[token.find(prefix) + len(prefix) :] if prefix in token else token
    hidden = token if finding.reason in _NO_TOKEN | _DOUBTFUL or len(body) < _BODY else body
    mask = f"…({len(token)})"
    yield hidden.decode("utf-8", "surrogateescape"), mask
    for form in _wrapped(hidden, finding):
        yield form.decode("latin-1"), mask


def _wrapped(hidden: bytes, finding: Finding) -> Iterator[bytes]:
    """`hidden` in the usual forms of the usual layers, and in every form of the layers at its places."""
    digits = hidden.hex()
    yield from (digits.encode(), digits.upper().encode())
    for name in _USUAL:
        codec = LAYERS[name]
        for form, _ in (codec.few or codec.forms)(hidden):
            yield form
    chains = {tuple([layer.name for layer in layers]) for place in finding.occurrences if (layers := place.match.address.layers)}
    if chains:
        # A saved report may name layers that there aren't.
        yield from (form.literal for form in layered(hidden.decode("latin-1"), [*chains.intersection(PAIRS)]))
