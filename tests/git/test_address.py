"""What is taken for a URL, what is refused before git sees it, and what of it may be shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from patscan.errors import ExitCode, UsageError
from patscan.git.address import Address, address


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("https://git.example/a/b.git", Address("https://git.example/a/b.git")),
        ("HTTPS://git.example:8443/a@b", Address("https://git.example:8443/a@b")),
        ("https://ada:pw@git.example/x", Address("https://git.example/x", "https://git.example", "ada", "pw")),
        ("https://ada:p%40w%2F:@git.example:1/x", Address("https://git.example:1/x", "https://git.example:1", "ada", "p@w/:")),
        ("http://ada:a@b@git.example/x", Address("http://git.example/x", "http://git.example", "ada", "a@b")),
        ("https://word@git.example/x", Address("https://git.example/x", "https://git.example", "word")),
        ("https://word:@[::1]:80/x", Address("https://[::1]:80/x", "https://[::1]:80", "word", "")),
        ("ssh://git@git.example:22/x", Address("ssh://git@git.example:22/x")),
        ("ssh://git:pw@git.example/x", Address("ssh://git@git.example/x")),
        ("ssh://:pw@git.example/x", Address("ssh://git.example/x")),
        ("git://ada:pw@git.example/x", Address("git://git.example/x")),
        ("file:///a/b c", Address("file:///a/b c")),
        ("git@git.example:a/b.git", Address("git@git.example:a/b.git")),
        ("git.example:a", Address("git.example:a")),
        ("git.example:/a@b", Address("git.example:/a@b")),
    ],
)
def test_urls(text: str, known: Address) -> None:
    assert address(text) == known


@pytest.mark.parametrize("text", [".", "", "a", "/a/b", "./a:b", "../x", "a/b:c", "-x", "--upload-pack=touch mark", "~/x", "a//b"])
def test_folders(text: str) -> None:
    assert address(text) is None


@pytest.mark.parametrize("name", ["host:path", "ext::sh -c x", "user:password@host:path"])
def test_what_is_there_is_a_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert address(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "ext::sh -c 'touch secret'", "fd::17/secret", "https::https://secret", "x::y", "ext://secret", "ftp://secret.example/x",
        "-oProxyCommand=secret:x", "git@-oProxyCommand=secret:x", "ssh://-oProxyCommand=secret/x", "ssh://-secret@git.example/x",
        "https://ada:sec/secret@git.example/x", "https://ada:sec?secret@git.example/x", "https://git.example:secret/x",
        "ada:secret@git.example/x", "ada:secret@git.example:x", "https://ada:secret%0Aurl=x@git.example/x", "https://git.example/\nsecret",
        "https://git.example/\x1b[31msecret", "https://ada:secret%00@git.example/x", "a:\rsecret",
    ],
)  # fmt: skip
def test_a_refusal_quotes_nothing_that_may_be_secret(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        address(text)
    assert caught.value.code == ExitCode.ERROR
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("REPO: ")


def test_what_git_says_loses_user_and_password() -> None:
    message = "unable to access 'https://x@git.example/': no pw for ada at http://other:1@git.example, ada's pw"
    shown = Address("https://git.example/", "https://git.example", "ada", "pw").hidden(message)
    assert shown == "unable to access 'https://git.example/': no … for … at http://git.example, …'s …"


@pytest.mark.skipif(os.name != "nt", reason="drives")
def test_a_drive_is_a_folder() -> None:
    assert address("C:\\nowhere") is None
