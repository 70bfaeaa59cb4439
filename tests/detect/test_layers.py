"""Every kind of token behind every layer, and bytes that only look like layers."""

from __future__ import annotations

import base64
import gzip
import random
import time

import pytest

from patscan import layers, rulebook
from patscan.detect.matcher import Matcher
from tests.tokens import FRIENDLY, classic, friendly, jwt, routable
from tests.wrapped import ENDLESS, KINDS, WRAPPERS

MATCHER = Matcher(rulebook.load())
FOLDS = ("\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\n> ", '" +\n  "', "\\\n", "'\n  '", "=\n")


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_kind_is_whole(wrapper: str) -> None:
    for kind, make in KINDS.items():
        rng = random.Random(f"{kind} {wrapper} seed")
        for _ in range(3):
            token = make(rng)
            content = WRAPPERS[wrapper](token, rng)
            captures = MATCHER.find(content)
            whole = [capture for capture in captures if capture.secret.reveal() == token.encode() and capture.confidence != "low"]
            assert whole, (kind, wrapper)
            assert len(whole) == len([capture for capture in captures if capture.confidence != "low"]), (kind, wrapper)
            assert token.encode() in layers.decoded(content[whole[0].start : whole[0].end], whole[0].layers), (kind, wrapper)


def _folded(raw: bytes, first: int, width: int, fold: str) -> bytes:
    """`raw` in lines of `width` characters, of which the first line has `first`."""
    text = raw.decode()
    lines = [text[:first], *(text[place : place + width] for place in range(first, len(text), width))]
    return ("key:\n" + fold.join(lines) + "\n\n").encode()


@pytest.mark.parametrize("kind", ["gitlab-pat", "gitlab-routable-custom-prefix", "gitlab-runner-token", "gitlab-runner-registration-token"])
@pytest.mark.parametrize("phase", range(3))
@pytest.mark.parametrize("is_twice", [False, True])
def test_a_fold_stands_at_any_character_of_an_anchor(rng: random.Random, kind: str, phase: int, is_twice: bool) -> None:
    token = routable(rng, "") if kind == "gitlab-routable-custom-prefix" else KINDS[kind](rng)
    raw = base64.b64encode("#".rjust(60 + phase).encode() + f" {token}\nname = another\n".encode())
    raw = base64.b64encode(raw) if is_twice else raw
    anchor = token.find(".01.") if kind == "gitlab-routable-custom-prefix" else 0
    begin = (61 + phase + anchor) * 4 // 3 * (4 if is_twice else 3) // 3 - 2
    for first in range(begin, begin + 22):
        fold = rng.choice(FOLDS)
        content = _folded(raw, first, 75, fold)
        likely = [capture for capture in MATCHER.find(content) if capture.confidence != "low"]
        assert [capture.secret.reveal() for capture in likely] == [token.encode()], (first - begin, fold)
        assert token.encode() in layers.decoded(content[likely[0].start : likely[0].end], likely[0].layers)


def test_a_part_of_a_folded_form_is_no_token_of_its_own() -> None:
    """The characters of an anchor's beginning stand before a fold, but another text follows."""
    for after in (b"glpa: the-name-of-a-thing", b"glpxt-abcdefghijklmnop", b".01_abcdefghi"):
        for before in range(3):
            raw = base64.b64encode(b"x" * (before + 30) + after + b" and more of it")
            for first in range(36, 56):
                assert not MATCHER.find(_folded(raw, first, 75, "\n")), (after, before, first)


def test_the_layers_are_told_outermost_first(rng: random.Random) -> None:
    content = WRAPPERS["JSON of base64 of base64 of a split"](classic(rng), rng)
    (capture,) = MATCHER.find(content)
    assert capture.encodings[-3:] == ("base64", "base64", "joined")
    assert capture.confidence == "medium"


def test_a_join_is_proved_by_the_checksum_or_medium(rng: random.Random) -> None:
    for token, sure in ((routable(rng), "certain"), (classic(rng), "medium")):
        (capture,) = MATCHER.find(f'"{token[:12]}" + "{token[12:]}"'.encode())
        assert (capture.secret.reveal(), capture.confidence) == (token.encode(), sure)


@pytest.mark.parametrize("kind", sorted(ENDLESS))
def test_a_token_of_no_exact_length_goes_on_in_the_next_line_only_inside_of_quotes(rng: random.Random, kind: str) -> None:
    token = KINDS[kind](rng)
    wrapped = f"{token[:-4]}\n    {token[-4:]}"
    (capture,) = MATCHER.find(f'a = "{wrapped}"\n'.encode())
    assert (capture.secret.reveal(), capture.confidence) == (token.encode(), "medium")
    for text in (f"a: {token}\n  next: 1\n", f"{token}\nEOF\n", f'"{token}"\nword\n', f"'{token}\nword\" x\n"):
        (capture,) = MATCHER.find(text.encode())
        assert capture.secret.reveal() == token.encode(), text


def _lines(text: str, width: int) -> str:
    return "\n".join(text[place : place + width] for place in range(0, len(text), width))


@pytest.mark.parametrize("kind", sorted(ENDLESS))
@pytest.mark.parametrize("before", ["", "> ", "    "])
def test_a_token_of_no_exact_length_goes_on_where_all_lines_are_full(rng: random.Random, kind: str, before: str) -> None:
    token = KINDS[kind](rng)
    for place in range(9, min(len(token), 71)):
        head = "z" * (72 * 2 - place - 1) + " " + token[:place]
        text = _lines(head, 72) + "\n" + token[place:] + " and so on\n"
        content = "".join(before + line + "\n" for line in text.splitlines()).encode()
        likely = [capture for capture in MATCHER.find(content) if capture.confidence != "low"]
        assert [(capture.secret.reveal(), capture.confidence) for capture in likely] == [(token.encode(), "medium")], place


@pytest.mark.parametrize("kind", sorted(ENDLESS))
def test_what_stands_in_the_line_below_a_token_is_no_part_of_it(rng: random.Random, kind: str) -> None:
    token, another = (KINDS[kind](random.Random(seed)) for seed in (4, 5))
    another = another[: len(token)].ljust(len(token), "1")
    for text in (
        f"export FIRST_TOKEN={token}\nexport OTHER_TOKEN={another}\nexport THIRD_VALUE={'1' * len(token)}\n",
        f"FIRST_TOKEN_OF_TWO={token}\n1234567890123456=={'1' * len(token)}\n",
        f"SHORT={token}\nLONGER_KEY={'1' * (len(token) - 5)}\n",
        f"{token}\n{another}\n",
        f"a list of tokens, one a line:\n{token}\n{another}\n{token}\n",
        f"anna    {token}\nbeate   {another}\nclaudia {token}\n",
        f"1,anna,{token}\n2,bert,{another}\n3,carl,{token}\n",
        f"1 anna {token}\n2 bert {'1' * len(token)}\n3 carl {'2' * len(token)}\n",
        f"{'x' * 40} {token}\nabc\n",
        f"{'x' * 30}\n{'x' * 41} {token}\nabc def\n",
        f"{'x' * (len(token) + 41)}\n{'x' * 40} {token}\nabc {'y' * 200}\n",
        f"a: {token}\n12\n34\n",
    ):
        content = text.encode()
        alone = {
            capture.secret.reveal(): capture.confidence for value in (token, another) for capture in MATCHER.find(f"{value}\n".encode())
        }
        captures = [capture for capture in MATCHER.find(content) if capture.secret.reveal()[:10] == token.encode()[:10]]
        assert captures, text
        assert {capture.secret.reveal() for capture in captures} == {token.encode()}, text
        assert {capture.confidence for capture in captures} == {alone[token.encode()]}, text


def test_short_lines_are_not_full(rng: random.Random) -> None:
    token = KINDS["gitlab-incoming-mail-token"](rng)[:-1]
    captures = MATCHER.find(f"{'x' * len(token)}\n{token}\n1\n".encode())
    assert [capture.secret.reveal() for capture in captures] == [token.encode()]


def test_two_tokens_of_one_stream_are_both_found(rng: random.Random) -> None:
    tokens = {classic(rng).encode() for _ in range(3)}
    content = base64.b64encode(gzip.compress(b"\n".join(tokens)))
    assert {capture.secret.reveal() for capture in MATCHER.find(content)} == tokens


def test_lines_that_follow_each_other_are_not_joined(rng: random.Random) -> None:
    tokens = [classic(rng).encode() for _ in range(4)]
    values = b"".join(b"  key%d: %s\n" % (number, base64.b64encode(token + b"!")) for number, token in enumerate(tokens))
    assert [capture.secret.reveal() for capture in MATCHER.find(b"data:\n" + values)] == tokens


@pytest.mark.parametrize("prefix", ["glagent-", "glwt-"])
def test_a_wrong_character_is_a_wrong_checksum(rng: random.Random, prefix: str) -> None:
    token = routable(rng, prefix)
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), token[:20] + ("A" if token[20] != "A" else "B") + token[21:]):
        (capture,) = MATCHER.find(f"t={wrong}\n".encode())
        assert (capture.confidence, capture.reason) == ("low", "checksum")
    (capture,) = MATCHER.find(f"t={token[: token.index('.')]}\n".encode())
    assert capture.evidence[0].type == "truncated"


@pytest.mark.parametrize("size", [256, 384, 512])
@pytest.mark.parametrize("after", ["_old", "-x", "abc"])
def test_what_is_glued_to_a_signature_is_cut_off(rng: random.Random, size: int, after: str) -> None:
    token = jwt(rng)
    token = token[: token.rindex(".") + 1] + base64.urlsafe_b64encode(rng.randbytes(size)).rstrip(b"=").decode()
    (capture,) = MATCHER.find(f"t={token}{after} ".encode())
    assert (capture.secret.reveal(), capture.confidence) == (token.encode(), "medium")


def test_half_a_signature_is_no_token(rng: random.Random) -> None:
    (capture,) = MATCHER.find(f"t={jwt(rng)[:-100]} ".encode())
    assert (capture.confidence, capture.reason) == ("low", "length")


@pytest.mark.parametrize("after", [b"2026-11-21T08:00:00", b"invalid argument", b"Zx9"])
def test_the_next_string_of_a_binary_file(rng: random.Random, after: bytes) -> None:
    for kind in ("gitlab-pat", "gitlab-trigger-token", "gitlab-oauth-application-secret", "gitlab-agent-token"):
        token = KINDS[kind](rng).encode()
        (capture,) = MATCHER.find(b"SQLite format 3\0\x10\0" + b"\x07" + token + after + b"\0\0")
        assert (capture.secret.reveal(), capture.confidence) == (token, "medium"), kind
        (capture,) = MATCHER.find(b"a text: " + token + after + b"\n")
        assert capture.confidence == "low", kind


def test_a_prefix_among_the_strings_of_a_program() -> None:
    table = b"\0\0glpat-glrt-gldt-runtime error: invalid memory address or nil pointer\0globalgoroutGODEBUGint\0"
    assert not [capture for capture in MATCHER.find(table) if not capture.reason]
    assert not [capture for capture in MATCHER.find(b"\0glpat-invalidArgumentHeaderValue\0") if not capture.reason]


def _megabyte(part: bytes) -> bytes:
    return (part * ((1 << 20) // len(part) + 1))[: 1 << 20]


def _deep(token: bytes, depth: int) -> bytes:
    for _ in range(depth):
        token = base64.b64encode(token[: 1 << 16])
    return token


HOSTILE = {
    "percents": _megabyte(b"%25"),
    "escaped anchors": _megabyte(b"glpat-%41"),
    "folded anchors": _megabyte(b"Z2xwYXQt\n"),
    "beginnings of folded anchors": _megabyte(b"Z2xw\n"),
    "signs of streams": _megabyte(b"H4sIAAAAAAAA"),
    "invalid base64": _megabyte(b"Z2xwYXQt="),
    "lone surrogates": _megabyte(rb"glpat-\ud800"),
    "overlong UTF-8": _megabyte(b"glpat-\xc0\xaf"),
    "joints": _megabyte(b'glpat-" + "'),
    "spaces": b'glpat-"' + b" " * (1 << 20),
    "soft breaks": _megabyte(b"glpat-=\n"),
    "round in a circle": _megabyte(b"glpat-%5c\\u0025=\n"),
    "base64 of base64 …": _deep(b"glpat-", 100),
    "a bomb": base64.b64encode(gzip.compress(bytes(1 << 28))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_take_bounded_time(name: str) -> None:
    content = HOSTILE[name]
    begun = time.process_time()
    MATCHER.captures(content, MATCHER.anchors.hits(content, 1000)[:1000])
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("seed", range(4))
def test_noise_holds_no_token(seed: int) -> None:
    rng = random.Random(seed)
    noise = rng.randbytes(1 << 22)
    for content in (noise, base64.b64encode(noise), base64.encodebytes(noise), noise.hex().encode()):
        assert not [capture for capture in MATCHER.find(content) if not capture.reason]


def test_the_alphabet_of_the_tests_is_the_generators() -> None:
    assert len(FRIENDLY) == 60
    assert len(friendly(random.Random(1), 50)) == 50
