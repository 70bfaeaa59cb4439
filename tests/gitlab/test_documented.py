"""The loopback GitLab answers as GitLab's own documents say: each status, field, JSON type, format and enumeration, in both directions."""

from __future__ import annotations

import json
import random
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jsonschema
import pytest

from tests.gitlab import answers, writing
from tests.gitlab.cells import make
from tests.gitlab.documented import ANYWHERE, DOCUMENTED, UNDESCRIBED, Documented, schema
from tests.gitlab.loopback import GitLab
from tests.gitlab.test_verify import group, project

PAT = "personal-access-token"
KINDS = {
    "access_tokens": PAT,
    "deploy_tokens": "deploy-token",
    "triggers": "pipeline-trigger-token",
    "cluster_agents": "agent-token",
}
JSON_BODIES = [row for row in DOCUMENTED if row.fields is not None]


class Instance:
    """A GitLab with an administrator, and a way to ask it for each documented path."""

    def __init__(self, gitlab: GitLab, rng: random.Random) -> None:
        self.gitlab, self._rng = gitlab, rng
        self.root = make(PAT, rng)
        self._admin = gitlab.user("root", admin=True)
        token = gitlab.add(PAT, self.root, self._admin)
        gitlab.memberships[token.user.id] = ([group(1)], [project(2)])

    def token(self, kind: str, **more: Any) -> tuple[str, int]:
        value = make(kind, self._rng)
        return value, self.gitlab.add(kind, value, **more).id

    def ask(self, row: Documented) -> tuple[int, bytes]:
        """The status and the body of the answer to a right request."""
        headers, fields, path = {"PRIVATE-TOKEN": self.root}, None, row.path
        if special := SPECIAL.get(f"{row.method} {row.path}"):
            more, fields = special(self)
            headers = headers | dict(more)
        elif row.path.startswith("/users/"):
            path = path.replace(":id", str(self._admin.id))
        elif path.startswith("/personal_access_tokens/:id"):
            path = path.replace(":id", str(self.token(PAT)[1]))
        elif kind := KINDS.get(path.split("/")[3] if path.count("/") > 2 else ""):
            folder = path.rpartition("/:id")[0].replace(":id", "42")
            path = folder + path[len(path.rpartition("/:id")[0]) :].replace(":id", str(self.token(kind, row=folder.removeprefix("/"))[1]))
        return self.send(row.method, path.replace(":id", "11"), headers, fields)

    def send(self, method: str, path: str, headers: Mapping[str, str], fields: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        url = f"{self.gitlab.url}/api/v4{path}" if path.startswith("/") else f"{self.gitlab.url}/{path}"
        body = json.dumps(fields).encode() if fields is not None else None
        try:
            with urlopen(Request(url, body, dict(headers), method=method)) as stream:  # noqa: S310 - the loopback
                return stream.status, stream.read()
        except HTTPError as error:
            return error.code, error.read()


Special = Callable[[Instance], tuple[Mapping[str, str], Mapping[str, str] | None]]


def _secret(instance: Instance) -> tuple[Mapping[str, str], Mapping[str, str]]:
    value, _ = instance.token("oauth-application-secret", application="a" * 64)
    return {}, {"client_id": "a" * 64, "client_secret": value, "grant_type": "client_credentials", "scope": "none"}


SPECIAL: Mapping[str, Special] = {
    "GET /job": lambda made: ({"JOB-TOKEN": made.token("ci-job-token", project=11)[0]}, None),
    "POST /admin/token": lambda made: ({}, {"token": made.token(PAT)[0]}),
    "DELETE /admin/token": lambda made: ({}, {"token": made.token(PAT)[0]}),
    "GET oauth/token/info": lambda made: ({"Authorization": f"Bearer {made.token('oauth-access-token')[0]}"}, None),
    "POST oauth/token": _secret,
    "GET /packages/conan/v1/users/check_credentials": lambda made: ({"Authorization": "Basic " + _basic(made)}, None),
    "GET /feature_flags/unleash/:id": lambda made: ({"Unleash-InstanceId": made.token("feature-flags-token", project=11)[0]}, None),
    "POST /runners/verify": lambda made: ({}, {"token": made.token("runner-authentication-token")[0]}),
    "POST /runners/reset_authentication_token": lambda made: ({}, {"token": made.token("runner-authentication-token")[0]}),
    "POST /projects/:id/trigger/pipeline": lambda made: ({}, {"token": made.token("pipeline-trigger-token", project=11)[0], "ref": "main"}),
    "GET /personal_access_tokens/self": lambda made: ({"PRIVATE-TOKEN": made.token(PAT)[0]}, None),
    "POST /personal_access_tokens/self/rotate": lambda made: ({"PRIVATE-TOKEN": made.token(PAT)[0]}, {}),
    "DELETE /personal_access_tokens/self": lambda made: ({"PRIVATE-TOKEN": made.token(PAT)[0]}, None),
}


def _basic(made: Instance) -> str:
    return b64encode(f"any:{made.token('deploy-token')[0]}".encode()).decode()


@pytest.fixture
def instance(rng: random.Random) -> Any:
    with GitLab() as gitlab:
        yield Instance(gitlab, rng)


def name(row: Documented) -> str:
    return f"{row.method} {row.path}"


@pytest.mark.parametrize("row", DOCUMENTED, ids=name)
def test_the_answer_to_a_right_request(row: Documented, instance: Instance) -> None:
    status, body = instance.ask(row)
    assert str(status) == row.statuses.split()[0], body
    if row.fields is not None:
        jsonschema.validate(json.loads(body), schema(row.fields))
    elif status == 204:
        assert body == b""


@pytest.mark.parametrize("row", DOCUMENTED, ids=name)
def test_a_refusal_has_a_documented_status_and_says_why(row: Documented, instance: Instance, rng: random.Random) -> None:
    unknown = make(PAT, rng)
    headers = dict.fromkeys(("PRIVATE-TOKEN", "JOB-TOKEN", "Unleash-InstanceId"), unknown) | {"Authorization": f"Bearer {unknown}"}
    if "conan" in row.path:
        headers["Authorization"] = "Basic YW55OnVua25vd24="
    status, body = instance.send(row.method, row.path.replace(":id", "11"), headers, {"token": unknown} if row.method != "GET" else None)
    assert str(status) in (*row.statuses.split(), ANYWHERE)
    assert {"message", "error"} & set(json.loads(body))


@pytest.mark.parametrize("row", JSON_BODIES, ids=name)
def test_a_field_more_a_field_less_and_another_type_are_seen(row: Documented, instance: Instance) -> None:
    """Otherwise the test above could not fail."""
    entity = json.loads(instance.ask(row)[1])
    known = schema(row.fields)
    first = entity[0] if isinstance(entity, list) else entity
    required = next(field for field in (row.fields[0] if isinstance(row.fields, list) else row.fields) if not field.endswith("?"))
    for wrong in (
        first | {"surprise": 1},
        {field: value for field, value in first.items() if field != required},
        first | {required: {"not": "this"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([wrong] if isinstance(entity, list) else wrong, known)


def test_each_answer_of_the_loopback_is_described_or_its_absence_explained() -> None:
    for method, pattern, _, _ in (*answers.ROUTES, *writing.ROUTES):
        rows = [
            label
            for label in (*map(name, DOCUMENTED), *UNDESCRIBED)
            for path in [label.split()[1].replace(":id", "11")]
            if label.split()[0] == method and re.fullmatch(pattern, path if not path.startswith("/") else f"api/v4{path}")
        ]
        assert rows, (method, pattern)


def test_each_row_names_its_source() -> None:
    assert all(re.search(r"openapi|doc/api|RFC", row.source) for row in DOCUMENTED)
