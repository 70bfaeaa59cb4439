"""What a live token can do: its owner, the groups and projects it can access, and the severity of its leak."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from patscan.gitlab.client import Answer, NoAnswer
from patscan.gitlab.question import API, Question, words
from patscan.gitlab.scopes import gains, scope
from patscan.model import SEVERITIES, Fact, Verdict

ACCESS = {
    5: "minimal",
    10: "guest",
    15: "planner",
    20: "reporter",
    25: "security manager",
    30: "developer",
    40: "maintainer",
    50: "owner",
    60: "administrator",
}
_MEMBER = 10
"""The access level of a guest. Below it, GitLab lists what everybody can see."""
_PAGE = 100
_PAGES = 5
_USER_SCOPES = {"api", "read_api", "read_user"}
_GONE = {"inactive": "low"}

Page = Callable[[int], Answer]


def person(user: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts in GitLab's entity of a user, under patscan's names."""
    known: dict[str, Fact] = {"id": user["id"]} if type(user.get("id")) is int else {}
    for name, key in (("username", "username"), ("name", "name"), ("state", "state"), ("email", "email")):
        if text := words(user.get(key)):
            known[name] = text
    for name, key in (("bot", "bot"), ("administrator", "is_admin")):
        if isinstance(user.get(key), bool):
            known[name] = user[key]
    return known


def of_itself(question: Question, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """`facts` of a live access token, with its user, groups and projects. ``unknown`` lists what GitLab didn't answer."""
    more, unknown = dict(facts), []
    headers = {"PRIVATE-TOKEN": question.sealed()}
    scopes = names(facts)
    if "username" not in owner(facts):
        if not scopes or not _USER_SCOPES.isdisjoint(scopes):
            try:
                answer = question.get(f"{API}/user", headers)
                if isinstance(user := answer.json(), dict) and answer.status == 200:
                    more["owner"] = {"administrator": False} | person(user)
                else:
                    unknown.append("its user: GitLab doesn't say")
            except NoAnswer as error:
                unknown.append(f"its user: {error}")
        else:
            unknown.append("its user: its scopes don't show that")
    path = f"{API}/personal_access_tokens/self/associations?min_access_level={_MEMBER}&per_page={_PAGE}&page="
    more |= _memberships(lambda page: question.get(f"{path}{page}", headers), _associations, unknown)
    return more | ({"unknown": tuple(unknown)} if unknown else {})


def of_user(ask: Callable[[str], Answer], user: int, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """The same by an administrator's requests, without sending the token. `ask` takes a path of the API."""
    more: dict[str, Fact] = dict(facts)
    unknown: list[str] = []
    try:
        answer = ask(f"{API}/users/{user}")
        if isinstance(entity := answer.json(), dict) and answer.status == 200:
            more["owner"] = person(entity)
    except NoAnswer as error:
        unknown.append(f"its user: {error}")
    path = f"{API}/users/{user}/memberships?per_page={_PAGE}&page="
    more |= _memberships(lambda page: ask(f"{path}{page}"), _rows, unknown)
    return more | ({"unknown": tuple(unknown)} if unknown else {})


def owner(facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """The facts about the token's user; empty if unknown."""
    known = facts.get("owner")
    return known if isinstance(known, Mapping) else {}


def names(facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """The token's scopes."""
    scopes = facts.get("scopes")
    return tuple(str(name) for name in scopes) if isinstance(scopes, tuple) else ()


def judged(verdict: Verdict, usual: str) -> Verdict:
    """`verdict` with a severity and its reasons; `usual` is the rule's severity."""
    if verdict.state in _GONE:
        return verdict._replace(severity=_GONE[verdict.state], severity_reasons=("it no longer works",))
    if not verdict.state.startswith("active"):
        return verdict
    facts, scopes = verdict.facts, names(verdict.facts)
    rank = max((SEVERITIES.index(scope(name).severity) for name in scopes), default=SEVERITIES.index(usual))
    reasons = list(gains(scopes))
    if owner(facts).get("administrator") is True and (not scopes or {"api", "sudo", "admin_mode"} & {*scopes}):
        rank = SEVERITIES.index("critical")
        reasons.insert(0, "its user is an administrator")
    elif facts.get("groups") == () and facts.get("projects") == () and not _account(facts, scopes):
        rank = max(rank - 1, 0)
        reasons.append("it reaches no group and no project")
    if verdict.state == "active-blocked":
        rank = max(rank - 1, 0)
        reasons.append("GitLab blocks it at present")
    return verdict._replace(severity=SEVERITIES[rank], severity_reasons=tuple(reasons))


def _account(facts: Mapping[str, Fact], scopes: tuple[str, ...]) -> bool:
    """Whether a thief can act as a person, even if that person has no groups and projects yet."""
    return "api" in scopes and owner(facts).get("bot") is not True


def _memberships(page: Page, rows: Callable[[Any], Iterator[tuple[str, dict[str, Fact]]]], unknown: list[str]) -> dict[str, Fact]:
    """Groups and projects of at most `_PAGES` pages; empty if GitLab doesn't list them."""
    memberships: dict[str, list[dict[str, Fact]]] = {"groups": [], "projects": []}
    for number in range(1, _PAGES + 1):
        try:
            answer = page(number)
        except NoAnswer as error:
            unknown.append(f"groups and projects: {error}")
            break
        if answer.status != 200:
            unknown.append("groups and projects: this GitLab doesn't list them (17.4 and later do)")
            break
        before = {kind: len(those) for kind, those in memberships.items()}
        try:
            for kind, row in rows(answer.json()):
                memberships[kind].append(row)
        except (KeyError, TypeError, ValueError, AttributeError):
            unknown.append("groups and projects: the answer isn't GitLab's")
            break
        counts = [len(those) - before[kind] for kind, those in memberships.items()]
        if max(counts) < _PAGE and sum(counts) != _PAGE:
            return {kind: tuple(those) for kind, those in memberships.items()}
    else:
        unknown.append(f"groups and projects beyond the first {_PAGE * _PAGES} of each")
    return {kind: tuple(those) for kind, those in memberships.items() if those}


def _associations(body: Any) -> Iterator[tuple[str, dict[str, Fact]]]:
    for group in body["groups"]:
        yield "groups", {"id": int(group["id"]), "path": _path(group), "access": _access(group.get("access_levels"))}
    for project in body["projects"]:
        yield "projects", {"id": int(project["id"]), "path": _path(project), "access": _access(project.get("access_levels"))}


def _rows(body: Any) -> Iterator[tuple[str, dict[str, Fact]]]:
    for row in body:
        kind = "projects" if row["source_type"] == "Project" else "groups"
        yield kind, {"id": int(row["source_id"]), "path": words(row.get("source_name")), "access": _access(row.get("access_level"))}


def _path(entity: Mapping[str, Any]) -> str:
    """A project's path, a group's path from its page's URL, or a name."""
    page = words(entity.get("web_url")).partition("/groups/")[2]
    return words(entity.get("path_with_namespace")) or page or words(entity.get("name"))


def _access(levels: Any) -> str | None:
    """The highest access level as a word. GitLab sends a number, a text, or an object with several levels."""
    values = levels.values() if isinstance(levels, Mapping) else (levels,)
    numbers = [int(level) for level in values if level is not None]
    highest = max(numbers, default=None)
    return None if highest is None else ACCESS.get(highest, str(highest))
