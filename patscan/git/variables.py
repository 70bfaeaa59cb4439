"""The environment variables that name a repository (git(1), "Environment Variables")."""

from __future__ import annotations

from collections.abc import Mapping

REPOSITORY = tuple(
    f"GIT_{name}"
    for name in ("DIR", "COMMON_DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH")
)


def without_repository(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without the variables that name a repository."""
    return {name: value for name, value in environment.items() if name not in REPOSITORY}
