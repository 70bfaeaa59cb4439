"""What paths say of a file's purpose, and what they don't."""

from __future__ import annotations

import pytest

from patscan.purpose import UNUSED, Purpose, purpose


@pytest.mark.parametrize(
    "path",
    [
        "src/settings.py",
        "deploy_test.yml",
        "test.py",
        ".env.test",
        "config/test.env",
        "latest/app.py",
        "contest/entry.go",
        "Latest.java",
        "src/Contest.java",
        "attest.go",
        "testament.py",
        "inspect/a.rb",
        "aspec.rb",
        "protest.test.yml",
        "example.com.conf",
        "example.com/settings.ini",
        "examples_of_use.yml",
        "resample.py",
        "docsite/.npmrc.txt",
        "mddoc/a.txt",
        "notes.txt",
        "README",
        "a.mdb",
        "snapshot.json",
        "config.toml",
        "a/config.json",
        "myauth.json",
        "x.netrc",
        "settings.xml.bak",
        "my.env",
        ".envrc",
        "",
    ],
)
def test_a_path_without_a_known_purpose(path: str) -> None:
    assert purpose(path) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("test/a.yml", "tests"),
        ("Tests/a.yml", "tests"),
        ("a/b/tests/c/d.ini", "tests"),
        ("src/__tests__/a", "tests"),
        ("unittests/scan.json", "tests"),
        ("integration-tests/ci.sh", "tests"),
        ("spec/a.yml", "tests"),
        ("e2e/a", "tests"),
        ("pkg/testdata/a", "tests"),
        ("test-resources/a", "tests"),
        ("test_client.py", "tests"),
        ("client_test.go", "tests"),
        ("client-test.js", "tests"),
        ("client_spec.rb", "tests"),
        ("client.test.tsx", "tests"),
        ("client.spec.ts", "tests"),
        ("client.cy.js", "tests"),
        ("conftest.py", "tests"),
        ("ClientTest.java", "tests"),
        ("ClientTests.cs", "tests"),
        ("ClientSpec.groovy", "tests"),
        ("fixtures/a.json", "tests"),
        ("test-fixtures/a", "tests"),
        ("__fixtures__/.npmrc", "tests"),
        ("__mocks__/a.js", "tests"),
        ("__snapshots__/a", "tests"),
        ("a.test.ts.snap", "tests"),
        ("stubs/a.py", "tests"),
        ("cassettes/a.yml", "tests"),
        ("examples/main.go", "examples"),
        ("sample/main.go", "examples"),
        (".env.example", "examples"),
        ("config.example.yml", "examples"),
        ("gitlab-sample.toml", "examples"),
        ("example.env", "examples"),
        ("settings.xml.sample", "examples"),
        ("docs/.npmrc", "documentation"),
        ("doc/api/a.json", "documentation"),
        ("README.md", "documentation"),
        ("a/usage.RST", "documentation"),
        ("a.adoc", "documentation"),
        (".netrc", "credentials"),
        ("home/_netrc", "credentials"),
        (".git-credentials", "credentials"),
        ("web/.npmrc", "credentials"),
        (".yarnrc.yml", "credentials"),
        (".pypirc", "credentials"),
        ("etc/pip.conf", "credentials"),
        ("auth.json", "credentials"),
        (".docker/config.json", "credentials"),
        (".m2/settings.xml", "credentials"),
        ("NuGet.Config", "credentials"),
        (".cargo/credentials.toml", "credentials"),
        (".terraformrc", "credentials"),
        ("infra/terraform.tfstate", "credentials"),
        ("python-gitlab.cfg", "credentials"),
        (".config/glab-cli/config.yml", "credentials"),
        ("etc/gitlab-runner/config.toml", "credentials"),
        ("gitlab-secrets.json", "credentials"),
        (".env", "credentials"),
        (".env.production", "credentials"),
    ],
)
def test_a_path_with_a_known_purpose(path: str, expected: str) -> None:
    assert purpose(path) == expected


def test_only_credentials_are_of_use() -> None:
    assert set(Purpose) - UNUSED == {Purpose.CREDENTIALS}
