"""The types that all stages share: immutable values, with the standard library only.

They are ``NamedTuple``s, not dataclasses: ``dataclasses`` imports ``inspect``, which takes a tenth of the hook's start-up time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from patscan.demands import Demands, Example
from patscan.kind import Kind
from patscan.secret import Secret
from patscan.tuples import NamedTuple

CONFIDENCES = ("low", "medium", "high", "certain")
SEVERITIES = ("low", "medium", "high", "critical")

Fact: TypeAlias = "str | int | bool | tuple[Fact, ...] | Mapping[str, Fact] | None"
"""A fact from GitLab about a token, as a JSON value."""

STATES = ("unchecked", "active", "active-blocked", "inactive", "not-found", "unverifiable", "error")
"""The states of a verdict. ``active-blocked``: the token is active, but its user is blocked."""

DECIDED = ("inline comment", "baseline", "path")
"""The reasons to ignore a finding that a person decided."""


class Rule(NamedTuple):
    """A rule from ``rules/*.toml``. `patscan.rulebook` checks the fields."""

    id: str
    kind: str
    name: str
    severity: str
    description: str
    remedy: str
    references: tuple[str, ...]
    prefix: str
    """The public beginning of every token (``glpat-``); empty if there is none."""
    anchors: tuple[str, ...]
    """Literals. Every match contains one of them, and the look searches only for them."""
    pattern: str
    """A regular expression over bytes with one group ``secret``, matched at an anchor. Without a prefix, the pattern of
    a routable token matches only its tail; length field and checksum give its beginning."""
    lookback: int
    """The most characters of the pattern before the anchor; 0: it begins with the anchor."""
    body: str
    """How the part after the prefix is generated: one of `patscan.rulebook.BODIES`."""
    examples: tuple[Example, ...]
    counter_examples: tuple[str, ...]
    contexts: tuple[str, ...] = ()
    """What may stand around a token of this rule that has no prefix and no anchor: ids of `patscan.detect.contexts.table`."""
    instance: str = ""
    """The configured instance prefix with its hyphen (``ACME-``). Directly before `prefix` it is part of the token."""
    demands: Demands | None = None
    """The further conditions of a user's rule; ``None`` for a built-in rule."""


class Evidence(NamedTuple):
    """One reason for or against a match being a token: ``checksum``, ``routing``, ``edge``, ``likelihood``…"""

    type: str
    facts: Mapping[str, str | int | bool]


class Layer(NamedTuple):
    """One decoding between a content and a token, with its parameter (the phase of base64, the width of UTF)."""

    name: str
    parameter: int = 0


class Address(NamedTuple):
    """Where a token's bytes are, so that they can be read again."""

    name: str
    """The name of the content in its source: an object id or a file's path."""
    start: int
    end: int
    """Half-open byte span in the content."""
    layers: tuple[Layer, ...] = ()
    """The decodings, outermost first."""
    members: tuple[str, ...] = ()
    """The path in each archive, outermost first; an empty path for the content of a compressed stream."""

    @property
    def member(self) -> str | None:
        """The path inside archives, for readers: ``inner.zip!/x.env``; ``None`` without one."""
        return "!/".join(filter(None, self.members)) or None


class Position(NamedTuple):
    """A span in 1-based lines and characters. The end column is one past the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Sighting(NamedTuple):
    """A place where people see an address: path, commit, author, date."""

    kind: Kind
    path: str | None = None
    """The file's path, or the full name of a ref."""
    commit: str | None = None
    """The commit that introduced it or whose text contains it, or a tag's id."""
    author: str | None = None
    date: str | None = None
    blob: str | None = None
    message: str | None = None
    """The first line of the commit's message."""
    submodule: str | None = None
    """The path of its submodule; ``None`` in the repository itself."""


class Ignore(NamedTuple):
    """An ignore comment that covers a match."""

    line: int
    reason: str
    """The reason in the comment; empty if it has none."""


class Match(NamedTuple):
    """One match in one content, with all facts from the content's bytes."""

    rule: Rule
    secret: Secret
    fingerprint: str
    """`Secret.fingerprint` of the token."""
    address: Address
    position: Position
    frame: tuple[str, ...]
    """The lines around it, with all tokens masked."""
    frame_line: int
    """The line number of the first line of `frame`."""
    evidence: tuple[Evidence, ...] = ()
    confidence: str = "high"
    reason: str = ""
    """Why it isn't a finding (``placeholder``, ``checksum``, ``length``…); empty when it is one."""
    ignore: Ignore | None = None
    """The ignore comment that covers it."""
    sighting: Sighting | None = None
    """Its sighting, if the content itself gives it, as a commit's message does."""


class Occurrence(NamedTuple):
    """A match at one sighting."""

    match: Match
    sighting: Sighting
    at_head: bool | None = None
    """Whether HEAD has this path with this content; ``None`` without a history."""
    line_hash: str | None = None
    """GitHub's ``primaryLocationLineHash``; ``None`` without a line at HEAD."""

    @property
    def position(self) -> Position:
        """Lines and columns."""
        return self.match.position

    @property
    def start(self) -> int:
        """The offset of its first byte in the content."""
        return self.match.address.start

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.match.address.end

    @property
    def encodings(self) -> tuple[str, ...]:
        """The names of the layers, outermost first."""
        return tuple([layer.name for layer in self.match.address.layers])

    @property
    def frame(self) -> tuple[str, ...]:
        """The masked lines around it."""
        return self.match.frame

    @property
    def frame_line(self) -> int:
        """The number of the frame's first line."""
        return self.match.frame_line


class Commit(NamedTuple):
    """A commit's people and dates. Dates are in ISO 8601 with an offset, as in git's ``%aI``."""

    id: str
    author: str
    date: str
    committer: str = ""
    committed: str = ""
    parents: tuple[str, ...] | None = None
    """The parents' ids; ``None``: not read."""


class Exposure(NamedTuple):
    """Where in history a token lives. ``None`` means unknown, not no."""

    first_seen: Commit | None = None
    last_seen: Commit | None = None
    at_head: bool | None = None
    tips: tuple[str, ...] | None = None
    reachable: bool | None = None
    pushed: bool | None = None
    """``True``: this clone shows that a remote had it. ``False``: it shows no trace, but a push by URL leaves none."""
    kept_by: str | None = None
    """What reaches it: ``ref``, ``stash``, ``reflog``, ``no ref`` (a dangling commit), ``index``, or ``nothing`` (never committed)."""
    removed: tuple[Commit, ...] | None = None
    """Commits that removed it from a branch."""
    at_or_before: bool = False
    """Whether history is cut off where it is first seen. Then the commit that introduced it is unknown."""
    reflogs: tuple[str, ...] | None = None
    """What reaches it if no ref does: reflogs (``HEAD``, ``refs/heads/main``) and stash entries (``stash@{1}``)."""


class Check(NamedTuple):
    """A property of a token that GitLab advises against, with the page of its documentation."""

    check: str
    severity: str
    message: str
    reference: str


class Verdict(NamedTuple):
    """GitLab's answer about a token."""

    state: str = "unchecked"
    """One of `STATES`."""
    reason: str = ""
    facts: Mapping[str, Fact] = {}
    lifecycle: tuple[Check, ...] = ()
    severity: str | None = None
    """The severity by what a thief could do with the token; ``None`` if GitLab's answer doesn't show it."""
    severity_reasons: tuple[str, ...] = ()
    instance: str | None = None
    """The URL of the GitLab that gave the verdict."""
    asked_at: str | None = None
    """When the token was first sent to GitLab, by the server's clock (ISO 8601). GitLab counts it as a use."""


class Finding(NamedTuple):
    """One token to revoke, with all its places."""

    rule: Rule
    secret: Secret
    fingerprint: str
    """Of the token alone (`Secret.fingerprint`)."""
    confidence: str
    reason: str
    """Why it is ignored: ``placeholder``, ``checksum``, ``inline comment``, ``path``, ``baseline``…; empty if it isn't."""
    evidence: tuple[Evidence, ...]
    occurrences: tuple[Occurrence, ...]
    exposure: Exposure = Exposure()
    verdict: Verdict = Verdict()
    justification: str = ""
    """The written reason of the person who accepted it."""

    @property
    def severity(self) -> str:
        """The severity from GitLab's answer, or else from the rule."""
        return self.verdict.severity or self.rule.severity


class Skip(NamedTuple):
    """Something that should have been scanned and wasn't, with the reason as a sentence."""

    where: str
    reason: str


class Note(NamedTuple):
    """Something for the reader to know, such as raw bytes that weren't unpacked, or a slower way of reading."""

    where: str
    reason: str
    kind: str = ""
    """``policy`` (a repository's files hide tokens), ``unstaged``, ``cache`` or ``archive`` (it wasn't read in a commit or a push), which
    even the shortest report shows; empty for other notes."""


class Coverage(NamedTuple):
    """How much was looked at. `bytes` counts expanded content."""

    commits: int = 0
    blobs: int = 0
    bytes: int = 0
    skipped: tuple[Skip, ...] = ()
    notes: tuple[Note, ...] = ()
    engines: tuple[str, ...] = ()
    omitted: int = 0
    """Places that are only counted: see `patscan.content`."""

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for was looked at."""
        return not self.skipped

    def plus(self, other: Coverage) -> Coverage:
        """The sum of both."""
        return Coverage(
            self.commits + other.commits,
            self.blobs + other.blobs,
            self.bytes + other.bytes,
            self.skipped + other.skipped,
            self.notes + other.notes,
            tuple(sorted({*self.engines, *other.engines})),
            self.omitted + other.omitted,
        )


class Target(NamedTuple):
    """What was scanned: `type` is ``files``, ``stdin``, ``history``, ``index``, ``push``, ``message`` or ``ci``."""

    type: str
    path: str
    remote: str | None = None
    head: str | None = None
    platform: str | None = None
    """The CI server whose variables were used. This and the following fields are ``None`` except for ``ci``."""
    event: str | None = None
    base: str | None = None
    """The commit with which the head was compared; ``None``: everything that the head reaches was looked at."""
    reason: str | None = None
    """What was looked at, and why, as a sentence."""


class Report(NamedTuple):
    """The result of a scan, in an order that depends only on the content."""

    target: Target
    rules: tuple[Rule, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    interrupted: bool = False
    exit_code: int = 0
    """The exit code of its process (`patscan.errors.ExitCode`)."""
    violations: tuple[str, ...] = ()
    """Unmet requirements of the project, such as a reason in every ignore comment, as sentences."""
