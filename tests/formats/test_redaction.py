"""No format shows a token without being asked, wherever the repository has put it."""

from __future__ import annotations

import base64
import io
import random
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patscan import formats, rulebook
from patscan.formats import redaction
from patscan.formats.redaction import redacted, unshaped
from patscan.formats.strings import strings
from patscan.model import Commit, Coverage, Evidence, Exposure, Finding, Note, Position, Rule, Skip, Target, Verdict
from patscan.secret import Secret
from tests.formats.parsing import JSON, parsed
from tests.formats.reports import PLAIN, finding, occurrence, report, secret, written
from tests.tokens import classic, friendly, hexadecimal, jwt, routable

TYPES = ("blob", "file", "index", "symlink", "commit-message", "author", "tag-message", "note", "ref-name", "stdin")
HOSTILE = "\n\r\t\0\x1b\"'\\\u202e\u2066\u200b\ufeff\udcff\udc80\ud800\u2028`${}%<>&é日\U0001f600"

seeds = st.integers(0, 1 << 32).map(random.Random)
nasty = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters(blacklist_categories=[])), max_size=12)


def encodings_of(token: str) -> list[str]:
    """Every way in which a path or an author can hold `token`."""
    raw = token.encode()
    return [
        token,
        token.partition("-")[2],
        base64.b64encode(raw).decode(),
        base64.b64encode(b"x" + raw).decode(),
        base64.urlsafe_b64encode(b"xy" + raw + b"!").decode(),
        raw.hex(),
        raw.hex().upper(),
        re.sub(r"[-_.=@]", lambda match: f"%{ord(match[0]):02X}", token),
        re.sub(r"[-_.=@]", lambda match: f"%{ord(match[0]):02x}", token),
    ]


def hostile_finding(token: str, text: str, kind: str) -> Finding:
    """`text` in every field that a repository or a server decides."""
    where = occurrence(
        token, type=kind, path=text, author=text, commit="c" * 40, blob="b" * 40, frame=(text, f"x {secret(token)} {text}", text)
    )
    bare = occurrence(token, type=kind, path=None)
    return finding(
        token,
        where,
        bare,
        evidence=(Evidence("prefix", {"text": text}), Evidence("jwt", {"issuer": text, "job": 7})),
        exposure=Exposure(Commit("c" * 40, text, "2024-05-01T00:00:00+00:00"), None, True, (text,), True, True),
        verdict=Verdict("active", text, {"name": text}),
    )


def leaks(output: str, token: str) -> list[str]:
    """Stretches of the body of `token`, plain or encoded, that stand in `output`."""
    body = token.partition("-")[2]
    stretches = [body[i : i + 8] for i in range(len(body) - 7)]
    for phase in range(3):
        encoded = base64.b64encode(b"x" * phase + body.encode()).decode()[2:-4]
        stretches += [encoded[i : i + 8] for i in range(len(encoded) - 7)]
    hexed = body.encode().hex()
    stretches += [hexed[i : i + 16] for i in range(len(hexed) - 15)]
    return [stretch for stretch in stretches if stretch in output or stretch in output.replace("\\/", "/")]


@settings(max_examples=150, deadline=None)
@given(rng=seeds, before=nasty, after=nasty, kind=st.sampled_from(TYPES), form=st.integers(0, 8), color=st.booleans(), many=st.booleans())
@example(rng=random.Random(1), before="\udcff", after="\n", kind="blob", form=3, color=True, many=False)
@example(rng=random.Random(1), before="\udcff", after="\n", kind="blob", form=3, color=True, many=True)
def test_no_token_in_any_text(rng: random.Random, before: str, after: str, kind: str, form: int, color: bool, many: bool) -> None:
    token = rng.choice([classic, routable])(rng)
    text = f"{before}{encodings_of(token)[form]}{after}"
    coverage = Coverage(1, 1, 1, (Skip(text, text),), (Note(text, text),))
    hostile = hostile_finding(token, text, kind)
    made = report(hostile, ignored=(hostile._replace(reason="baseline"),), coverage=coverage, target=Target("history", text, text, "HEAD"))
    with searched_as(many):
        for name in formats.FORMATS:
            output = written(name, made, PLAIN._replace(color=color))
            assert leaks(output, token) == [], name
            output.encode()
            parsed(name, output)
            if name in JSON:
                assert output.isascii()
            assert output == written(name, made, PLAIN._replace(color=color))


def searched_as(many: bool) -> AbstractContextManager[object]:
    """With `many`, only suspects are searched, however few findings there are; otherwise all strings."""
    return mock.patch.object(redaction, "_MANY", 0 if many else 1 << 30)


@settings(max_examples=150, deadline=None)
@given(rng=seeds, words=st.lists(st.tuples(nasty, st.integers(0, 2), st.integers(0, 8), st.integers(-9, 9)), min_size=1, max_size=6))
def test_a_search_of_suspects_masks_what_a_search_of_all_strings_masks(rng: random.Random, words: list[tuple[str, int, int, int]]) -> None:
    # All tokens of one prefix, as long as what the search looks up; a cut form is none, and mustn't be masked.
    tokens = [f"gliamac-abc-{friendly(rng)}" for _ in range(3)]
    rule = finding(tokens[0]).rule._replace(prefix="gliamac-abc-")
    forms = [(text, encodings_of(tokens[token])[form], cut) for text, token, form, cut in words]
    texts = [text + (form[cut:] if cut >= 0 else form[:cut]) for text, form, cut in forms]
    place = occurrence(tokens[0], path=texts[0], author="".join(texts), frame=tuple(texts), message="\n".join(texts))
    made = report(*(finding(token, place, secret=secret(token, "gliamac-abc-"), rule=rule) for token in tokens))
    with searched_as(True):
        some = redacted(made)
    with searched_as(False):
        assert some == redacted(made)


@pytest.mark.parametrize("path", ["{}", "{}/x", "x/{}", "x{}x"])
def test_the_shortest_token_is_a_suspect_wherever_it_begins(path: str) -> None:
    place = occurrence("zq4kd8fw", path=path.format("zq4kd8fw"), frame=("a",), author="a")
    made = report(finding("zq4kd8fw", place, secret=secret("zq4kd8fw", ""), rule=finding("zq4kd8fw").rule._replace(prefix="")))
    with searched_as(True):
        assert redacted(made).findings[0].occurrences[0].sighting.path == path.format("…(8)")


@pytest.mark.parametrize("body", [b"zq4k\xffd8fw", b"\xff" * 16, "zq4ké日d8fwzq4k".encode(), b"0123456789abcdef\xed\xa0\x80"])
@pytest.mark.parametrize("many", [True, False])
def test_bytes_that_are_no_text_are_masked_as_a_path_shows_them(body: bytes, many: bool) -> None:
    place = occurrence("x", path=f"a/{body.decode('utf-8', 'surrogateescape')}/b", author=f"=é\ud800{body.hex()}")
    made = report(finding("x", place, secret=Secret(body), rule=finding("x").rule._replace(prefix="")))
    with searched_as(many):
        sighting = redacted(made).findings[0].occurrences[0].sighting
    assert sighting.path == f"a/…({len(body)})/b"
    assert sighting.author == f"=é\ufffd…({len(body)})"


@settings(max_examples=50, deadline=None)
@given(rng=seeds, text=nasty, kind=st.sampled_from(TYPES))
def test_all_strings_are_collected(rng: random.Random, text: str, kind: str) -> None:
    made = report(hostile_finding(classic(rng), text, kind), finding(classic(rng)), coverage=Coverage(1, 1, 1, (Skip(text, text),)))
    made = made._replace(ignored=(made.findings[0]._replace(verdict=Verdict(facts={"groups": ({"path": "deep"}, "x"), "id": 1})),))
    assert strings(made) == {*texts_in(made)}
    assert {"deep", "x"} < strings(made)


def texts_in(value: object) -> Iterator[str]:
    """The strings in `value`, one by one."""
    if type(value) is str:
        yield value
    elif isinstance(value, (tuple, dict)) and not isinstance(value, (Rule, Position)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


def test_a_large_saved_report_has_no_token_to_search_for(rng: random.Random) -> None:
    token = classic(rng)
    saved = finding(token, secret=Secret.masked("glpat-…(26)"))
    assert redacted(report(*[saved] * 600)).findings[0].occurrences[0].sighting.path == "config/app.yml"


@settings(max_examples=100, deadline=None)
@given(rng=seeds, text=nasty, kind=st.sampled_from(TYPES), reveal=st.booleans())
def test_text_never_steers_a_terminal(rng: random.Random, text: str, kind: str, reveal: bool) -> None:
    made = report(hostile_finding(classic(rng), text, kind), coverage=Coverage(skipped=(Skip(text, text),)), target=Target("files", text))
    for color in (False, True):
        for name in ("text", "brief"):
            output = written(name, made, PLAIN._replace(color=color, reveal=reveal))
            plain = re.sub("\x1b\\[[0-9;]*m", "", output) if color else output
            assert all(char.isprintable() for char in plain.replace("\n", ""))


def test_paths_that_look_like_a_line_stay_one(rng: random.Random) -> None:
    made = report(finding(token := classic(rng), occurrence(token, path="a\nNo token found.\n\x1b[2J")))
    assert written("text", made).splitlines()[1].startswith("    a\\nNo token found.\\n\\x1b[2J:12:10  ")
    assert written("text", made).count("\nNo token found.") == 0


@pytest.mark.parametrize("form", range(9))
def test_ref_name_keeps_what_is_not_the_token(form: int, rng: random.Random) -> None:
    token = classic(rng)
    place = occurrence(token, type="ref-name", path=f"refs/heads/fix/{encodings_of(token)[form]}/ü", blob=None)
    shown = redacted(report(finding(token, place))).findings[0].occurrences[0].sighting.path or ""
    assert shown.startswith("refs/heads/fix/")
    assert shown.endswith("/ü")
    assert "…(26)" in shown
    assert leaks(shown, token) == []


def test_whole_token_is_shown_as_its_mask(rng: random.Random) -> None:
    token = classic(rng)
    place = occurrence(token, type="author", path=None, author=f"{token} <{token}@example.com>")
    sighting = redacted(report(finding(token, place))).findings[0].occurrences[0].sighting
    assert sighting.author == "glpat-…(26) <glpat-…(26)@example.com>"


def test_other_findings_hide_it_too(rng: random.Random) -> None:
    first, second = classic(rng), jwt(rng)
    made = report(finding(first), finding(second, occurrence(second, path=f"tokens/{first}")))
    assert redacted(made).findings[1].occurrences[0].sighting.path == "tokens/glpat-…(26)"


def test_near_misses_hide_no_words() -> None:
    made = report(finding("glpat-secrets", occurrence("glpat-secrets", path="config/secrets/app.yml")))
    assert redacted(made).findings[0].occurrences[0].sighting.path == "config/secrets/app.yml"


def test_token_without_a_prefix(rng: random.Random) -> None:
    token = friendly(rng)
    rule = finding(token).rule._replace(prefix="")
    made = finding(token, occurrence(token, path=f"x/{token}"), secret=secret(token, ""), rule=rule)
    assert redacted(report(made)).findings[0].occurrences[0].sighting.path == "x/…(20)"


def test_every_shipped_prefix_is_masked_without_its_rule(rng: random.Random) -> None:
    prefixes = {rule.prefix for rule in rulebook.load()} - {""}
    assert len(prefixes) > 10
    for prefix in prefixes:
        token = hexadecimal(rng, prefix, 20)
        assert unshaped(f"a {token} b") == f"a {prefix}…({len(token)}) b", f"add {prefix} to PREFIXES in patscan/secret.py"


def test_nothing_else_changes(rng: random.Random) -> None:
    made = report(finding(classic(rng)), finding(hexadecimal(rng, "GR1348941", 20)), ignored=(finding(routable(rng)),))
    assert redacted(made) == made


@pytest.mark.parametrize("prefix", ["glpat-", "GR1348941", "gliamac-abc-"])
def test_many_findings_take_no_time(prefix: str, rng: random.Random) -> None:
    # A long prefix is how all of them begin, masks included: none may be compared with each of the others.
    tokens = [f"{prefix}{friendly(rng)}" for _ in range(5000)]
    rule = finding(tokens[0]).rule._replace(prefix=prefix)
    made = report(
        *(
            finding(
                token,
                occurrence(token, path=f"{other}/{prefix}x", frame=(f"a {secret(token, prefix)}",)),
                secret=secret(token, prefix),
                rule=rule,
            )
            for token, other in zip(tokens, tokens[1:] + tokens[:1], strict=True)
        )
    )
    stream = io.StringIO()
    formats.write("json", made, stream, PLAIN)
    assert stream.getvalue().count(f'"path": "{prefix}\\u2026({len(prefix) + 20})/{prefix}x"') == 5000


@pytest.mark.parametrize("body", ["application-settings", "personal-access-token"])
def test_a_placeholder_hides_nobodys_words(body: str) -> None:
    sample = f"glpat-{body}"
    made = report(ignored=(finding(sample, occurrence(sample, path=f"config/{body}.yml"), reason="placeholder"),))
    assert redacted(made).ignored[0].occurrences[0].sighting.path == f"config/{body}.yml"
    assert f"config/{body}.yml" in written("json", made)


def test_zeros_stay_zeros() -> None:
    zeros = "0" * 40
    rule = finding(zeros).rule._replace(prefix="")
    made = finding(zeros, occurrence(zeros, commit=zeros), secret=secret(zeros, ""), rule=rule, reason="placeholder")
    assert redacted(report(ignored=(made,))).ignored[0].occurrences[0].sighting.commit == zeros


@pytest.mark.parametrize(("reason", "masked"), [("baseline", True), ("was there before", True), ("", True), ("checksum", False)])
def test_only_the_bodies_of_tokens_that_were_found_are_masked_alone(rng: random.Random, reason: str, masked: bool) -> None:
    token = classic(rng)
    body = token.removeprefix("glpat-")
    made = report(ignored=(finding(token, occurrence(token, path=f"{body}/{token}"), reason=reason),))
    assert redacted(made).ignored[0].occurrences[0].sighting.path == f"{'…(26)' if masked else body}/glpat-…(26)"
