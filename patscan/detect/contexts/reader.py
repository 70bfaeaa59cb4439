"""Read the surroundings of a run of characters in any language, by marks (quotes, colons, brackets) and without a grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from patscan.detect.contexts.candidates import AFTER, BEFORE
from patscan.tuples import NamedTuple

_GAP = 120
"""Characters between a name and its value at most, including fillers."""
_NAMES = 6
"""The number of words before a value that are read."""

_ESCAPES = {
    b"\\": (
        (re.compile(rb"\\{1,4}[\"'`]"), b'"'),
        (re.compile(rb"\\u003[dD]"), b"="),
        (re.compile(rb"\\u0026"), b"&"),
        (re.compile(rb"\\u003[cC]"), b"<"),
        (re.compile(rb"\\u003[eE]"), b">"),
        (re.compile(rb"\\/"), b"/"),
        (re.compile(rb"\\{1,2}[nr](?![A-Za-z]:)"), b"\n"),
        (re.compile(rb"\\{1,2}t"), b"\t"),
    ),
    b"%": (
        (re.compile(rb"%3[dD]"), b"="),
        (re.compile(rb"%26"), b"&"),
        (re.compile(rb"%3[aA]"), b":"),
        (re.compile(rb"%2[fF]"), b"/"),
        (re.compile(rb"%20"), b" "),
        (re.compile(rb"%2[27]"), b'"'),
    ),
    b"&": (
        (re.compile(rb"&quot;|&#0?39;|&#x27;|&apos;"), b'"'),
        (re.compile(rb"&lt;"), b"<"),
        (re.compile(rb"&gt;"), b">"),
        (re.compile(rb"&amp;"), b"&"),
    ),
    b"\x1b": ((re.compile(rb"\x1b\[[0-9;]*m"), b""),),
}
"""Escapes of strings, URLs, HTML and terminals with their meanings, by their first character."""
_SIGNS = bytes.maketrans(b"'`\0", b'"" ')
_NO_LETTERS = bytes(byte for byte in range(256) if not bytes([byte]).isalnum())
_OPENS = re.compile(rb"(?:[\"=:\s>,(\[|/;]|:-|<<<)\Z|\A\Z")
_CLOSES = re.compile(rb"\Z|[\"\s,;)\]}<@&|#:*]|\.(?:\s|\Z)")
_WORD = re.compile(rb"[\w.$@/+-]+")
_FILLER = re.compile(
    rb"/?(?:value|val|default|string|str|text|type|bearer|basic|token|password|name|key|secret|or|some|new|"
    rb"https?|sensitive|true|false|masked|protected|env_var|variable_type|nullable|const|nil|null|none|undefined|b|r|u|f|s|n|l)"
    rb"|//[^\s]*|[\w-]+(?:\.[\w-]+)+(?:/[\w./-]*)?|/[\w./-]*|[0-9]+|[-+./$@]+",
    re.IGNORECASE,
)
"""Words that may stand between a name and its value: types, keys of pairs, a URL, a host, a number."""
_CALLED = re.compile(rb"\s*[(\[$]")
_REFERENCE = re.compile(rb"(?:!\w+|\$\{?|\{\{|<%=?|%\{|#\{)[\s\"]*\Z")
_NAMED = re.compile(rb'"?[ \t]*(?:=(?!=)|:\s|:=)')
"""What follows a run that is a name."""
_DEFAULT = re.compile(rb"\$\{\w{1,80}:\Z")
"""What precedes a default in a shell, whose hyphen isn't part of the value."""
_PAIRED = re.compile(rb'"(?:\s*,\s*"(?:key|name)"\s*:|\s+where\s+\w{1,40}\s*=)\s*"([\w .-]{2,60})"', re.IGNORECASE)
_USERINFO = re.compile(rb"://([^\s/:@\"<>]{0,120}):\Z")
_USER_ALONE = re.compile(rb"://\Z")
_AT_HOST = re.compile(rb"(?::x-oauth-basic)?@([\w.-]+(?::\d+)?[^\s\"<>]{0,120})")
_OPTION = re.compile(rb"(?:^|[\s\"\[,])(?:-u|--user|--creds|--credential|-U)[\s=\",:]{1,4}([^\s:\",=]{1,80}):\Z")
_ALONE = re.compile(rb"[A-Za-z0-9_.!?)][ \t\r]*\n\s*\Z")
"""A line that ends with a word, before a value that begins the next line."""
_QUANTIFIED = re.compile(rb"\][{+*?]")
"""What follows a character class of a regular expression."""
_BESIDE = rb"[\s\",;]{1,40}"
_SEPARATORS = b' \t\n\r\f\v",;'
"""The bytes that `_BESIDE` matches."""
_NEXT, _PREVIOUS = re.compile(_BESIDE + rb"([0-9a-f]+)\b"), re.compile(rb"(?<![A-Za-z0-9])([0-9a-f]{20,64})" + _BESIDE + rb"\Z")
_PIPED = re.compile(rb"[\"\s)]{0,3}\|&?\s*(?:sudo\s+)?(?:docker|podman|helm|glab|crane|skopeo|buildah|oras|nerdctl|regctl)\b")


class Surroundings(NamedTuple):
    """The text around a candidate, without escapes."""

    before: bytes
    after: bytes
    names: tuple[str, ...]
    """The names that the value may be assigned to, the nearest first, in lower case with letters and digits only."""
    user: bytes | None
    """The user of a password in a URL, a pair in base64 or a command; ``None`` if it isn't such a password."""
    host: bytes
    """The host and path behind the ``@`` of a URL."""
    is_piped: bool
    """Whether it is piped to a command."""


def surroundings(text: bytes, start: int, end: int, user: bytes | None = None) -> Surroundings | None:
    """The surroundings of ``[start, end)``; ``None`` if the marks show that this isn't a value.

    `user` is the user of a password in base64.
    """
    before = _plain(text[max(start - BEFORE, 0) : start])
    after = _plain(text[end : end + AFTER])
    if text[start : start + 1] == b"-" and _DEFAULT.search(before[-90:]):
        return None
    if not _OPENS.search(before[-3:]) or not _CLOSES.match(after) or _NAMED.match(after) or _is_reference(before, after):
        return None
    if before.endswith(b"[") and _QUANTIFIED.match(after):
        return None
    if (before[-1:].isspace() and _ALONE.search(before[-80:])) or _is_listed(before, after, end - start):
        return None
    host = b""
    if (address := _AT_HOST.match(after)) and (known := _USERINFO.search(before[-200:]) or _USER_ALONE.search(before[-3:])):
        user, host = known[1] if known.re is _USERINFO else b"", address[1]
    elif after[:1] in {b"@", b":"}:
        return None
    if user is None and before.endswith(b":") and (option := _OPTION.search(before[-120:])):
        user = option[1]
    names = tuple(_names(before)) if not host else ()
    if paired := _PAIRED.match(after):
        names = (_folded(paired[1]), *names)
    return Surroundings(before, after, names, user or None if not host else user, host, _PIPED.match(after) is not None)


def _plain(text: bytes) -> bytes:
    """`text` without escapes and with one sign for all quotes."""
    for mark, escapes in _ESCAPES.items():
        if mark in text:
            for escape, sign in escapes:
                text = escape.sub(sign, text)
    return text.translate(_SIGNS)


def _is_reference(before: bytes, after: bytes) -> bool:
    """Whether a call, an interpolation or a tag shows that the value is elsewhere."""
    quoted = before.endswith(b'"')
    return (not quoted and _CALLED.match(after) is not None and after[:1] in b"([$") or _REFERENCE.search(before[-24:]) is not None


def _is_listed(before: bytes, after: bytes, length: int) -> bool:
    """Whether hexadecimal digits of the same length are beside it, as in a list of checksums or ids."""
    after_it = _NEXT.match(after)
    before_it = before[-1:] in _SEPARATORS and _PREVIOUS.search(before[-length - 40 :])
    return any(match and len(match[1]) == length for match in (after_it, before_it))


def _names(before: bytes) -> Iterator[str]:
    """The words before a value, the nearest first, up to the first that isn't a filler."""
    backwards = before[: -_GAP - 121 : -1]
    for match in islice(_WORD.finditer(backwards), _NAMES):
        if match.start() > _GAP:
            return
        word = match[0][::-1]
        yield _folded(word)
        if not _FILLER.fullmatch(word):
            return


def _folded(word: bytes) -> str:
    return word.translate(None, _NO_LETTERS).decode("ascii").lower()
