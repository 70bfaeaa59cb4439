"""The layers and doors of docs/architecture.md, read off the imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "patscan"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A room may import from itself and from the rooms named here. A new module stands in none until somebody places it.
FIRST = {
    "folds",
    "lfs",
    "digests",
    "model",
    "demands",
    "kind",
    "secret",
    "errors",
    "content",
    "dates",
    "regular",
    "seal",
    "whole",
    "gaps",
    "counts",
}
EVERYWHERE = {"tuples"}
ROOMS = {
    "tuples": set(),
    "__init__": set(),
    "__main__": {"cli"},
    "digests": set(),
    "secret": {"digests"},
    "kind": set(),
    "demands": {"secret"},
    "model": {"demands", "secret", "kind"},
    "errors": set(),
    "dates": set(),
    "regular": set(),
    "lfs": set(),
    "whole": set(),
    "gaps": {"model"},
    "counts": set(),
    "seal": {"digests", "regular", "whole"},
    "content": {"counts", "model"},
    "folds": set(),
    "layers": {"folds", "model"},
    "archives": {"counts"},
    "inside": {"archives", "content", "counts", "detect", "model"},
    "git": FIRST,
    "rulebook": {"demands", "model", "errors"},
    "ci": {"git", "model", "errors"},
    "detect": {"layers", *FIRST},
    "sources": {"archives", "git", "layers", *FIRST},
    "formats": {"layers", "counts", "digests", "dates", "model", "kind", "secret", "errors", "__init__"},
    "audit": {"errors"},
    "keeping": {"audit", "secret", "errors"},
    "gitlab": {"audit", "counts", "keeping", "dates", "model", "secret", "errors", "content", "__init__"},
    "rulecheck": {"counts", "detect", "demands", "model"},
    "textfile": {"errors", "whole"},
    "config": {"archives", "textfile", "model", "errors"},
    "baseline": {"textfile", "errors"},
    "triage": {"dates", "model", "kind", "errors"},
    "matches": {"archives", "inside", "detect", "model", "secret", "content"},
    "look": {"archives", "inside", "lfs", "matches", "detect", "model", "seal", "secret", "content"},
    "run": {"archives", "triage", "model", "seal", "content", "gaps"},
    "workers": {"gaps", "content"},
    "purpose": set(),
    "weighing": {"run", "purpose", "model", "kind"},
    "stages": {"run", "triage", "weighing", "detect", "model", "kind"},
    "excused": {"run", "look", "model", "kind", "secret", "errors", "content"},
    "union": {"dates", "stages", "model", "kind"},
    "scan": {"run", "stages", "look", "workers", "model", "kind", "content"},
    "plan": {"archives", "counts", "dates", "errors", "formats", "git", "gitlab", "model", "secret", "sources"},
    "cli": {
        *(
            "archives",
            "audit",
            "keeping",
            "ci",
            "scan",
            "run",
            "look",
            "stages",
            "excused",
            "union",
            "triage",
            "config",
            "baseline",
            "textfile",
            "rulecheck",
            "rulebook",
        ),
        *("detect", "sources", "formats", "git", "gitlab", "plan", "__init__"),
        *FIRST,
    },
}
DOORS = {
    "hyperscan": {"detect/engine.py"},
    "regex": {"detect/patterns.py"},
    "numpy": {
        "detect/positions.py",
        "git/connectivity.py",
        "git/inserted.py",
        "git/entries.py",
        "git/trees.py",
        "git/packs.py",
        "git/pack_index.py",
        "git/seen.py",
        "sources/memory.py",
        "sources/store.py",
        "formats/suspects.py",
    },
    "dulwich": {"git/entries.py"},
    "isal": {"git/entries.py", "archives/streams.py"},
    "zstandard": {"archives/streams.py"},
    "git": {"git/remotes.py"},
    "subprocess": {"git/child.py", "git/objects.py", "git/network.py"},
    "sarif_om": {"formats/sarif.py", "formats/sarif_rules.py", "formats/sarif_results.py", "formats/sarif_places.py"},
    "attr": {"formats/sarif_json.py"},
    "pygments": {"formats/frames.py"},
    "orjson": {"formats/ascii_json.py"},
    "rich": {"cli/progress.py"},
    "tomllib": {"rulebook.py", "config.py"},
    "pathspec": {"triage.py"},
    "urllib3": {"gitlab/client.py"},
    "ssl": {"gitlab/trust.py"},
    "socket": set(),
    "urllib.request": set(),
    "http": set(),
}
SECRETS = {
    "secret.py",  # the door itself and the fingerprint
    "rulecheck.py",  # examples out of rule files
    "detect/frame.py",
    "formats/redaction.py",
    "formats/forms.py",
    "formats/gitlab.py",
    "gitlab/client.py",  # a request
    "plan/replacements.py",  # the one file of a plan that holds tokens
    "cli/verify.py",  # what a JWT says of itself
    "keeping.py",  # a new token, into its file
    "gitlab/offline.py",  # can a header carry it?
}


def name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    """Everything that a module imports, also what only the type checker reads."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and is_package(node.module):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def is_package(imported: str) -> bool:
    return imported.split(".", maxsplit=1)[0] == "patscan" and PACKAGE.parent.joinpath(*imported.split(".")).is_dir()


def file_of(imported: str) -> Path | None:
    """The module of ours that an import reads; a name in a package is the package's."""
    parts = imported.split(".")
    while parts[0] == "patscan" and parts[1:]:
        path = PACKAGE.parent.joinpath(*parts)
        if path.is_dir():
            return path / "__init__.py"
        if path.with_suffix(".py").exists():
            return path.with_suffix(".py")
        parts.pop()
    return None


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_every_module_has_a_room_and_imports_point_down(module: Path) -> None:
    assert room(module) in ROOMS, f"{name(module)} stands in no room: place it in ROOMS and in docs/architecture.md"
    allowed = ROOMS[room(module)] | {room(module)} | EVERYWHERE
    for imported in imports(module):
        parts = imported.split(".")
        if parts[0] == "patscan":
            target = parts[1] if len(parts) > 1 else "__init__"
            target = target if (PACKAGE / target).is_dir() or (PACKAGE / f"{target}.py").exists() else "__init__"
            assert target in allowed, f"{name(module)} imports {imported}"


def test_named_tuples_are_the_ones_that_are_quick_to_define() -> None:
    imported = re.compile(r"^from typing import .*\bNamedTuple\b", re.MULTILINE)
    assert [name(module) for module in MODULES if imported.search(module.read_text()) and module.stem != "tuples"] == []


def test_imports_have_no_cycle() -> None:
    graph = {module: {file for imported in imports(module) if (file := file_of(imported)) and file != module} for module in MODULES}
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_every_outside_package_has_a_door(module: Path) -> None:
    for imported in imports(module):
        package = imported.split(".")[0]
        assert package in {"patscan", *sys.stdlib_module_names} or package in DOORS, (
            f"{name(module)} imports {imported}: list its door in DOORS"
        )


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_outside_things_have_one_door(module: Path) -> None:
    for imported in imports(module):
        for thing in (imported.split(".")[0], imported):
            assert name(module) in DOORS.get(thing, {name(module)}), f"{name(module)} imports {imported}"


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) != "cli"], ids=name)
def test_only_the_command_line_prints_or_reads_the_environment(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        assert not (isinstance(node, ast.Name) and node.id == "print")
        assert not (
            isinstance(node, ast.Attribute) and node.attr in {"environ", "argv", "getenv", "stdout", "stderr"} and is_system(node.value)
        )


def is_system(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"os", "sys"}


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_few_places_see_a_token(module: Path) -> None:
    assert ".reveal()" not in module.read_text("utf-8") or name(module) in SECRETS


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_modules_and_functions_stay_small(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    assert ast.get_docstring(tree), "a module says what it is for"
    assert len(module.read_text("utf-8").splitlines()) <= 350
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name
