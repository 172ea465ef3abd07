"""Texts with one secret planted in each, and texts that only look so; all of it is made up.

Every value is drawn from a seed, in the form that its maker publishes, so that no real key is here
and none stands in this file. A context is a line or a few of code, settings, shell, JSON, YAML or
logs. Tune on one seed and report another.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
ALNUM = UPPER + LOWER + DIGITS
WORD = ALNUM + "_-"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
SYMBOLS = ALNUM + "!#%*+=._-"


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, what it holds, and where; ``value`` is empty where there is nothing to find."""

    kind: str
    text: str
    value: str
    is_person: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """Where the value stands, in bytes."""
        start = len(self.text[: self.text.index(self.value)].encode())
        return start, start + len(self.value.encode())


class Dice(random.Random):
    """Draws strings."""

    def of(self, alphabet: str, least: int, most: int | None = None) -> str:
        """Return a string over an alphabet, of a length between two."""
        length = self.randint(least, most or least)
        return "".join(self.choices(alphabet, k=length))

    def mixed(self, alphabet: str, least: int, most: int | None = None) -> str:
        """Return one that holds a letter of either case and a digit."""
        while True:
            text = self.of(alphabet, least, most)
            if set(text) & set(DIGITS) and set(text) & set(LOWER) and set(text) & set(UPPER):
                return text


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _jwt(dice: Dice) -> str:
    header = {"alg": dice.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    if dice.random() < 0.3:
        header = {"kid": dice.of(HEX, 16), **header}
    claims = {"sub": dice.of(DIGITS, 8), "iat": 1_700_000_000 + dice.randint(0, 10**7)}
    parts = [_base64url(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, dice.of(WORD, 43)])


FORMS: dict[str, Callable[[Dice], str]] = {
    "aws-access-key": lambda d: d.choice(["AKIA", "ASIA"]) + d.of(UPPER + "234567", 16),
    "github-token": lambda d: "gh" + d.choice("pousr") + "_" + d.mixed(ALNUM, 36),
    "github-token/fine": lambda d: "github_" + "pat_" + d.of(ALNUM, 22) + "_" + d.of(ALNUM, 59),
    "gitlab-token": lambda d: "glpat" + "-" + d.mixed(WORD, 20),
    "hugging-face-token": lambda d: "hf" + "_" + d.of(UPPER + LOWER, 34),
    "openai-key": lambda d: "sk" + "-" + d.of(ALNUM, 20) + "T3Blbk" + "FJ" + d.of(ALNUM, 20),
    "openai-key/project": lambda d: (
        "sk" + "-proj-" + d.of(WORD, 74) + "T3Blbk" + "FJ" + d.of(WORD, 73) + "A"
    ),
    "anthropic-key": lambda d: "sk" + "-ant-api03-" + d.of(WORD, 93) + "AA",
    "google-api-key": lambda d: "AI" + "za" + d.of(WORD, 34) + d.of(ALNUM, 1),
    "google-oauth-secret": lambda d: "GOC" + "SPX-" + d.of(WORD, 27) + d.of(ALNUM, 1),
    "slack-token": lambda d: (
        "xox" + "b-" + d.of(DIGITS, 12) + "-" + d.of(DIGITS, 13) + "-" + d.mixed(ALNUM, 24)
    ),
    "slack-webhook": lambda d: (
        "https://hooks.slack" + ".com/services/T" + d.of(UPPER + DIGITS, 10)
        + "/B" + d.of(UPPER + DIGITS, 10) + "/" + d.mixed(ALNUM, 24)
    ),
    "stripe-key": lambda d: d.choice(["sk", "rk"]) + "_live_" + d.mixed(ALNUM, 24, 99),
    "npm-token": lambda d: "npm" + "_" + d.mixed(ALNUM, 36),
    "pypi-token": lambda d: "pypi-AgEI" + "cHlwaS5vcmc" + d.mixed(WORD, 120, 180) + "A",
    "docker-token": lambda d: "dckr" + "_pat_" + d.mixed(WORD, 26) + "a",
    "digitalocean-token": lambda d: "dop" + "_v1_" + d.of(HEX, 64),
    "sendgrid-key": lambda d: "SG" + "." + d.of(WORD, 22) + "." + d.of(WORD, 42) + "b",
    "twilio-key": lambda d: "SK" + d.of(HEX, 32),
    "telegram-token": lambda d: "7" + d.of(DIGITS, 9) + ":AA" + d.of(WORD, 32) + "c",
    "discord-webhook": lambda d: (
        "https://discord" + ".com/api/webhooks/1" + d.of(DIGITS, 17) + "/" + d.of(WORD, 67) + "d"
    ),
    "discord-token": lambda d: (
        _base64url(b"%d" % d.randint(10**17, 10**19))
        + ".G" + d.of(WORD, 5) + "." + d.of(WORD, 37) + "e"
    ),
    "databricks-token": lambda d: "dapi" + d.of(HEX, 32),
    "shopify-token": lambda d: "shp" + d.choice(["at", "ca", "pa", "ss"]) + "_" + d.of(HEX, 32),
    "mailgun-key": lambda d: "key" + "-" + d.of(HEX, 32),
    "linear-key": lambda d: "lin" + "_api_" + d.mixed(ALNUM, 40),
    "groq-key": lambda d: "gsk" + "_" + d.mixed(ALNUM, 52),
    "xai-key": lambda d: "xai" + "-" + d.mixed(ALNUM, 80),
    "replicate-token": lambda d: "r8" + "_" + d.mixed(ALNUM, 37),
    "openrouter-key": lambda d: "sk" + "-or-v1-" + d.of(HEX, 64),
    "vault-token": lambda d: "hvs" + "." + d.mixed(WORD, 94) + "f",
    "jwt": _jwt,
}  # fmt: skip
"""What can be known by its form alone, wherever it stands."""

ANYWHERE = (
    "client = Client({quote}{value}{quote})  # TODO: move it out of the code",
    "const KEY = '{value}';",
    "export SERVICE_CREDENTIAL={value}",
    'DEPLOY="{value}"',
    '{{"config": {{"value": "{value}"}}}}',
    "  deploy:\n    value: {value}\n    retries: 3",
    "2024-05-{day} 10:11:12 DEBUG http client sent {value} and got 401",
    "$ echo {value}\n{value}",
    "curl -s -H 'X-Auth: {value}' https://api.internal.io/v1/items",
    '+    val client = connect("{value}")\n-    val client = connect()',
    'observation: "{{\\"stdout\\": \\"SERVICE={value}\\\\n\\"}}"',
    "I found the value `{value}` in the settings; let me try it.",
    "headers = {{'Authorization': 'Bearer {value}'}}",
)
"""Where such a value may stand. ``{quote}`` is either quote."""

NAMES = (
    "API_KEY", "api_key", "apiKey", "SECRET_KEY", "client_secret", "clientSecret", "auth_token",
    "ACCESS_TOKEN", "accessToken", "DB_PASSWORD", "password", "private_key", "app_secret",
    "WEBHOOK_SECRET", "x-api-key", "refresh_token", "SIGNING_KEY", "encryption_key",
)  # fmt: skip
KEYED = (
    '{name} = "{value}"',
    "{name}: '{value}'",
    "{name}={value}",
    "export {name}={value}",
    '"{name}": "{value}",',
    "  {name}: {value}\n  region: eu-west-1",
    '    {name}: str = "{value}"',
    'os.environ["{name}"] = "{value}"',
    "const {name} = `{value}`;",
    "ENV {name}={value}",
    "services:\n  web:\n    environment:\n      - {name}={value}\n",
    'tool output: "{{\\"{name}\\": \\"{value}\\"}}"',
    "+{name} = '{value}'",
    "[INFO] starting with {name}={value} on port 8080",
    'connect(host="db", {name}="{value}")',
)
"""Where a value is known by the name before it."""


def _value(dice: Dice, name: str) -> str:
    """Return a value that a program drew, or a password that a careful person did."""
    if "pass" in name.lower():
        return dice.choice(
            [
                dice.mixed(SYMBOLS, 12, 20),
                dice.choice(["Winter", "Berlin", "zebra", "Falcon"])
                + dice.of(DIGITS, 3)
                + dice.choice("!#%*")
                + dice.mixed(ALNUM, 4),
            ]
        ).strip("=.-")  # fmt: skip
    alphabet = dice.choice([HEX, ALNUM, ALNUM, WORD, BASE64])
    if alphabet == HEX:
        return dice.of(HEX, dice.choice([32, 40, 64]))
    return dice.mixed(alphabet, 24, 48).strip("-/")


def _key_body(dice: Dice) -> list[str]:
    lines = [dice.of(BASE64, 64) for _ in range(dice.randint(8, 24))]
    return ["MII" + dice.of(BASE64, 61), *lines, dice.of(BASE64, 22) + "=="]


def _private_key(dice: Dice) -> Sample:
    label = dice.choice(["RSA ", "EC ", "", "OPENSSH ", "PGP "])
    tail = " BLOCK" if label == "PGP " else ""
    join = dice.choice(["\n", "\\n", "\\\\n", "\n    ", "\n+"])
    body = join.join(_key_body(dice))
    head, foot = (f"-----{w} {label}PRIVATE " + f"KEY{tail}-----" for w in ("BEGIN", "END"))
    before, after = dice.choice(
        [("", ""), ('key = "', '"'), ('{"pem": "', '"}'), ("$ cat k\n", "\n")]
    )
    return Sample("private-key", f"{before}{head}{join}{body}{join}{foot}{after}", body)


def _connection(dice: Dice) -> Sample:
    scheme = dice.choice(
        ["postgres", "postgresql+asyncpg", "redis", "mongodb+srv", "amqp", "mysql", "https"]
    )
    user = dice.choice(["svc", "admin", "app_rw", "deploy-bot"])
    value = dice.mixed(ALNUM + "!%._-", 10, 24)
    host = dice.choice(["db.prod.corp.io:5432/main", "10.2.0.7:6379/0", "mq-1.internal:5672"])
    template = dice.choice(
        ["DATABASE_URL={}", 'engine = create_engine("{}")', '{{"url": "{}"}}', "remote: {}", "- {}"]
    )
    return Sample("url-password", template.format(f"{scheme}://{user}:{value}@{host}"), value)


def _contextual(dice: Dice) -> Sample:
    key = dice.mixed(BASE64, 39) + "a"
    azure = dice.of(BASE64, 86) + "=="
    token = dice.mixed(ALNUM, 28, 60)
    basic = base64.b64encode(f"svc:{dice.mixed(ALNUM, 14)}".encode()).decode()
    word = dice.mixed(ALNUM + "_", 12, 20)
    kind, text, value = dice.choice(
        [
            ("aws-secret-key", f"aws_secret_access_key = {key}", key),
            ("aws-secret-key", f'"SecretAccessKey": "{key}",', key),
            ("aws-secret-key", f"export AWS_SECRET_ACCESS_KEY={key}", key),
            ("azure-storage-key", f"AccountName=logs;AccountKey={azure};EndpointSuffix=x", azure),
            ("bearer", f"> Authorization: Bearer {token}", token),
            ("bearer", f"curl -H 'Authorization: Bearer {token}' https://api.corp.io", token),
            ("bearer", f"authorization: Basic {basic}", basic),
            ("option", f"$ deploy --user svc --password {word} --dry-run", word),
            ("option", f"gh-helper --token={token} sync", token),
            ("option", f"mytool --api-key {token}", token),
        ]
    )
    return Sample(kind, text, value)


PEOPLE = ("maria.keller", "tnguyen", "jonas_b", "oconnor", "hye-jin.park", "rkowalski", "dsouza7")
HOSTS = (
    "keller-it.de",
    "gmail.com",
    "uni-jena.de",
    "acme-robotics.io",
    "mail.corp.co.uk",
    "qq.com",
)


def _person(dice: Dice) -> Sample:
    name = dice.choice(PEOPLE)
    mail = f"{name}@{dice.choice(HOSTS)}"
    home = name.replace(".", "")
    kind, text, value = dice.choice(
        [
            ("email", f"Author: Somebody <{mail}>", mail),
            ("email", f'{{"contact": "{mail}", "n": 3}}', mail),
            ("email", f"please write to {mail}.", mail),
            ("email", f"log: \\n{mail}\\tlogged in", mail),
            ("email", f"git config user.email {mail}", mail),
            ("home-directory", f'File "/home/{home}/src/tool.py", line 3', home),
            ("home-directory", f"cd /Users/{home}/work && ls", home),
            ("home-directory", f"C:\\Users\\{home}\\AppData\\Local", home),
            ("home-directory", f'"cwd": "C:\\\\Users\\\\{home}\\\\repo"', home),
            ("home-directory", f"PATH=/usr/bin:/home/{home}/.local/bin", home),
        ]
    )
    return Sample(kind, text, value, is_person=True)


def _what_is_secret(kind: str, value: str) -> str:
    """Return what of a value must go: of a web hook's address, only its last part."""
    after = {"slack-webhook": "/services/", "discord-webhook": "/webhooks/"}.get(kind)
    if after is None:
        return value
    path = value.partition(after)[2]
    return path if kind == "slack-webhook" else path.partition("/")[2]


def planted(seed: int, count: int) -> Iterator[Sample]:
    """Yield texts that hold one secret, or one person's name or address, each."""
    dice = Dice(seed)
    kinds = list(FORMS)
    for number in range(count):
        draw = number % 10
        if draw < 4:
            kind = kinds[(number // 10 * 4 + draw) % len(kinds)]
            value = FORMS[kind](dice)
            text = dice.choice(ANYWHERE).format(
                value=value, quote=dice.choice("'\""), day=dice.randint(10, 28)
            )
            yield Sample(kind.partition("/")[0], text, _what_is_secret(kind, value))
        elif draw < 6:
            name = dice.choice(NAMES)
            value = _value(dice, name)
            yield Sample("assigned", dice.choice(KEYED).format(name=name, value=value), value)
        else:
            yield (_private_key, _connection, _contextual, _person)[draw - 6](dice)


def _base64(dice: Dice, size: int) -> str:
    return base64.b64encode(dice.randbytes(size)).decode()


def _listed(text: str) -> list[str]:
    return [item.strip() for line in text.strip().splitlines() for item in line.split(" | ")]


PLACEHOLDERS = _listed("""
xxxxxxxxxxxxxxxxxxxx | your-api-key | YOUR_API_KEY_HERE | <TOKEN> | ${API_TOKEN} | changeme
example | {{ secrets.TOKEN }} | $(cat token.txt) | ************ | REPLACE_ME | test-token-1
dummy_key_123 | my-secret-token | fake-api-key-0 | not-a-real-key | 1234567890abcdef
aaaaaaaa11111111 | todo | %(password)s | ... | password123 | sk-... | secret1 | s3cret
<AWS_ACCESS_KEY_1> | REDACTED | none | abc123 | insert_token_here_1 | example_token_v2
${{ secrets.GITHUB_TOKEN }} | $DB_PASSWORD | ENC[vault] | test_password_1 | 00000000-0000
""")
CODE_VALUES = _listed("""
get_token_from_request_v2(request) | config.password | os.environ["API_KEY_V2"]
os.getenv("DB_PASSWORD_1") | settings.SECRET_KEY | self._read_token(stream, 16)
process.env.API_KEY2 | AutoTokenizer.from_pretrained(model1) | String.valueOf(count2) | None
secrets.token_urlsafe(32) | hashlib.sha256(data).hexdigest() | tokens[index_1]
Field(default=None, alias='x1') | base64.b64encode(value1) | getpass.getpass() | row[12]
parser.parse_args().token_v1 | str(uuid.uuid4()) | request.headers.get('X-Auth1')
t.Optional[SecretStr1] | await fetchToken2(client) | lambda x1: x1.password_hash
""")
NO_ADDRESSES = _listed("""
@pytest.mark.parametrize | git@github.com:numpy/numpy.git | x = a@b | logo@2x.png
noreply@github.com | 12345+somebody@users.noreply.github.com | user@example.com
alice@example.org | me@host.test | react@18.2.0 | @types/node@18.11.9 | q@k.mT
y = x@self.weight.T + b | foo@latest | getty@tty1.service | icon@3x.webp | a @ b.c
actions/checkout@v4.1.0 | no-reply@accounts.google.com | dev@localhost | you@yourdomain.com
git+ssh://git@gitlab.com/a/b | @Component.of | lodash@npm:4.17.21 | pkg@file:../pkg.tgz
""")
NO_HOMES = _listed(r"""
/home/runner/work/a/b | /home/user/app | /Users/username/project | /home/$USER/x
/home/ubuntu/.cache | /Users/Shared/x | C:\Users\Public\x | /home/<name>/x
C:\Users\runneradmin\x | /home/{user}/x | /home/app/node_modules | /home/node/x
/home/vscode/.local/bin | C:\\Users\\Default\\x | https://x.io/home/index | /Users/you/x
""")
NAMES_ALONE = _listed("""
max_tokens: 4096 | token_ids = [101, 2023, 102] | tokenizer='gpt2-medium-v1' | num_tokens=128000
secretary = 'person12345' | password_field = 'password_input_2' | sort_key = 'created_at_v2'
passwordless: enabled1 | token_type: 'bearer_v1x' | primary_key = 'user_id_12'
api_key_header = 'X-Api-Key2' | api_key_path: '/etc/keys/v1.json' | secret_name='db-creds-1'
token_url = 'https://x.io/oauth2/token' | keyboard: 'qwerty123' | password_hash_rounds=12345678
PASSWORD_HASHER = 'django.PBKDF2Hasher1' | tokens_used=123456789 | secret_version: 'v20240101'
token: {type: string, length: 16} | password: Annotated[str, Len(8)] | access_key_id=key_id_1
secretsmanager:GetSecretValue1 | next_token = 'page-2-of-10' | auth_token_file: token1.json
<input type=password id=login-password1> | key: 'ctrl+shift+k1' | token=T1,tokens=T2,n=3
aws_secret_name = 'prod/db/password1' | password must have 8 to 64 characters
apikey-management-v2: enabled | .btn-primary-key-2{color:#ffaa00} | token == TokenType.RPAR2
""")
NO_PASSWORDS = _listed("""
postgres://user:password@localhost:5432/db | redis://:${REDIS_PASSWORD}@cache:6379
https://user:pass@example.com | postgresql://{user}:{password}@{host}/{name}
mongodb://<username>:<password>@cluster0 | https://x-access-token:$TOKEN@github.com/a/b
http://localhost:8000/@vite/client | https://medium.com:443/@someone/post-1
amqp://guest:guest@localhost// | mysql://root:root@127.0.0.1/test | ssh://git@host:22/r.git
""")

SHA_PLACES = _listed("""
commit {} | "sha": "{}" | index {}..abc1234 100644 | HEAD is now at {} | rev: {} | ref = "{}"
git checkout {} | https://github.com/a/b/commit/{} | {} refs/heads/main
""")
DIGEST_PLACES = _listed("""
    "sha256:{}", | --hash=sha256:{} | checksum = "{}" | image@sha256:{} | "digest": "sha256:{}"
{}  dist/file.tar.gz | etag: "{}" | cache_key = '{}' | md5sum: {} | x-request-id: {}
file_hash="{}" | trace_id={}
""")
INTEGRITY_PLACES = _listed("""
"integrity": "sha512-{}", | resolution: {{integrity: sha512-{}}} | go.sum h1:{} | x="sha384-{}"
""")
UUID_PLACES = _listed("""
id = "{}" | {} | token = "{}" | "session_token": "{}" | uuid: {} | run/{}/log
""")
IMAGE_PLACES = _listed("""
<img src="data:image/png;base64,{}"> | url(data:font/woff2;base64,{}) | iVBORw0K{}
{{"image/png": "{}"}}
""")
PUBLIC_KEYS = (
    "ssh-rsa AAAAB3NzaC1yc2E{} me",
    "ssh-ed25519 AAAAC3Nz{}",
    "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
)
CODE_PLACES = _listed("{} = {} | {}={}, | {}: {}, | self.{} = {} | return dict({}={})")
DUMMIES = [
    *_listed("""
    AKIAIOSFODNN7EXAMPLE | xoxb-your-token | ghp_[A-Za-z0-9]{36} | r'AKIA[0-9A-Z]{16}'
    sk-proj-your-key-here | wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY | SG.xxxxxxxx.xxxxxxxx
    """),
    *(
        head + letter * size
        for head, letter, size in [
            ("ghp_", "x", 36), ("sk-", "x", 48), ("AIza", "X", 35), ("hf_", "x", 34),
            ("glpat-", "x", 20), ("AKIA", "X", 16), ("npm_", "0", 36), ("sk_live_", "x", 24),
        ]
    ),
]  # fmt: skip
WORDS_IN_DASHES = _listed("""
class Task{}Handler2: | import mask-{}-v2 | risk-{} | def test_{}_1(): | eyJ{} | _hf_{}_9
""")

LOOKALIKES: dict[str, Callable[[Dice], str]] = {
    "git sha": lambda d: d.choice(SHA_PLACES).format(d.of(HEX, 40)),
    "digest": lambda d: d.choice(DIGEST_PLACES).format(d.of(HEX, 64)),
    "integrity": lambda d: d.choice(INTEGRITY_PLACES).format(_base64(d, 64)),
    "uuid": lambda d: d.choice(UUID_PLACES).format(
        "-".join(d.of(HEX, size) for size in (8, 4, 4, 4, 12))
    ),
    "image": lambda d: d.choice(IMAGE_PLACES).format(_base64(d, 300)),
    "public key": lambda d: d.choice(PUBLIC_KEYS).format(_base64(d, 180)),
    "placeholder": lambda d: d.choice(KEYED).format(
        name=d.choice(NAMES), value=d.choice(PLACEHOLDERS)
    ),
    "code": lambda d: d.choice(CODE_PLACES).format(d.choice(NAMES), d.choice(CODE_VALUES)),
    "dummy of a form": lambda d: d.choice(DUMMIES),
    "url": lambda d: d.choice(NO_PASSWORDS),
    "no address": lambda d: d.choice(NO_ADDRESSES),
    "no home": lambda d: d.choice(NO_HOMES),
    "name": lambda d: d.choice(NAMES_ALONE),
    "random name": lambda d: d.choice(WORDS_IN_DASHES).format(
        "-".join(d.of(LOWER, 6) for _ in range(5))
    ),
}
"""What looks like a secret or a person and is none."""


def lookalikes(seed: int, count: int) -> Iterator[Sample]:
    """Yield texts that hold nothing, kind by kind."""
    dice = Dice(seed)
    kinds = list(LOOKALIKES)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield Sample(kind, LOOKALIKES[kind](dice), "")


HOSTILE = (
    b"@",
    b"a@",
    b"a@a.aa@",
    b"a.b",
    b"a1",
    b"=",
    b"://",
    b"://a:",
    b"://a:b@",
    b"eyJ",
    b"eyJhbGciOiJ9.",
    b"token=",
    b"token=a1",
    b"token: a1b2C3d4=",
    b'password = "a1B2c3D4',
    b"--password a1B2c3D4",
    b"secretkey",
    b"api_key,",
    b"token: str = ",
    b"-----BEGIN",
    b"-----BEGIN PRIVATE KEY-----",
    b"-----BEGIN PRIVATE KEY-----\\n\\nAAAA",
    b"-----BEGIN PRIVATE KEY-----\nABCDEFGHIJKLMNOP1",
    b"bearer a1B2c3D4e5F6g7H8",
    b"Basic QWxhZGRpbjpv",
    b"/home/ab",
    b":\\Users\\ab",
    b"0123456789:AA",
    b"\\n",
    b"sk-a1",
    b"ghp_a1B2",
    b"SK0123456789abcdef",
    b"MTIz",
    b"MTIzNDU2Nzg5MDEyMzQ1Ng.GaBcDe.",
)
"""What a text may be made of to keep a scanner busy."""
