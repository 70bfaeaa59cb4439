"""``patscan plan``: writes a plan for the tokens of a saved report, and the scripts that remove them from history."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from patscan.cli.environment import environment
from patscan.cli.report import saved
from patscan.cli.verify import absence, places
from patscan.counts import counted
from patscan.errors import ExitCode, OutputError, ReportError, TargetError, UsageError
from patscan.formats.advice import local_removal
from patscan.formats.redaction import redacted, unshaped
from patscan.formats.words import ident
from patscan.git.repository import open_repository
from patscan.model import Report
from patscan.plan import callbacks, document, forgetting, order, reading, replacements, rewrite, scripts
from patscan.plan.reading import Read
from patscan.plan.rewrite import Rewrite


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan plan`` takes."""
    command.add_argument("inputs", nargs=1, type=Path, metavar="REPORT", help="a JSON report that patscan wrote, or - for standard input")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder for the plan")
    command.add_argument("--repository", type=Path, metavar="PATH", help="the scanned repository or folder")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Write all files of a plan, or none."""
    report = saved(chosen.inputs[0])
    if not report.findings:
        print("patscan: the report has no findings, so there is nothing to plan.", file=sys.stderr)
        return ExitCode.CLEAN
    _check(chosen.out)
    place = (chosen.repository or _place(report)).absolute()
    read = _read(report, place)
    folder, works, is_wide = chosen.out.absolute(), list(_works(report, place)), any(not local_removal(one) for one in report.findings)
    plan = _plan(chosen, report, read, works, is_wide)
    texts = {"plan.md": unshaped(document.document(plan)), "verify.sh": scripts.verify(plan.report, place, folder)}
    # The folder may be in a working tree.
    texts[".gitignore"] = "*\n"
    if works:
        texts["remove.sh"] = scripts.remove(plan.commands)
    if works and is_wide:
        texts["callbacks.py"] = Path(callbacks.__file__).read_text("utf-8")
        texts |= {"blobs.txt": "".join(f"{name}\n" for name in read.blobs), "commit-maps.txt": _maps(works)}
    secrets = [*read.tokens.values(), *(finding.secret for finding in report.findings if len(finding.secret))]
    if any(replacements.contains_token(text, secrets) for text in texts.values()):
        raise OutputError("the path of the report, the repository or --out contains a token. Move it, then scan again.")
    _write(folder, texts, replacements.lines(read.tokens, read.forms))
    for sentence in plan.unread:
        print(f"patscan: {unshaped(sentence)}", file=sys.stderr)
    print(f"patscan: read {folder / 'plan.md'}. Delete {folder} when you are done: it contains {counted(len(read.tokens), 'token')}.")
    return ExitCode.INCOMPLETE if plan.unread else ExitCode.CLEAN


def _plan(chosen: argparse.Namespace, report: Report, read: Read, works: Sequence[Rewrite], is_wide: bool) -> document.Plan:
    findings = [finding._replace(secret=read.tokens.get(finding.fingerprint, finding.secret)) for finding in report.findings]
    report = redacted(report._replace(findings=tuple(order.by_urgency(findings)), ignored=()))
    folder = chosen.out.absolute()
    return document.Plan(
        report,
        "REPORT" if chosen.inputs[0] == Path("-") else str(chosen.inputs[0].absolute()),
        folder,
        rewrite.script(works, folder, bool(read.blobs)) if is_wide and works else forgetting.script(works, report.findings),
        tuple(rewrite.pushes(works, report.target.remote)) if is_wide else (),
        is_wide,
        tuple(sentence for work in works for sentence in rewrite.obstacles(work)) if is_wide else (),
        tuple(f"{ident(finding)}: {read.unread[finding.fingerprint]}" for finding in report.findings if finding.fingerprint in read.unread),
    )


def _check(out: Path) -> None:
    """Raises `UsageError` unless `out` is an empty folder or doesn't exist."""
    if out.is_symlink():
        raise UsageError(f"--out: {out} is a link. Name a folder that doesn't exist.")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"--out: {out} {'is not empty' if out.is_dir() else 'is not a folder'}. Name a folder that doesn't exist.")
    except OSError as error:
        raise UsageError(f"--out: {out} can't be used: {(error.strerror or str(error)).lower()}.") from None


def _place(report: Report) -> Path:
    """The repository or folder that was scanned. Raises `UsageError` if it isn't here, or isn't the only one."""
    here = list(places(report.target))
    if len(here) != 1:
        problem = "doesn't exist here" if not here else "is more than one path"
        raise UsageError(f"{report.target.path}: {problem}. Name the repository: --repository PATH.")
    return here[0]


def _read(report: Report, place: Path) -> Read:
    """The tokens, read again at `place`. Raises `TargetError` if there is no such place, `ReportError` if no token can be read."""
    if not os.path.lexists(place):
        raise TargetError(f"--repository: {place}: no such folder.")
    read = reading.read(report.findings, place, [report.target.path, *map(str, places(report.target))], environment(place))
    missing = {one.fingerprint: absence(one, report.target, place) for one in report.findings if one.fingerprint not in read.tokens}
    unread = missing | dict(read.unread)
    if not read.tokens:
        raise ReportError(f"no token of the report could be read again: {next(iter(unread.values()))}")
    return read._replace(unread=unread)


def _works(report: Report, place: Path) -> Iterator[Rewrite]:
    """The repositories to clean. Submodules come first, because their superprojects refer to their commits."""
    if report.target.type != "history":
        return
    is_wide = any(not local_removal(finding) for finding in report.findings)
    paths = {one.sighting.submodule for finding in report.findings for one in finding.occurrences}
    top = rewrite.opened(open_repository(place, environment(place)))
    repositories = reading.repositories(place, environment(place)) if paths - {None} else {}
    for path in sorted(filter(None, paths), key=lambda path: (-path.count("/"), path)):
        known, folder = repositories.get(path), top.top / path
        inner = open_repository(folder, environment(folder)) if known else None
        # The report and links in the working tree are untrusted.
        if not known or not inner or inner.git_dir.resolve() != known.git_dir.resolve():
            raise UsageError(f"{path}: the submodule isn't checked out here. Get it with: git submodule update --init --recursive")
        yield _checked(rewrite.opened(inner, path), is_wide)
    if is_wide or None in paths:
        yield _checked(top, is_wide)


def _checked(work: Rewrite, is_wide: bool) -> Rewrite:
    if is_wide:
        rewrite.check(work)
    return work


def _maps(works: Iterable[Rewrite]) -> str:
    return "".join(f"{one.repository.git_dir / 'filter-repo' / 'commit-map'}\n" for one in works if one.submodule)


def _write(folder: Path, texts: Mapping[str, str], forms: Sequence[bytes]) -> None:
    """Write all files or none. Raises `OutputError`."""
    files = {name: text.encode("utf-8", "surrogateescape") for name, text in texts.items()}
    files["replacements.txt"] = b"".join(form + b"\n" for form in forms)
    is_new, written = not folder.exists(), list[Path]()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, data in files.items():
            number = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            written.append(folder / name)
            with open(number, "wb") as stream:
                stream.write(data)
    except BaseException as error:
        _remove(written, folder if is_new else None)
        if not isinstance(error, OSError):
            raise
        raise OutputError(f"--out: {folder} can't be written: {(error.strerror or str(error)).lower()}. Nothing was written.") from None


def _remove(files: Iterable[Path], folder: Path | None) -> None:
    with suppress(OSError):
        for file in files:
            file.unlink()
        if folder:
            folder.rmdir()
