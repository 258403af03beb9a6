"""Ordinary texts of a gateway's day that have the letters or the words of secrets."""

import base64
from collections.abc import Callable, Iterator
from hashlib import md5, sha1, sha256
from random import Random
from string import ascii_lowercase
from uuid import UUID

from tests.security.corpus.kinds import HEX, some

PROSE = """\
The token limit of this model is 128000 tokens, of which 4096 may be used for the answer.
A token is a piece of a word; the password is something only you should know.
Please choose a password: it must be at least eight characters long.
Your password has expired, ask an administrator for a new one.
The secret to good bread: patience, flour, water, salt.
He kept the secret of the key hidden under the mat, and the cookie in the jar.
Basic information about bearer bonds and basic income is given below.
The bearer authentication scheme is described in RFC 6750.
The bearer of this letter may enter; basic training takes six weeks.
She was the secretary: Ada, of the treasury.
An author's authority to authorize authors is authentic.
The keyboard has a key for each letter; monkeys like turkey and whiskey.
Authorization is not authentication: one says who may, the other who is.
Authorization: required
Cookie policy: we use cookies to count visits.
Set cookie: bake at 180 degrees for ten minutes.
Passwords: long ones are good, long random ones are better.
What is the password? I forgot my password, said the boy who forgot his token.
invalid credential: the key was revoked
Token expired
password: required
password: incorrect
secret: none
token: null
the token: revoked
Credentials are stored encrypted; a credential is never shown again.
To pass: twelve tests. To fail: none.
Her pass was valid: she showed it at the gate.
API key: ask your administrator
An access key opens a door, a private key opens a message, a public key closes it.
The access key: where to find it
Use risk-based approval and task-management-for-large-organisations-today where you can.
This desk-research-on-long-hyphenated-compound-words-in-english is long.
Look up sk-circle-fade-dot-animation-container and sk-folding-cube-wrapper-inner in the style sheet.
Email ada@example.com or bob@example.org about the token.
Meet at 10:30@cafe or call +49 30 1234567890.
The session key is agent:scribe:ada:main and the cache key is list:agents:page:2.
Mật khẩu của bạn đã hết hạn, hãy chọn mật khẩu mới.
密码已过期。令牌无效。
Das Passwort ist abgelaufen. Der Schlüssel liegt unter der Matte.
Le mot de passe doit contenir au moins huit lettres.
The password field is empty; the api key field is optional.
Tokens per second: 812.5; tokens in total: 1234567890
Rate: 120 requests per minute and key; the key is bound to the user ada.
A signing secret lets you verify that a request came from us.
Do you know how to pass a secret between two containers without a file?
See the chapter on secrets, tokens, keys, credentials and cookies.
"""

CODE = """\
token = get_token()
password = getpass.getpass("Password: ")
api_key = os.environ["OPENAI_API_KEY"]
api_key=settings.api_key
client = OpenAI(api_key=api_key)
connect(user=user, password=password)
connect(password=config.password, host=host)
def sign_in(self, password: str, token: str | None = None) -> Session:
password: Optional[str] = None
secret: SecretStr | None = Field(None)
token: Annotated[str, Header()]
self._token = token
if token == expected_token:
    token = secrets.token_hex(16)
    secret = hmac.new(key, message, sha256).hexdigest()
tokenizer = AutoTokenizer.from_pretrained(name)
max_tokens=4096, max_output_tokens=1024
eos_token="<|endoftext|>", pad_token="<|endoftext|>"
"token": "Hello", "logprob": -0.31725305, "bytes": [72, 101]
"token": " world", "logprob": -1.7e-05
{"token":"understanding","logprob":-2.5}
"input_tokens": 1234, "output_tokens": 5678, "total_tokens": 6912
{"usage": {"prompt_tokens": 12, "completion_tokens": 345678901}}
"token_type": "bearer", "expires_in": 3600
"token_count": 123456789012
primary_key=True, unique_key="agents_key_user_id_index_2"
"session_key": "agent:scribe:ada:0198c2b4"
cache_key = f"agents:{page}:{limit}"
"next_page_token": "CAUQAA12345678"
nextPageToken=CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA
key = lambda row: row.id
password = ${DB_PASSWORD}
password: ${DB_PASSWORD}
DB_PASSWORD=$DB_PASSWORD
API_KEY=<your-api-key>
api_key: "{{ vault.api_key }}"
"password": "********"
"apiKey": "YOUR_API_KEY"
password=%(password)s
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Authorization: Bearer ${TOKEN}
-H "Authorization: Bearer $OPENAI_API_KEY"
headers["Authorization"] = f"Bearer {token}"
postgres://user:${PASSWORD}@host/db
postgres://localhost:5432/goclaw
redis://cache.example:6379/0
mongodb+srv://cluster0.example.net/test
git@github.com:ada/x.git
ssh://git@github.com/ada/x.git
https://ada@example.com/
PWD=/home/ada/work
OLDPWD=/var/lib/goclaw
TOKENIZERS_PARALLELISM=false
SSH_AUTH_SOCK=/tmp/ssh-agent.sock
KEY_FILE=/etc/goclaw/key.pem
TLS_KEY=/etc/ssl/private/goclaw.pem
token_url=https://login.example/oauth2/token
password_hash TEXT NOT NULL, token VARCHAR(64), secret BYTEA
where token = $1 and password = :password
<input type="password" name="password" autocomplete="current-password">
<label for="password">Password</label><input id="token">
import { useToken, apiKeyOf } from "./token"
const token = useToken(); const secret = await readSecret(path)
let password: String = prompt("Password:");
type Credentials = { password: string; token: string }
public static final String TOKEN = "token";
@app.post("/token")
assert "password" not in response.text
log.info("key.created", key_id=key.id, prefix=key.prefix)
raise InvalidInput("provider_key_required", field="api_key")
auth: ok
pass=12 fail=3 skip=0
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
"""


def lines(text: str) -> Callable[[Random], Iterator[str]]:
    return lambda rnd: iter(text.splitlines())


def uuids(rnd: Random) -> Iterator[str]:
    for _ in range(15):
        id = UUID(int=rnd.getrandbits(128), version=4)
        yield f"run {id} ended"
        yield f'{{"id": "{id}", "key_id": "{id}"}}'
        yield f"/v1/agents/{id}/wake"


def hashes(rnd: Random) -> Iterator[str]:
    for _ in range(15):
        seed = rnd.randbytes(8)
        yield f"commit {sha1(seed).hexdigest()}"
        yield f"etag: {md5(seed).hexdigest()}"
        yield f"sha256:{sha256(seed).hexdigest()}"
        yield f"deps-{sha1(seed).hexdigest()[:7]}.js index-{some(rnd, ascii_lowercase, 8)}.css"


def images(rnd: Random) -> Iterator[str]:
    for size in range(200, 3200, 100):
        data = base64.b64encode(rnd.randbytes(size)).decode()
        yield f"data:image/png;base64,{data}"


def numbers(rnd: Random) -> Iterator[str]:
    for digits in range(4, 40):
        number = rnd.randrange(10**digits)
        yield f"total: {number}, token {number}"
        yield f"max_tokens={number % 10**7}&n={number}"


def urls(rnd: Random) -> Iterator[str]:
    for number in range(12):
        path = some(rnd, ascii_lowercase, 12)
        yield f"https://x.example/{path}?page={number}&limit=50"
        yield f"http://127.0.0.1:18790/v1/chat/completions?model={path}"
        yield f"https://api.example.com:8443/{path}/@{path}"
        yield f"s3://bucket-{number}/{path}/{some(rnd, HEX, 8)}.parquet"
        yield f"https://x.example/?keyword={path}&tokens={number}&sort_key=name"


def words(rnd: Random) -> Iterator[str]:
    """Names that begin as keys do."""
    for _ in range(12):
        name = "-".join(some(rnd, ascii_lowercase, 6) for _ in range(4))
        yield f"sk-{name}"
        yield f"class='hf_{name.replace('-', '_')}' id='npm_{name.replace('-', '_')}'"
        yield f"xox-{name} gsk-{name} pypi-{name} key-{name}"
        yield f"AKIA-{name.upper()} SG.{name[:6]}.{name[-6:]} eyJ.{name}"


LOOKALIKES: dict[str, Callable[[Random], Iterator[str]]] = {
    "prose": lines(PROSE),
    "code": lines(CODE),
    "uuid": uuids,
    "hash": hashes,
    "image": images,
    "number": numbers,
    "url": urls,
    "word": words,
}
