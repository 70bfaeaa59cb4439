"""Variables of GitLab CI (GitLab's docs, ci/variables/predefined_variables.md)."""

from __future__ import annotations

from collections.abc import Mapping

from patscan.ci.decision import FIRST_PARENT, Base, Decision, branch, commit_id, needed, on_branch, short
from patscan.errors import UsageError

_REMEDY = "GIT_DEPTH: 0"
_SOURCES = {
    "push": "branch push",
    "schedule": "schedule",
    "web": "manual",
    "api": "API",
    "trigger": "trigger",
    "pipeline": "multi-project pipeline",
    "parent_pipeline": "parent-child",
    "external_pull_request_event": "external pull request",
    "merge_request_event": "merge request",
}
_REQUESTED = ("web", "api", "trigger", "pipeline", "schedule")
"""Pipelines that no push started. They scan everything, because it isn't known what is new."""


def decide(values: Mapping[str, str]) -> Decision:
    """What to scan. Raises `UsageError` for invalid or contradictory variables."""
    source = values.get("CI_PIPELINE_SOURCE", "")
    event = _SOURCES.get(source, source or "unknown event")
    decision = Decision("GitLab CI", event, needed(values, "CI_COMMIT_SHA"), (), "", _REMEDY, checked_out=True)
    default = branch(values, "CI_DEFAULT_BRANCH")
    if values.get("CI_MERGE_REQUEST_IID") or source == "merge_request_event":
        return _merge_request(values, decision, default)
    if values.get("CI_EXTERNAL_PULL_REQUEST_IID") or source == "external_pull_request_event":
        return _external(values, decision, default)
    if tag := branch(values, "CI_COMMIT_TAG", "refs/tags/"):
        reason = f"the tag {short(tag)}, compared with the default branch alone"
        return decision._replace(
            event="tag", ref=tag, sources=(tag,), bases=on_branch(default, "the default branch"), reason=reason, may_be_empty=True
        )
    return _branch(values, decision, default)


def _merge_request(values: Mapping[str, str], decision: Decision, default: str) -> Decision:
    number = values.get("CI_MERGE_REQUEST_IID", "")
    kind = values.get("CI_MERGE_REQUEST_EVENT_TYPE", "")
    target = branch(values, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    tip, base = commit_id(values, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA"), commit_id(values, "CI_MERGE_REQUEST_DIFF_BASE_SHA")
    bases: tuple[Base, ...] = ()
    if kind in {"merged_result", "merge_train"}:
        second = commit_id(values, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
        bases += (
            (Base(FIRST_PARENT, "the merge commit's first parent", older=(base,) if base else (), second_parent=second),) if second else ()
        )
        bases += (Base(tip, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA", on=target),) if tip else ()
    bases += (Base(base, "CI_MERGE_REQUEST_DIFF_BASE_SHA", on=target),) if base else ()
    bases += on_branch(target, "the target branch") + (on_branch(default, "the default branch") if default != target else ())
    if not bases:
        raise UsageError("no CI_MERGE_REQUEST_… variable names a commit to compare with. Set PATSCAN_BASE.")
    event = {"merged_result": "merged result", "merge_train": "merge train"}.get(kind, "merge request")
    sources = tuple(f"refs/merge-requests/{number}/{end}" for end in ("merge", "train", "head")) if number.isdecimal() else ()
    reason = f"what the merge request {'!' + number if sources else ''} introduces".replace("  ", " ")
    return decision._replace(event=event, bases=bases, reason=reason, sources=sources, ref=_source_branch(values))


def _source_branch(values: Mapping[str, str]) -> str:
    return branch(values, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")


def _external(values: Mapping[str, str], decision: Decision, default: str) -> Decision:
    target = branch(values, "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME")
    tip = commit_id(values, "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA")
    ref = branch(values, "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME")
    bases: tuple[Base, ...] = (Base(tip, "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA"),) if tip else ()
    bases += on_branch(target, "the target branch") + (on_branch(default, "the default branch") if default != target else ())
    reason = "what the external pull request introduces"
    return decision._replace(event="external pull request", bases=bases, reason=reason, ref=ref, sources=(ref,) if ref else ())


def _branch(values: Mapping[str, str], decision: Decision, default: str) -> Decision:
    ref = branch(values, "CI_COMMIT_BRANCH") or branch(values, "CI_COMMIT_REF_NAME")
    before = commit_id(values, "CI_COMMIT_BEFORE_SHA")
    decision = decision._replace(ref=ref, sources=(ref,) if ref else ())
    if values.get("CI_PIPELINE_SOURCE") in _REQUESTED:
        return decision._replace(reason=f"everything that {short(ref) or 'the commit'} reaches: this pipeline wasn't started by a push")
    if ref == default or not default:
        if not before:
            return decision._replace(reason=f"everything that {short(ref) or 'the commit'} reaches: its earlier state isn't known")
        return decision._replace(bases=(Base(before, "CI_COMMIT_BEFORE_SHA"),), reason=f"what the push to {short(ref)} introduces")
    bases, decision = on_branch(default, "the default branch"), decision._replace(may_be_empty=True)
    if before:
        return decision._replace(bases=(Base(before, "CI_COMMIT_BEFORE_SHA"), *bases), reason=f"what the push to {short(ref)} introduces")
    event = "new branch" if decision.event == "branch push" else decision.event
    reason = f"the new branch {short(ref)}, compared with the default branch alone"
    return decision._replace(event=event, bases=bases, reason=reason)
