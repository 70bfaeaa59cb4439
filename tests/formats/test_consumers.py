"""A repository with a token in every place, and what those who read reports make of it: no token is lost, none is taken for another.

The rules are written down from their readers' sources: DefectDojo (``dojo/tools/sarif/parser.py``,
``dojo/tools/gitlab_secret_detection_report/parser.py``, ``compute_hash_code_legacy`` in ``dojo/finding/models.py``), GitLab's
(`tests.formats.test_gitlab.keys`), SonarQube's (an issue whose related location isn't valid in the file at HEAD is dropped), and
``src/fingerprints.ts`` of github/codeql-action, which hashes the line of every result whose file is there.
"""

from __future__ import annotations

import json
import random
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from patscan.cli import main
from tests.formats.ingestion import Project, location_print
from tests.formats.sonarqube import failure
from tests.formats.test_gitlab import keys
from tests.repo import Repo
from tests.sources.planted import Planted
from tests.tokens import classic, routable


class Reports:
    """What ``patscan history`` wrote of a repository, by format."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        folder.mkdir(exist_ok=True)
        self.repo = Repo(folder / "repo")
        rng = Planted(self.repo, seed)._rng
        line = " ".join(classic(rng) for _ in range(3))
        self.repo.commit({"three in a line": line, "two.yml": f"a: {classic(rng)}\nb: {routable(rng)}\n"})
        self.repo.commit({"later/gone.yml": f"token: {classic(rng)}\n"})
        self.repo.commit({"later/gone.yml": "token: moved to the vault\n"})
        self._folder = folder

    def written(self, *flags: str) -> dict[str, Any]:
        """Every format that a dashboard reads."""
        paths = {name: self._folder / f"report.{name}" for name in ("json", "gitlab", "sarif", "codequality")}
        main(
            ["history", str(self.repo.path), "--quiet", "--no-cache", *flags, *(f"--report={name}={path}" for name, path in paths.items())]
        )
        return {name: json.loads(path.read_text()) for name, path in paths.items()}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    return Reports(tmp_path_factory.mktemp("consumers"))


@pytest.fixture(scope="module")
def written(reports: Reports) -> dict[str, Any]:
    return reports.written()


def tokens(written: dict[str, Any]) -> set[str]:
    fingerprints = {finding["fingerprint"] for finding in written["json"]["findings"]}
    assert len(fingerprints) > 30
    return fingerprints


def dojo_hash(vulnerability: dict[str, Any]) -> tuple[object, ...]:
    """Title, line, file and description."""
    location = vulnerability["location"]
    return vulnerability["name"], location.get("start_line"), location.get("file"), vulnerability["description"]


def dojo_id(result: dict[str, Any]) -> str:
    """DefectDojo's ``unique_id_from_tool``."""
    return "|".join(f"{key}:{value}" for key, value in sorted(result["partialFingerprints"].items()))


def test_gitlab_drops_no_vulnerability(written: dict[str, Any]) -> None:
    taken: set[tuple[str, str]] = set()
    vulnerabilities = written["gitlab"]["vulnerabilities"]
    for vulnerability in vulnerabilities:
        assert taken.isdisjoint(keys(vulnerability)), vulnerability["location"]
        taken |= keys(vulnerability)
    ids = {one["description"].split("#")[1][:8] for one in vulnerabilities}
    assert ids == {fingerprint[:8] for fingerprint in tokens(written)}


def test_gitlab_takes_every_token_that_was_rotated_in_place_for_a_new_one(written: dict[str, Any], tmp_path: Path) -> None:
    project, old = Project(), written["gitlab"]["vulnerabilities"]
    rotated = Reports(tmp_path / "rotated", seed=2).written()["gitlab"]["vulnerabilities"]
    known = {*project.take(old).values()}
    assert len(known) == len(old)
    assert len({*map(location_print, old)} & {*map(location_print, rotated)}) > 10
    assert known.isdisjoint(project.take(rotated).values())


def test_gitlab_knows_every_token_again_whose_line_moved(tmp_path: Path) -> None:
    reports, project = Reports(tmp_path / "moved"), Project()
    before = reports.written()["gitlab"]["vulnerabilities"]
    text = (reports.repo.path / "two.yml").read_text()
    reports.repo.commit({"two.yml": f"# a new first line\n{text}"})
    after = reports.written()["gitlab"]["vulnerabilities"]
    assert {*map(location_print, before)} != {*map(location_print, after)}
    assert {*project.take(before).values()} == {*project.take(after).values()}


def test_defectdojo_keeps_every_token_of_both_reports(written: dict[str, Any]) -> None:
    vulnerabilities = written["gitlab"]["vulnerabilities"]
    assert len(set(map(dojo_hash, vulnerabilities))) == len(vulnerabilities)
    results = written["sarif"]["runs"][0]["results"]
    by_id: dict[str, set[str]] = defaultdict(set)
    for result in results:
        assert result["kind"] == "fail"
        by_id[dojo_id(result)].add(result["partialFingerprints"]["patscan/v1"])
    assert all(len(one) == 1 for one in by_id.values())
    assert set.union(*by_id.values()) == tokens(written)


def test_defectdojo_gives_every_result_a_title_of_its_own(written: dict[str, Any]) -> None:
    run = written["sarif"]["runs"][0]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    for result in run["results"]:
        message = result["message"]
        text = rules[result["ruleId"]]["messageStrings"][message["id"]]["text"]
        for number in range(6):
            if f"{{{number}}}" not in text:
                break
            text = text.replace(f"{{{number}}}", message["arguments"][number])
        else:
            raise AssertionError("six placeholders give no title")
        assert text == message["text"]
        assert f"#{result['partialFingerprints']['patscan/v1'][:8]}" in text[:150]


def test_no_reader_opens_an_innocent_line(reports: Reports, written: dict[str, Any]) -> None:
    for result in written["sarif"]["runs"][0]["results"]:
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            physical = place["physicalLocation"]
            file = reports.repo.path / physical["artifactLocation"]["uri"].replace("%20", " ")
            if file.is_file() and "region" in physical and file.read_text("utf-8", "replace").isascii():
                region = physical["region"]
                line = file.read_text().split("\n")[region["startLine"] - 1]
                assert 0 < region["startColumn"] < region["endColumn"] <= len(line) + 1


def test_sonarqube_drops_no_result(reports: Reports, written: dict[str, Any]) -> None:
    results = written["sarif"]["runs"][0]["results"]
    assert {failure(result, reports.repo.path) for result in results} == {""}
    assert sum((reports.repo.path / physical(result)["artifactLocation"]["uri"]).is_file() for result in results) > 5


def test_sonarqube_drops_what_stands_nowhere_in_a_file(reports: Reports, written: dict[str, Any]) -> None:
    result = next(one for one in written["sarif"]["runs"][0]["results"] if physical(one)["artifactLocation"]["uri"] == "two.yml")
    for change in ({"startLine": 99, "endLine": 99}, {"endColumn": 99}):
        moved = {**physical(result), "region": physical(result)["region"] | change}
        related = {**result, "relatedLocations": [{"physicalLocation": moved}]}
        assert failure(related, reports.repo.path).endswith(" isn't in two.yml")


def test_sonarqube_keeps_what_an_archive_contains(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    lines = "\n" * 999
    with zipfile.ZipFile(reports.repo.path / "a.zip", "w") as archive:
        archive.writestr("x.env", f"{lines}TOKEN={classic(random.Random(7))}\n")
    reports.repo.commit({"a.zip": (reports.repo.path / "a.zip").read_bytes()})
    results = [one for one in reports.written()["sarif"]["runs"][0]["results"] if "a.zip" in physical(one)["artifactLocation"]["uri"]]
    assert [failure(result, reports.repo.path) for result in results] == [""]
    # GitHub's action has no line to hash either, so that its fingerprint is patscan's.
    assert physical(results[0])["region"]["startLine"] == 1000
    assert results[0]["partialFingerprints"]["primaryLocationLineHash"] == results[0]["partialFingerprints"]["patscan/v1"][:16] + ":1"


def physical(result: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = result["locations"][0]["physicalLocation"]
    return place


def test_code_quality_has_an_entry_of_its_own_for_every_token(written: dict[str, Any]) -> None:
    entries = written["codequality"]
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    assert {entry["description"].split("#")[1][:8] for entry in entries} == {fingerprint[:8] for fingerprint in tokens(written)}


@pytest.mark.parametrize(("flags", "details"), [((), "patscan/history/"), (("--category", "app"), "app/"), (("--category=",), None)])
def test_the_category_is_a_flag(reports: Reports, flags: tuple[str, ...], details: str | None) -> None:
    run = reports.written(*flags)["sarif"]["runs"][0]
    assert run.get("automationDetails", {}).get("id") == details


def test_a_terminal_of_80_columns(reports: Reports, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    main(["history", str(reports.repo.path), "--no-cache"])
    few = capfd.readouterr().out
    main(["history", str(reports.repo.path), "--no-cache", "--all"])
    every = capfd.readouterr().out
    assert "    first  " in few
    assert few.splitlines()[-1].endswith(" tokens found.")
    assert len(every.splitlines()) >= len(few.splitlines())
    assert "more place" not in every
