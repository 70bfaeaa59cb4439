"""JSON has the bytes of `json`, whatever stands in it."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from patscan.formats.ascii_json import compact, indented, write_items
from patscan.kind import Kind

texts = st.text(st.characters(blacklist_categories=[]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.sampled_from(Kind),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=values)
@example(value=["glpat-…(26)", "\x7f\x80\u2028\U0001f600", "\ud800", "\udcff…", 1 << 64, {}, [], {"é": []}])
def test_the_bytes_are_those_of_json(value: Any) -> None:
    assert compact(value) == json.dumps(value, separators=(",", ":"))
    assert indented(value) == json.dumps(value, indent=2)


@settings(max_examples=100, deadline=None)
@given(items=st.lists(st.dictionaries(texts, values, max_size=3), max_size=3))
def test_a_list_is_indented_as_a_whole(items: list[dict[str, Any]]) -> None:
    stream = io.StringIO()
    stream.write('{\n  "items": ')
    write_items(stream, items, "\n  ")
    assert f"{stream.getvalue()}\n}}" == json.dumps({"items": items}, indent=2)


def test_other_objects_become_what_the_default_gives() -> None:
    assert compact({"a": {3}, "b": "\ud800"}, sorted) == '{"a":[3],"b":"\\ud800"}'
    assert compact({"a": {3}}, sorted) == '{"a":[3]}'
