"""Redaction: known tokens go whole, what only looks random stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.redact import redact

A36, A40 = "a1B2" * 9, "Zz9_" * 10
# Put together here, so that no scanner takes this file for a leak.
SECRETS = [
    "ghp" + "_" + A36,
    "github" + "_pat_" + A36,
    "glpat" + "-" + "x" * 20,
    "xoxb" + "-1234567890-abcdefghij",
    "xapp" + "-1-A0123-456-abcdef0123456789",
    "https://hooks.slack" + ".com/services/T000/B000/XXXXXXXXXXXX",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "aws_secret_access_key" + " = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "sk-ant" + "-api03-" + A40,
    "sk-proj" + "-" + A40,
    "AIza" + "S" * 35,
    "ya29" + "." + A40,
    "sk_live" + "_" + "4" * 24,
    "npm" + "_" + A36,
    "pypi-AgEIcHlwaS5vcmc" + A40 * 2,
    "hf" + "_" + "q" * 34,
    "SG" + "." + "a" * 22 + "." + "b" * 43,
    "dop_v1" + "_" + "0" * 64,
    "hvs" + "." + A40,
    "123456789" + ":AA" + "x" * 33,
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH " + "PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "token={} ok", "'{}'", "before\n{}\nafter", "({}),"])
def test_a_secret_goes_whole(secret: str, around: str) -> None:
    clean = redact(around.format(secret))
    assert " removed]" in clean
    for length in (8, 12):
        for start in range(0, len(secret) - length, 5):
            assert secret[start : start + length] not in clean or secret[start : start + length] in around


def test_a_key_cut_off_by_a_tail_goes_too() -> None:
    assert "b3Blb" not in redact("-----BEGIN RSA " + "PRIVATE KEY-----\nb3BlbnNza")


def test_passwords_in_addresses_and_headers_go_and_the_rest_stays() -> None:
    assert redact("git clone https://ana:hunter2@example.com/x.git") == (
        "git clone https://[password in url removed]@example.com/x.git"
    )
    assert redact("Authorization: Bearer abc.def-123456") == "Authorization: [authorization removed]"


@pytest.mark.parametrize(
    "text",
    [
        "fix: 9012b47f0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f",
        "sha256:" + "0123456789abcdef" * 4,
        "550e8400-e29b-41d4-a716-446655440000",
        "/home/ana/.cache/pip/wheels/3f/2c/1a9d0e8b7f6a5c4d3e2f1a0b9c8d7e6f5a4b/setup.py",
        "src/ghp_utils/sk-learn/token.py",
        "https://example.com:8080/a/b?c=d#e",
        "git@github.com:org/repo.git",
        "npm_config_cache=/tmp/x hf_hub sk-toast glpat-short",
        "index 3f2c1a9..5d4c3b2 100644",
        "integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "s1234567a.q1 U0ANA C0123ABC",
        "2026-11-23T17:36:33Z user:pass is not an address",
    ],
)
def test_what_is_no_secret_survives(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300))
def test_nothing_is_redacted_twice(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(
    st.from_regex(r"[0-9a-f]{40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(/[a-z0-9_.-]{1,20}){1,8}", fullmatch=True)
)
def test_shas_uuids_and_paths_survive(text: str) -> None:
    assert redact(text) == text
