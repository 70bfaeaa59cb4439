"""The layers and doors of docs/architecture.md, read off the imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "patscan"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A room may import from itself and from the rooms named here. A new module stands in none until somebody places it.
ROOMS = {
    "__init__": set(),
    "__main__": {"cli"},
    "model": set(),
    "errors": set(),
    "dates": set(),
    "content": set(),
    "git": {"dates", "model", "errors", "content"},
    "rulebook": {"model", "errors"},
    "ci": {"git", "model", "errors"},
    "detect": {"model", "errors", "content"},
    "sources": {"git", "model", "errors", "content"},
    "formats": {"dates", "model", "errors", "__init__"},
    "rulecheck": {"detect", "model"},
    "workers": {"model", "content"},
    "textfile": {"errors"},
    "config": {"textfile", "model", "errors"},
    "baseline": {"textfile", "errors"},
    "triage": {"dates", "detect", "model", "errors"},
    "findings": {"triage", "detect", "model", "content"},
    "excused": {"detect", "model", "errors", "content"},
    "union": {"dates", "findings", "model"},
    "scan": {"findings", "triage", "workers", "detect", "model", "content"},
    "cli": {
        *(
            "ci",
            "scan",
            "excused",
            "union",
            "triage",
            "config",
            "baseline",
            "textfile",
            "rulecheck",
            "rulebook",
            "detect",
            "sources",
            "formats",
            "git",
        ),
        *("model", "errors", "__init__"),
    },
}
DOORS = {
    "hyperscan": {"detect/anchors.py"},
    "regex": {"detect/patterns.py"},
    "numpy": {"git/holders.py", "git/packs.py", "git/pack_index.py", "git/seen.py"},
    "dulwich": {"git/entries.py"},
    "isal": {"git/entries.py"},
    "git": {"git/repository.py"},
    "subprocess": {"git/child.py", "git/objects.py", "git/network.py"},
    "sarif_om": {"formats/sarif.py", "formats/sarif_rules.py", "formats/sarif_results.py", "formats/sarif_places.py"},
    "attr": {"formats/sarif_json.py"},
    "pygments": {"formats/frames.py"},
    "rich": {"cli/progress.py"},
    "tomllib": {"rulebook.py", "config.py"},
    "pathspec": {"triage.py"},
    "socket": set(),
    "urllib.request": set(),
    "http": set(),
}
SECRETS = {
    "model.py",  # the door itself and the fingerprint
    "rulecheck.py",  # examples out of rule files
    "findings.py",  # grouping by token
    "detect/frame.py",
    "formats/redaction.py",
    "formats/gitlab.py",
}


def name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    """What a module imports when it runs; what only the type checker reads opens no door."""
    tree = ast.parse(module.read_text("utf-8"))
    unread = {inner for node in ast.walk(tree) if is_for_types(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if node in unread:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "patscan":
            yield from (f"patscan.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_every_module_has_a_room_and_imports_point_down(module: Path) -> None:
    assert room(module) in ROOMS, f"{name(module)} stands in no room: place it in ROOMS and in docs/architecture.md"
    allowed = ROOMS[room(module)] | {room(module)}
    for imported in imports(module):
        parts = imported.split(".")
        if parts[0] == "patscan":
            target = parts[1] if len(parts) > 1 else "__init__"
            target = target if (PACKAGE / target).is_dir() or (PACKAGE / f"{target}.py").exists() else "__init__"
            assert target in allowed, f"{name(module)} imports {imported}"


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
def test_the_house_stays_small(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    assert ast.get_docstring(tree), "a module says what it is for"
    assert len(module.read_text("utf-8").splitlines()) <= 350
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name
