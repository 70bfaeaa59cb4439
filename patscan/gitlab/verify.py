"""Adds verdicts to findings. GitLab is asked once about each distinct token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread

from patscan.dates import moment
from patscan.gitlab import hosts, offline, reach
from patscan.gitlab.administrator import Administrator
from patscan.gitlab.askers import ASKERS, UNKNOWN
from patscan.gitlab.client import Client, NoAnswer, OverBudget
from patscan.gitlab.hosts import Approved, Instance
from patscan.gitlab.lifecycle import Thresholds, Times, checked
from patscan.gitlab.question import Question
from patscan.model import Finding, Note, Skip, Verdict
from patscan.secret import Secret
from patscan.tuples import NamedTuple

TRACE = "asking marks the tokens as used, and shows this machine's address to their owners"
"""The warning before the first request of a run."""

_BEST = ("active", "active-blocked", "inactive", "error", "unchecked", "unverifiable", "not-found")
"""States of several instances in order of precedence. ``not-found`` comes last, since it proves nothing if another failed."""

Progress = Callable[[int, int], None]
"""Called in the caller's thread with the number of tokens with a verdict, and of all tokens."""
_Key = tuple[str, str]


class Options(NamedTuple):
    """Options for requests and for the judgement of answers."""

    allow_writes: bool = False
    administrator: Secret | None = None
    """An administrator's token, sent to the first approved instance only."""
    proposed: tuple[str, ...] = ()
    """Hosts that a remote or a repository's file names. They are shown, never asked."""
    thresholds: Thresholds = Thresholds()
    now: datetime | None = None


class Outcome(NamedTuple):
    """The findings in their order, with skips and notes for the report."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skip, ...] = ()
    """What couldn't be asked."""
    notes: tuple[Note, ...] = ()
    interrupted: bool = False
    requests: int = 0


def verify(findings: Sequence[Finding], approved: Approved, client: Client, options: Options, progress: Progress) -> Outcome:
    """`findings` with GitLab's verdicts. Ctrl-C stops the requests; verdicts so far are kept."""
    groups: dict[_Key, Finding] = {}
    for finding in findings:
        known = groups.setdefault(_key(finding), finding)
        groups[_key(finding)] = known._replace(occurrences=(*known.occurrences, *finding.occurrences)) if known is not finding else known
    inquiry = _Inquiry(approved, client, options)
    verdicts = {key: verdict for key, finding in groups.items() if (verdict := inquiry.unsent(finding))}
    open_questions = {key: finding for key, finding in groups.items() if key not in verdicts}
    interrupted = False
    if open_questions:
        try:
            inquiry.begin()
            for key, verdict in _verdicts(inquiry, open_questions, client.settings.at_once):
                verdicts[key] = verdict
                progress(len(verdicts), len(groups))
        except KeyboardInterrupt:
            interrupted = True
            client.stop()
    results = tuple(
        _with_verdict(finding, verdicts.get(key) or inquiry.unanswered(key)) for finding in findings for key in (_key(finding),)
    )
    return Outcome(results, inquiry.skipped(), inquiry.notes(), interrupted, client.requests)


def _key(finding: Finding) -> _Key:
    # A masked token has no bytes, only the report's fingerprint.
    return finding.rule.kind, finding.secret.fingerprint if len(finding.secret) else finding.fingerprint


def _with_verdict(finding: Finding, verdict: Verdict) -> Finding:
    """`finding` with `verdict` and the earliest known request: any later use may be patscan's."""
    earliest = min(filter(None, (moment(finding.verdict.asked_at), moment(verdict.asked_at))), default=None)
    return finding._replace(verdict=verdict._replace(asked_at=_iso(earliest) if earliest else None))


def _verdicts(inquiry: _Inquiry, questions: dict[_Key, Finding], at_once: int) -> Iterable[tuple[_Key, Verdict]]:
    """Verdicts as they come. The threads are daemons, so that Ctrl-C doesn't wait for requests under way."""
    waiting: SimpleQueue[tuple[_Key, Finding]] = SimpleQueue()
    done: SimpleQueue[tuple[_Key, Verdict]] = SimpleQueue()
    for item in questions.items():
        waiting.put(item)

    def work() -> None:
        while True:
            try:
                key, finding = waiting.get_nowait()
            except Empty:
                return
            inquiry.started.add(key)
            done.put((key, inquiry.verdict(finding)))

    for _ in range(min(at_once, len(questions))):
        Thread(target=work, daemon=True, name="patscan-gitlab").start()
    for _ in questions:
        yield done.get()


class _Inquiry:
    """The state of one run's requests."""

    def __init__(self, approved: Approved, client: Client, options: Options) -> None:
        self._approved = approved
        self._client = client
        self._options = options
        self._now = options.now or datetime.now(UTC)
        self.started: set[_Key] = set()
        """The tokens whose request has begun."""
        first = approved.instances[0] if approved.instances else None
        self._administrator = Administrator(client, first, options.administrator) if first and options.administrator else None

    def unsent(self, finding: Finding) -> Verdict | None:
        """The verdict on a token that isn't sent; ``None`` if GitLab has to be asked."""
        if verdict := offline.verdict(finding, self._now):
            return reach.judged(verdict, finding.rule.severity)
        if not self._approved.instances:
            return Verdict("unchecked", hosts.nothing_approved(finding, self._options.proposed))
        return None

    def unanswered(self, key: _Key) -> Verdict:
        """The verdict after Ctrl-C. If the request had begun, GitLab may count it as a use."""
        asked = _iso(self._now) if key in self.started else None
        return Verdict("unchecked", "interrupted before it was answered.", asked_at=asked)

    def begin(self) -> None:
        """Check the administrator's token before any leaked token is sent."""
        if self._administrator:
            self._administrator.check()

    def verdict(self, finding: Finding) -> Verdict:
        """The verdict of the instance that knows the token, else the first by `_BEST`. Raises nothing."""
        verdicts = []
        asked: list[datetime] = []
        for instance in hosts.candidates(self._approved, finding):
            verdict = self._at(instance, finding, asked)
            if verdict.state in {"active", "active-blocked", "inactive"}:
                return verdict
            verdicts.append(verdict)
        best = min(verdicts, key=lambda verdict: _BEST.index(verdict.state))
        return best._replace(asked_at=_iso(min(asked)) if asked else None)

    def _at(self, instance: Instance, finding: Finding, asked: list[datetime]) -> Verdict:
        question = Question(self._client, instance, finding, self._options.allow_writes)
        try:
            verdict = offline.doubted(finding, self._answer(question))
        except OverBudget as error:
            verdict = Verdict("unchecked", str(error))
        except NoAnswer as error:
            verdict = Verdict("error", str(error))
        except Exception as error:  # noqa: BLE001 - an unexpected answer must not end the run
            verdict = Verdict("error", f"{instance.host}: its answer can't be understood ({type(error).__name__})")
        if question.asked_at:
            asked.append(question.asked_at)
        times = Times(self._now, question.asked_at, moment(finding.verdict.asked_at))
        verdict = reach.judged(checked(finding, verdict, times, self._options.thresholds), finding.rule.severity)
        return verdict._replace(instance=instance.url, asked_at=_iso(min(asked)) if asked else None)

    def _answer(self, question: Question) -> Verdict:
        if self._administrator and (verdict := self._administrator.verdict(question)):
            return verdict
        kind = question.finding.rule.kind
        verdict = ASKERS.get(kind, UNKNOWN)(question)
        if kind == "personal-access-token" and verdict.state == "active":
            return verdict._replace(facts=reach.of_itself(question, verdict.facts))
        return verdict

    def skipped(self) -> tuple[Skip, ...]:
        """A skip if the administrator's token can't be used."""
        if self._administrator and self._administrator.problem:
            return (Skip("--admin-token-file", f"the administrator's token can't be used: {self._administrator.problem}"),)
        return ()

    def notes(self) -> tuple[Note, ...]:
        """A note if only one of several instances got the administrator's token."""
        if self._administrator and not self._administrator.problem and len(self._approved.instances) > 1:
            return (Note(self._administrator.instance.url, "the administrator's token was sent to this instance only."),)
        return ()


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")
