"""Asking GitLab: the flags, the approved instances, and the stage that adds verdicts to a report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from patscan import config
from patscan.cli import signals
from patscan.cli.states import add_states, sifted
from patscan.errors import ConfigError, UsageError
from patscan.model import Finding, Report, Verdict
from patscan.secret import Secret
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.gitlab.client import Client, Settings
    from patscan.gitlab.hosts import Approved
    from patscan.gitlab.verify import Options, Outcome

_LARGEST_TOKEN = 4096
_FLAGS = (
    *("gitlab_url", "admin_token_file", "ca_bundle", "timeout", "max_requests", "insecure_http", "allow_writes"),
    *("only", "fail_on"),
)


class Asking(NamedTuple):
    """The instances that may be asked, the client, and the options."""

    approved: Approved
    client: Client
    options: Options


def add_asking(command: argparse.ArgumentParser, always: bool = False) -> None:
    """``--verify``, unless the command `always` verifies, and the flags for asking GitLab."""
    if always:
        command.set_defaults(verify=True)
    else:
        command.add_argument("--verify", action="store_true", help="ask GitLab whether the tokens work and what they can access")
    add_approval(command)
    add_states(command)


def add_approval(command: argparse.ArgumentParser) -> None:
    """The flags that approve instances and configure requests."""
    command.add_argument("--gitlab-url", action="append", default=None, metavar="URL", help="a GitLab that may be asked (repeatable)")
    command.add_argument("--admin-token-file", type=Path, metavar="FILE", help="ask with the administrator's token in this file")
    command.add_argument("--ca-bundle", type=Path, metavar="FILE", help="certificates to trust instead of the system's")
    command.add_argument("--timeout", type=_seconds, metavar="S", help="seconds to wait for an answer (default: 10)")
    command.add_argument("--max-requests", type=_count, metavar="N", help="the most requests to send (default: 10000)")
    command.add_argument(
        "--insecure-http", action="store_true", default=None, help="allow http:// addresses, to which tokens are sent unencrypted"
    )
    writes = "a runner's heartbeat, attempts to start a pipeline or to get a token that must fail, the end of a used refresh token"
    command.add_argument("--allow-writes", action="store_true", default=None, help=f"allow requests that write on the server: {writes}")


def verified(chosen: argparse.Namespace, report: Report, proposed: tuple[str, ...] = ()) -> Report:
    """`report` with GitLab's verdicts, if ``--verify`` is given. `proposed` are hosts that were seen and aren't approved.

    Raises `ConfigError` and `UsageError`.
    """
    if not chosen.verify:
        if given := [flag for flag in _FLAGS if getattr(chosen, flag) is not None]:
            raise UsageError(f"--{given[0].replace('_', '-')} needs --verify.")
        return report
    if signals.code() is not None:
        unasked = Verdict("unchecked", "the scan was interrupted before it was asked.")
        return report._replace(findings=tuple(finding._replace(verdict=unasked) for finding in report.findings))
    outcome = ask(prepare(chosen, proposed), report.findings, not chosen.quiet)
    coverage = report.coverage
    coverage = coverage._replace(skipped=(*coverage.skipped, *outcome.skipped), notes=(*coverage.notes, *outcome.notes))
    interrupted = report.interrupted or outcome.interrupted
    return sifted(chosen, report._replace(findings=outcome.findings, coverage=coverage, interrupted=interrupted))


def prepare(chosen: argparse.Namespace, proposed: tuple[str, ...] = ()) -> Asking:
    """The approved instances, the client and the options, by flags, environment and user configuration. Raises `ConfigError`."""
    from patscan.gitlab.client import Client

    user_config = config.of_user(_user_config_file())
    return Asking(_approved(chosen, user_config), Client(_settings(chosen)), _options(chosen, user_config, proposed))


def ask(inquiry: Asking, findings: tuple[Finding, ...], with_progress: bool) -> Outcome:
    """GitLab's verdicts on `findings`. `with_progress` prints progress, and what asking leaves behind, to standard error."""
    from patscan.cli.progress import StatusLine
    from patscan.gitlab.verify import TRACE, verify

    if findings and inquiry.approved.instances and with_progress:
        print(f"patscan: {TRACE}.", file=sys.stderr)
    with StatusLine(with_progress) as line:
        return verify(
            findings,
            inquiry.approved,
            inquiry.client,
            inquiry.options,
            lambda done, of: line.show(f"Asked about {done:,} of {of:,} tokens."),
        )


def proposed(report: Report, project: config.Config | None = None) -> tuple[str, ...]:
    """The hosts that the remote and the repository's configuration name. They are untrusted, so none is asked."""
    from patscan.gitlab.hosts import host_of

    urls = [report.target.remote or "", *(project.get("gitlab-urls") if project else ())]
    named = [host_of(url) for url in urls] + (project.get("hosts") if project else [])
    return tuple(dict.fromkeys(filter(None, named)))


def _user_config_file() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or ""
    # XDG Base Directory Specification: a path that isn't absolute is ignored.
    return (Path(folder) if os.path.isabs(folder) else Path.home() / ".config") / "patscan" / "config.toml"


def _approved(chosen: argparse.Namespace, user_config: config.Config) -> Approved:
    from patscan.gitlab.hosts import approved

    def urls() -> Iterator[tuple[str, str]]:
        yield from (("--gitlab-url", url) for url in chosen.gitlab_url or ())
        if url := os.environ.get("PATSCAN_GITLAB_URL"):
            yield "PATSCAN_GITLAB_URL", url
        yield from ((f"{user_config.file}: gitlab-urls", url) for url in user_config.get("gitlab-urls"))
        if os.environ.get("GITLAB_CI") == "true" and (url := os.environ.get("CI_SERVER_URL")):
            yield "CI_SERVER_URL", url

    return approved(urls(), bool(chosen.insecure_http))


def _settings(chosen: argparse.Namespace) -> Settings:
    from patscan.gitlab.client import Settings

    # A CGI program gets HTTP_PROXY from a request's header, so only the lowercase name counts, as in curl.
    proxies = {"https": os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY"), "http": os.environ.get("http_proxy")}
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    usual = Settings()
    return usual._replace(
        ca_bundle=chosen.ca_bundle,
        timeout=chosen.timeout or usual.timeout,
        max_requests=chosen.max_requests or usual.max_requests,
        proxies={scheme: url for scheme, url in proxies.items() if url},
        no_proxy=tuple(name.strip() for name in exempt.split(",") if name.strip()),
    )


def _options(chosen: argparse.Namespace, user_config: config.Config, proposed: tuple[str, ...]) -> Options:
    from patscan.gitlab.lifecycle import Thresholds
    from patscan.gitlab.verify import Options

    days = Thresholds(*(user_config.get(f"lifecycle.{name}-days") for name in ("longest", "soon", "unused")))
    return Options(bool(chosen.allow_writes), _administrator(chosen), proposed, days)


def _administrator(chosen: argparse.Namespace) -> Secret | None:
    if chosen.admin_token_file:
        return token_in(chosen.admin_token_file, "--admin-token-file")
    source = "PATSCAN_ADMIN_TOKEN"
    token = os.environb.get(source.encode(), b"") if hasattr(os, "environb") else os.environ.get(source, "").encode()
    return _one_token(token.strip(), source) if token.strip() else None


def token_in(file: Path, flag: str) -> Secret:
    """The token in `file`, the value of `flag`. Raises `ConfigError`."""
    try:
        with file.open("rb") as stream:
            token = stream.read(_LARGEST_TOKEN + 1)
    except OSError as error:
        raise ConfigError(f"{flag}: {file}: {(error.strerror or 'can not be read').lower()}.") from None
    return _one_token(token.strip(), f"{flag}: {file}")


def _one_token(token: bytes, source: str) -> Secret:
    if not 0 < len(token) <= _LARGEST_TOKEN or not token.isascii() or len(token.split()) != 1:
        raise ConfigError(f"{source}: must contain one token and nothing else.")
    return Secret(token)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 600")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000000")
    return int(text)
