"""Addresses in the JSON report, by which a masked token can be read again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from patscan.formats.places import SURROGATE, as_bytes
from patscan.kind import Kind
from patscan.model import Address, Layer

if TYPE_CHECKING:
    from patscan.formats.document import Value
    from patscan.model import Occurrence, Sighting, Target

_STORES = tuple(dict.fromkeys(kind.store for kind in Kind if kind.store))
_UNKEPT = {
    Kind.STDIN: "standard input isn't kept.",
    Kind.MESSAGE: "the message wasn't committed yet. Once it is, patscan history finds it.",
}


def address(occurrence: Occurrence, target: Target) -> dict[str, Any] | None:
    """The address of `occurrence`; ``None`` if its report had none."""
    known, sighting = occurrence.match.address, occurrence.sighting
    store = sighting.kind.kept_in(sighting.blob)
    if not known.name:
        return None
    return {
        "store": store or None,
        **text("name", known.name if store == "object" else _inside(sighting)),
        "start": known.start,
        "end": known.end,
        "layers": [{"name": layer.name, "parameter": layer.parameter} for layer in known.layers],
        "members": list(known.members),
        "repository": sighting.submodule,
        "unreadable": unreadable(occurrence, target),
    }


def unreadable(occurrence: Occurrence, target: Target) -> str | None:
    """Why the token can't be read again where the scan read it; ``None`` if it can."""
    if occurrence.sighting.kind in _UNKEPT:
        return _UNKEPT[occurrence.sighting.kind]
    if target.type == "history" and target.path == target.remote:
        return f"it was read from a mirror of {target.remote}. Clone that, and name the clone with --repository."
    return None


def read(place: Value, sighting: Sighting) -> Address:
    """The address in `place`, an occurrence. Its name is empty if the report has no address."""
    start, end, written = place.at("start").number(), place.at("end").number(), place.at("address")
    if written.content is None:
        return Address("", start, end, tuple(Layer(name) for name in place.at("encodings").texts()))
    if written.at("store").content is not None:
        written.at("store").one_of(_STORES)
    return Address(
        bytes_or_text(written, "name") or sighting.path or sighting.kind,
        written.at("start").number(),
        written.at("end").number(),
        tuple(Layer(layer.at("name").text(), layer.at("parameter").number()) for layer in written.at("layers").each()),
        written.at("members").texts(),
    )


def text(key: str, path: str | None) -> dict[str, Any]:
    """A path under `key`; one that isn't UTF-8 has its bytes beside it, in base64."""
    if path is None or not SURROGATE.search(path):
        return {key: path}
    return {key: SURROGATE.sub("\ufffd", path), f"{key}_bytes": b64encode(as_bytes(path)).decode()}


def bytes_or_text(place: Value, key: str) -> str | None:
    """The path that `text` wrote."""
    written = place.at(f"{key}_bytes")
    if written.content is None:
        return place.at(key).text_or_none()
    try:
        return b64decode(written.text(), validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        raise written.wrong("bytes in base64") from None


def _inside(sighting: Sighting) -> str | None:
    """The path or the ref relative to its own repository."""
    if sighting.path is None or sighting.submodule is None:
        return sighting.path
    separator = ": " if sighting.kind is Kind.REF_NAME else "/"
    return sighting.path.removeprefix(f"{sighting.submodule}{separator}")
