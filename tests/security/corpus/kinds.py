"""Secrets of each kind, made up: the right letters in the right places, from a fixed seed."""

import base64
import json
from collections.abc import Callable
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, hexdigits

HEX = hexdigits[:16]
ALNUM = ascii_letters + digits
WORD = ALNUM + "_-"
BASE64 = ALNUM + "+/"

Make = Callable[[Random], str]


def some(rnd: Random, letters: str, count: int) -> str:
    return "".join(rnd.choices(letters, k=count))


def key(prefix: str, letters: str, count: int, *more: tuple[str, str, int]) -> Make:
    """A prefix and random letters, as often as told. The prefix is given in two halves."""

    def make(rnd: Random) -> str:
        text = prefix.replace("~", "", 1) + some(rnd, letters, count)
        for between, others, length in more:
            text += between + some(rnd, others, length)
        return text

    return make


def packed(rnd: Random, value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def json_web_token(rnd: Random) -> str:
    head = packed(rnd, {"alg": rnd.choice(("HS256", "RS256", "none")), "typ": "JWT"})
    body = packed(rnd, {"sub": some(rnd, digits, 10), "iat": rnd.randrange(10**9, 2 * 10**9)})
    return f"{head}.{body}.{some(rnd, WORD, 43)}"


def private_key(rnd: Random) -> str:
    kind = rnd.choice(("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "))
    lines = "\n".join(some(rnd, BASE64, 64) for _ in range(rnd.randrange(3, 9)))
    dashes = "-" * 5
    return (
        f"{dashes}BEGIN {kind}PRIVATE KEY{dashes}\n{lines}\n{dashes}END {kind}PRIVATE KEY{dashes}"
    )


def service_account(rnd: Random) -> str:
    """Only its key: the rest may be told."""
    return json.dumps(private_key(rnd))[1:-1]


def aws_secret(rnd: Random) -> str:
    return "AK" + "IA" + some(rnd, ascii_uppercase + "234567", 16) + "," + some(rnd, BASE64, 40)


def discord(rnd: Random) -> str:
    id = base64.b64encode(some(rnd, "123456789", 18).encode()).decode().rstrip("=")
    return f"{id}.{some(rnd, WORD, 6)}.{some(rnd, WORD, 38)}"


KEYS: dict[str, Make] = {
    "openai": key("sk~-", ALNUM, 48),
    "openai_project": key("sk~-proj-", WORD, 74),
    "openai_service": key("sk~-svcacct-", WORD, 60),
    "deepseek": key("sk~-", HEX, 32),
    "openrouter": key("sk~-or-v1-", HEX, 64),
    "anthropic": key("sk~-ant-api03-", WORD, 95),
    "github": key("gh~p_", ALNUM, 36),
    "github_app": key("gh~s_", ALNUM, 36),
    "github_fine": key("github~_pat_", ALNUM, 22, ("_", ALNUM, 59)),
    "gitlab": key("gl~pat-", WORD, 20),
    "aws_id": key("AK~IA", ascii_uppercase + "234567", 16),
    "aws_session": key("AS~IA", ascii_uppercase + "234567", 16),
    "aws_pair": aws_secret,
    "google": key("AI~zaSy", WORD, 33),
    "google_oauth": key("GOC~SPX-", WORD, 28),
    "google_access": key("ya~29.a0", WORD, 120),
    "slack_bot": key("xo~xb-", digits, 12, ("-", digits, 12), ("-", ALNUM, 24)),
    "slack_user": key("xo~xp-", digits, 12, ("-", digits, 12), ("-", HEX, 32)),
    "slack_webhook": key(
        "hooks.slack~.com/services/T",
        ascii_uppercase,
        8,
        ("/B", ascii_uppercase, 8),
        ("/", ALNUM, 24),
    ),
    "discord": discord,
    "discord_webhook": key("discord.com/api~/webhooks/", digits, 18, ("/", WORD, 68)),
    "telegram": lambda rnd: some(rnd, "123456789", 10) + ":A" + "A" + some(rnd, WORD, 32) + "x",
    "npm": key("np~m_", ALNUM, 36),
    "pypi": key("pyp~i-AgEIcHlwaS5vcmc", WORD, 120),
    "huggingface": key("h~f_", ascii_letters, 34),
    "groq": key("gs~k_", ALNUM, 52),
    "xai": key("xa~i-", ALNUM, 80),
    "replicate": key("r~8_", ALNUM, 37),
    "perplexity": key("ppl~x-", ALNUM, 48),
    "nvidia": key("nva~pi-", WORD, 64),
    "sendgrid": key("S~G.", WORD, 22, (".", WORD, 43)),
    "stripe": key("sk~_live_", ALNUM, 24),
    "stripe_restricted": key("rk~_live_", ALNUM, 24),
    "stripe_webhook": key("whs~ec_", ALNUM, 32),
    "twilio": key("S~K", HEX, 32),
    "mailgun": key("ke~y-", HEX, 32),
    "mailchimp": lambda rnd: some(rnd, HEX, 32) + "-us" + rnd.choice(digits),
    "digitalocean": key("dop~_v1_", HEX, 64),
    "shopify": key("shp~at_", HEX, 32),
    "databricks": key("da~pi", HEX, 32),
    "linear": key("lin~_api_", ALNUM, 40),
    "figma": key("fi~gd_", WORD, 40),
    "vault": key("hv~s.", WORD, 90),
    "grafana": key("gl~sa_", ALNUM, 32, ("_", HEX, 8)),
    "docker": key("dckr~_pat_", WORD, 27),
    "atlassian": key("ATAT~T3xFfGF0", WORD, 150),
    "azure_client": lambda rnd: some(rnd, ALNUM, 3) + "8Q" + "~" + some(rnd, WORD, 33),
    "azure_openai": lambda rnd: (
        some(rnd, ALNUM, 52) + "JQQ" + "J99" + some(rnd, ascii_uppercase, 26)
    ),
    "jwt": json_web_token,
    "pem": private_key,
    "service_account": service_account,
    "goclaw": key("goc~law_", HEX, 32),
}
"""Keys that are known wherever they stand."""


def word_password(rnd: Random) -> str:
    return some(rnd, ascii_lowercase, 6) + some(rnd, digits, 2)


def password(rnd: Random) -> str:
    return some(rnd, ALNUM + "!#%*+?_~.-", rnd.randrange(9, 24)) + some(rnd, digits, 1)


def opaque(rnd: Random) -> str:
    return some(rnd, ALNUM, rnd.randrange(20, 48)) + some(rnd, digits, 1)


def storage_key(rnd: Random) -> str:
    return some(rnd, BASE64, 86) + "=="


def pair(rnd: Random) -> str:
    return base64.b64encode(f"user:{password(rnd)}".encode()).decode()


FRAMED: dict[str, tuple[Make, tuple[str, ...]]] = {
    "bearer": (
        opaque,
        (
            "Authorization: Bearer {}",
            "authorization: bearer {}",
            "-H 'Authorization: Bearer {}' https://x.example",
            '{{"headers": {{"Authorization": "Bearer {}"}}}}',
            "(b'authorization', b'Bearer {}')",
            "sent with Bearer {} to the vendor",
            "AUTHORIZATION=Bearer%20{}",
        ),
    ),
    "basic": (
        pair,
        (
            "Authorization: Basic {}",
            "proxy-authorization: Basic {}",
            "curl -H 'Authorization: Basic {}'",
        ),
    ),
    "header_key": (
        opaque,
        (
            "x-api-key: {}",
            "X-Api-Key: {}",
            "api-key: {}",
            "x-goog-api-key: {}",
            "Ocp-Apim-Subscription-Key: {}",
            "{{'x-api-key': '{}'}}",
            "('x-auth-token', '{}')",
        ),
    ),
    "cookie": (
        opaque,
        (
            "Cookie: session={}",
            "Set-Cookie: sid={}; HttpOnly; Path=/",
            '"cookie": "a=b; auth={}"',
            "cookie: theme=dark; token={}",
        ),
    ),
    "url": (
        password,
        (
            "https://ada:{}@example.com/x",
            "connect to http://ada:{}@10.0.0.1:8080 failed",
            "postgresql://goclaw:{}@db.example:5432/goclaw",
            "postgres://goclaw:{}@db/goclaw?sslmode=require",
            "mysql://root:{}@127.0.0.1/x",
            "mongodb+srv://ada:{}@cluster0.example.net/test?retryWrites=true",
            "mongodb://ada:{}@h1:27017,h2:27017/x",
            "redis://:{}@cache.example:6379/0",
            "rediss://default:{}@cache.example:6380",
            "amqp://guest:{}@mq.example//",
            "ftp://ada:{}@files.example/a",
            "dsn='postgres://a:{}@b/c'",
        ),
    ),
    "url_token": (
        opaque,
        ("https://{}@git.example/ada/x.git", "git clone https://{}@git.example/x"),
    ),
    "query": (
        opaque,
        (
            "GET /v1/files?token={} 200",
            "https://x.example/?api_key={}&page=2",
            "https://maps.example/x?key={}",
            "?access_token={}&state=1",
            "https://a.blob.core.example/c?sv=2024-01-01&sig={}",
            "https://b.s3.example/k?X-Amz-Algorithm=AWS4&X-Amz-Signature={}",
            "https://x.example/cb?code={}&state=x",
            "&client_secret={}&grant_type=client_credentials",
        ),
    ),
    "json_password": (
        password,
        (
            '{{"password": "{}"}}',
            '{{"user": "ada", "password":"{}", "n": 1}}',
            "{{'password': '{}'}}",
            '{{"db": {{"passwd": "{}"}}}}',
            '{{"client_secret": "{}"}}',
            '{{"body": "{{\\"password\\": \\"{}\\"}}"}}',
            '{{"a": "{{\\"b\\": \\"{{\\\\\\"password\\\\\\": \\\\\\"{}\\\\\\"}}\\"}}"}}',
            'User(name="ada", password="{}")',
            "passphrase: '{}'",
            '"secret" : "{}"',
        ),
    ),
    "json_token": (
        opaque,
        (
            '{{"api_key": "{}"}}',
            '{{"apiKey":"{}"}}',
            '{{"access_token": "{}", "token_type": "bearer"}}',
            '{{"refresh_token":"{}"}}',
            "{{'token': '{}'}}",
            '{{"x": "{{\\"apiKey\\":\\"{}\\"}}"}}',
            '{{"private_key_id": "{}"}}',
            'mutation {{ signIn(token: "{}") {{ ok }} }}',
        ),
    ),
    "form": (
        password,
        (
            "username=ada&password={}",
            "password={}&remember=1",
            "passwd={}",
            "user=ada pwd={} host=x",
            "host=db user=goclaw password={} dbname=goclaw",
            "client_secret={}",
        ),
    ),
    "yaml": (
        password,
        (
            "password: {}",
            "  db_password: {}\n  host: x",
            "secret: {}",
            "smtp:\n  pass_: 1\n  password: {}",
        ),
    ),
    "environment": (
        opaque,
        (
            "OPENAI_API_KEY={}",
            "export GOCLAW_GATEWAY_TOKEN={}",
            "AWS_SECRET_ACCESS_KEY={}",
            "AWS_SESSION_TOKEN={}",
            "DJANGO_SECRET_KEY='{}'",
            "GOCLAW_ENCRYPTION_KEY={}",
            'MAILER_KEY="{}"',
            "SOME_SERVICE_KEY={}",
            "SLACK_SIGNING_SECRET={}",
            "env DB_PASSWORD={} ./run",
            "DB_PASS={}",
            "SECRET_KEY_BASE={}",
        ),
    ),
    "option": (
        opaque,
        (
            "mysql --password={} x",
            "tool --api-key {} --verbose",
            "tool --token {}",
            "x --client-secret '{}'",
        ),
    ),
    "azure_storage": (
        storage_key,
        (
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core.example",
            "Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey={}",
        ),
    ),
    "xml": (password, ("<password>{}</password>", "<x><secret>{}</secret></x>")),
    "short_password": (
        word_password,
        ("password={}", '"password": "{}"', "password: {}", "DB_PASS={}"),
    ),
}
"""Secrets that only what stands around them tells."""

CONTEXTS = (
    "{}",
    "the vendor said: invalid key {} in the request",
    '{{"error": {{"message": "Incorrect API key provided: {}."}}}}',
    "key={}",
    "'{}'",
    "[{}]",
    "({})",
    "https://x.example/?k={}&b=1",
    "first line\n{}\nlast line",
    "first line\\n{}\\nlast line",
    "KeyError: '{}'",
    "Überschrift „{}“ ok",
    "value:{},next",
    "%3D{}%26",
    "`{}`",
    "<code>{}</code>",
)
