"""Decodings between a content and a token in it: how text looks when it is encoded, and how it is read back.

A layer is a module here with three functions, and one line in `LAYERS`. Layers compose: a form of a form is the form of two layers, and a
view of a view's text maps back to the content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from patscan.layers import base64, hexadecimal, percent, wide
from patscan.layers.view import View
from patscan.model import Layer

_BEFORE, _AFTER, _ROOM = 1 << 10, 64 << 10, 12 << 10
"""Encoded bytes read to the left and right of an anchor, and those that must be left for a view to serve another one: a JWT job token in
base64 has up to 8 kB."""


class Codec(NamedTuple):
    """What a layer can do."""

    forms: Callable[[bytes], Iterator[tuple[bytes, int]]]
    """How a text looks when it is encoded, with the parameter that reading it back needs."""
    view: Callable[[bytes, int, int], View | None]
    """The decoded text around a form at this byte, with this parameter; ``None`` if it turns out not to be encoded so."""
    decode: Callable[[bytes, int], bytes]
    """What a span holds that begins and ends with a token's first and last character; some bytes may stand around the token."""


LAYERS: dict[str, Codec] = {
    "utf-16": Codec(wide.forms_of(2), wide.view_of(2), wide.decode_of(2)),
    "utf-32": Codec(wide.forms_of(4), wide.view_of(4), wide.decode_of(4)),
    "hex": Codec(hexadecimal.forms, hexadecimal.view, hexadecimal.decode),
    "percent": Codec(percent.forms, percent.view, percent.decode),
    "base64": Codec(base64.forms, base64.view, base64.decode),
}
"""Every layer by the name that a report gives it."""

PAIRS: tuple[tuple[str, ...], ...] = tuple((name,) for name in LAYERS)
"""The layers, and the layers in layers, outermost first, in which anchors are looked for."""


class Form(NamedTuple):
    """A text as it looks behind some layers, outermost first."""

    literal: bytes
    layers: tuple[Layer, ...]


def forms(anchor: str) -> Iterator[Form]:
    """Every way in which `anchor` is recognised."""
    yield Form(anchor.encode(), ())
    for names in PAIRS:
        yield from _wrapped(Form(anchor.encode(), ()), names)


def _wrapped(form: Form, names: Sequence[str]) -> Iterator[Form]:
    """`form` behind the layers `names`."""
    if not names:
        yield form
        return
    for literal, parameter in LAYERS[names[-1]].forms(form.literal):
        yield from _wrapped(Form(literal, (Layer(names[-1], parameter), *form.layers)), names[:-1])


def view(data: bytes | memoryview, start: int, layers: Sequence[Layer]) -> View | None:
    """Read back the surroundings of a form at byte `start`; ``None`` if they turn out not to be encoded so."""
    if not layers:
        return View(data if isinstance(data, bytes) else bytes(data), start)
    low = max(start - _BEFORE, 0) & ~3  # code units stay aligned
    peeled = LAYERS[layers[0].name].view(bytes(data[low : start + _AFTER]), start - low, layers[0].parameter)
    if peeled is None:
        return None
    peeled = peeled._replace(starts=[low + place for place in peeled.starts], ends=[low + place for place in peeled.ends])
    inner = view(peeled.text, peeled.at, layers[1:]) if len(layers) > 1 else peeled
    return inner and (inner.through(peeled) if inner is not peeled else peeled)


def decoded(span: bytes, layers: Sequence[Layer]) -> bytes:
    """What stands in `span` behind these layers: a token, perhaps with some bytes around it. Raises `ValueError`."""
    for layer in layers:
        if layer.name not in LAYERS:
            raise ValueError(f"no layer {layer.name!r}")
        span = LAYERS[layer.name].decode(span, layer.parameter)
    return span


def serves(known: View, start: int, anchor: str) -> View | None:
    """The view `known` for another form at byte `start`; ``None`` if it doesn't reach well beyond it, or `anchor` isn't there."""
    return known.moved(start, anchor.encode(), _ROOM)
