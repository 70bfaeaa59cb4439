"""Decodings between a content and a token in it.

A layer is a module here and one line in `LAYERS`. It gives the forms of a text, which are the literals to search for, and the views of a
content, which are decoded texts. Layers compose: a form of a form has two layers, and so has a view of a view's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from patscan import folds
from patscan.layers import base64, hexadecimal, joined, quoted, stream, wide
from patscan.layers.backslash import BACKSLASH
from patscan.layers.escapes import Escapes
from patscan.layers.html import HTML
from patscan.layers.percent import PERCENT
from patscan.layers.view import View
from patscan.model import Layer
from patscan.tuples import NamedTuple

_BEFORE, _AFTER = 2 << 10, 64 << 10
"""Encoded bytes that are read to the left and to the right of an anchor."""
_ROOM = 12 << 10
"""Encoded bytes behind an anchor that a view must have to serve it. A JWT job token in base64 has up to 8 kB."""
REACH = 12 << 10
"""Bytes behind a plain anchor in which breaks are read."""
_STREAM = 4 << 20
"""Encoded bytes read of a compressed stream: a Helm release has up to 1 MiB."""
_HEAD = 4 << 10
"""Encoded bytes that show whether a stream begins there."""
_GLIMPSE = 96
"""Encoded bytes to each side of a part of a form that show whether the form is there."""
_LONGEST_BREAK = 512
"""Bytes that a break has at most."""
_RUN = re.compile(rb"[A-Za-z0-9+/_.@-]*(?:=(?![0-9A-F]{2}|[ \t]*\r?\n)[A-Za-z0-9+/_.@-]*)*")
_RUNNING = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_NEAR, _FAR = 400, 1200
"""Characters to the left and right of an anchor in which the first break is searched: more than a routable token has in base64."""
_BREAKS = re.compile(rb"""[%&=\\^"'`\r\n]""")
"""The first character of a break."""


class Codec(NamedTuple):
    """The functions and patterns of a layer."""

    forms: Callable[[bytes], Iterator[tuple[bytes, int]]]
    """The forms of a text, each with the parameter for `views`."""
    views: Callable[[bytes, int, int], Iterator[View]]
    """The views of a content around the form at this byte, with this parameter; none if the form isn't part of an encoded text."""
    decode: Callable[[bytes, int], bytes]
    """The text of a span from a token's first to its last character. A few bytes may precede and follow the token."""
    mark: re.Pattern[bytes]
    """Matches in every content that contains one of the layer's forms."""
    within: re.Pattern[bytes] | None = None
    """Matches where this layer interrupts a token whose anchor is plain."""
    few: Callable[[bytes], Iterator[tuple[bytes, int]]] | None = None
    """The most usual `forms`: those that are searched for inside another layer. ``None``: all."""
    around: Callable[[bytes], Iterator[tuple[bytes, int]]] | None = None
    """The `forms` that are searched for around another layer. ``None``: `few`."""
    parameter: Callable[[int, int], int] = lambda parameter, _byte: parameter
    """The parameter for `decode` of a span that begins with this byte of the view's text, from the parameter of the form."""


def _escapes(escapes: Escapes, mark: bytes) -> Codec:
    return Codec(escapes.forms, escapes.views, escapes.decode, re.compile(mark), escapes.pattern, escapes.few)


LAYERS: dict[str, Codec] = {
    "utf-16": Codec(wide.forms_of(2), wide.views_of(2), wide.decode_of(2), re.compile(rb"\0")),
    "utf-32": Codec(wide.forms_of(4), wide.views_of(4), wide.decode_of(4), re.compile(rb"\0")),
    "hex": Codec(hexadecimal.forms, hexadecimal.views, hexadecimal.decode, hexadecimal.MARK),
    "percent": _escapes(PERCENT, rb"%[0-9A-Fa-f]{2}"),
    "backslash": _escapes(BACKSLASH, rb"\\(?:[ux][0-9A-Fa-f{]|[0-7]{2}|[-_.=@])"),
    "html": _escapes(HTML, rb"&(?:#[xX]?[0-9A-Fa-f]{2,8}|[A-Za-z]{3,8});"),
    "quoted-printable": _escapes(quoted.QUOTED, rb"=(?:[0-9A-Fa-f]{2}|\r?\n)")._replace(forms=quoted.forms),
    "joined": Codec(joined.forms, joined.views_of(joined.JOINED), joined.decode, joined.JOINED, joined.JOINED),
    "wrapped": Codec(joined.forms, joined.views_of(joined.JOINT), joined.decode, joined.JOINT, joined.JOINT),
    "base64": Codec(base64.forms, base64.views, base64.decode, base64.MARK, None, base64.few, base64.around, base64.parameter),
    "gzip": Codec(stream.forms, stream.views, stream.decode, re.compile(rb"\x1f\x8b\x08")),
}
"""Every layer by its name in reports."""

PAIRS: tuple[tuple[str, ...], ...] = (
    *((name,) for name in LAYERS if name not in {"joined", "wrapped", "gzip"}),
    ("base64", "base64"),
    ("base64", "utf-16"),
    ("base64", "backslash"),
    ("base64", "percent"),
    ("hex", "utf-16"),
    ("utf-16", "base64"),
    ("utf-16", "backslash"),
    ("percent", "percent"),
    ("percent", "backslash"),
    ("backslash", "backslash"),
)
"""The layers, and the layers in layers, in which anchors are searched for, outermost first."""

STREAMS: tuple[tuple[str, ...], ...] = (("base64", "gzip"), ("base64", "base64", "gzip"))
"""The layers in which compressed streams are searched for, outermost first."""


class Form(NamedTuple):
    """A text encoded with some layers, outermost first."""

    literal: bytes
    layers: tuple[Layer, ...]


class Reading(NamedTuple):
    """A content, decoded from some layers, outermost first. Each view is a view of the text of the view before it."""

    layers: tuple[Layer, ...]
    views: tuple[View, ...]

    @property
    def view(self) -> View:
        """The innermost view."""
        return self.views[-1]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open byte span in the content of the half-open span in the innermost text."""
        for view in reversed(self.views):
            start, end = view.span(start, end)
        return start, end

    def layers_at(self, start: int) -> tuple[Layer, ...]:
        """The layers, with the parameters for `decoded` of a span that begins with byte `start` of the innermost text."""
        layers: list[Layer] = []
        for layer, view in zip(reversed(self.layers), reversed(self.views), strict=False):
            layers.append(Layer(layer.name, LAYERS[layer.name].parameter(layer.parameter, start)))
            start, _ = view.span(start, start + 1)
        return tuple(reversed(layers))


def forms(anchor: str, chains: Sequence[Sequence[str]] = ((), *PAIRS)) -> Iterator[Form]:
    """Every form of `anchor` behind one of `chains`."""
    for names in chains:
        yield from _wrapped(Form(anchor.encode(), ()), names)


def _wrapped(form: Form, names: Sequence[str]) -> Iterator[Form]:
    """`form` behind the layers `names`."""
    if not names:
        yield form
        return
    codec = LAYERS[names[-1]]
    encoded = codec.forms
    if len(names) > 1 or form.layers:
        encoded = (codec.around if len(names) == 1 else None) or codec.few or codec.forms
    for literal, parameter in encoded(form.literal):
        yield from _wrapped(Form(literal, (Layer(names[-1], parameter), *form.layers)), names[:-1])


def readings(data: bytes | memoryview, start: int, layers: Sequence[Layer], anchor: str = "") -> Iterator[Reading]:
    """The readings of `data` around a form of `anchor` at byte `start`, the one with the fewest layers first."""
    if not layers:
        content = data if isinstance(data, bytes) else bytes(data)
        yield Reading((), (View(content, start),))
        if not is_broken(content, start):
            return
    if is_part(layers) and not _shows(data, start, layers, anchor.encode()):
        return
    low = max(start - _BEFORE, 0) & ~3  # code units stay aligned
    streamed = bool(layers) and layers[-1].name == "gzip"
    # A stream is read to its end only if its beginning can be decoded.
    if streamed and next(_readings(bytes(data[start : start + _HEAD]), 0, layers, soft=0), None) is None:
        return
    near = bytes(data[low : start + (_STREAM if streamed else _AFTER if layers else REACH)])
    reaches_end = low + len(near) >= len(data)
    for reading in _readings(near, start - low, layers):
        if reading.views:
            view = reading.views[0].shifted(low)
            ends = reaches_end or (len(view.ends) > 0 and view.ends[-1] < low + len(near) - _LONGEST_BREAK)
            yield reading._replace(views=(view._replace(is_whole=view.is_whole and ends), *reading.views[1:]))


def _shows(data: bytes | memoryview, start: int, layers: Sequence[Layer], anchor: bytes) -> bool:
    """Whether the part of a form at byte `start` is part of a form of `anchor`. Most are part of another text."""
    low = max(start - _GLIMPSE, 0) & ~3
    near = bytes(data[low : start + _GLIMPSE])
    return any(text.startswith(anchor, at) for text, at in _texts(near, start - low, layers))


def _texts(text: bytes, at: int, layers: Sequence[Layer]) -> Iterator[tuple[bytes, int]]:
    """`text`, decoded from exactly these layers, with the place of byte `at` in the result."""
    if not layers:
        yield text, at
        return
    for view in LAYERS[layers[0].name].views(text, at, layers[0].parameter):
        yield from _texts(view.text, view.at, layers[1:])


_SOFT = 2
"""The most layers in a row that interrupt a token without changing its anchor."""


def _readings(text: bytes, at: int, layers: Sequence[Layer], soft: int = _SOFT) -> Iterator[Reading]:
    if not layers:
        yield Reading((), ())
    else:
        for view in LAYERS[layers[0].name].views(text, at, layers[0].parameter):
            yield from _within(view, layers[0], layers[1:], _SOFT)
    if soft:
        for name in _broken(text, at):
            for view in LAYERS[name].views(text, at, 0):
                yield from _within(view, Layer(name), layers, soft - 1)


def _within(view: View, layer: Layer, inner: Sequence[Layer], soft: int) -> Iterator[Reading]:
    for reading in _readings(view.text, view.at, inner, soft):
        yield Reading((layer, *reading.layers), (view, *reading.views))


def is_broken(data: bytes, start: int) -> bool:
    """Whether a layer may interrupt the run of characters around byte `start`."""
    return next(_broken(data, start), None) is not None


def _broken(text: bytes, at: int) -> Iterator[str]:
    """The layers that may interrupt the run of characters around byte `at`, at either end."""
    run = _RUN.match(text, at, at + _FAR)
    high = run.end() if run else at
    low = max(at - _NEAR, 0)
    low += len(text[low:at].rstrip(_RUNNING))
    if not _BREAKS.match(text, high) and not _BREAKS.search(text, max(low - 12, 0), min(low + 1, at)):
        return
    for name, codec in LAYERS.items():
        if codec.within and (codec.within.match(text, high) or codec.within.search(text, max(low - 12, 0), min(low + 12, at))):
            yield name


def decoded(span: bytes, layers: Sequence[Layer]) -> bytes:
    """`span`, decoded from these layers: a token, perhaps with a few bytes around it. Raises `ValueError`."""
    for layer in layers:
        if layer.name not in LAYERS:
            raise ValueError(f"no layer {layer.name!r}")
        span = LAYERS[layer.name].decode(span, layer.parameter)
    return span


def is_part(layers: Sequence[Layer]) -> bool:
    """Whether a form behind these layers is only the part of a folded form that remains in one line."""
    return bool(layers) and layers[0].name == "base64" and folds.is_part(layers[0].parameter)


def serves(known: Reading, start: int, anchor: str) -> Reading | None:
    """The reading `known` for a form of `anchor` at byte `start`; ``None`` if it doesn't reach far enough, or `anchor` isn't there."""
    if len(known.views) != 1:
        return None
    moved = known.view.moved(start, anchor.encode(), 0 if known.view.is_whole else _ROOM)
    return moved and known._replace(views=(moved,))
