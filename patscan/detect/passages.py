"""Match the passages of a content around its anchors. Equal passages are matched once.

A history has hundreds of versions of a file, and nearly all of them have the same text around a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from patscan.detect.anchors import Hit
from patscan.detect.frame import frame
from patscan.detect.ignores import ignore
from patscan.detect.matcher import Capture, Matcher
from patscan.detect.positions import Text
from patscan.layers import joined
from patscan.model import Ignore
from patscan.tuples import NamedTuple

_AROUND = 3 << 10
"""Bytes of a passage on each side of an anchor. Rules, frames and ignore comments read less."""
_EDGE = 1 << 10
"""Bytes at the ends of a passage that no capture may touch, because it may depend on the bytes beyond."""
_PIECE = 256
"""Bytes at the end of a passage that may contain a piece of a token."""
_LONGEST = 64 << 10
"""Bytes of a passage at most. A content with longer ones is matched as a whole."""
_PASSAGES = 1_000
"""Anchors in a content that is matched in passages at most. One with more is matched as a whole."""
_KEPT = 512
"""Passages that are remembered."""

IsListed = Callable[[Capture, int], bool]
"""Whether a capture is wanted. The number is the byte at which its passage begins."""


class Sight(NamedTuple):
    """A capture, its frame and its ignore comment. Lines are relative to the capture's."""

    capture: Capture
    fingerprint: str
    frame: tuple[str, ...]
    lines_before: int
    """The number of lines of the frame before the capture's."""
    ignore: Ignore | None
    """`Ignore.line` is relative, too."""


class Passages:
    """Matches contents, and remembers the last passages."""

    def __init__(self, matcher: Matcher, reveal: bool) -> None:
        """With `reveal`, frames show the tokens."""
        self._matcher, self._reveal = matcher, reveal
        self._known: dict[tuple[bytes, bool, bool, bool], tuple[Sight, ...] | None] = {}

    def cuts(self) -> list[str]:
        """What the matcher didn't read since the last call, as sentences."""
        if not self._matcher.cuts:
            return []
        cuts, self._matcher.cuts = sorted(self._matcher.cuts), set()
        return cuts

    def sights(self, text: Text, hits: Sequence[Hit], is_listed: IsListed) -> Iterator[tuple[int, Sight]]:
        """All sights in `text` for which `is_listed` is true, in order, each with the byte at which its passage begins."""
        binary = text.encoding == "utf-8" and b"\0" in text.data
        passages = list(self._cut(text, hits)) if len(hits) <= _PASSAGES else []
        in_passages = [self._of_passage(text, binary, *passage) for passage in passages]
        if None in in_passages or not passages:
            yield from ((0, sight) for sight in self._matched(text, hits, binary, is_listed))
            return
        for (low, _, _), sights in zip(passages, in_passages, strict=True):
            for sight in sights or ():
                if is_listed(sight.capture, low):
                    yield low, sight

    def _cut(self, text: Text, hits: Sequence[Hit]) -> Iterator[tuple[int, int, Sequence[Hit]]]:
        """The start and end of each passage, and its anchors; nothing if the content must be matched as a whole."""
        if text.encoding != "utf-8" or any(hit.layers for hit in hits):
            return
        first = 0
        for number in range(1, len(hits) + 1):
            if number < len(hits) and hits[number].start - hits[number - 1].start < 2 * _AROUND:
                continue
            yield max(hits[first].start - _AROUND, 0), min(hits[number - 1].start + _AROUND, len(text.data)), hits[first:number]
            first = number

    def _of_passage(self, text: Text, binary: bool, low: int, high: int, hits: Sequence[Hit]) -> tuple[Sight, ...] | None:
        """The sights in a passage; ``None`` if they depend on the bytes around it."""
        if high - low > _LONGEST:
            return None
        data = text.data[low:high]
        key = data, low == 0, high == len(text.data), binary
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            part = Text(data, text.encoding, 0 if low else text.mark)
            sights = tuple(self._matched(part, [hit._replace(start=hit.start - low) for hit in hits], binary, lambda *_: True))
            self._known[key] = sights if _is_independent(data, hits[-1].start - low, sights, low == 0, high == len(text.data)) else None
        return self._known[key]

    def _matched(self, text: Text, hits: Sequence[Hit], binary: bool, is_listed: IsListed) -> Iterator[Sight]:
        captures = self._matcher.captures(text.data, hits, binary)
        for capture in captures:
            if not is_listed(capture, 0):
                continue
            line, _ = text.at(capture.start)
            lines, first = frame(text, capture, captures, self._reveal)
            comment = ignore(text, capture, captures)
            relative = comment and comment._replace(line=comment.line - line)
            yield Sight(capture, capture.secret.fingerprint, lines, line - first, relative)


def _is_independent(data: bytes, last: int, sights: Sequence[Sight], first_bytes: bool, last_bytes: bool) -> bool:
    """Whether the bytes around a passage can't change its sights: neither a capture nor a word reaches an end."""
    if not last_bytes:
        if any(sight.capture.end > len(data) - _EDGE for sight in sights):
            return False
        # A rejected token that is too long, or one in pieces, may continue beyond the end.
        if len(data[last:].split(None, 1)[0]) >= len(data) - last or joined.end(data, last) >= len(data) - _PIECE:
            return False
    return first_bytes or all(sight.capture.start >= _EDGE for sight in sights)
