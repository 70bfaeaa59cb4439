"""Judge a match of a rule: its evidence, its confidence, and the reason if it isn't a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from patscan.detect import jwt, likelihood, own, routable
from patscan.detect.written import bits
from patscan.model import Evidence, Layer, Rule
from patscan.secret import PREFIXES
from patscan.tuples import NamedTuple

ALPHABETS = {"friendly": 60, "hex": 16, "base36": 36, "opaque": 64}
"""The number of symbols that each generator draws from."""
_UNMEASURED = ("opaque", "typed")
"""Bodies of any length. More characters behind one don't mean that it is something else."""

_FRIENDLY = 20
"""Characters that ``Devise.friendly_token`` draws by default."""

# The prefix of another token isn't part of this one.
_LONGER = re.compile(rf"(?!{PREFIXES})[A-Za-z0-9]".encode())
_CUT = re.compile(rb"[_-]\w")
_RUN = re.compile(rf"(?:(?!{PREFIXES})[A-Za-z0-9_-])*".encode())
_REST = re.compile(rb"[^\s\"'`]{0,24}")
_GLUED = "cut at the exact length; more follows"
_JUDGED = 64
"""Characters of a near miss that are judged. A longer body isn't a token."""
# Escapes that may end in a letter or digit: \n, %3D, \u003d, an ANSI colour. They aren't part of a word.
_ESCAPE = re.compile(rb"(?:\\[abefnrtv0]|%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\x1b\[[0-9;]*m)\Z")
_INSTANCE = re.compile(rb"[A-Za-z][A-Za-z0-9]*-\Z")
# A job token's partition or a runner token's type, which isn't drawn.
_PARTITION = re.compile(rb"t?[0-9a-f]{1,5}_")
# The random part ends at character 21; then come "c:", "g:" or "o:" (gitlab-facts: B64[21..23]).
_ROUTABLE_HEAD = re.compile(rb"[A-Za-z0-9_-]{21}[GWm2][8Mc]6[A-Za-z0-9_-]{2}")
_LENGTHY = re.compile(rb"[A-Za-z0-9_-]{27}")
_TAIL = re.compile(rb"(?:\.[0-9a-z]{2})?\.[0-9a-z]{9}(?![0-9A-Za-z])")
# A runner's type. If the drawn part begins with it, the token is cut.
_TYPE = re.compile(rb"t[123]_")
_TYPING = ("glrt-", "glrtr-")
_LARGEST = b"f5lxx1zz5pnorynqglhzmsp33"
"""The largest number of 128 bits in base36, and so the largest token for incoming mail (app/models/user.rb)."""
_SHORTEST = 23
"""Characters of a token for incoming mail at least, except for one in 20,000: 36**22 / 2**128."""
_OLD_TRIGGER = 20
"""Characters of a trigger token in examples of GitLab's documentation; its generator draws 40."""
_ADDRESSED = re.compile(
    rb"(?i)(?:(?:private|job|deploy|runner)-token|authorization|gitlab[a-z_-]{0,40}(?:token|pat|password|secret))"
    rb"[\"']?\s{0,4}(?::|=>?)\s{0,4}(?:bearer\s)?[\"']?\Z"
)
"""The name of a header or variable for tokens, directly before one."""
_NAMED = 73
"""Bytes of the longest of these names."""
_HEX = re.compile(rb"[0-9a-f]+")
_COOKIE = re.compile(rb"[A-Za-z0-9%_.=-]{8,512}")
_TEMPLATES = (
    ("regex", re.compile(rb"[\[(\\]|\.[{+*]|\{\d")),
    ("interpolation", re.compile(rb"[$<{@#]|%[^0-9A-F]|%[0-9]*[sdx]")),
    ("elision", re.compile(rb"\.\.|\xe2\x80\xa6|\*")),
)


class Claim(NamedTuple):
    """A judged match: bytes ``[start, end)`` of a view's text."""

    rule: Rule
    start: int
    end: int
    evidence: tuple[Evidence, ...]
    confidence: str
    reason: str = ""


def judge(rule: Rule, text: bytes, start: int, end: int, binary: bool = False) -> Claim | None:
    """The claim of `rule`, whose pattern matched ``[start, end)``; ``None`` if the match isn't even similar to a token.

    In `binary` text the next string may follow directly.
    """
    if rule.demands:
        if not own.is_near(rule.demands, text, start, end):
            return None
        if unmet := own.unmet(rule, rule.demands, text[start:end]):
            return Claim(rule, start, end, (Evidence(unmet.reason, {"text": unmet.text}),), "low", unmet.reason)
    if rule.body == "routable":
        return _routable(rule, text, start, end)
    if rule.body == "jwt":
        return _signed(rule, text, start, end)
    return _drawn(rule, text, start, end, binary)


def _signed(rule: Rule, text: bytes, start: int, end: int) -> Claim:
    facts = jwt.facts(text[start:end])
    evidence = (Evidence("jwt", facts or {}),)
    if facts is None:
        return Claim(rule, _front(rule, text, start), end, evidence, "low", "malformed")
    whole = jwt.end(text, start, end)
    if whole is None:
        return Claim(rule, _front(rule, text, start), end, evidence, "low", "length")
    glued = (Evidence("edge", {"text": _GLUED}),) if whole < end else ()
    return Claim(rule, _front(rule, text, start), whole, (*evidence, *glued), "medium" if glued else "high")


def joined(claim: Claim, layers: Sequence[Layer], is_whole: bool = False) -> Claim | None:
    """`claim` with its confidence behind `layers`. Only a checksum proves that joined pieces belong together.

    A token without an exact length in wrapped lines counts only if the lines are one value (`is_whole`).
    """
    names = {layer.name for layer in layers} & {"joined", "wrapped"}
    if not names:
        return claim
    if claim.rule.body == "routable":
        return None if is_truncated(claim) else claim
    if claim.confidence == "low" or (claim.rule.body == "opaque" and "wrapped" in names and not is_whole):
        return None
    evidence = Evidence("edge", {"text": "joined from pieces that no checksum covers"})
    return claim._replace(evidence=(*claim.evidence, evidence), confidence="medium")


def is_truncated(claim: Claim) -> bool:
    """Whether `claim` is a routable token without its tail."""
    return any(evidence.type == "truncated" for evidence in claim.evidence)


def _front(rule: Rule, text: bytes, start: int) -> int:
    """The start of the token whose prefix is at `start`: that of the configured instance prefix, if it is directly before."""
    front = start - len(rule.instance)
    return front if front >= 0 and text.startswith(rule.instance.encode(), front) and not _is_glued(text, front) else start


def _routable(rule: Rule, text: bytes, start: int, end: int) -> Claim | None:
    shape = routable.layout(text, end)
    if shape is None:
        return None
    proof = routable.prove(text, shape, start if rule.prefix else None)
    if proof is None:
        # Only a token, perhaps with an error, has a length field that fits its prefix.
        fits = rule.prefix and 0 <= shape.body - start - len(rule.prefix) <= len("tff_")
        return Claim(rule, start, end, (Evidence("checksum", {"ok": False}),), "low", "checksum") if fits else None
    evidence = [Evidence("checksum", {"ok": True})]
    if proof.start < start and rule.prefix:
        evidence.append(Evidence("prefix", {"text": text[proof.start : start].decode("ascii")}))
    if proof.payload:
        evidence.append(Evidence("routing", proof.payload))
        return Claim(rule, proof.start, end, tuple(evidence), "certain")
    if not rule.prefix:
        return None
    # Tests and examples have tokens with a correct checksum. Only GitLab's generator also writes a payload.
    evidence.append(Evidence("payload", {"ok": False}))
    if _ADDRESSED.search(text, max(proof.start - _NAMED, 0), proof.start):
        evidence.append(Evidence("context", {"text": "the name of a header or variable for GitLab's tokens stands before it"}))
        return Claim(rule, proof.start, end, tuple(evidence), "medium")
    return Claim(rule, proof.start, end, tuple(evidence), "low", "payload")


def _drawn(rule: Rule, text: bytes, start: int, end: int, binary: bool) -> Claim:
    body, symbols = _body(rule, text[start:end]), _symbols(rule)
    longer = rule.body not in _UNMEASURED and _LONGER.match(text, end)
    if longer and not (binary and likelihood.is_drawn(body, symbols)):
        return near_miss(rule, text, start) or Claim(rule, start, _run_end(text, end), (), "low", "length")
    if rule.prefix in _TYPING and len(body) == end - start - len(rule.prefix) and _TYPE.match(body):
        return Claim(rule, start, end, (), "low", "length")
    weak = _weaknesses(rule, text, start, end, body)
    odds = []
    if rule.body != "typed":
        number = bits(body, symbols)
        odds = [_odds(number)]
        if reason := likelihood.placeholder(body, symbols):
            return Claim(rule, start, end, (Evidence("likelihood", {"text": reason, "bits": number}),), "low", "placeholder")
        if number < likelihood.DOUBTFUL:
            weak += [odds.pop()]
    if longer:
        weak.append(Evidence("edge", {"text": "more follows directly, as in a binary file"}))
    front = _front(rule, text, start)
    strong = []
    if front < start:
        strong = [Evidence("prefix", {"text": rule.instance})]
    elif rule.prefix and _INSTANCE.search(text, max(start - 24, 0), start):
        strong = [Evidence("prefix", {"text": "an instance prefix may stand before it"})]
    return Claim(rule, front, end, (*strong, *weak, *odds), "medium" if weak else "high")


@cache
def _odds(number: int) -> Evidence:
    """The evidence of log odds of `number` bits. Tokens share it: a history may have 100,000."""
    return Evidence("likelihood", {"text": likelihood.odds(number), "bits": number})


def _symbols(rule: Rule) -> int:
    """The number of symbols that a token of `rule` is drawn from."""
    return len(rule.demands.alphabet) if rule.demands and rule.demands.alphabet else ALPHABETS.get(rule.body, 64)


def _body(rule: Rule, token: bytes) -> bytes:
    """The drawn part: everything after the prefix and the partition."""
    body = token[len(rule.prefix) :]
    partition = _PARTITION.match(body) if rule.body == "friendly" and len(body) > _FRIENDLY else None
    return body[partition.end() :] if partition else body


def _weaknesses(rule: Rule, text: bytes, start: int, end: int, body: bytes) -> list[Evidence]:
    weaknesses = []
    # If the generator doesn't draw hyphens, a hyphen ends the token.
    if _symbols(rule) > 36 and _CUT.match(text, end):
        weaknesses.append(Evidence("edge", {"text": _GLUED}))
    if rule.prefix and _is_glued(text, start):
        weaknesses.append(Evidence("edge", {"text": "a letter or digit stands directly before it"}))
    if rule.body == "friendly" and not likelihood.NEVER_DRAWN.isdisjoint(body):
        weaknesses.append(Evidence("likelihood", {"text": "contains a letter that GitLab's generator never draws"}))
    if not rule.prefix:
        weaknesses.append(Evidence("context", {"text": "no prefix; recognised by what stands beside it"}))
    if rule.body in _UNMEASURED:
        weaknesses.append(Evidence("length", {"text": "the exact length of this kind isn't known"}))
    if rule.kind == "incoming-mail-token" and len(body) < _SHORTEST:
        weaknesses.append(Evidence("length", {"text": "shorter than nearly all that GitLab's generator makes"}))
    if rule.kind == "incoming-mail-token" and len(body) == len(_LARGEST) and body > _LARGEST:
        weaknesses.append(Evidence("length", {"text": "a larger number than GitLab's generator makes"}))
    return weaknesses


def _is_glued(text: bytes, start: int) -> bool:
    return start > 0 and text[start - 1 : start].isalnum() and not _ESCAPE.search(text, max(start - 12, 0), start)


def _run_end(text: bytes, start: int) -> int:
    run = _RUN.match(text, start, start + 512)
    return run.end() if run else start


def near_miss(rule: Rule, text: bytes, start: int) -> Claim | None:
    """The claim at `start` if no pattern matches: a token of the wrong length, a cut one, a template; ``None`` for a mere prefix."""
    if rule.demands and (rule.demands.near or rule.body == "typed"):
        return None
    head = start + len(rule.prefix)
    end = _run_end(text, head)
    body = text[head : min(end, head + _JUDGED)]
    if tail := _TAIL.match(text, end) if len(text) > end and _LENGTHY.match(body) else None:
        return Claim(rule, start, tail.end(), (Evidence("checksum", {"ok": False}),), "low", "checksum")
    if _ROUTABLE_HEAD.match(body):
        return Claim(rule, start, end, (Evidence("truncated", {"text": "the tail with the checksum is missing"}),), "medium")
    for reason, template in _TEMPLATES:
        if template.match(text, end):
            rest = _REST.match(text, end)
            return Claim(rule, start, rest.end() if rest else end, (), "low", reason)
    # A short body from few symbols has few distinct characters anyway.
    drawn_from = _symbols(rule)
    if rule.prefix == "glptt-" and len(body) == _OLD_TRIGGER and likelihood.is_drawn(body, 16 if _HEX.fullmatch(body) else 60):
        evidence = Evidence("length", {"text": f"{_OLD_TRIGGER} characters, where GitLab's generator draws 40"})
        return Claim(rule, start, end, (evidence,), "medium")
    if len(body) >= 3 and (why := likelihood.look(body, drawn_from)) and (drawn_from > 36 or set(body) <= set(b"xX-_")):
        return Claim(rule, start, end, (Evidence("likelihood", {"text": why}),), "low", "placeholder")
    return Claim(rule, start, end, (), "low", "length") if len(body) >= 8 else None


def rejected_cookie(rule: Rule, text: bytes, start: int) -> Claim | None:
    """The claim on a session cookie's value at `start` that GitLab didn't make; ``None`` if there is no value."""
    value = _COOKIE.match(text, start)
    return Claim(rule, start, value.end(), (), "low", "length") if value else None
