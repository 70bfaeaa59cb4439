"""What reads each format, as strictly as its real readers do: a report that one of these refuses is broken."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from typing import Any, NamedTuple

import jsonschema

JSON = {"json", "jsonl", "sarif", "gitlab", "codequality"}

TEXT = {"type": "string", "minLength": 1}
TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
URL = {"type": "string", "pattern": "^https?://.+"}
TOOL = {
    "type": "object",
    "required": ["id", "name", "version", "vendor"],
    "properties": {
        "id": TEXT,
        "name": TEXT,
        "version": TEXT,
        "url": URL,
        "vendor": {"type": "object", "required": ["name"], "properties": {"name": TEXT}},
    },
}
DETAIL = {
    "type": "object",
    "required": ["name", "type", "value"],
    "properties": {"name": TEXT, "type": {"enum": ["text", "commit"]}, "value": TEXT},
}
SIGNATURE = {
    "type": "object",
    "required": ["algorithm", "value"],
    "properties": {"algorithm": {"enum": ["hash", "location", "scope_offset", "scope_offset_compressed"]}, "value": TEXT},
}
VULNERABILITY = {
    "type": "object",
    "required": ["id", "identifiers", "location"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"},
        "category": {"const": "secret_detection"},
        "name": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "maxLength": 1048576},
        "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
        "solution": {"type": "string", "maxLength": 7000},
        "identifiers": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["type", "name", "value"], "properties": {"type": TEXT, "name": TEXT, "value": TEXT}},
        },
        "links": {"type": "array", "items": {"type": "object", "required": ["url"], "properties": {"url": URL}}},
        "details": {"type": "object", "additionalProperties": DETAIL},
        "tracking": {
            "type": "object",
            "required": ["items"],
            "properties": {
                "type": {"const": "source"},
                "items": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["signatures"],
                        "properties": {"signatures": {"type": "array", "minItems": 1, "items": SIGNATURE}},
                    },
                },
            },
        },
        "flags": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "origin", "description"],
                "properties": {"type": {"const": "flagged-as-likely-false-positive"}, "origin": TEXT, "description": TEXT},
            },
        },
        "location": {
            "type": "object",
            "required": ["commit"],
            "properties": {
                "file": {"type": "string"},
                "start_line": {"type": "number"},
                "end_line": {"type": "number"},
                "commit": {
                    "type": "object",
                    "required": ["sha"],
                    "additionalProperties": False,
                    "properties": {"sha": TEXT, "author": {"type": "string"}, "date": {"type": "string"}, "message": {"type": "string"}},
                },
            },
        },
        "raw_source_code_extract": {"type": "string"},
    },
}
GITLAB = {
    "type": "object",
    "required": ["scan", "version", "vulnerabilities"],
    "properties": {
        "version": {"const": "15.0.7"},
        "scan": {
            "type": "object",
            "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
            "properties": {
                "analyzer": TOOL,
                "scanner": TOOL,
                "start_time": TIME,
                "end_time": TIME,
                "status": {"enum": ["success", "failure"]},
                "type": {"const": "secret_detection"},
                "messages": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["level", "value"],
                        "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": TEXT},
                    },
                },
            },
        },
        "vulnerabilities": {"type": "array", "items": VULNERABILITY},
    },
}
"""From the description of schema 15.0.7; stricter where we write less than it allows."""

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": TEXT,
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}


class Command(NamedTuple):
    """One of GitHub's workflow commands, as its runner reads it."""

    name: str
    properties: dict[str, str]
    message: str


def commands(output: str) -> list[Command]:
    """The commands in `output`; a line that GitHub would obey and that isn't whole is an error."""
    listed = []
    for line in output.split("\n")[:-1]:
        if "##[" in line:
            assert line.startswith("::"), "the runner's older syntax is read anywhere in a line that is no command"
        if not line.startswith("::"):
            assert re.fullmatch(r"patscan: [\d,]+ tokens? found(, but not everything could be looked at)?\.", line)
            continue
        head, message = line[2:].split("::", 1)
        name, _, fields = head.partition(" ")
        assert name in {"error", "warning", "notice"}
        pairs = [part.split("=", 1) for part in fields.split(",")] if fields else []
        assert {key for key, _ in pairs} <= {"file", "line", "endLine", "col", "endColumn", "title"}
        listed.append(Command(name, {key: unescaped(value) for key, value in pairs}, unescaped(message)))
    return listed


def unescaped(text: str) -> str:
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, char)
    return text


def parsed(name: str, output: str) -> Any:
    """`output` as the readers of the format `name` have it. Raises on what they would refuse."""
    output.encode()
    if name == "jsonl":
        return [json.loads(line) for line in output.split("\n")[:-1]]
    if name in JSON:
        document = json.loads(output)
        schema = {"gitlab": GITLAB, "codequality": CODE_QUALITY}.get(name)
        if schema:
            jsonschema.validate(document, schema)
        return document
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(output, newline=""), strict=True))
        assert all(None not in row and None not in row.values() for row in rows)
        return rows
    if name == "junit":
        return ET.fromstring(output.encode())  # noqa: S314
    if name == "github":
        return commands(output)
    return output.split("\n")
