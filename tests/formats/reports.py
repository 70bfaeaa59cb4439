"""Reports made by hand, from tokens made at run time."""

from __future__ import annotations

import io
from typing import Any

from patscan import formats
from patscan.kind import Kind
from patscan.model import (
    Address,
    Commit,
    Coverage,
    Evidence,
    Exposure,
    Finding,
    Layer,
    Match,
    Occurrence,
    Position,
    Report,
    Rule,
    Sighting,
    Target,
)
from patscan.secret import Secret

PLAIN = formats.Style(color=False, reveal=False, width=100)
REVEAL = PLAIN._replace(reveal=True)

RULE = Rule(
    id="gitlab-pat",
    kind="personal-access-token",
    name="GitLab personal access token",
    severity="critical",
    description="Acts as its owner.",
    remedy="Revoke it now. Then read its last use and the audit events, and create a new token with fewer scopes and an early expiry date.",
    references=("https://docs.gitlab.com/security/tokens/", "https://docs.gitlab.com/"),
    prefix="glpat-",
    anchors=("glpat-",),
    pattern="",
    lookback=0,
    body="routable",
    examples=(),
    counter_examples=(),
)
COMMIT = "1a2b3c4d5e" * 4
BLOB = "9f8e7d6c5b" * 4


def secret(token: str, prefix: str = "glpat-") -> Secret:
    return Secret(token.encode(), prefix.encode())


def occurrence(token: str, **changes: Any) -> Occurrence:
    """On line 12, column 10 of ``config/app.yml``, in a commit of Jane's; `changes` are of the origin, the address, the match or the occurrence."""
    sighting = Sighting(Kind.BLOB, "config/app.yml", COMMIT, "Jane Roe <jane@example.com>", "2024-05-01T12:30:00+02:00", BLOB)
    position = Position(12, 10, 12, 10 + len(token))
    lines = ("deploy:", f"  token: {secret(token)}", "  url: https://gitlab.example.com")
    if "type" in changes:
        changes["kind"] = Kind(changes.pop("type"))
    if "encodings" in changes:
        changes["layers"] = tuple(Layer(name) for name in changes.pop("encodings"))
    address = _changed(Address(BLOB, 120, 120 + len(token)), changes)
    match = _changed(Match(RULE, secret(token), secret(token).fingerprint, address, position, lines, 11), changes)
    return _changed(Occurrence(match, _changed(sighting, changes)), changes)


def _changed(noun: Any, changes: dict[str, Any]) -> Any:
    """`noun` with those of the `changes` that are its own, which are taken out."""
    return noun._replace(**{name: changes.pop(name) for name in noun._fields if name in changes})


def finding(token: str, *occurrences: Occurrence, **changes: Any) -> Finding:
    made = Finding(
        RULE,
        secret(token),
        secret(token).fingerprint,
        "certain",
        "",
        (Evidence("checksum", {"ok": True}), Evidence("routing", {"organization": 1, "user": 42})),
        occurrences or (occurrence(token),),
        Exposure(first_seen=Commit(COMMIT, "Jane Roe <jane@example.com>", "2024-05-01T12:30:00+02:00")),
    )
    return made._replace(**changes)


def report(*findings: Finding, **changes: Any) -> Report:
    made = Report(
        Target("history", "/srv/app", "https://gitlab.com/acme/app.git", COMMIT),
        (RULE,),
        Coverage(203_352, 262_343, 8_260_000_000, engines=("hyperscan", "isal")),
        findings,
        (),
    )
    return made._replace(**changes)


def written(name: str, made: Report, style: formats.Style = PLAIN) -> str:
    stream = io.StringIO()
    formats.write(name, made, stream, style)
    return stream.getvalue()
