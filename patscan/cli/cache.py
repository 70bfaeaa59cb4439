"""Where earlier scans are remembered, and under which rules."""

from __future__ import annotations

import os
import sys
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from patscan import __version__

if TYPE_CHECKING:
    from patscan.model import Rule
    from patscan.sources.memory import Memory


def memory(rules: tuple[Rule, ...]) -> Memory | None:
    """What was seen under these rules and by this code; ``None`` if the user has no folder for such things."""
    from patscan.sources.memory import Memory

    folder = _folder()
    return Memory(folder, digest(rules)) if folder else None


def digest(rules: tuple[Rule, ...]) -> str:
    """A name for all that the first look's answers depend on. A checkout changes without its version, so the code itself counts."""
    state = blake2b(repr((__version__, rules)).encode(), digest_size=16)
    package = Path(__file__).parent.parent
    for module in sorted([*package.glob("*.py"), *package.glob("git/*.py"), *package.glob("detect/*.py"), *package.glob("sources/*.py")]):
        state.update(module.read_bytes())
    return state.hexdigest()


def _folder() -> Path | None:
    """The user's folder for what can be made again."""
    chosen = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "patscan"
    try:
        return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "patscan"
    except RuntimeError:
        return None
