"""The second look: the few contents that remain are read again, matched, placed in files and commits, and grouped by token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from patscan.content import Each, Piece, owns, windows
from patscan.detect.frame import frame
from patscan.detect.ignores import Ignore, ignore
from patscan.detect.linehash import LARGEST, line_hashes
from patscan.detect.matcher import Matcher
from patscan.detect.positions import Text
from patscan.model import CONFIDENCES, SEVERITIES, Exposure, Finding, Match, Occurrence, Origin
from patscan.triage import Policy, Triage

if TYPE_CHECKING:
    from patscan.scan import Options, Source

Found = tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[str, ...]]
"""Findings, what is ignored, and the places of ignore comments that lack a required reason."""

_PART = 1 << 20


class _Sight(NamedTuple):
    """A match of the second look: in which content, and where the content itself says it was met."""

    key: str
    match: Match
    occurrence: Occurrence
    comment: Ignore | None
    known: bool


def findings(source: Source, matcher: Matcher, keys: Sequence[str], options: Options, each: Each) -> Found:
    """What stands in the contents `keys`: findings as `options` want them, and what is ignored, both sorted."""
    sights = list(_sights(source, matcher, keys, options.reveal))
    origins = source.origins({sight.key for sight in sights if not sight.known}, each)
    tokens: dict[bytes, list[_Sight]] = {}
    for sight in sights:
        tokens.setdefault(sight.match.secret.reveal(), []).extend(_placed(sight, origins, source))
    groups = {group[0].match.secret.fingerprint: group for group in tokens.values()}
    exposures = source.exposures({name: [sight.occurrence.origin for sight in group] for name, group in groups.items()})
    triage = Triage(options.policy or Policy())
    found: list[Finding] = []
    for name, group in groups.items():
        comments = {sight.occurrence: sight.comment for sight in group if sight.comment}
        found += triage.apart(_finding(group, exposures[name], options), comments)
    found.sort(key=order)
    return tuple(one for one in found if not one.reason), tuple(one for one in found if one.reason), tuple(sorted(triage.unreasoned))


def _sights(source: Source, matcher: Matcher, keys: Sequence[str], reveal: bool) -> Iterator[_Sight]:
    text = Text(b"", "utf-8")
    before = 0
    for whole in source.read(keys):
        sights = []
        for piece in _parts(whole):
            data = bytes(piece.data)
            text = text.then(data, piece.offset - before) if piece.offset else Text.starting(data)
            before = piece.offset
            matches = matcher.find(data)
            sights += [_sight(source, piece, text, match, matches, reveal) for match in matches if owns(piece, match.start)]
        yield from _hashed(whole, sights)


def _sight(source: Source, piece: Piece, text: Text, match: Match, matches: Sequence[Match], reveal: bool) -> _Sight:
    origin = source.within(piece, match.start)
    occurrence = Occurrence(
        origin or Origin(piece.kind),
        text.position(match.start, match.end),
        piece.offset + match.start,
        piece.offset + match.end,
        match.encodings,
        *frame(text, match, matches, reveal),
    )
    return _Sight(str(piece.key), match, occurrence, ignore(text, match, matches), origin is not None)


def _hashed(piece: Piece, sights: Sequence[_Sight]) -> Iterator[_Sight]:
    """The same with the hashes of their lines, if `piece` is a whole file; in other content there is no line to open."""
    if not sights or piece.kind not in ("blob", "file") or piece.offset or not piece.last or len(piece.data) > LARGEST:
        yield from sights
        return
    hashes = line_hashes(bytes(piece.data), {sight.occurrence.position.line for sight in sights})
    for sight in sights:
        yield sight._replace(occurrence=sight.occurrence._replace(line_hash=hashes.get(sight.occurrence.position.line)))


def _parts(piece: Piece) -> Iterator[Piece]:
    """A piece in parts of `_PART` bytes, so that a content made of nothing but anchors takes bounded memory, too."""
    if len(piece.data) <= _PART:
        yield piece
        return
    for offset, data, last in windows(BytesIO(piece.data).read, _PART):
        yield piece._replace(offset=piece.offset + offset, data=data, last=piece.last and last)


def _placed(sight: _Sight, origins: Mapping[str, Sequence[Origin]], source: Source) -> Iterator[_Sight]:
    """One sight for each commit that brought its content to a path."""
    for origin in [sight.occurrence.origin] if sight.known else dict.fromkeys(origins[sight.key]):
        # Whoever opens a link sees the lines of what it leads to.
        line_hash = None if origin.type == "symlink" else sight.occurrence.line_hash
        yield sight._replace(occurrence=sight.occurrence._replace(origin=origin, at_head=source.at_head(origin), line_hash=line_hash))


def _finding(sights: Sequence[_Sight], exposure: Exposure, options: Options) -> Finding:
    best = max((sight.match for sight in sights), key=lambda match: (CONFIDENCES.index(match.confidence), not match.reason))
    occurrences = sorted({sight.occurrence for sight in sights}, key=_place)
    weak = CONFIDENCES.index(best.confidence) < CONFIDENCES.index(options.min_confidence)
    meant = any(_is_meant(occurrence.origin, options) for occurrence in occurrences)
    return Finding(
        best.rule,
        best.secret,
        best.secret.keyed(options.salt) if options.salt else best.secret.fingerprint,
        best.confidence,
        (best.reason or "confidence") if weak else "" if meant else "narrowed",
        best.evidence,
        tuple(occurrences),
        exposure,
    )


def _is_meant(origin: Origin, options: Options) -> bool:
    """Whether a place is one of those that ``--since``, ``--until`` and ``--author`` ask for."""
    if options.since is None and options.until is None and not options.author:
        return True
    if origin.date is None or options.author.casefold() not in (origin.author or "").casefold():
        return False
    when = datetime.fromisoformat(origin.date).timestamp()
    return (options.since is None or options.since <= when) and (options.until is None or when <= options.until)


def _place(occurrence: Occurrence) -> tuple[str, int, str, str]:
    origin = occurrence.origin
    return (origin.path or "", occurrence.start, origin.date or "", f"{origin.type} {origin.commit} {origin.blob}")


def order(finding: Finding) -> tuple[bool, int, bool, bool, int, str, tuple[str, int, str, str], str]:
    """The worst first: committed, sure, still there, out of the house."""
    sure, bad = -CONFIDENCES.index(finding.confidence), -SEVERITIES.index(finding.rule.severity)
    worst = (finding.exposure.kept_by == "nothing", sure, not finding.exposure.at_head, not finding.exposure.pushed, bad)
    return (*worst, finding.rule.id, _place(finding.occurrences[0]), finding.fingerprint)
