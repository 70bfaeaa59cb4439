"""The nouns every stage speaks. Standard library only, immutable, no behaviour beyond describing themselves.

They are ``NamedTuple``s, not dataclasses: ``dataclasses`` pulls in ``inspect``, a tenth of the hook's whole start-up budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

CONFIDENCES = ("low", "medium", "high", "certain")
SEVERITIES = ("low", "medium", "high", "critical")

UNCHANGEABLE = frozenset(("message", "commit-message", "author", "tag-message", "ref-name", "path", "symlink"))
"""Origins where no comment counts: nobody can write one there afterwards, and nobody should silence a token in the same line."""

_FINGERPRINT_KEY = b"patscan/1"
_SHOWN_PREFIX = 12


class Secret:
    """A token that doesn't print itself: ``str``, ``repr``, pickles and tracebacks show ``glpat-…(26)``.

    The token is bytes, because a repository's bytes need not be text in any encoding. `reveal` is the only way in.
    """

    __slots__ = ("_shown", "_token")

    def __init__(self, token: bytes, prefix: bytes = b"") -> None:
        """Hold `token`; `prefix` is its public part (``glpat-``), the only part ever shown."""
        self._token = token
        shown = prefix[:_SHOWN_PREFIX].decode("ascii", "replace") if token.startswith(prefix) else ""
        self._shown = f"{shown}…({len(token)})"

    @classmethod
    def masked(cls, shown: str) -> Secret:
        """A token of which only the mask is known, as a saved report has it: `reveal` gives nothing."""
        secret = cls(b"")
        secret._shown = shown
        return secret

    def reveal(self) -> bytes:
        """The token itself. Callers: the fingerprint, the checks, the masks, ``--show-secrets``, a request."""
        return self._token

    @property
    def fingerprint(self) -> str:
        """BLAKE2b-128 of the token alone, in hex: no kind, path, line or commit, so it survives rebase and rename."""
        return self.keyed(_FINGERPRINT_KEY)

    def keyed(self, salt: bytes) -> str:
        """The same under a project's own `salt`: two projects' fingerprints of one token can't be compared."""
        import hashlib

        return hashlib.blake2b(self._token, digest_size=16, key=salt).hexdigest()

    def __len__(self) -> int:
        return len(self._token)

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._token, self._shown) == (other._token, other._shown)

    def __hash__(self) -> int:
        return hash((self._token, self._shown))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is never pickled: send its place instead, and read it again")


class Example(NamedTuple):
    """A text and the bytes a rule must capture in it; ``secret`` is empty in a counter-example."""

    text: str
    secret: str


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
    """Literals, one of which stands in every match: the first look searches for nothing else."""
    pattern: str
    """A regular expression over bytes with one group ``secret``, tried with its start at an anchor. Without a
    prefix, a routable token's pattern takes its tail only: length field and checksum say where the token begins."""
    lookback: int
    """How many characters before the anchor the pattern may begin; 0: it begins with the anchor."""
    body: str
    """Who draws the part after the prefix: one of `patscan.rulebook.BODIES`."""
    examples: tuple[Example, ...]
    counter_examples: tuple[str, ...]
    instance: str = ""
    """The configured instance prefix with its hyphen (``ACME-``): right in front of `prefix` it belongs to the token."""


class Evidence(NamedTuple):
    """One small reason to believe, or not, that a match is a token: ``checksum``, ``routing``, ``edge``, ``likelihood``…"""

    type: str
    facts: Mapping[str, str | int | bool]


class Match(NamedTuple):
    """One hit in one content: the secret, and the bytes it stands in (encoded or not), half-open."""

    rule: Rule
    secret: Secret
    start: int
    end: int
    encodings: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    confidence: str
    reason: str
    """Why it isn't a finding (``placeholder``, ``checksum``, ``length``…); empty when it is one."""


class Position(NamedTuple):
    """Where a span stands for a reader: 1-based lines and characters, the end column one past the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Origin(NamedTuple):
    """How content was met."""

    type: str
    """One of blob, symlink, index, note, commit-message, tag-message, author, ref-name, path (a file's name), file, stdin,
    message (of a commit that is being made)."""
    path: str | None = None
    commit: str | None = None
    author: str | None = None
    date: str | None = None
    blob: str | None = None
    message: str | None = None
    """The first line of the commit's message."""
    submodule: str | None = None
    """The path of the submodule it was met in; ``None`` in the repository itself."""


class Occurrence(NamedTuple):
    """One hit in one place; `start` and `end` are byte offsets in the content, `frame` its neighbourhood with every token masked."""

    origin: Origin
    position: Position
    start: int
    end: int
    encodings: tuple[str, ...]
    frame: tuple[str, ...]
    frame_line: int
    """The line number of the first line of `frame`."""
    at_head: bool | None = None
    """Whether this very place is in the tree of HEAD; ``None`` where there is no history to ask."""
    line_hash: str | None = None
    """GitHub's ``primaryLocationLineHash``; ``None`` where there is no line to open."""


class Commit(NamedTuple):
    """Who made a commit and when; dates are ISO 8601 with offset, as git prints ``%aI``."""

    id: str
    author: str
    date: str
    committer: str = ""
    committed: str = ""


class Exposure(NamedTuple):
    """Where in history a token lives. ``None`` means: not looked at, which is not the same as no."""

    first_seen: Commit | None = None
    last_seen: Commit | None = None
    at_head: bool | None = None
    tips: tuple[str, ...] | None = None
    reachable: bool | None = None
    pushed: bool | None = None
    kept_by: str | None = None
    """What leads to it: ``ref``, ``stash``, ``reflog``, ``no ref`` (a dangling commit), ``index``, or ``nothing`` (never committed)."""
    removed: tuple[Commit, ...] | None = None
    """Commits that took it away from a branch."""


class Verdict(NamedTuple):
    """What GitLab said of a token, once asked."""

    state: str = "unchecked"
    reason: str = ""
    facts: Mapping[str, str | int | bool] = {}


class Finding(NamedTuple):
    """One token to revoke, with every place it was met in."""

    rule: Rule
    secret: Secret
    fingerprint: str
    """Of the token alone, under the project's salt if there is one (`Secret.keyed`)."""
    confidence: str
    reason: str
    """Why it is ignored: ``placeholder``, ``checksum``, ``inline comment``, ``path``, ``baseline``…; empty when it isn't."""
    evidence: tuple[Evidence, ...]
    occurrences: tuple[Occurrence, ...]
    exposure: Exposure = Exposure()
    verdict: Verdict = Verdict()
    justification: str = ""
    """What somebody who accepted it wrote as the reason."""


class Skip(NamedTuple):
    """Something that should have been scanned and wasn't, and why, as a sentence."""

    where: str
    reason: str


class Note(NamedTuple):
    """Something whose raw bytes were scanned but not unpacked, or a plainer way that was taken."""

    where: str
    reason: str


class Coverage(NamedTuple):
    """What was looked at. `bytes` counts expanded content."""

    commits: int = 0
    blobs: int = 0
    bytes: int = 0
    skipped: tuple[Skip, ...] = ()
    notes: tuple[Note, ...] = ()
    engines: tuple[str, ...] = ()

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
