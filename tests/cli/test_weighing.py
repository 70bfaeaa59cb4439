"""Paths lower and raise tokens without a prefix, in every command, and nothing else."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_main import patscan
from tests.repo import Repo
from tests.tokens import classic, friendly, routable

WEAK = "test or example"
OWN = """
[[rule]]
id = "acme-key"
severity = "high"
anchors = ["acme_key="]
pattern = 'acme_key=(?P<secret>[a-z0-9]{24})'
body = "drawn"
alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
examples = [{ text = 'acme_key=q7v2m9x4~k8c3n6z1w5t0b7p2', secret = 'q7v2m9x4~k8c3n6z1w5t0b7p2' }]
"""


def line(token: str) -> str:
    return f'gitlab_private_token = "{token}"\n'


def report(*args: str | Path, code: int, cwd: Path) -> dict[str, Any]:
    done = patscan(*args, "--format", "json", "--show-secrets", cwd=cwd)
    assert done.returncode == code, done.stderr
    return dict(json.loads(done.stdout))


def confidences(document: dict[str, Any]) -> dict[str, str]:
    return {finding["token"]: finding["confidence"] for finding in document["findings"]}


def reasons(document: dict[str, Any]) -> dict[str, str]:
    return {finding["token"]: finding["reason"] for finding in document["ignored"]}


def texts(finding: dict[str, Any]) -> list[str]:
    return [evidence["text"] for evidence in finding["evidence"] if evidence["type"] in {"path", "reason"}]


@pytest.mark.parametrize("command", ["scan", "history", "hook"])
def test_every_command_weighs_paths(command: str, repo: Repo, rng: random.Random) -> None:
    unused, both, plain, stored, shown = (friendly(rng) for _ in range(5))
    prefixed, proven, unproven = classic(rng), routable(rng), routable(rng, payload="no payload")
    for path, content in {
        "tests/a.py": line(unused),
        "docs/a.txt": line(unused) + line(both),
        "tests/b.py": line(prefixed) + line(proven) + line(unproven),
        "src/a.py": line(both) + line(plain),
        ".netrc": f"machine gitlab.example.com login anna password {stored}\n",
        ".npmrc": f"//gitlab.example.com/:_authToken={shown}\n",
        "docs/npm.txt": f"//gitlab.example.com/:_authToken={shown}\n",
    }.items():
        repo.write(path, content)
    repo.git("add", "--all")
    if command == "history":
        repo.commit()
    document = report(command, code=1, cwd=repo.path)
    assert confidences(document) == {
        **dict.fromkeys((both, plain, shown, unproven), "medium"),
        **dict.fromkeys((stored, prefixed), "high"),
        proven: "certain",
    }
    assert reasons(document) == {unused: WEAK}
    (ignored,) = document["ignored"]
    assert ignored["confidence"] == "low"
    assert texts(ignored) == ["only files for documentation and tests contain it"]
    assert {finding["token"]: texts(finding) for finding in document["findings"] if texts(finding)} == {
        stored: ["a file that programs read credentials from contains it"]
    }


def test_in_a_history_an_old_place_elsewhere_counts(repo: Repo, rng: random.Random) -> None:
    moved, unused = friendly(rng), friendly(rng)
    repo.commit({"src/a.py": line(moved), "tests/b.py": line(unused)})
    repo.git("mv", "src/a.py", "tests_a.py")
    repo.commit({"tests/a.py": line(moved)})
    repo.git("rm", "--quiet", "tests_a.py")
    repo.commit()
    document = report("history", code=1, cwd=repo.path)
    assert (confidences(document), reasons(document)) == ({moved: "medium"}, {unused: WEAK})
    assert reasons(report("scan", code=0, cwd=repo.path)) == {moved: WEAK, unused: WEAK}


def test_what_no_commit_reaches_has_no_path_and_stays(repo: Repo, rng: random.Random) -> None:
    token = friendly(rng)
    repo.commit({"a": "nothing\n"})
    repo.git("hash-object", "-w", "--stdin", stdin=line(token).encode())
    assert confidences(report("history", code=1, cwd=repo.path)) == {token: "medium"}


def test_messages_and_standard_input_have_no_purpose(repo: Repo, rng: random.Random) -> None:
    token = friendly(rng)
    repo.write("tests/message.md", line(token))
    assert confidences(report("message", "tests/message.md", code=1, cwd=repo.path)) == {token: "medium"}
    repo.git("commit", "--allow-empty", "--quiet", "-m", line(token))
    assert confidences(report("history", code=1, cwd=repo.path)) == {token: "medium"}


def test_only_folders_inside_the_project_count(tmp_path: Path, rng: random.Random) -> None:
    token = friendly(rng)
    project = tmp_path / "tests" / "examples" / "project"
    repo = Repo(project)
    repo.write("src/a.py", line(token))
    repo.write("docs/b.py", line(token))
    for place, cwd in ((project, tmp_path), (Path(), project), (Path("a.py"), project / "src"), (Path("../src/a.py"), project / "docs")):
        assert confidences(report("scan", place, code=1, cwd=cwd)) == {token: "medium"}
    for place, cwd in ((project / "docs", tmp_path), (Path("b.py"), project / "docs"), (Path("docs/b.py"), project)):
        assert reasons(report("scan", place, code=0, cwd=cwd)) == {token: WEAK}
    plain = tmp_path / "fixtures" / "plain"
    plain.mkdir(parents=True)
    (plain / "a.py").write_text(line(token))
    assert confidences(report("scan", plain, code=1, cwd=tmp_path)) == {token: "medium"}
    assert confidences(report("scan", plain / "a.py", code=1, cwd=tmp_path)) == {token: "medium"}
    assert confidences(report("scan", project / "docs", plain / "a.py", code=1, cwd=tmp_path)) == {token: "medium"}


def test_a_member_of_an_archive_has_its_own_path(tmp_path: Path, rng: random.Random) -> None:
    unused, source = friendly(rng), friendly(rng)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("docs/a.txt", line(unused))
        archive.writestr("src/a.txt", line(source))
    document = report("scan", "a.zip", code=1, cwd=tmp_path)
    assert (confidences(document), reasons(document)) == ({source: "medium"}, {unused: WEAK})


def test_min_confidence_shows_and_hides(repo: Repo, rng: random.Random) -> None:
    unused, plain, stored = (friendly(rng) for _ in range(3))
    repo.commit({"tests/a": line(unused), "src/a": line(plain), ".npmrc": f"//gitlab.example.com/:_authToken={stored}\n"})
    document = report("history", "--min-confidence", "low", code=1, cwd=repo.path)
    assert confidences(document) == {unused: "low", plain: "medium", stored: "high"}
    (shown,) = [finding for finding in document["findings"] if finding["token"] == unused]
    assert texts(shown) == ["only files for tests contain it", WEAK]
    for form in ("json", "text"):
        done = patscan("history", "--min-confidence", "high", "--format", form, "--show-secrets", cwd=repo.path)
        assert (done.returncode, stored in done.stdout) == (1, True), form
    document = report("history", "--min-confidence", "high", code=1, cwd=repo.path)
    assert (confidences(document), reasons(document)) == ({stored: "high"}, {unused: WEAK, plain: "confidence"})


def test_text_counts_it_and_a_baseline_needs_no_entry(repo: Repo, rng: random.Random) -> None:
    repo.commit({"tests/a": line(friendly(rng))})
    done = patscan("history", cwd=repo.path)
    assert (done.returncode, f"1 {WEAK}" in done.stdout) == (0, True), done.stdout
    assert "0 added" in patscan("baseline", "write", "--history", cwd=repo.path).stdout


def test_a_rule_of_ones_own_decides_alone(repo: Repo, rng: random.Random) -> None:
    token = "".join(rng.choices("abcdefghjkmnpqrstuvwxyz0123456789", k=24))
    repo.write("own/own.toml", OWN)
    repo.commit({"tests/a": f"acme_key={token}\n"})
    (finding,) = report("scan", "--rules", "own", code=1, cwd=repo.path)["findings"]
    assert (finding["token"], finding["confidence"], texts(finding)) == (token, "medium", [])
