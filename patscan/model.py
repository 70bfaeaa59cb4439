"""The nouns every stage speaks. Standard library only, immutable, no behaviour beyond describing themselves.

They are ``NamedTuple``s, not dataclasses: ``dataclasses`` pulls in ``inspect``, a tenth of the hook's whole start-up budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from patscan.demands import Demands, Example
from patscan.kind import Kind
from patscan.secret import Secret

CONFIDENCES = ("low", "medium", "high", "certain")
SEVERITIES = ("low", "medium", "high", "critical")

Fact: TypeAlias = "str | int | bool | tuple[Fact, ...] | Mapping[str, Fact] | None"
"""Something that GitLab said of a token, as JSON has it."""

STATES = ("unchecked", "active", "active-blocked", "inactive", "not-found", "unverifiable", "error")
"""What a verdict may be. ``active-blocked``: the token lives, but its user isn't let in now."""

DECIDED = ("inline comment", "baseline", "path")
"""Reasons to ignore a finding that a person gave."""


class Rule(NamedTuple):
    """What to look for, as data from ``rules/*.toml``; `patscan.rulebook` says what each field must hold."""

    id: str
    kind: str
    name: str
    severity: str
    description: str
    remedy: str
    references: tuple[str, ...]
    prefix: str
    """The public part every token of this rule starts with (``glpat-``); empty when there is none."""
    anchors: tuple[str, ...]
    """Literals, one of which stands in every match: the look searches for nothing else."""
    pattern: str
    """A regular expression over bytes with one group ``secret``, tried with its start at an anchor. Without a
    prefix, a routable token's pattern takes its tail only: length field and checksum say where the token begins."""
    lookback: int
    """How many characters before the anchor the pattern may begin; 0: it begins with the anchor."""
    body: str
    """Who draws the part after the prefix: one of `patscan.rulebook.BODIES`."""
    examples: tuple[Example, ...]
    counter_examples: tuple[str, ...]
    contexts: tuple[str, ...] = ()
    """What may stand around a token of this rule that has no prefix and no anchor: ids of `patscan.detect.contexts.table`."""
    instance: str = ""
    """The configured instance prefix with its hyphen (``ACME-``): right in front of `prefix` it belongs to the token."""
    demands: Demands | None = None
    """What a rule of a user's own demands beside its pattern; ``None``: the rule is a shipped one."""


class Evidence(NamedTuple):
    """One small reason to believe, or not, that a match is a token: ``checksum``, ``routing``, ``edge``, ``likelihood``…"""

    type: str
    facts: Mapping[str, str | int | bool]


class Layer(NamedTuple):
    """One decoding between a content and the token in it, with the parameter that decoding again needs (base64's phase, UTF's width)."""

    name: str
    parameter: int = 0


class Address(NamedTuple):
    """Where a token's bytes lie: enough to read them again."""

    name: str
    """What the source calls the content: an object id, a file's path."""
    start: int
    end: int
    """Half-open byte span in the content."""
    layers: tuple[Layer, ...] = ()
    """The decodings, outermost first."""
    members: tuple[str, ...] = ()
    """The path in each archive, outermost first, that leads to the content; empty for what a compressed stream holds."""

    @property
    def member(self) -> str | None:
        """The path inside the archive, for a reader: ``inner.zip!/x.env``; ``None`` if there is none, or if it has no name."""
        return "!/".join(filter(None, self.members)) or None


class Position(NamedTuple):
    """Where a span stands for a reader: 1-based lines and characters, the end column one past the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Sighting(NamedTuple):
    """Where people met an address."""

    kind: Kind
    path: str | None = None
    """The file's path; of a ref name the whole ref."""
    commit: str | None = None
    """The commit that introduced it, or whose text holds it; a tag's own id."""
    author: str | None = None
    date: str | None = None
    blob: str | None = None
    message: str | None = None
    """The first line of the commit's message."""
    submodule: str | None = None
    """The path of the submodule it was met in; ``None`` in the repository itself."""


class Ignore(NamedTuple):
    """An ignore comment that covers a match."""

    line: int
    reason: str
    """What the comment gives as the reason; empty if it gives none."""


class Match(NamedTuple):
    """One hit in one content, with everything that the content's bytes say of it."""

    rule: Rule
    secret: Secret
    fingerprint: str
    """`Secret.fingerprint` of the token."""
    address: Address
    position: Position
    frame: tuple[str, ...]
    """The lines around it, every token masked."""
    frame_line: int
    """The line number of the first line of `frame`."""
    evidence: tuple[Evidence, ...] = ()
    confidence: str = "high"
    reason: str = ""
    """Why it isn't a finding (``placeholder``, ``checksum``, ``length``…); empty when it is one."""
    ignore: Ignore | None = None
    """The ignore comment that covers it."""
    sighting: Sighting | None = None
    """Where it was met, if the content itself says so (a commit's message does)."""


class Occurrence(NamedTuple):
    """A match in one place where people met it."""

    match: Match
    sighting: Sighting
    at_head: bool | None = None
    """Whether this very place is in the tree of HEAD; ``None`` where there is no history to ask."""
    line_hash: str | None = None
    """GitHub's ``primaryLocationLineHash``; ``None`` where there is no line to open at HEAD."""

    @property
    def position(self) -> Position:
        """Lines and columns."""
        return self.match.position

    @property
    def start(self) -> int:
        """The byte in the content where it begins."""
        return self.match.address.start

    @property
    def end(self) -> int:
        """The byte behind its last one."""
        return self.match.address.end

    @property
    def encodings(self) -> tuple[str, ...]:
        """The names of the layers, outermost first."""
        return tuple(layer.name for layer in self.match.address.layers)

    @property
    def frame(self) -> tuple[str, ...]:
        """The masked lines around it."""
        return self.match.frame

    @property
    def frame_line(self) -> int:
        """The number of the frame's first line."""
        return self.match.frame_line


class Commit(NamedTuple):
    """Who made a commit and when; dates are ISO 8601 with offset, as git prints ``%aI``."""

    id: str
    author: str
    date: str
    committer: str = ""
    committed: str = ""
    parents: tuple[str, ...] | None = None
    """Their ids; ``None``: not asked."""


class Exposure(NamedTuple):
    """Where in history a token lives. ``None`` means: not looked at, which is not the same as no."""

    first_seen: Commit | None = None
    last_seen: Commit | None = None
    at_head: bool | None = None
    tips: tuple[str, ...] | None = None
    reachable: bool | None = None
    pushed: bool | None = None
    """``True``: something in this clone shows that a remote had it. ``False``: nothing does, which proves nothing of a push by URL."""
    kept_by: str | None = None
    """What leads to it: ``ref``, ``stash``, ``reflog``, ``no ref`` (a dangling commit), ``index``, or ``nothing`` (never committed)."""
    removed: tuple[Commit, ...] | None = None
    """Commits that took it away from a branch."""
    at_or_before: bool = False
    """Whether history is cut off where it is first seen: then nobody is named as the one who brought it."""
    reflogs: tuple[str, ...] | None = None
    """What leads to it where no ref does: reflogs (``HEAD``, ``refs/heads/main``) and entries of the stash (``stash@{1}``)."""


class Check(NamedTuple):
    """Something about a token's life that GitLab advises against, with the page that says so."""

    check: str
    severity: str
    message: str
    reference: str


class Verdict(NamedTuple):
    """What GitLab said of a token, once asked."""

    state: str = "unchecked"
    """One of `STATES`."""
    reason: str = ""
    facts: Mapping[str, Fact] = {}
    lifecycle: tuple[Check, ...] = ()
    severity: str | None = None
    """What a thief could do with it, beside the rule's severity; ``None``: GitLab's answer says nothing of that."""
    severity_reasons: tuple[str, ...] = ()
    instance: str | None = None
    """The URL of the GitLab that gave the verdict."""
    asked_at: str | None = None
    """When the token itself was first sent to GitLab, by the server's clock (ISO 8601): it counts as a use."""


class Finding(NamedTuple):
    """One token to revoke, with every place it was met in."""

    rule: Rule
    secret: Secret
    fingerprint: str
    """Of the token alone (`Secret.fingerprint`)."""
    confidence: str
    reason: str
    """Why it is ignored: ``placeholder``, ``checksum``, ``inline comment``, ``path``, ``baseline``…; empty when it isn't."""
    evidence: tuple[Evidence, ...]
    occurrences: tuple[Occurrence, ...]
    exposure: Exposure = Exposure()
    verdict: Verdict = Verdict()
    justification: str = ""
    """What somebody who accepted it wrote as the reason."""

    @property
    def severity(self) -> str:
        """How bad it is: what GitLab's answer says, otherwise the rule."""
        return self.verdict.severity or self.rule.severity


class Skip(NamedTuple):
    """Something that should have been scanned and wasn't, and why, as a sentence."""

    where: str
    reason: str


class Note(NamedTuple):
    """Something whose raw bytes were scanned but not unpacked, or a plainer way that was taken."""

    where: str
    reason: str
    kind: str = ""
    """What even the shortest report shows: ``policy`` (what a repository's own files hide), ``unstaged``, ``cache``, ``archive`` (a
    limit of ours); empty: the rest."""


class Coverage(NamedTuple):
    """What was looked at. `bytes` counts expanded content."""

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
        """Both together."""
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
    """The CI server whose variables said what is new; this and the rest are ``None`` but for ``ci``."""
    event: str | None = None
    base: str | None = None
    """The commit that the head was compared with; ``None``: everything that the head reaches was looked at."""
    reason: str | None = None
    """What was decided to look at, and why, as a sentence."""


class Report(NamedTuple):
    """Everything a format may need, in an order that depends on the content alone."""

    target: Target
    rules: tuple[Rule, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    interrupted: bool = False
    exit_code: int = 0
    """What the process that made it said to its caller (`patscan.errors.ExitCode`)."""
    violations: tuple[str, ...] = ()
    """Sentences: where the project's own demands (a reason behind every ignore comment…) aren't met."""
