"""Which trees hold some objects: read from the packs, from the objects up to the root trees, a level of folders at a time.

git compares each commit's tree with its parent's, and reads every tree twice for that. But the id of what a tree holds stands in it as
it is, and in a pack a tree is mostly a delta, which says only what its base doesn't. So ids are looked for in what the packs say, a
thirtieth of what the trees hold, and trees are made only in families (a base, and all that is made of it) where one was said. What
comes of it is used to ask git less: only about commits whose tree may hold something else than their parent's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from patscan.git.entries import COMMIT, TREE, PackShard, copies_no_crumbs
from patscan.git.pack_index import unlisted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patscan.content import Each, Failure
    from patscan.git.packs import Pack

_KEYS, _KEY = (4, 10), 6
"""The parts of an id that are looked for, and their bytes. A delta says at most 127 bytes at once, so an id may fall into two pieces; and
it may take an id's ends from another one that is alike there, as five bytes are once in 2^40 times."""
_SAMPLES = 40
"""Deltas of a shard that are asked whether git can have made them."""
_SHARD = 1 << 20
"""Compressed bytes of trees that are gone through at once."""
_GIT, _SAID, _MADE = 50, 3, 20
"""Microseconds of a processor that git takes for a commit, a look at what is said of a tree, and making one for an entry in it."""
_WORTH, _LEVELS = 0.7, 4
"""How much of git's time the search may take, and how many levels it is expected to go through."""
_LONGEST, _MOST = 32 << 20, 20_000
"""Bytes that may be said of a shard's trees, and entries that may be found in them: more is better left to git."""
_NAME = 1 << 13
"""Bytes before an id that its name may take."""
_MODE_AND_NAME = rb"(?:40000|100644|100755|120000|160000|100664) [^\0]*"
"""What stands in a tree before a NUL and an id: no other mode, for the id before it may end in a digit (git's fsck.c has them)."""
_LAST_NAME = re.compile(_MODE_AND_NAME + rb"\Z")

_Held = dict[bytes, set[bytes]]


class Holders:
    """What the trees of some packs hold of some objects."""

    def __init__(self, held: Mapping[str, int], packs: Sequence[Pack], elsewhere: Iterable[str]) -> None:
        """`held`: a number for each tree that holds some, the same for trees that hold the same; `elsewhere`: objects in no pack."""
        self._held, self._packs, self._elsewhere = held, packs, set(elsewhere)

    def differing(self, commits: Iterable[str], parents: Mapping[str, Sequence[str]], trees: Mapping[str, str]) -> Iterator[str]:
        """The commits whose tree may hold something else than their first parent's; `trees` are those of all commits, if git told."""
        unknown = self._elsewhere.union(unlisted(list(trees.values()), [pack.index for pack in self._packs]))
        held = self._held
        for commit in commits:
            tree, parent = trees[commit], next(iter(parents[commit]), None)
            before = trees.get(parent) if parent else ""
            if before is None or held.get(tree) != held.get(before) or tree in unknown or before in unknown:
                yield commit


def holders(packs: Sequence[Pack], wanted: Sequence[str], elsewhere: Sequence[str], each: Each) -> Holders | None:
    """Look for `wanted` in all trees of `packs`. `elsewhere` are objects that no pack holds: a tree that names one may hold anything.

    ``None`` if git is quicker, or if a tree can't be read, holds itself or isn't packed as git does it: then git has to be asked about all
    commits. `each` is `map`, or does the same on several processors.
    """
    shards = [(pack, shard) for pack in packs for shard in pack.shards(None, 0, _SHARD, (TREE,))]
    level = _SAID * sum(len(shard.numbers) for _, shard in shards)
    left = _WORTH * _GIT * sum(pack.count(COMMIT) for pack in packs)
    if level * _LEVELS > left:
        return None
    held: _Held = {}
    new = [bytes.fromhex(name) for name in (*wanted, *elsewhere)]
    while new:
        left -= level
        look = partial(_look, wanted=b"".join(new), size=len(new[0]))
        new = []
        for (pack, _), told in zip(shards, each(look, [shard for _, shard in shards]), strict=True):
            left -= _MADE * sum(map(len, (told or {}).values()))
            if told is None or left < 0:
                return None
            for number, entries in told.items():
                if (tree := bytes.fromhex(pack.name(number))) not in held:
                    new.append(tree)
                held.setdefault(tree, set()).update(entries)
    numbered = _numbered(held)
    return None if numbered is None else Holders(numbered, packs, elsewhere)


def _numbered(held: _Held) -> dict[str, int] | None:
    """The same number for trees that hold the same under the same names, however deep; ``None`` if one holds itself."""
    from graphlib import CycleError, TopologicalSorter

    numbers: dict[frozenset[tuple[bytes, bytes | int]], int] = {}
    known: dict[bytes, int] = {}
    below = {tree: [entry[-len(tree) :] for entry in entries] for tree, entries in held.items()}
    try:
        # From the folders upwards, each once. A pack may lie about ids, so that there is no end to a folder.
        for tree in TopologicalSorter(below).static_order():
            if tree in held:
                size = len(tree)
                holds = frozenset((entry[:-size], known.get(entry[-size:], entry[-size:])) for entry in held[tree])
                known[tree] = numbers.setdefault(holds, len(numbers))
    except CycleError:
        return None
    return {tree.hex(): number for tree, number in known.items()}


def _look(shard: PackShard, wanted: bytes, size: int) -> dict[int, set[bytes]] | None:
    """The entries with one of the ids `wanted`, each of `size` bytes, in the trees of a shard, by the tree's number."""
    said, numbers, parents = shard.said(_LONGEST), shard.numbers.tolist(), shard.parent.tolist()
    if said is None or not _is_gits([text for text, parent in zip(said, parents, strict=True) if parent >= 0]):
        return None
    if (asked := _said_in(said, wanted, size)) is None:
        return None
    left = _MOST
    failed: list[Failure] = []
    found: dict[int, set[bytes]] = {}
    for place, tree in shard.made(failed, asked):
        # What a tree's base holds it may hold, too, under the same name, under another one, or under several.
        names = asked.get(place, set()).union(entry[-size:] for entry in found.get(parents[place], ()))
        entries = list(islice((entry for name in names for entry in _entries(tree, name)), max(left, 0)))
        left -= len(entries)
        if entries:
            found[place] = set(entries)
    return None if failed or left <= 0 else {numbers[place]: entries for place, entries in found.items()}


def _is_gits(deltas: Sequence[bytes]) -> bool:
    """Whether some of these look like git's, which don't put ids together from crumbs, as others' do."""
    return all(copies_no_crumbs(delta) for delta in deltas[:: len(deltas) // _SAMPLES or 1])


def _said_in(said: Sequence[bytes], wanted: bytes, size: int) -> dict[int, set[bytes]] | None:
    """Which of the ids `wanted` are said in which of the texts, by the text's place; ``None`` if that is more often than `_MOST`."""
    import numpy as np

    ids = np.frombuffer(wanted, np.uint8).reshape(-1, size)
    padded = np.zeros((len(_KEYS), len(ids), 8), np.uint8)
    for row, part in enumerate(_KEYS):
        padded[row, :, :_KEY] = ids[:, part : part + _KEY]
    keys = padded.view("<u8").ravel()
    order = np.argsort(keys)
    at, found = _occurrences(b"".join([*said, bytes(8)]), keys[order])
    if len(at) > _MOST:
        return None
    places = np.searchsorted(np.cumsum([len(text) for text in said]), at, "right")
    low, high = (np.searchsorted(keys[order], found, side) for side in ("left", "right"))
    told: dict[int, set[bytes]] = {}
    for place, first, last in zip(places.tolist(), low.tolist(), high.tolist(), strict=True):
        told.setdefault(place, set()).update(ids[row % len(ids)].tobytes() for row in order[first:last])
    return told


def _occurrences(text: bytes, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Where one of the sorted `keys` stands in `text`, at any byte but the last seven, and which."""
    import numpy as np

    length = len(text) - 7
    at = np.arange(0)
    # Two bytes at a time: a table of 64 KiB stays in the processor's cache, and leaves little for the next one.
    for part in range(0, _KEY, 2):
        halves = np.ndarray((length,), "<u2", text, part, (1,))
        table = np.zeros(1 << 16, np.bool_)
        table[(keys >> np.uint64(8 * part)).astype(np.uint16)] = True
        at = np.flatnonzero(table[halves]) if not part else at[table[halves[at]]]
    found = np.ndarray((length,), "<u8", text, 0, (1,))[at] & np.uint64((1 << 8 * _KEY) - 1)
    same = keys[np.minimum(np.searchsorted(keys, found), len(keys) - 1)] == found
    return at[same], found[same]


def _entries(tree: bytes, name: bytes) -> Iterator[bytes]:
    """The entries of a tree with this id: mode, name, NUL, id."""
    at = tree.find(name)
    while at >= 0:
        end = max(at - 1, 0)
        before = tree[max(end - _NAME, 0) : end]
        before = before[before.rfind(b"\0") + 1 :]
        told = _LAST_NAME.search(before)
        yield (told[0] if told else before) + b"\0" + name
        at = tree.find(name, at + 1)
