"""GitLab's rules for which vulnerability of a report is one that it knows already.

Sources, in gitlab-org/gitlab: ``calculate_uuid_v5`` in lib/gitlab/ci/parsers/security/common.rb, ``Finding#location_fingerprint`` in
lib/gitlab/ci/reports/security/finding.rb, ``fingerprint_data`` in locations/secret_detection.rb there, ``FindingMap#to_hash`` in
ee/app/services/security/ingestion/finding_map.rb, ``OverrideInBatch`` in ee/app/services/security/override_uuids_service.rb.
Signatures count with the licensed feature ``vulnerability_finding_signatures``, which Ultimate has, as it has the vulnerability report.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Any, NamedTuple


class Known(NamedTuple):
    """A stored vulnerability. Its print is that of its signature; without one, that of its location."""

    uuid: str
    print: str


def location_print(vulnerability: dict[str, Any]) -> str:
    place = vulnerability["location"]
    return sha1(f"{place.get('file')}:{place.get('start_line')}:{place.get('end_line', '')}".encode()).hexdigest()


def signatures(vulnerability: dict[str, Any]) -> list[str]:
    """The prints of its signatures. Their algorithms are of one kind, so that none has priority."""
    items = vulnerability.get("tracking", {"items": []})["items"]
    written = [signature for item in items for signature in item["signatures"]]
    assert {one["algorithm"] for one in written} <= {"hash"}
    return [sha1(one["value"].encode()).hexdigest() for one in written]


class Project:
    """The vulnerabilities that GitLab has stored of one project and one scanner."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Known] = {}
        """By the first identifier and the print."""

    def take(self, vulnerabilities: list[dict[str, Any]]) -> dict[str, str]:
        """Store a pipeline's `vulnerabilities`. Returns the uuid of each by its id in the report; one that was known keeps its uuid."""
        made = {one["id"]: self._new(one) for one in vulnerabilities}
        taken = {known.uuid for known in made.values()}
        for one in vulnerabilities:
            first = one["identifiers"][0]["value"]
            prints = [*signatures(one), *([location_print(one)] if signatures(one) else [])]
            old = next((known for print_ in prints if (known := self.known.get((first, print_)))), None)
            if old and old.uuid not in taken:
                taken.add(old.uuid)
                made[one["id"]] = made[one["id"]]._replace(uuid=old.uuid)
        for one in vulnerabilities:
            self.known[one["identifiers"][0]["value"], made[one["id"]].print] = made[one["id"]]
        return {name: known.uuid for name, known in made.items()}

    @staticmethod
    def _new(vulnerability: dict[str, Any]) -> Known:
        print_ = next(iter(signatures(vulnerability)), location_print(vulnerability))
        return Known(sha1(f"{vulnerability['identifiers'][0]['value']}-{print_}".encode()).hexdigest(), print_)
