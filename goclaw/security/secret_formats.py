"""What keys of known vendors look like. Each is found by a literal that few other texts have."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Span = tuple[int, int]

_PEM_LIMIT: Final = 16_384
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_START: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY: Final = re.compile(r"(?:[A-Za-z0-9+/=\s:,.-]|\\+[nrt])*+", re.ASCII)
_ESCAPE: Final = re.compile(r"\\[nrtbf]|%[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}")
_LONGEST_ESCAPE: Final = 6


@dataclass(frozen=True, slots=True)
class Format:
    """`pattern` begins with a hint, or `back` characters before it. A key stands free on its
    left, unless its beginning is `distinct` enough to be one anywhere.

    `mixed` tells keys from words that are joined by hyphens.

    A pattern fails within a bounded number of steps or takes in all it has seen, so that many
    beginnings in a row cost no more than their length.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    back: int = 0
    distinct: bool = False
    mixed: bool = False

    def find(self, text: str, start: int, end: int) -> Span | None:
        start -= self.back
        if start < 0 or not (self.distinct or stands_free(text, start)):
            return None
        match = self.pattern.match(text, start)
        if match is None:
            return None
        if not self.mixed:
            return match.span()
        return (start, _rest(text, match.end())) if _is_mixed(match[0]) else None


class PrivateKeys:
    """PEM, also as one line of JSON, also without its end."""

    kind = "pem_private_key"
    hints = ("-----BEGIN ",)

    def find(self, text: str, start: int, end: int) -> Span | None:
        begin = _PEM_START.match(text, start)
        if begin is None:
            return None
        closed = _PEM_END.search(text, begin.end(), begin.end() + _PEM_LIMIT)
        if closed is not None:
            return start, closed.end()
        body = _PEM_BODY.match(text, begin.end())
        return start, begin.end() if body is None else body.end()


class JsonWebTokens:
    """Signed or encrypted; the signature may be missing or cut. A beginning within a longer
    run of the same characters is none, or each of many would be read to the run's end.
    """

    kind = "jwt"
    hints = ("eyJ",)
    pattern = re.compile(
        r"eyJ[\w-]{8,}+\.(?:eyJ[\w-]{4,}+(?:\.[\w-]*+)?|[\w-]*+\.[\w-]{8,}+\.[\w.-]{16,}+)",
        re.ASCII,
    )

    def find(self, text: str, start: int, end: int) -> Span | None:
        if not stands_free(text, start) or text[max(0, start - 1) : start] in ("-", "_"):
            return None
        match = self.pattern.match(text, start)
        return None if match is None else match.span()


_STRETCH: Final = re.compile(r"[A-Za-z0-9]{20}")
_DIGIT: Final = re.compile(r"[0-9]")
_CAPITAL: Final = re.compile(r"[A-Z]")
_REST: Final = re.compile(r"[\w-]*+", re.ASCII)


def _is_mixed(key: str) -> bool:
    if _STRETCH.search(key):
        return True
    return _DIGIT.search(key) is not None and _CAPITAL.search(key) is not None


def _rest(text: str, end: int) -> int:
    match = _REST.match(text, end)
    return end if match is None else match.end()


def stands_free(text: str, start: int) -> bool:
    """Not the rest of a longer word; escapes such as the n of a written-out newline are none."""
    if start == 0 or not (text[start - 1].isalnum() and text[start - 1].isascii()):
        return True
    before = text[max(0, start - _LONGEST_ESCAPE) : start]
    return any(match.end() == len(before) for match in _ESCAPE.finditer(before))


def _format(
    kind: str,
    hints: str | Iterable[str],
    pattern: str,
    *,
    back: int = 0,
    distinct: bool = False,
    mixed: bool = False,
) -> Format:
    hints = (hints,) if isinstance(hints, str) else tuple(hints)
    return Format(kind, hints, re.compile(pattern, re.ASCII), back, distinct, mixed)


# "123" to "999" begin in base64 like this, and so does the id that begins a Discord token.
_DISCORD: Final = tuple(
    first + third
    for first in ("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT")
    for third in "AEIMQUYcgk"
)
_END: Final = "(?![A-Za-z0-9])"

FORMATS: Final[tuple[Format | PrivateKeys | JsonWebTokens, ...]] = (
    PrivateKeys(),
    _format("goclaw", "goclaw_", r"goclaw_[0-9a-fA-F]{32,}", distinct=True),
    _format(
        "openai_project",
        ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"),
        r"sk-(?:proj|svcacct|admin|None)-[\w-]{16,}",
        distinct=True,
    ),
    _format("anthropic", "sk-ant-", r"sk-ant-[\w-]{12,}", distinct=True),
    _format("langfuse", ("sk-lf-", "pk-lf-"), r"[sp]k-lf-[0-9a-f-]{32,}"),
    _format("openai", "sk-", r"sk-[\w-]{20,64}+", mixed=True),
    _format(
        "github",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        r"gh[pousr]_[A-Za-z0-9]{30,}",
        distinct=True,
    ),
    _format("github_fine", "github_pat_", r"github_pat_\w{22,}", distinct=True),
    _format(
        "gitlab",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glagent-", "glsoat-"),
        r"gl(?:pat|dt|rt|cbt|ptt|ft|agent|soat)-[\w-]{20,}",
    ),
    _format(
        "aws",
        ("AKIA", "ASIA"),
        rf"(?:AKIA|ASIA)[A-Z0-9]{{16}}{_END}(?:[\s,:;\"']{{1,5}}[A-Za-z0-9/+]{{40}}(?![\w/+]))?",
    ),
    _format("aws_bedrock", "ABSKQmVkcm9ja", r"ABSKQmVkcm9ja[A-Za-z0-9+/=]{40,}", distinct=True),
    _format("google", "AIza", r"AIza[\w-]{35}"),
    _format("google_oauth", ("ya29.", "GOCSPX-"), r"(?:ya29\.|GOCSPX-)[\w-]{20,}"),
    _format("google_refresh", "1//0", r"1//0[\w-]{40,}"),
    _format("slack", "xox", r"xox[abceoprs](?:\.xox[bp])?-[\w-]{10,}", distinct=True),
    _format("slack_app", "xapp-", r"xapp-\d-[\w-]{20,}"),
    _format(
        "slack_webhook",
        ("hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/"),
        r"hooks\.slack\.com/[a-z]{1,16}/[\w/]{20,}",
        distinct=True,
    ),
    _format(
        "discord_webhook",
        ("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
        r"discord(?:app)?\.com/api/webhooks/\d{5,25}/[\w-]{30,}",
        distinct=True,
    ),
    _format(
        "teams_webhook",
        ".webhook.office.com/",
        r"\.webhook\.office\.com/[\w/@-]{40,}",
        distinct=True,
    ),
    _format("discord", _DISCORD, r"[MNO][\w]{22,27}\.[\w-]{6}\.[\w-]{27,45}"),
    *(
        _format("telegram", ":AA", rf"\d{{{digits}}}:AA[\w-]{{33}}(?![\w-])", back=digits)
        for digits in (8, 9, 10)
    ),
    _format("npm", "npm_", rf"npm_[A-Za-z0-9]{{36}}{_END}"),
    _format("pypi", "pypi-AgE", r"pypi-AgE[\w-]{50,}"),
    _format("huggingface", ("hf_", "api_org_"), rf"(?:hf|api_org)_[A-Za-z0-9]{{34,40}}{_END}"),
    _format("groq", "gsk_", r"gsk_[A-Za-z0-9]{40,}"),
    _format("xai", "xai-", r"xai-[A-Za-z0-9]{40,}"),
    _format("replicate", "r8_", rf"r8_[A-Za-z0-9]{{37,40}}{_END}"),
    _format("perplexity", "pplx-", r"pplx-[A-Za-z0-9]{40,}"),
    _format("fireworks", "fw_", r"fw_[A-Za-z0-9]{22,40}+", mixed=True),
    _format("nvidia", "nvapi-", r"nvapi-[\w-]{50,}"),
    _format("tavily", "tvly-", r"tvly-[\w-]{20,64}+", mixed=True),
    _format("pinecone", "pcsk_", r"pcsk_\w{40,}"),
    _format("langsmith", ("lsv2_pt_", "lsv2_sk_"), r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _format("sendgrid", "SG.", r"SG\.[\w-]{16,32}\.[\w-]{30,}"),
    _format(
        "stripe",
        ("sk_live_", "rk_live_", "sk_test_", "rk_test_"),
        r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    ),
    _format("stripe_webhook", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,}"),
    _format("twilio", [f"SK{digit}" for digit in "0123456789abcdef"], rf"SK[0-9a-f]{{32}}{_END}"),
    _format("mailgun", "key-", rf"key-[0-9a-f]{{32}}{_END}"),
    _format("brevo", "xkeysib-", r"xkeysib-[0-9a-f]{32,}+-\w{8,}"),
    _format("mailchimp", "-us", rf"[0-9a-f]{{32}}-us\d{{1,2}}{_END}", back=32),
    _format("digitalocean", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[por]_v1_[0-9a-f]{64}"),
    _format(
        "shopify",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    ),
    _format("databricks", "dapi", rf"dapi[0-9a-f]{{32}}(?:-\d)?{_END}"),
    _format("linear", "lin_api_", r"lin_api_[A-Za-z0-9]{32,}"),
    _format("notion", "ntn_", r"ntn_[A-Za-z0-9]{40,}"),
    _format("figma", ("figd_", "figo_"), r"fig[do]_[\w-]{36,}"),
    _format("postman", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _format(
        "doppler",
        "dp.",
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{1,40}\.)?[A-Za-z0-9]{40,44}",
    ),
    _format("vault", ("hvs.", "hvb.", "hvr."), r"hv[sbr]\.[\w-]{24,}"),
    _format("terraform", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}", back=14),
    _format("age", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    _format("newrelic", ("NRAK-", "NRJS-"), r"NR(?:AK|JS)-[A-Z0-9]{19,}"),
    _format("grafana", ("glsa_", "glc_"), r"gl(?:sa|c)_[A-Za-z0-9+/=]{30,}+(?:_[0-9a-f]{8})?"),
    _format("sentry", ("sntrys_", "sntryu_"), r"sntry[su]_[\w+/=-]{40,}"),
    _format("supabase", ("sbp_", "sb_secret_"), r"(?:sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,})"),
    _format("planetscale", "pscale_", r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,}"),
    _format("docker", ("dckr_pat_", "dckr_oat_"), r"dckr_[po]at_[\w-]{20,}"),
    _format("rubygems", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _format("atlassian", ("ATATT3x", "ATCTT3x"), r"AT[AC]TT3x[\w=-]{40,}"),
    _format("cohere_v2", "co_live_", r"co_live_[A-Za-z0-9]{20,}"),
    _format("azure_openai", "JQQJ99", rf"[A-Za-z0-9]{{52}}JQQJ99[A-Za-z0-9]{{26}}{_END}", back=52),
    _format("azure_client", "8Q~", r"\w{3}8Q~[\w.~-]{31,37}", back=3),
    JsonWebTokens(),
)
