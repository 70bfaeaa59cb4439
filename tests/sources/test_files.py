"""Files of several windows."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

import pytest

from patscan.content import OVERLAP, windows
from patscan.sources import files


@pytest.mark.parametrize("large", [1, 2, 5])
@pytest.mark.parametrize("more", [-OVERLAP - 1, -OVERLAP, -1, 0, 1, OVERLAP, OVERLAP + 1])
def test_windows_of_a_file_are_those_of_its_bytes(
    tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch, large: int, more: int
) -> None:
    window = 100_000
    monkeypatch.setattr(files, "_WINDOW", window)
    data = rng.randbytes(max(large * (window - OVERLAP) + OVERLAP + more, 0))
    (tmp_path / "file").write_bytes(data)
    (piece, *rest) = files.FileShard((str(tmp_path / "file"),)).pieces([])
    assert [(piece.offset, piece.data, piece.last) for piece in (piece, *rest)] == list(windows(BytesIO(data).read, window))


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 17])
def test_a_small_file_is_one_piece(tmp_path: Path, rng: random.Random, size: int) -> None:
    data = rng.randbytes(size)
    (tmp_path / "file").write_bytes(data)
    assert [(piece.data, piece.last) for piece in files.FileShard((str(tmp_path / "file"),)).pieces([])] == [(data, True)]
