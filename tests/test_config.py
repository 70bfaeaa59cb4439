"""Configuration files: what is refused first, then where they are found, then what they mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from patscan import config, textfile
from patscan.archives.limits import Limits
from patscan.errors import ConfigError

GOOD = {
    "ignore-paths": '["docs/", "*.md"]',
    "min-confidence": '"high"',
    "pat-prefix": '"acme_"',
    "instance-prefix": '"ACME"',
    "hosts": '["gitlab.example.com", "localhost:8080"]',
    "gitlab-urls": '["https://gitlab.example.com/root"]',
    "require-ignore-reason": "true",
    "fail-on-expired": "true",
    "baseline": '"ci/accepted.txt"',
    "rules.off": '["gitlab-pat"]',
    "rules.only": '["gitlab-pat"]',
    **{f"archives.{field.replace('_', '-')}": "3" for field in Limits._fields},
    "severity": '{ gitlab-pat = "low" }',
}
WRONG = {
    "ignore-paths": ['"docs/"', "[1]", '[""]', "true"],
    "min-confidence": ['"sure"', "1", "true"],
    "pat-prefix": ['"abc"', '""', '"acme prefix"', '"' + "a" * 21 + '"', "4"],
    "instance-prefix": ['"ACME-"', '""', '"A B"', "1"],
    "hosts": ['"gitlab.example.com"', '["https://gitlab.example.com"]', '["-x"]', '["a b"]'],
    "gitlab-urls": ['"https://gitlab.example.com"', "[1]", '[""]'],
    "require-ignore-reason": ['"yes"', "1"],
    "fail-on-expired": ['"yes"', "0"],
    "baseline": ['""', "true", r'"a\u0000b"'],
    "rules.off": ['"gitlab-pat"', "[1]"],
    "rules.only": ['"gitlab-pat"', "[[]]"],
    **{f"archives.{field.replace('_', '-')}": ["0", "-1", "true", '"8"'] for field in Limits._fields},
    "severity": ['"low"', '{ gitlab-pat = "awful" }', "{ gitlab-pat = 1 }"],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    return tmp_path / "repo"


def refusal(place: Path, chosen: Path | None = None) -> str:
    with pytest.raises(ConfigError) as error:
        config.load(place, chosen)
    return str(error.value)


class TestRefused:
    @pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
    def test_a_wrong_value(self, root: Path, key: str, value: str) -> None:
        (root / ".patscan.toml").write_text(f"{key} = {value}\n")
        assert f"{root / '.patscan.toml'}: {key} must be" in refusal(root)

    @pytest.mark.parametrize(("key", "near"), [("ignore-path", "ignore-paths"), ("rules.of", "rules.off"), ("severty", "severity")])
    def test_an_unknown_key_with_the_nearest_right_one(self, root: Path, key: str, near: str) -> None:
        (root / ".patscan.toml").write_text(f"{key} = 1\n")
        assert f"unknown key {key!r}. Did you mean {near!r}?" in refusal(root)

    def test_an_unknown_key_unlike_any(self, root: Path) -> None:
        (root / ".patscan.toml").write_text("zzzzzz = 1\n")
        assert "Did you mean" not in refusal(root)

    @pytest.mark.parametrize(
        "data", [b"\xff\xfe\x00", b"= 1", b"[rules", b"a = 1\na = 2\n", b"rules = 1", b"a = " + b"[" * 5000, b"a = " + b"9" * 5000]
    )
    def test_what_is_no_toml(self, root: Path, data: bytes) -> None:
        (root / ".patscan.toml").write_bytes(data)
        assert str(root / ".patscan.toml") in refusal(root)

    @pytest.mark.parametrize("text", ["[tool]\npatscan = 1\n", "[tool.patscan]\nzzz = 1\n", "[tool.patscan\n"])
    def test_a_wrong_table_of_a_pyproject(self, root: Path, text: str) -> None:
        (root / "pyproject.toml").write_text(text)
        assert "pyproject.toml" in refusal(root)

    def test_what_is_no_file(self, root: Path, tmp_path: Path) -> None:
        (root / ".patscan.toml").mkdir()
        assert "a folder" in refusal(root) or "not a regular file" in refusal(root)
        (root / ".patscan.toml").rmdir()
        os.mkfifo(root / ".patscan.toml")
        assert "not a regular file" in refusal(root)
        assert "not a regular file" in refusal(root, Path("/dev/zero"))
        assert "can't be read: No such file" in refusal(root, tmp_path / "nowhere")

    def test_a_link_out_of_the_repository(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "outside.toml").write_text("")
        (root / ".patscan.toml").symlink_to("../outside.toml")
        assert "lies outside" in refusal(root)
        assert config.load(root, tmp_path / "outside.toml").file == tmp_path / "outside.toml"
        (root / ".patscan.toml").unlink()
        (root / ".patscan.toml").symlink_to(".patscan.toml")
        assert ".patscan.toml" in refusal(root)

    def test_a_huge_file(self, root: Path) -> None:
        with (root / ".patscan.toml").open("wb") as stream:
            stream.truncate(textfile.LARGEST + 1)
        assert "larger than" in refusal(root)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_an_unreadable_file(self, root: Path) -> None:
        (root / ".patscan.toml").touch(0)
        assert "can't be read" in refusal(root)


class TestFound:
    def test_never_outside_the_repository(self, root: Path) -> None:
        (root.parent / ".patscan.toml").write_text("zzz = 1")
        assert config.load(root) == config.Config({}, None, root)

    def test_without_a_repository_only_in_the_folder_itself(self, tmp_path: Path) -> None:
        (tmp_path / ".patscan.toml").write_text('min-confidence = "low"')
        (tmp_path / "inner").mkdir()
        (tmp_path / "file").touch()
        assert config.load(tmp_path / "inner").file is None
        assert config.load(tmp_path / "file").get("min-confidence") == "low"

    def test_none_for_a_bare_repository(self, tmp_path: Path) -> None:
        (tmp_path / "HEAD").touch()
        (tmp_path / "objects").mkdir()
        (tmp_path / ".patscan.toml").write_text("zzz = 1")
        assert config.load(tmp_path) == config.Config({})

    def test_the_nearest_one_holds(self, root: Path) -> None:
        (root / "a" / "b").mkdir(parents=True)
        (root / "pyproject.toml").write_text('[tool.patscan]\nmin-confidence = "low"\n')
        assert config.load(root / "a" / "b").file == root / "pyproject.toml"
        (root / "a" / "pyproject.toml").write_text("[tool.other]\n# patscan\n")
        assert config.load(root / "a" / "b").file == root / "pyproject.toml"
        (root / "a" / ".patscan.toml").write_text("")
        assert config.load(root / "a" / "b") == config.Config({}, root / "a" / ".patscan.toml", root)

    def test_not_if_it_is_not_wanted(self, root: Path) -> None:
        (root / ".patscan.toml").write_text("zzz = 1")
        assert config.load(root, wanted=False) == config.Config({}, None, root)
        assert config.load(None) == config.Config({})


def test_every_key_is_known_to_the_tests_and_to_the_documentation() -> None:
    documented = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text("utf-8").split("## Your own file")[0]
    listed = [line.split("`")[1] for line in documented.splitlines() if line.startswith("| `")]
    assert [name for name in listed if name in config.KEYS] == list(config.KEYS) == list(GOOD) == list(WRONG)


@pytest.mark.parametrize("key", GOOD)
def test_a_right_value_is_used_and_reported(root: Path, key: str) -> None:
    (root / ".patscan.toml").write_text(f"{key} = {GOOD[key]}\n")
    loaded = config.load(root)
    assert loaded.get(key) != config.KEYS[key].default
    assert [effect.split()[0] for effect in loaded.effects()] == ([key] if config.KEYS[key].shrinks else [])


def test_a_default_is_a_right_value() -> None:
    for name, key in config.KEYS.items():
        assert key.default == "" or key.fits(key.default), name
