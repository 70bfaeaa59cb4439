"""The variables by which git's environment names a repository (git(1), environment variables)."""

from __future__ import annotations

from collections.abc import Mapping

REPOSITORY = tuple(
    f"GIT_{name}"
    for name in ("DIR", "COMMON_DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH")
)


def without_repository(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` for another repository than the one it names."""
    return {name: value for name, value in environment.items() if name not in REPOSITORY}
