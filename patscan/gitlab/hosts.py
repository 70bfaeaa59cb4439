"""The instances that may be asked, and the hosts that only untrusted text names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from patscan.errors import ConfigError
from patscan.model import Finding
from patscan.tuples import NamedTuple

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_ROOT = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_LOOPBACK = re.compile(r"localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+")
_LOOKED_AT = 10
"""Places of a token whose lines are searched for URLs."""
_PORTS = {"https": 443, "http": 80}


class Instance(NamedTuple):
    """A GitLab that may be asked. `root` is the relative URL root (``/gitlab``), empty for most."""

    scheme: str
    host: str
    port: int
    root: str = ""

    @property
    def sighting(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        """The address for people."""
        return self.sighting + self.root


class Approved(NamedTuple):
    """The instances that may be asked, the most explicitly approved first. Only the first gets the administrator's token."""

    instances: tuple[Instance, ...] = ()


def instance(url: str, source: str, insecure_http: bool = False) -> Instance:
    """The instance at `url`. `source` (a flag, a variable, a file's key) is named in errors. Raises `ConfigError`."""
    text = url.strip()
    # urlsplit drops line breaks, which could change the host.
    if not text.isprintable():
        raise ConfigError(f"{source}: contains a line break or another character that no URL has.")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        raise ConfigError(f"{source}: not a URL. Write https://gitlab.example.com.") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{source}: the URL contains a user or a password. Leave them out.")
    if parts.scheme not in _PORTS or parts.query or parts.fragment or not (_HOST.fullmatch(host) or host == "::1"):
        raise ConfigError(f"{source}: not the URL of a GitLab. Write https://gitlab.example.com.")
    if parts.scheme == "http" and not insecure_http and not _LOOPBACK.fullmatch(host):
        raise ConfigError(f"{source}: http://{host} would send tokens unencrypted. Use https, or --insecure-http.")
    root = parts.path.rstrip("/").removesuffix("/api/v4")
    if not _ROOT.fullmatch(root) or ".." in root.split("/"):
        raise ConfigError(f"{source}: the path after {host} can't be an instance's relative URL root.")
    return Instance(parts.scheme, host, port or _PORTS[parts.scheme], root)


def approved(urls: Iterable[tuple[str, str]], insecure_http: bool = False) -> Approved:
    """The instances of `urls`, pairs of source and URL, in order and without duplicates. Raises `ConfigError`."""
    return Approved(tuple(dict.fromkeys(instance(url, source, insecure_http) for source, url in urls)))


def host_of(url: str) -> str:
    """The host in a URL or in an address in ssh's short form (``git@host:path``); empty if there is none."""
    text = url.strip()
    try:
        if "://" in text:
            return (urlsplit(text).hostname or "").rstrip(".")
    except ValueError:
        return ""
    head, colon, _ = text.rpartition("@")[2].partition(":")
    return head.lower() if colon and _HOST.fullmatch(head.lower()) and "." in head else ""


def issuer(finding: Finding) -> str:
    """The host that a JWT names as its issuer. Its signature isn't verified, so it only selects among approved hosts."""
    for evidence in finding.evidence:
        if evidence.type == "jwt" and isinstance(name := evidence.facts.get("issuer"), str):
            return host_of(name) or (name.lower() if _HOST.fullmatch(name.lower()) else "")
    return ""


def candidates(approved: Approved, finding: Finding) -> tuple[Instance, ...]:
    """The approved instances to ask about `finding`: the one that the token names as its issuer, or all."""
    name = issuer(finding)
    issuing = tuple(instance for instance in approved.instances if instance.host == name)
    return issuing or approved.instances


def _beside(finding: Finding) -> Iterator[str]:
    """The hosts of URLs in the lines around the token."""
    for occurrence in finding.occurrences[:_LOOKED_AT]:
        for line in occurrence.frame:
            yield from (host for url in _URL.findall(line) if _HOST.fullmatch(host := host_of(url)))


def nothing_approved(finding: Finding, proposed: Sequence[str]) -> str:
    """A sentence that no instance is approved, with the hosts that were seen and the flag that approves one."""
    seen = list(dict.fromkeys(filter(None, (issuer(finding), *_beside(finding), *proposed))))
    if not seen:
        return "no GitLab is approved, so nothing was sent. Approve the token's: --gitlab-url https://gitlab.example.com."
    named = " and ".join(seen[:3])
    return f"no GitLab is approved, so nothing was sent. Seen beside it: {named}. If you trust it, add --gitlab-url https://{seen[0]}."
