"""Variables and events of GitHub Actions, which Gitea and Forgejo use too (GitHub's docs, "Events that trigger workflows")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from patscan.ci.decision import DEFAULT_BRANCH, FIRST_PARENT, Base, Decision, branch, commit_id, needed, on_branch, short
from patscan.errors import UsageError

_REMEDY = "fetch-depth: 0"
_TARGETED = "pull_request_target runs with the rights of the base branch. patscan only reads the request's commits. Run nothing from them."


def decide(values: Mapping[str, str], payload: bytes | None) -> Decision:
    """What to scan. `payload` is the content of the file in ``GITHUB_EVENT_PATH``. Raises `UsageError`."""
    event = values.get("GITHUB_EVENT_NAME", "")
    decision = Decision("GitHub Actions", event or "unknown event", needed(values, "GITHUB_SHA"), (), "", _REMEDY, _ref(values))
    decision = decision._replace(sources=(decision.ref,) if decision.ref else ())
    facts = _facts(payload, event)
    default = branch(facts, "repository.default_branch")
    if event in {"pull_request", "pull_request_target"}:
        return _pull_request(values, facts, decision, default)
    if event == "merge_group":
        return _merge_group(facts, decision)
    if event in {"push", "create", "release"}:
        return _push(facts, decision, default)
    reason = f"everything that {short(decision.ref) or 'the commit'} reaches: {event or 'the event'} doesn't show what is new"
    return decision._replace(reason=reason)


def _ref(values: Mapping[str, str]) -> str:
    full = values.get("GITHUB_REF", "")
    return branch({"GITHUB_REF": full.removeprefix("refs/")}, "GITHUB_REF", "refs/") if full.startswith("refs/") else ""


def _facts(payload: bytes | None, event: str) -> dict[str, str]:
    """The values in the event file, by path (``pull_request.base.sha``). Raises `UsageError`."""
    if payload is None:
        if event in {"push", "merge_group", "pull_request_target"}:
            raise UsageError(f"GITHUB_EVENT_PATH names no readable file, and {event} needs it. Set PATSCAN_BASE and PATSCAN_HEAD.")
        return {}
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        raise UsageError("GITHUB_EVENT_PATH: the file isn't JSON. Leave the variable as the CI server set it.") from None
    if not isinstance(document, dict):
        raise UsageError("GITHUB_EVENT_PATH: the file isn't a JSON object. Leave the variable as the CI server set it.")
    names = (
        *("before", "after", "ref", "deleted", "repository.default_branch"),
        *(f"pull_request.{end}.{key}" for end in ("base", "head") for key in ("sha", "ref")),
        *(f"merge_group.{key}" for key in ("base_sha", "head_sha", "base_ref")),
        "number",
    )
    return {name: _text(document, name) for name in names}


def _text(document: Any, name: str) -> str:
    for key in name.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    if document is None or isinstance(document, dict | list):
        return ""
    return document if isinstance(document, str) else json.dumps(document)


def _pull_request(values: Mapping[str, str], facts: Mapping[str, str], decision: Decision, default: str) -> Decision:
    base, head = (commit_id(facts, f"pull_request.{end}.sha") for end in ("base", "head"))
    target = branch(facts, "pull_request.base.ref") or branch(values, "GITHUB_BASE_REF")
    bases: tuple[Base, ...] = (Base(base, "the event's pull_request.base.sha"),) if base else ()
    bases += on_branch(target, "the base branch") + (on_branch(default, "the default branch") if default != target else ())
    number = facts.get("number", "")
    reason = f"what the pull request {'#' + number if number.isdecimal() else ''} introduces".replace("  ", " ")
    if decision.event == "pull_request_target":
        if not head:
            raise UsageError("GITHUB_EVENT_PATH: the file lacks pull_request.head.sha, which pull_request_target needs.")
        sources = (f"refs/pull/{number}/head",) if number.isdecimal() else ()
        ref = branch(facts, "pull_request.head.ref")
        return decision._replace(head=head, bases=bases, reason=reason, ref=ref, sources=sources, warnings=(_TARGETED,))
    if head or decision.ref.endswith("/merge"):
        bases = (Base(FIRST_PARENT, "the merge commit's first parent", older=(base,) if base else (), second_parent=head), *bases)
    ref = branch(facts, "pull_request.head.ref") or branch(values, "GITHUB_HEAD_REF") or decision.ref
    return decision._replace(bases=bases, reason=reason, ref=ref)


def _merge_group(facts: Mapping[str, str], decision: Decision) -> Decision:
    base, head = (commit_id(facts, f"merge_group.{end}_sha") for end in ("base", "head"))
    if head and head != decision.head:
        raise UsageError("GITHUB_SHA and the event's merge_group.head_sha contradict each other. Set PATSCAN_BASE and PATSCAN_HEAD.")
    full = facts.get("merge_group.base_ref", "").removeprefix("refs/heads/")
    target = on_branch(branch({"merge_group.base_ref": full}, "merge_group.base_ref"), "the base branch")
    bases = (Base(base, "the event's merge_group.base_sha"),) if base else ()
    return decision._replace(bases=bases + target, reason="what the merge group introduces")


def _push(facts: Mapping[str, str], decision: Decision, default: str) -> Decision:
    before, after = commit_id(facts, "before"), commit_id(facts, "after")
    if facts.get("deleted") == "true" and not after:
        return decision._replace(event="deletion", deleted=True, reason="nothing: the push deletes a ref")
    name, decision = short(decision.ref), decision._replace(may_be_empty=True)
    compared = on_branch(default, "the default branch") or (Base(DEFAULT_BRANCH, "the server's default branch", branch=True),)
    if decision.ref.startswith("refs/tags/"):
        return decision._replace(event="tag", bases=compared, reason=f"the tag {name}, compared with the default branch alone")
    if after and after != decision.head:
        raise UsageError("GITHUB_SHA and the event's after contradict each other. Set PATSCAN_BASE and PATSCAN_HEAD.")
    known = (Base(before, "the event's before"),) if before else ()
    if decision.ref == default:
        reason = f"what the push to {name} introduces" if before else f"everything that {name} reaches: its earlier state isn't known"
        return decision._replace(bases=known, reason=reason)
    if before:
        return decision._replace(bases=(*known, *compared), reason=f"what the push to {name} introduces")
    return decision._replace(event="new branch", bases=compared, reason=f"the new branch {name}, compared with the default branch alone")
