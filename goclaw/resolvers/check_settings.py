"""What the settings alone tell about how safe the server is."""

import stat
from typing import Final

from goclaw.core.settings import InvalidSettings, Settings, is_loopback, refuse_open_address
from goclaw.models.findings import Finding, failed, info, ok, warning
from goclaw.security.key_file import KeyFile
from goclaw.security.key_ring import KeyRing, key_ring
from goclaw.security.keys import CURRENT_SETTING, UnusableKey

SHORT_TOKEN: Final = 16
NEW_KEY: Final = "openssl rand -hex 32"
RATES: Final = ("rate_per_address", "rate_per_credential", "rate_per_user")
KEPT: Final = ("sessions", "traces", "runs", "activity")


def check_settings(settings: Settings) -> list[Finding]:
    return [
        check_sign_in(settings),
        check_address(settings),
        check_proxies(settings),
        check_key(settings),
        check_outbound(settings),
        check_rates(settings),
        check_guessing(settings),
        check_retention(settings),
    ]


def check_sign_in(settings: Settings) -> Finding:
    subject, set_one = "sign-in", f"set GOCLAW_GATEWAY_TOKEN to the output of: {NEW_KEY}"
    try:
        refuse_open_address(settings)
    except InvalidSettings as error:
        return failed(subject, str(error), set_one)
    token = settings.gateway_token
    if token is None and settings.allow_public_without_token:
        return warning(subject, f"none: open to everybody who reaches {settings.host}", set_one)
    if token is None:
        return info(subject, "none: open to everybody on this machine", set_one)
    if len(token.get_secret_value()) < SHORT_TOKEN:
        return warning(subject, "the gateway token is short enough to be guessed", set_one)
    return ok(subject, "by GOCLAW_GATEWAY_TOKEN or an API key")


def check_key(settings: Settings) -> Finding:
    subject = "encryption key"
    try:
        keys = key_ring(settings, embedded=settings.postgres_dsn is None)
    except UnusableKey as error:
        return failed(subject, str(error), _other_key(str(error)))
    if keys.file is not None and _others_may_read(keys.file):
        return failed(subject, f"others may read {keys.file.path}", f"chmod 600 {keys.file.path}")
    writing = keys.writing()
    if writing is not None:
        return ok(subject, _described(keys, writing.id))
    if keys.file is not None:
        return info(subject, f"none yet: {keys.file.path} is made when the server starts")
    fix = f"set {CURRENT_SETTING} to the output of: {NEW_KEY}"
    return warning(subject, "none: keys of providers cannot be stored", fix)


def _described(keys: KeyRing, id: str) -> str:
    source = CURRENT_SETTING
    if keys.file is not None and not keys.is_configured:
        source = str(keys.file.path)
    older = [key.id for key in keys.reading()[1:]]
    return f"{id} from {source}" + (f", and for reading {', '.join(older)}" if older else "")


def _other_key(problem: str) -> str:
    if not problem.startswith("GOCLAW_"):
        return "put the file back from a backup, as the user who runs the server"
    return f"set {problem.partition(':')[0]} to the key used so far, or to one from: {NEW_KEY}"


def _others_may_read(file: KeyFile) -> bool:
    return file.stamp() is not None and bool(stat.S_IMODE(file.path.stat().st_mode) & 0o077)


def check_address(settings: Settings) -> Finding:
    subject, where = "address", f"{settings.scheme}://{settings.host}:{settings.port}"
    if settings.scheme == "https":
        return ok(subject, f"{where}, encrypted")
    if is_loopback(settings.host):
        return ok(subject, f"{where}, for this machine only")
    if settings.forwarded_allow_ips:
        return info(subject, f"{where}, not encrypted behind a proxy, which has to be")
    fix = "set GOCLAW_TLS_CERTIFICATE and GOCLAW_TLS_KEY, or put a proxy with TLS before it"
    return warning(subject, f"{where}, not encrypted: tokens can be read on the way", fix)


def check_proxies(settings: Settings) -> Finding:
    subject, proxies = "proxies", settings.forwarded_allow_ips
    if "*" in proxies:
        fix = "name your proxies in GOCLAW_FORWARDED_ALLOW_IPS"
        return warning(subject, "whoever connects may claim to come from any address", fix)
    return ok(subject, f"believed: {', '.join(proxies)}" if proxies else "none is believed")


def check_outbound(settings: Settings) -> Finding:
    subject, hosts = "outbound calls", settings.allowed_outbound_hosts
    if hosts:
        text = f"to public addresses, and by GOCLAW_ALLOWED_OUTBOUND_HOSTS to {', '.join(hosts)}"
        return info(subject, text)
    return ok(subject, "to public addresses and usual ports only")


def check_rates(settings: Settings) -> Finding:
    limits = {name: getattr(settings, name) for name in RATES}
    words = (
        f"{limit or 'any number'} per {name.rpartition('_')[2]}" for name, limit in limits.items()
    )
    subject, text = "rate limits", f"calls a minute: {', '.join(words)}"
    missing = [f"GOCLAW_{name.upper()}" for name, limit in limits.items() if not limit]
    if missing:
        return warning(subject, text, f"set {', '.join(missing)} to more than 0")
    return ok(subject, text)


def check_guessing(settings: Settings) -> Finding:
    subject, limit = "guessed keys", settings.failures_per_address
    if limit:
        return ok(subject, f"an address has to wait after {limit} refused credentials a minute")
    fix = "set GOCLAW_FAILURES_PER_ADDRESS to more than 0"
    return warning(subject, "an address may try any number of credentials", fix)


def check_retention(settings: Settings) -> Finding:
    days = {name: getattr(settings, f"keep_{name}_days") for name in KEPT}
    limited = [f"{name} for {count} days" for name, count in days.items() if count]
    endless = [name for name, count in days.items() if not count]
    parts = [*limited, *([f"{', '.join(endless)} for ever"] if endless else [])]
    return info("retention", f"kept: {', '.join(parts)}")
