"""Findings of tokens made at run time, and the shortest way to ask about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from patscan import rulebook
from patscan.detect import jwt
from patscan.gitlab.client import Client, Settings
from patscan.gitlab.hosts import Approved, approved
from patscan.gitlab.verify import Options, Outcome, verify
from patscan.kind import Kind
from patscan.model import Address, Commit, Evidence, Exposure, Finding, Match, Occurrence, Position, Rule, Sighting
from patscan.secret import Secret

RULES = {rule.kind: rule for rule in reversed(rulebook.load())}


def rule(kind: str) -> Rule:
    return RULES.get(kind) or RULES["personal-access-token"]._replace(id=f"own-{kind}", kind=kind)


def finding(kind: str, value: str, hints: Mapping[str, str | int | bool] | None = None, leaked: str = "", path: str = "a.env") -> Finding:
    of = rule(kind)
    evidence = [Evidence("context", hints)] if hints else []
    if "eyJ" in value:
        evidence.append(Evidence("jwt", jwt.facts(value.encode()) or {}))
    secret = Secret(value.encode(), of.prefix.encode())
    match = Match(of, secret, secret.fingerprint, Address("b" * 40, 0, 26), Position(1, 1, 1, 27), (), 1)
    place = Occurrence(match, Sighting(Kind.BLOB, path))
    exposure = Exposure(first_seen=Commit("c" * 40, "anna", leaked)) if leaked else Exposure()
    return Finding(of, secret, secret.fingerprint, "high", "", tuple(evidence), (place,), exposure)


def instances(*urls: str) -> Approved:
    return approved(("--gitlab-url", url) for url in urls)


def settings(**more: Any) -> Settings:
    return Settings(**({"timeout": 5.0} | more))


def ask(findings: Iterable[Finding], *urls: str, client: Client | None = None, **options: Any) -> Outcome:
    client = client or Client(settings())
    return verify(tuple(findings), instances(*urls), client, Options(**options), lambda done, of: None)


def tls(bundle: Path) -> Client:
    return Client(settings(ca_bundle=bundle))
