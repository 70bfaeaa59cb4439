"""Search the packs for the trees that hold given objects, one level of folders at a time, up to the root trees.

git compares each commit's tree with its parent's, and reads every tree twice. The search is cheaper. A tree stores the ids of its
entries verbatim, and a pack stores most trees as deltas, which contain only the entries that differ from the base: a thirtieth of the
bytes. So the search looks for ids in the stored bytes, and rebuilds trees only in those delta families where it sees one. git is then
asked only about commits whose tree may differ from their parent's in these objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from patscan.git.entries import COMMIT, TREE, PackShard, copies_only_long_pieces
from patscan.git.pack_index import unlisted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patscan.content import Each, Failure
    from patscan.git.packs import Pack

_KEYS, _KEY = (4, 10), 6
"""The offsets of two parts of an id, and their length in bytes. The search looks for the parts, because a delta may split an id: it
inserts at most 127 bytes in one step, and may copy the first or last bytes from another id that is equal there."""
_SAMPLES = 40
"""Deltas of a shard that are checked for git's way of writing them."""
_SHARD = 1 << 20
"""Compressed bytes of trees in a shard."""
_GIT_COST, _SEARCH_COST, _REBUILD_COST = 50, 3, 20
"""Estimated microseconds of CPU time: for git to compare one commit, to search one stored tree, and to rebuild a tree for one entry."""
_WORTH, _LEVELS = 0.7, 4
"""The largest share of git's time that the search may take, and the expected depth of folders."""
_LONGEST, _MOST = 32 << 20, 20_000
"""Limits for one shard: stored bytes of its trees, and matching entries. Beyond them git does the work."""
_NAME = 1 << 13
"""The most bytes that the mode and name before an id may take."""
_MODE_AND_NAME = rb"(?:40000|100644|100755|120000|160000|100664) [^\0]*"
"""The mode and name before a NUL and an id. The modes are listed (git's fsck.c), because the id before them may end in a digit."""
_LAST_NAME = re.compile(_MODE_AND_NAME + rb"\Z")

_TreeEntries = dict[bytes, set[bytes]]


class TreeContents:
    """Which trees of some packs hold which of the wanted objects."""

    def __init__(self, numbers: Mapping[str, int], packs: Sequence[Pack], elsewhere: Iterable[str]) -> None:
        """`numbers` has a number for each tree with wanted objects, the same for equal contents. `elsewhere` are unpacked objects."""
        self._numbers, self._packs, self._elsewhere = numbers, packs, set(elsewhere)

    def differing(self, commits: Iterable[str], parents: Mapping[str, Sequence[str]], trees: Mapping[str, str]) -> Iterator[str]:
        """The commits whose tree may differ from their first parent's in wanted objects; `trees` has the tree of every listed commit."""
        unknown = self._elsewhere.union(unlisted(list(trees.values()), [pack.index for pack in self._packs]))
        numbers = self._numbers
        for commit in commits:
            tree, parent = trees[commit], next(iter(parents[commit]), None)
            before_tree = trees.get(parent) if parent else ""
            if before_tree is None or numbers.get(tree) != numbers.get(before_tree) or tree in unknown or before_tree in unknown:
                yield commit


def search_trees(packs: Sequence[Pack], wanted: Sequence[str], elsewhere: Sequence[str], each: Each) -> TreeContents | None:
    """Search all trees of `packs` for `wanted`. `elsewhere` are unpacked objects, which may be trees: the search includes them.

    ``None`` if git is expected to be quicker, or if a tree can't be read, contains itself or wasn't packed by git. Then git must be
    asked about all commits. `each` is `map` or a parallel version of it.
    """
    shards = [(pack, shard) for pack in packs for shard in pack.shards(None, 0, _SHARD, (TREE,))]
    level = _SEARCH_COST * sum(len(shard.numbers) for _, shard in shards)
    left = _WORTH * _GIT_COST * sum(pack.count(COMMIT) for pack in packs)
    if level * _LEVELS > left:
        return None
    trees: _TreeEntries = {}
    new = [bytes.fromhex(name) for name in (*wanted, *elsewhere)]
    while new:
        left -= level
        search = partial(_entries_in, wanted=b"".join(new), size=len(new[0]))
        new = []
        for (pack, _), entries_of in zip(shards, each(search, [shard for _, shard in shards]), strict=True):
            left -= _REBUILD_COST * sum(map(len, (entries_of or {}).values()))
            if entries_of is None or left < 0:
                return None
            for number, entries in entries_of.items():
                if (tree := bytes.fromhex(pack.name(number))) not in trees:
                    new.append(tree)
                trees.setdefault(tree, set()).update(entries)
    numbered = _numbered(trees)
    return None if numbered is None else TreeContents(numbered, packs, elsewhere)


def _numbered(trees: _TreeEntries) -> dict[str, int] | None:
    """A number for each tree; trees with equal wanted entries, at any depth, share one. ``None`` if a tree contains itself."""
    from graphlib import CycleError, TopologicalSorter

    numbers: dict[frozenset[tuple[bytes, bytes | int]], int] = {}
    known: dict[bytes, int] = {}
    below = {tree: [entry[-len(tree) :] for entry in entries] for tree, entries in trees.items()}
    try:
        # Each folder comes after its subfolders. A hostile pack can lie about ids and make a folder contain itself.
        for tree in TopologicalSorter(below).static_order():
            if tree in trees:
                size = len(tree)
                entries_numbered = frozenset((entry[:-size], known.get(entry[-size:], entry[-size:])) for entry in trees[tree])
                known[tree] = numbers.setdefault(entries_numbered, len(numbers))
    except CycleError:
        return None
    return {tree.hex(): number for tree, number in known.items()}


def _entries_in(shard: PackShard, wanted: bytes, size: int) -> dict[int, set[bytes]] | None:
    """The entries of a shard's trees that have an id in `wanted` (ids of `size` bytes, joined), by the tree's number."""
    stored, numbers, parents = shard.raw(_LONGEST), shard.numbers.tolist(), shard.parent.tolist()
    if stored is None or not looks_like_git([text for text, parent in zip(stored, parents, strict=True) if parent >= 0]):
        return None
    if (ids_in := _ids_in(stored, wanted, size)) is None:
        return None
    left = _MOST
    failed: list[Failure] = []
    entries_of: dict[int, set[bytes]] = {}
    for place, tree in shard.contents(failed, ids_in):
        # An entry of the base may be in the tree too, under the same name or others: the delta doesn't repeat its id.
        names = ids_in.get(place, set()).union(entry[-size:] for entry in entries_of.get(parents[place], ()))
        entries = list(islice((entry for name in names for entry in _entries(tree, name)), max(left, 0)))
        left -= len(entries)
        if entries:
            entries_of[place] = set(entries)
    return None if failed or left <= 0 else {numbers[place]: entries for place, entries in entries_of.items()}


def looks_like_git(deltas: Sequence[bytes]) -> bool:
    """Whether a sample of these deltas looks like git's, which never assemble an id from tiny copies."""
    return all(copies_only_long_pieces(delta) for delta in deltas[:: len(deltas) // _SAMPLES or 1])


def _ids_in(stored: Sequence[bytes], wanted: bytes, size: int) -> dict[int, set[bytes]] | None:
    """The ids of `wanted` that each stored text contains, by the text's position; ``None`` if there are more than `_MOST`."""
    import numpy as np

    ids = np.frombuffer(wanted, np.uint8).reshape(-1, size)
    padded = np.zeros((len(_KEYS), len(ids), 8), np.uint8)
    for row, part in enumerate(_KEYS):
        padded[row, :, :_KEY] = ids[:, part : part + _KEY]
    keys = padded.view("<u8").ravel()
    order = np.argsort(keys)
    at, keys_found = _occurrences(b"".join([*stored, bytes(8)]), keys[order])
    if len(at) > _MOST:
        return None
    places = np.searchsorted(np.cumsum([len(text) for text in stored]), at, "right")
    low, high = (np.searchsorted(keys[order], keys_found, side) for side in ("left", "right"))
    result: dict[int, set[bytes]] = {}
    for place, first, last in zip(places.tolist(), low.tolist(), high.tolist(), strict=True):
        result.setdefault(place, set()).update(ids[row % len(ids)].tobytes() for row in order[first:last])
    return result


def _occurrences(text: bytes, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The positions at which one of the sorted `keys` begins in `text`, and that key. The last seven bytes aren't searched."""
    import numpy as np

    length = len(text) - 7
    at = np.arange(0)
    # Two bytes at a time: a table of 64 KiB stays in the processor's cache, and few positions remain for the next step.
    for part in range(0, _KEY, 2):
        halves = np.ndarray((length,), "<u2", text, part, (1,))
        table = np.zeros(1 << 16, np.bool_)
        table[(keys >> np.uint64(8 * part)).astype(np.uint16)] = True
        at = np.flatnonzero(table[halves]) if not part else at[table[halves[at]]]
    candidates = np.ndarray((length,), "<u8", text, 0, (1,))[at] & np.uint64((1 << 8 * _KEY) - 1)
    same = keys[np.minimum(np.searchsorted(keys, candidates), len(keys) - 1)] == candidates
    return at[same], candidates[same]


def _entries(tree: bytes, name: bytes) -> Iterator[bytes]:
    """The entries of a tree with this id: mode, name, NUL, id."""
    at = tree.find(name)
    while at >= 0:
        end = max(at - 1, 0)
        before = tree[max(end - _NAME, 0) : end]
        before = before[before.rfind(b"\0") + 1 :]
        match = _LAST_NAME.search(before)
        yield (match[0] if match else before) + b"\0" + name
        at = tree.find(name, at + 1)
