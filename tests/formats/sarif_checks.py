"""What SARIF 2.1.0 and GitHub demand of a log, checked by hand: the names by sarif_om's metadata, the rest by the standard's sections."""

from __future__ import annotations

import re
from typing import Any

import attr
import sarif_om as om

TEXTS = om.MultiformatMessageString
CLASSES: dict[str, Any] = {
    "runs": om.Run,
    "tool": om.Tool,
    "driver": om.ToolComponent,
    "rules": om.ReportingDescriptor,
    "notifications": om.ReportingDescriptor,
    "defaultConfiguration": om.ReportingConfiguration,
    "shortDescription": TEXTS,
    "fullDescription": TEXTS,
    "help": TEXTS,
    "automationDetails": om.RunAutomationDetails,
    "description": om.Message,
    "versionControlProvenance": om.VersionControlDetails,
    "mappedTo": om.ArtifactLocation,
    "results": om.Result,
    "message": om.Message,
    "locations": om.Location,
    "relatedLocations": om.Location,
    "physicalLocation": om.PhysicalLocation,
    "logicalLocations": om.LogicalLocation,
    "artifactLocation": om.ArtifactLocation,
    "region": om.Region,
    "contextRegion": om.Region,
    "snippet": om.ArtifactContent,
    "suppressions": om.Suppression,
    "invocations": om.Invocation,
    "toolExecutionNotifications": om.Notification,
    "descriptor": om.ReportingDescriptorReference,
}
"""The class of the objects under each name."""
NAMED = {"messageStrings": TEXTS, "originalUriBaseIds": om.ArtifactLocation}
"""Objects whose keys are the author's own, and what each holds."""
FREE = {"properties", "partialFingerprints"}
CHOICES = {
    "level": {"none", "note", "warning", "error"},
    "columnKind": {"utf16CodeUnits", "unicodeCodePoints"},
    "precision": {"very-high", "high", "medium", "low"},
}
URI = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")


def check(log: Any) -> None:
    """Fails on the first thing that is wrong in `log`."""
    check_names(log, om.SarifLog)
    (run,) = log["runs"]
    descriptors = run["tool"]["driver"]["rules"]
    for rule in descriptors:
        check_rule(rule)
    assert len({rule["id"] for rule in descriptors}) == len(descriptors)
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        check_result(result, descriptors[result["ruleIndex"]])
    assert run["automationDetails"]["id"].endswith("/")
    for base in run["originalUriBaseIds"].values():
        assert base.get("uri", "/").endswith("/")
    assert len(set(run.get("redactionTokens", []))) == len(run.get("redactionTokens", []))
    kinds = [descriptor["id"] for descriptor in run["tool"]["driver"]["notifications"]]
    for notification in run["invocations"][0]["toolExecutionNotifications"]:
        assert kinds[notification["descriptor"]["index"]] == notification["descriptor"]["id"]


def check_names(value: Any, kind: Any) -> None:
    fields = {field.metadata["schema_property_name"]: field for field in attr.fields(kind)} | {"$schema": None}
    assert set(value) <= set(fields), (kind.__name__, set(value) - set(fields))
    required = {name for name, field in fields.items() if field and field.default is attr.NOTHING}
    assert required <= set(value), (kind.__name__, required - set(value))
    for key, item in value.items():
        assert item is not None
        if key in CHOICES:
            assert item in CHOICES[key]
        if key.lower().endswith("uri"):
            assert URI.fullmatch(item), item
        if key in NAMED:
            for inner in item.values():
                check_names(inner, NAMED[key])
        elif key in CLASSES:
            for inner in item if isinstance(item, list) else [item]:
                check_names(inner, CLASSES[key])
        else:
            assert key in FREE or not isinstance(item, dict), key


def check_rule(rule: Any) -> None:
    assert re.fullmatch(r"([A-Z][a-z0-9]*)+", rule["name"])
    assert len(rule["name"]) <= 255
    for text in (rule["shortDescription"]["text"], rule["fullDescription"]["text"]):
        assert 0 < len(text) <= 1024
    assert rule["help"]["text"]
    assert rule["help"]["markdown"]
    assert "security" in rule["properties"]["tags"]
    assert len(rule["properties"]["tags"]) <= 10
    assert re.fullmatch(r"\d\.\d", rule["properties"]["security-severity"])
    for string in rule["messageStrings"].values():
        assert string["text"].endswith(".")
        # DefectDojo fills them in one after the other, and stops at the first that is missing.
        numbers = sorted(map(int, re.findall(r"\{(\d)\}", string["text"])))
        assert numbers == list(range(len(numbers)))
        assert len(numbers) < 6
        # Dynamic content stands in quotes.
        assert not re.search(r"(?<!')\{\d\}|\{\d\}(?!')", string["text"])


def check_result(result: Any, rule: Any) -> None:
    assert result["ruleId"] == rule["id"]
    assert result["kind"] == "fail"
    message = result["message"]
    assert message["text"] == rule["messageStrings"][message["id"]]["text"].format(*message["arguments"])
    assert all(suppression["kind"] in ("inSource", "external") for suppression in result["suppressions"])
    assert len(result["locations"]) == 1
    related = result.get("relatedLocations", [])
    assert [location["id"] for location in related] == list(range(1, len(related) + 1))
    assert len(related) <= 100
    assert all(location["message"]["text"] for location in related)
    for location in (*result["locations"], *related):
        check_location(location)


def check_location(location: Any) -> None:
    physical = location["physicalLocation"]
    artifact = physical["artifactLocation"]
    relative = not artifact["uri"].startswith("file:///")
    assert ("uriBaseId" in artifact) == (relative and not artifact["uri"].startswith(".."))
    assert not artifact["uri"].startswith("/")
    if "region" not in physical:
        # A historical place: SonarQube drops a result for a related region that isn't valid at HEAD.
        assert "id" in location
        assert "contextRegion" not in physical
        return
    region = physical["region"]
    start, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
    assert (1, 1) <= start < end
    if context := physical.get("contextRegion"):
        assert context["startLine"] <= region["startLine"] <= region["endLine"] <= context["endLine"]
