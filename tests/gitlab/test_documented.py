"""The loopback GitLab says nothing that GitLab doesn't: its answers hold only fields that are documented.

The fields are those of GitLab's OpenAPI description (entities) and of the examples in its documentation.
"""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests import tokens
from tests.gitlab.loopback import GitLab
from tests.gitlab.test_verify import group, project

PAT = "personal-access-token"
FIELDS = {
    # API_Entities_PersonalAccessToken, API_Entities_PersonalAccessTokenWithLastUsedIps
    "personal_access_tokens/self": "active created_at description expires_at id last_used_at last_used_ips name revoked scopes user_id",
    # doc/api/users.md, the current user; is_admin for administrators
    "user": """avatar_url bio bot can_create_group can_create_project color_scheme_id commit_email confirmed_at created_at
        current_sign_in_at discord email external extra_shared_runners_minutes_limit followers following github id identities is_admin
        job_title last_activity_on last_sign_in_at linkedin local_time location locked name organization preferred_language
        private_profile projects_limit pronouns public_email shared_runners_minutes_limit state theme_id twitter two_factor_enabled
        username web_url website_url work_information""",
    # doc/api/personal_access_tokens.md, "List all token associations"
    "personal_access_tokens/self/associations?min_access_level=10": "groups projects",
    # doc/api/users.md, "List projects and groups that a user is a member of"
    "users/1/memberships": "access_level source_id source_name source_type",
}
ASSOCIATIONS = {
    "groups": "access_levels id name organization_id parent_id visibility web_url",
    "projects": """access_levels created_at description id name name_with_namespace namespace path path_with_namespace visibility
        web_url""",
}


def answer(gitlab: GitLab, path: str, value: str, data: dict[str, str] | None = None) -> Any:
    body = json.dumps(data).encode() if data else None
    headers = {"PRIVATE-TOKEN": value, "Content-Type": "application/json"}
    with urlopen(Request(f"{gitlab.url}/api/v4/{path}", body, headers)) as stream:  # noqa: S310 - the loopback
        return json.load(stream)


@pytest.mark.parametrize("path", FIELDS)
def test_answers_hold_documented_fields_only(path: str, rng: random.Random) -> None:
    with GitLab() as gitlab:
        value = tokens.classic(rng)
        token = gitlab.add(PAT, value, gitlab.user("root", admin=True))
        gitlab.memberships[token.user.id] = ([group(1)], [project(2)])
        said = answer(gitlab, path, value)
    if isinstance(said, dict) and "groups" in said:
        for kind, fields in ASSOCIATIONS.items():
            assert set(said[kind][0]) <= set(fields.split())
    for entity in said if isinstance(said, list) else [said]:
        assert set(entity) <= set(FIELDS[path].split())


def test_an_administrator_sees_the_documented_example(rng: random.Random) -> None:
    """doc/api/admin/token.md @0016ea05: no ``active`` there."""
    example = """advanced_scopes after_expiry_notification_delivered created_at description expire_notification_delivered expires_at id
        impersonation last_used_at name organization_id previous_personal_access_token_id revoked scopes updated_at user_id"""
    with GitLab() as gitlab:
        root, value = tokens.classic(rng), tokens.classic(rng)
        gitlab.add(PAT, root, gitlab.user("root", admin=True))
        gitlab.add(PAT, value)
        said = answer(gitlab, "admin/token", root, {"token": value})
    assert set(said) <= set(example.split())
