from __future__ import annotations

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from patscan import rulebook
from patscan.detect.matcher import Matcher
from patscan.model import Rule
from tests.repo import IDENTITY, Repo

# A slow machine is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """The same tokens in every run of one test, other ones in the next test."""
    return random.Random(request.node.nodeid)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return rulebook.load()


@pytest.fixture(scope="session")
def matcher(rules: tuple[Rule, ...]) -> Matcher:
    return Matcher(rules)


@pytest.fixture(scope="session")
def environment() -> Mapping[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, **IDENTITY}


@pytest.fixture(autouse=True)
def no_foreign_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one test has seen, the next one sees for itself."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.with_name(f"{folder.name}-config")))
    return folder / "patscan"


@pytest.fixture(autouse=True)
def no_foreign_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run inside a hook: git's own variables would point them at this project's repository."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
