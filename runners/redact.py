"""Secrets out of everything that leaves a session: known token shapes, each with its source, replaced whole. Pure."""

from __future__ import annotations

import re

_KEY = r"(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?"
# Each row: what it is and its shape, as published at the address above it. No entropy guessing: SHAs, paths survive.
_SHAPES: tuple[tuple[str, str], ...] = (
    # https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    ("github token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
    ("github token", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
    # https://docs.gitlab.com/security/tokens/#token-prefixes
    ("gitlab token", r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_.-]{20,}"),
    # https://docs.slack.dev/authentication/tokens
    ("slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("slack token", r"\bxoxe\.xox[bp]-[A-Za-z0-9-]{10,}"),
    ("slack token", r"\bxapp-[0-9]-[A-Za-z0-9-]{10,}"),
    ("slack webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{10,}"),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    ("aws key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("aws secret", r"(?i)\baws_(?:secret_access_key|session_token)\b[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+=]{30,}"),
    # https://platform.openai.com/docs/api-reference/authentication, https://docs.anthropic.com/en/api/getting-started
    ("api key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("api key", r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}"),
    ("api key", r"\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b"),
    ("api key", r"\bsk-or-v1-[0-9a-f]{64}\b"),
    # https://cloud.google.com/docs/authentication/api-keys, https://developers.google.com/identity/protocols/oauth2
    ("google key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("google token", r"\bya29\.[A-Za-z0-9_-]{20,}"),
    ("google secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
    # https://docs.stripe.com/keys
    ("stripe key", r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}\b"),
    ("stripe key", r"\bwhsec_[A-Za-z0-9]{24,}"),
    # https://docs.npmjs.com/about-access-tokens, https://pypi.org/help/#apitoken
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    # https://huggingface.co/docs/hub/security-tokens, https://docs.docker.com/security/access-tokens/
    ("hugging face token", r"\bhf_[A-Za-z0-9]{34}\b"),
    ("docker token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    # https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys, https://docs.digitalocean.com/reference/api/
    ("sendgrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("digitalocean token", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    # https://developer.hashicorp.com/vault/docs/concepts/tokens
    ("vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
    # https://core.telegram.org/bots/api#authorizing-your-bot
    ("telegram token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    # RFC 7519: three base64url parts, the first a JSON object
    ("jwt", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    # RFC 7468; RFC 4716; a key cut off by a tail is a key all the same
    ("private key", rf"-----BEGIN {_KEY}-----[\s\S]*?(?:-----END {_KEY}-----|\Z)"),
    # RFC 3986 userinfo, RFC 6750 and RFC 7617 headers
    ("password in url", r"(?<=://)[^\s/:@'\"<>]*:[^\s/@'\"<>]+(?=@)"),
    ("authorization", r"(?i)(?<=authorization: )(?:bearer|basic|token) [A-Za-z0-9._~+/=-]{8,}"),
)  # fmt: skip
_ANY = re.compile("|".join(f"(?P<s{index}>{_scoped})" for index, _scoped in enumerate(
    # An inline flag may stand only at a pattern's start; as a group it holds for its own part.
    re.sub(r"^\(\?i\)(.*)$", r"(?i:\1)", shape, flags=re.S) for _, shape in _SHAPES
)))  # fmt: skip


def redact(text: str) -> str:
    """Every known secret replaced by ``[its kind]``; all else as it was, but for what UTF-8 cannot carry."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return _ANY.sub(lambda match: f"[{_SHAPES[int((match.lastgroup or 's0')[1:])][0]} removed]", text)
