"""The purpose of a file, by its path: tests, examples and documentation, or a program's credentials.

A path is no proof. It changes only the confidence of a token without a prefix, of which nothing but its surroundings is known.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from patscan.tuples import NamedTuple

_CODE = r"(?:[cm]?[jt]sx?|py|go|rb|rs|php|exs?|dart|java|kts?|groovy|scala|cs|fs|vb|swift|c|cc|cpp|pl)"
"""Suffixes of programs. A configuration file such as ``deploy_test.yml`` may belong to a system that runs."""


class Purpose(StrEnum):
    """What a file is for."""

    TESTS = "tests"
    EXAMPLES = "examples"
    DOCUMENTATION = "documentation"
    CREDENTIALS = "credentials"


UNUSED = frozenset({Purpose.TESTS, Purpose.EXAMPLES, Purpose.DOCUMENTATION})
"""The purposes for which a valid token is of no use."""


class _Names(NamedTuple):
    """Names of folders and files that share a purpose. They are compared as a whole."""

    purpose: Purpose
    folders: re.Pattern[str]
    files: re.Pattern[str]


def _any(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)", flags)


_NAMES = (
    # A test needs a token of the right form, not a valid one. Test runners find their files by these names.
    _Names(
        Purpose.TESTS,
        _any(r"_*(?:unit|integration|functional|acceptance)?[_-]?tests?_*", r"specs?", r"e2e", r"test[_-]?(?:data|resources)"),
        _any(rf"test_.+\.{_CODE}", rf".+[_-](?:test|spec)\.{_CODE}", rf".+\.(?:test|spec|cy|e2e)\.{_CODE}", r"conftest\.py"),
    ),
    # JUnit, NUnit, XCTest, ScalaTest and Spock name classes, and so files, in this way. "Latest.java" isn't a test.
    _Names(Purpose.TESTS, _any(), _any(r"\w*(?:Tests?|TestCase|Spec)\.(?:java|kts?|groovy|scala|cs|fs|vb|swift)", flags=re.NOFLAG)),
    # Tests read recorded or invented answers of a server from these.
    _Names(
        Purpose.TESTS, _any(r"_*(?:test[_-])?fixtures?_*", r"_*mocks?_*", r"_*snapshots?_*", r"stubs?", r"cassettes"), _any(r".+\.snap")
    ),
    # The reader's own token belongs in place of the one in an example.
    _Names(Purpose.EXAMPLES, _any(r"_*examples?_*", r"_*samples?_*"), _any(r"(?:.*[._-])?(?:example|sample)s?(?:\.\w+)?")),
    # Prose is for people; no program signs in with what stands there.
    _Names(Purpose.DOCUMENTATION, _any(r"docs?", r"documentation"), _any(r".+\.(?:md|mdx|markdown|rst|adoc|asciidoc|rdoc)")),
)
_CREDENTIALS = _any(
    r"(?:.*/)?[._]netrc",  # curl, git, Python's netrc
    r"(?:.*/)?\.git-credentials",  # git credential-store
    r"(?:.*/)?(?:\.npmrc|\.yarnrc(?:\.yml)?)",  # npm, Yarn
    r"(?:.*/)?(?:\.pypirc|pip\.(?:conf|ini))",  # twine, pip
    r"(?:.*/)?auth\.json",  # Composer, Podman
    r"(?:.*/)?(?:\.dockercfg|\.dockerconfigjson)",  # Docker, Kubernetes
    r"(?:.*/)?\.docker/config\.json",  # Docker
    r"(?:.*/)?settings(?:-security)?\.xml",  # Maven
    r"(?:.*/)?nuget\.config",  # NuGet
    r"(?:.*/)?\.cargo/credentials(?:\.toml)?",  # Cargo
    r"(?:.*/)?(?:\.terraformrc|terraform\.rc|terraform\.tfstate(?:\.backup)?)",  # Terraform
    r"(?:.*/)?\.?python-gitlab\.cfg",  # python-gitlab
    r"(?:.*/)?glab-cli/config\.yml",  # glab
    r"(?:.*/)?\.?gitlab-runner/config\.toml",  # GitLab Runner
    r"(?:.*/)?gitlab-secrets\.json",  # Omnibus
    r"(?:.*/)?\.env(?:\.(?:local|prod|production))?",  # dotenv
)
"""Paths of files from which programs read credentials."""


@lru_cache(maxsize=4096)  # a token may stand in a thousand versions of a file
def purpose(path: str) -> Purpose | None:
    """The purpose of the file at `path`, relative to its project, with slashes; ``None`` if the path doesn't show one.

    Folders count first, then the file's name: a ``.netrc`` among fixtures is a fixture.
    """
    *folders, file = path.split("/")
    known = (names.purpose for names in _NAMES if any(map(names.folders.fullmatch, folders)) or names.files.fullmatch(file))
    return next(known, None) or (Purpose.CREDENTIALS if _CREDENTIALS.fullmatch(path) else None)
