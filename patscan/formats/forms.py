"""The forms in which a token may stand in a report's strings: whole, without its prefix, and encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patscan.layers import LAYERS, PAIRS
from patscan.layers import forms as layered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from patscan.model import Finding

_BODY = 16
"""The least length of a token's body that is masked without its prefix. A shorter body may be a common word."""
_NO_TOKEN = frozenset(("placeholder", "regex", "interpolation", "elision"))
"""Reasons for matches that are no token: the body may be a common word, and so may the whole match without a prefix."""
_DOUBTFUL = frozenset(("checksum", "length", "malformed", "confidence"))
"""Reasons for matches that are probably no token: only the whole match is masked, not its body alone."""
_UNSURE = _NO_TOKEN | _DOUBTFUL
_USUAL = tuple(codec.few or codec.forms for codec in (LAYERS["percent"], LAYERS["base64"]))
"""Encode a name or a path, besides hexadecimal. Only usual forms are masked: there are a hundred folded and separated ones."""


def forms(finding: Finding) -> Iterator[tuple[str, str]]:
    """The forms of a token in text, each with its mask."""
    mask, rest = str(finding.secret), f"…({len(finding.secret)})"
    for form in literals(finding):
        yield form.decode("utf-8", "surrogateescape"), mask
        mask = rest


def literals(finding: Finding) -> list[bytes]:
    """The forms of a token, the whole token first; none if a saved report has only its mask."""
    token, prefix = finding.secret.reveal(), finding.rule.prefix.encode()
    if not token or (finding.reason in _NO_TOKEN and not prefix):
        return []
    body = token[token.find(prefix) + len(prefix) :] if prefix in token else token
    hidden = token if len(body) < _BODY or finding.reason in _UNSURE else body
    digits = hidden.hex().encode()
    return [token, hidden, digits, digits.upper(), *[form for few in _USUAL for form, _ in few(hidden)], *_wrapped(hidden, finding)]


def _wrapped(hidden: bytes, finding: Finding) -> Iterable[bytes]:
    """`hidden` in every form of the layers at its places."""
    chains = {tuple([layer.name for layer in layers]) for place in finding.occurrences if (layers := place.match.address.layers)}
    # A saved report may name layers that there aren't.
    return [form.literal for form in layered(hidden.decode("latin-1"), [*chains.intersection(PAIRS)])] if chains else ()
