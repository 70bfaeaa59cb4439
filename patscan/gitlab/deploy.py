"""Deploy tokens, whose user name is unknown. Source: the conan endpoints and ``packages_manager_clients_helpers.rb``."""

from __future__ import annotations

from patscan.gitlab.question import API, Question
from patscan.model import Verdict

_WHY = "a refusal proves nothing: GitLab may demand its user name, or have packages switched off. An administrator's token can tell"


def ask(question: Question) -> Verdict:
    """The verdict of the package registry, with the token as password. Only ``ok`` proves anything."""
    path = f"{API}/packages/conan/v1/users/check_credentials"
    answer = question.get(path, {"Authorization": question.sealed("any:", basic=True)})
    if answer.status == 200 and answer.body.strip().strip(b'"') == b"ok":
        return Verdict("active", "")
    if answer.status in {401, 403, 404}:
        return Verdict("unverifiable", _WHY)
    raise question.fault(answer)
