"""What a rule of a user's own demands, from both sides; what must not match comes first."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from patscan import rulebook
from patscan.demands import Demands
from patscan.detect import claims, own
from patscan.detect.matcher import Capture, Matcher
from patscan.errors import RuleError
from patscan.model import Rule
from patscan.secret import Secret

BASE = {"id": "acme", "severity": "high", "anchors": ["acme_key"], "pattern": "acme_key=(?P<secret>[!-~]{1,200})"}
EXAMPLE = 'examples = [{ text = "acme_key=q7Zp_kX2mWv9RtYb4NdH", secret = "q7Zp_kX2mWv9RtYb4NdH" }]'
DRAWN = "q7ZpkX2mWv9RtYb4NdH3"


def rule(folder: Path, **fields: object) -> Rule:
    """The one rule of a file with these fields."""
    values = {**BASE, **fields}
    shown = {field: f"'{value}'" if isinstance(value, str) else value for field, value in values.items()}
    lines = [f"{field.replace('_', '-')} = {value}" for field, value in shown.items()]
    (folder / "own.toml").write_text("\n".join(["[[rule]]", *lines, EXAMPLE]))
    (loaded,) = (rule for rule in rulebook.load([folder]) if rule.id == "acme")
    return loaded


def captures(own_rule: Rule, text: str) -> list[Capture]:
    return Matcher([own_rule]).find(text.encode())


def result(own_rule: Rule, text: str) -> tuple[str, str]:
    (capture,) = captures(own_rule, text)
    return capture.confidence, capture.reason


def test_length_is_counted_behind_the_prefix(tmp_path: Path) -> None:
    exact = rule(tmp_path, length=20, alphabet="A-Za-z0-9")
    assert result(exact, f"acme_key={DRAWN}x") == ("low", "length")
    assert result(exact, f"acme_key={DRAWN[:-1]}") == ("low", "length")
    assert result(exact, f"acme_key={DRAWN}") == ("medium", "")
    between = rule(tmp_path, length=[19, 21], alphabet="A-Za-z0-9")
    for body, reason in ((DRAWN[:18], "length"), (DRAWN[:19], ""), (DRAWN + "x", ""), (DRAWN + "xy", "length")):
        assert result(between, f"acme_key={body}")[1] == reason
    prefixed = rule(
        tmp_path, prefix="acme-", anchors=["acme-"], pattern="(?P<secret>acme-[A-Za-z0-9]{20})", length=20, alphabet="A-Za-z0-9"
    )
    assert result(prefixed, f"acme-{DRAWN} ") == ("high", "")


def test_the_alphabet_is_all_there_is(tmp_path: Path) -> None:
    spelled = rule(tmp_path, alphabet="A-Za-y0-9")
    assert result(spelled, "acme_key=q7ZzkX2mWv9RtYb4NdH3") == ("low", "alphabet")
    assert result(spelled, f"acme_key={DRAWN}") == ("medium", "")
    assert result(rule(tmp_path, alphabet="!-~"), "acme_key=q7Z!kX2m+v9/tYb4=dH3") == ("medium", "")


def test_entropy_is_that_of_the_whole_secret(tmp_path: Path) -> None:
    strict = rule(tmp_path, min_entropy=4.0, body="typed")
    assert result(strict, "acme_key=abcdefghijklmno") == ("low", "entropy")
    assert result(strict, "acme_key=abcdefghijklmnopa") == ("low", "entropy")
    assert result(strict, "acme_key=abcdefghijklmnop") == ("medium", "")


@pytest.mark.parametrize(("text", "bits"), [(b"aaaa", 0), (b"abab", 1), (b"aabc", 1.5), (b"abcd", 2), (bytes(range(256)), 8), (b"", 0)])
def test_entropy_is_shannons(text: bytes, bits: float) -> None:
    assert own.entropy(text) == pytest.approx(bits)


def test_a_word_must_stand_near(tmp_path: Path) -> None:
    near = rule(tmp_path, near=["Acme.example", "deploy"], body="typed")
    assert captures(near, f"acme_key={DRAWN}") == []
    assert captures(near, f"ACME_EXAMPLE acme_key={DRAWN}deploy") == []  # in the secret, not beside it
    for before, after in (("see https://ACME.example/ ", ""), ("", "\n# Deploy it\n")):
        assert result(near, f"{before}acme_key={DRAWN}{after}") == ("medium", "")


def test_near_is_200_bytes(tmp_path: Path) -> None:
    near = rule(tmp_path, near=["deploy"], body="typed")
    for spaces, number in ((185, 1), (186, 0)):
        assert len(captures(near, f"deploy{' ' * spaces}acme_key={DRAWN}\n")) == number
    for spaces, number in ((194, 1), (195, 0)):
        assert len(captures(near, f"acme_key={DRAWN}{' ' * spaces}deploy")) == number


def test_near_counts_for_a_prefix_each_time_anew(tmp_path: Path) -> None:
    near = rule(
        tmp_path, prefix="acme-", anchors=["acme-"], pattern="(?P<secret>acme-[A-Za-z0-9]{20})", alphabet="A-Za-z0-9", near=["deploy"]
    )
    text = f"x acme-{DRAWN} {' ' * 400}\n deploy{' ' * 120} x acme-{DRAWN} {' ' * 400}"
    (capture,) = captures(near, text)
    assert capture.start > 400


def test_the_allow_list_takes_whole_secrets(tmp_path: Path) -> None:
    allowing = rule(tmp_path, allow_list=["demo.*", "[0-9]+"], body="typed")
    assert result(allowing, "acme_key=demo-key-of-acme") == ("low", "allow-list")
    assert result(allowing, "acme_key=0815") == ("low", "allow-list")
    assert result(allowing, "acme_key=0815-x") == ("medium", "")
    assert result(allowing, "acme_key=my-demo-key") == ("medium", "")


def test_a_typed_secret_may_look_like_a_word_and_no_other(tmp_path: Path) -> None:
    assert result(rule(tmp_path, body="typed"), "acme_key=summer2026") == ("medium", "")
    assert result(rule(tmp_path, body="opaque"), "acme_key=summer2026") == ("low", "placeholder")
    assert result(rule(tmp_path, alphabet="a-z0-9"), "acme_key=summer2026") == ("low", "placeholder")


def test_the_body_follows_the_alphabet(tmp_path: Path) -> None:
    assert rule(tmp_path).body == "opaque"
    assert rule(tmp_path, alphabet="a-f").body == "drawn"
    assert rule(tmp_path, alphabet="a-f", body="typed").body == "typed"
    assert rule(tmp_path, alphabet=r"a\]\\-").demands == Demands(alphabet="-\\]a")


def test_shipped_rules_demand_nothing_and_name_all_fields() -> None:
    assert all(shipped.demands is None for shipped in rulebook.load())
    for shipped in rulebook.load():
        assert shipped.kind != shipped.id or shipped.name != shipped.id
        assert (shipped.description, shipped.remedy) != (rulebook._DESCRIPTION, rulebook._REMEDY)
        assert shipped.references


KEY = Secret(bytes(32))


@pytest.mark.parametrize(
    ("demands", "secret", "is_keyed"),
    [
        (Demands(), DRAWN, True),
        (Demands(length=(20, 20)), DRAWN, True),
        (Demands(alphabet=DRAWN), DRAWN, True),
        (Demands(alphabet="abcdefghijklmnop", length=(19, 30)), "abcdefghijklmnopabcd", True),  # 19 * 4 bits
        (Demands(alphabet="abcdefghijklmnop", length=(20, 30)), "abcdefghijklmnopabcd", False),
        (Demands(alphabet="abcdefghijklmnop", length=(20, 30)), "abcdefghijklmnopabc", True),
        (Demands(alphabet="abcdefghijklmnopqrstuvwxyz23456", length=(16, 16)), "abcdefghijklmnop", True),  # 79.3 bits
        (Demands(alphabet="abcdefghijklmnopqrstuvwxyz234567", length=(16, 16)), "abcdefghijklmnop", False),
        (Demands(alphabet="abcdefghijklmnop", length=(20, 20)), "abcdefghijklmnopabcdd", True),
        (Demands(alphabet="abcdefghijklmnop", length=(20, 30)), "abcdefghijklmnopabcz", True),
    ],
)
def test_a_fingerprint_has_a_key_unless_nobody_guesses_the_secret(demands: Demands, secret: str, is_keyed: bool) -> None:
    keyed = rulebook.load()[0]._replace(prefix="", demands=demands._replace(key=KEY))
    assert own.key(keyed, secret.encode()) is (KEY if is_keyed else None)


def test_a_fingerprint_of_gitlabs_tokens_has_no_key() -> None:
    assert own.key(rulebook.load()[0], DRAWN.encode()) is None
    plain, keyed = Secret(b"x"), Secret(b"x", key=KEY)
    assert (plain.is_keyed, keyed.is_keyed) == (False, True)
    assert plain.fingerprint != keyed.fingerprint != Secret(b"x", key=Secret(b"\1" * 32)).fingerprint
    assert keyed.fingerprint == keyed.keyed(bytes(32))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("length", 0.5, "length must be a number"),
        ("length", -1, "length must be a number"),
        ("length", [3], "length must be a number"),
        ("length", [5, 4], "length must be a number"),
        ("length", 4097, "length must be a number"),
        ("min_entropy", 8.1, "min_entropy must be a number"),
        ("min_entropy", -0.1, "min_entropy must be a number"),
        ("min_entropy", "4", "min_entropy must be a number"),
        ("alphabet", "z-a", "alphabet must be a character class"),
        ("alphabet", "a]b", "alphabet must be a character class"),
        ("alphabet", "^a", "alphabet must be a character class"),
        ("alphabet", r"\w", "alphabet must be a character class"),
        ("near", "deploy", "near must be a list"),
        ("allow_list", ["("], "allow_list: '('"),
        ("anchors", [], "needs a prefix or anchors"),
        ("anchors", ["abc"], "needs a prefix or anchors"),
        ("body", "drawn", "needs an alphabet"),
        ("lookback", 1025, "lookback must be a number"),
    ],
)
def test_a_field_that_is_wrong_is_refused_with_a_sentence(tmp_path: Path, field: str, value: object, sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence.replace("(", r"\(")):
        rule(tmp_path, **{field: value})


def test_fields_may_reach_their_bounds(tmp_path: Path) -> None:
    assert rule(tmp_path, length=4096).demands == Demands(length=(4096, 4096))
    assert rule(tmp_path, length=[1, 1], lookback=1024).lookback == 1024
    assert rule(tmp_path, min_entropy=8).demands == Demands(min_entropy=8)


def test_an_entropy_that_no_secret_reaches_is_refused(tmp_path: Path) -> None:
    assert rule(tmp_path, min_entropy=4, alphabet="0-9a-f")
    assert rule(tmp_path, min_entropy=2, length=4)
    for impossible in ({"min_entropy": 4.01, "alphabet": "0-9a-f"}, {"min_entropy": 2.01, "length": 4}):
        with pytest.raises(RuleError, match="no secret of this length and alphabet has more"):
            rule(tmp_path, **impossible)


def test_a_random_body_of_an_own_alphabet_is_found(tmp_path: Path) -> None:
    rng = random.Random(3)
    matcher = Matcher([rule(tmp_path, alphabet="A-Z2-7", length=32)])
    drawn = ["acme_key=" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=32)) for _ in range(500)]
    assert [capture.reason for capture in matcher.find("\n".join(drawn).encode())] == [""] * 500


def test_a_pattern_of_a_users_rule_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "TIME_LIMIT", 0.01)
    slow = rule(tmp_path, pattern="acme_key=(?P<secret>(?:[a-z]|[a-z][a-z0-9]|[q7Zp_kX2mWv9RtYb4NdH])+)$")
    with pytest.raises(TimeoutError):
        captures(slow, f"acme_key={'a' * 200}!")
