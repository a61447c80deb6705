"""Every setting in one table: name, default, unit, help. Flags, environment, file and documents come from it.

Order of precedence: flag > environment `COPYDESK_NAME` > `copydesk.toml` > default.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from pipeline.errors import SettingError

ENVIRONMENT_PREFIX = "COPYDESK_"
FILE = "copydesk.toml"
_LABEL = "[a-zA-Z0-9_-]{1,63}"
_PORT = "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_ADDRESS = rf"(?:\[[0-9a-fA-F:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?):{_PORT}"
_ADDRESSES = (rf"({_ADDRESS}(,{_ADDRESS})*)?", "HOST:PORT, several parted by commas")
# Kafka takes 249 signs; our own part of a topic's name and of a transactional id needs some of them.
_TOPIC = (r"[a-zA-Z0-9._-]{1,200}", "1 to 200 letters, digits, dots, dashes or underscores")

# Kafka counts a record's bytes in 31 bits, and an article of ours may come to three times its size there.
_MOST_ARTICLE_BYTES = 700_000_000

# RFC 7617: the first colon ends the user name.
_USER = (r"[^:\x00-\x1f\x7f]*", "text without a colon")
_FACTS = (
    "headline|body|summary|authors|published|modified|language|url|publisher|place|embargo|version|status|copyright"
    "|usage_terms"
)
_FIELD = rf"(?:{_FACTS})=[\w.@$:-]{{1,80}}(?:,[\w.@$:-]{{1,80}}){{0,9}}"
_FIELDS = (rf"(?:{_FIELD}(?: +{_FIELD}){{0,40}})?", "FACT=FIELD[,FIELD…], several parted by blanks")


def _setting(
    default: Any,
    help: str,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
    low: float = -math.inf,
    high: float = 1e15,
    shape: tuple[str, str] = ("", ""),
    secret: bool = False,
) -> Any:
    """`low` and `high` are the bounds, both allowed; `shape` is a pattern for all of the text, and it in words."""
    meta = {"help": help, "unit": unit, "choices": choices, "low": low, "high": high, "shape": shape, "secret": secret}
    if isinstance(default, list):
        return field(default_factory=lambda: tuple(default), metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a command runs with. Immutable; `load` builds it, tests build it directly."""

    # Kafka
    broker: str = _setting(
        "", "bootstrap address HOST:PORT of an existing cluster; empty: the embedded broker", shape=_ADDRESSES
    )
    broker_port: int = _setting(9092, "port of the embedded broker; 0 takes a free one", low=0, high=65_535)
    prefix: str = _setting("articles", "first part of every topic's name", shape=_TOPIC)
    partitions: int = _setting(4, "partitions of topics that we create", low=1, high=10_000)
    replication_factor: int = _setting(
        -1, "replicas of topics that we create; -1: what the cluster says", low=-1, high=32_767
    )
    security_protocol: str = _setting(
        "PLAINTEXT", "how clients talk to Kafka", choices=("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
    )
    sasl_mechanism: str = _setting(
        "PLAIN", "how clients log in", choices=("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
    )
    sasl_username: str = _setting("", "user name for PLAIN and SCRAM")
    sasl_password: str = _setting("", "password for PLAIN and SCRAM (environment or file only)", secret=True)
    sasl_password_file: str = _setting("", "file that holds the password")
    sasl_token_file: str = _setting("", "file that holds the OAUTHBEARER token; read again at every login")
    ssl_cafile: str = _setting("", "PEM file of the authorities to trust; empty: the system's")
    ssl_certfile: str = _setting("", "PEM file of our own certificate")
    ssl_keyfile: str = _setting("", "PEM file of our own key")
    # files
    data_dir: str = _setting(".copydesk", "where the embedded broker and our state live")
    inbox: tuple[str, ...] = _setting(["inbox"], "folder to watch; may be repeated")
    after: str = _setting("keep", "what becomes of a published file", choices=("keep", "move", "delete"))
    after_dir: str = _setting("", "where `--after move` puts files; empty: beside the inbox, named INBOX.done")
    settle_seconds: float = _setting(0.4, "a file must stand still this long between two looks", unit="seconds", low=0)
    scan_seconds: float = _setting(5.0, "pause between two full scans of the inbox", unit="seconds", low=0.05)
    max_article_bytes: int = _setting(
        4_194_304, "larger articles are rejected", unit="bytes", low=1024, high=_MOST_ARTICLE_BYTES
    )
    max_file_bytes: int = _setting(
        67_108_864, "larger ones are rejected: JSON files, zips within archives", unit="bytes", low=1024
    )
    max_unpacked_ratio: int = _setting(200, "a packed file that grows by more than this is cut off", low=2)
    max_unpacked_bytes: int = _setting(1 << 34, "a packed file that grows to more is cut off", unit="bytes", low=1024)
    # stream
    workers: int = _setting(0, "worker processes of `run`; 0: one a core", low=0)
    batch_articles: int = _setting(500, "most articles in one batch", low=1)
    batch_seconds: float = _setting(0.5, "aim for the work in one batch", unit="seconds", low=0.01)
    fields: str = _setting(
        "",
        "where JSON and CSV keep what: FACT=FIELD[,FIELD…], several parted by blanks; dots lead inwards",
        shape=_FIELDS,
    )
    parse_seconds: float = _setting(
        5.0, "an article whose parser takes more CPU time is rejected", unit="seconds", low=0.1
    )
    check_ratio: float = _setting(
        0.01, "share of outgoing records that are held against both schemas", unit="ratio", low=0, high=1
    )
    reject_ratio: float = _setting(
        0.95, "a worker stops where more of its last 10,000 articles are rejected; 1: never", low=0.01, high=1
    )
    reject_run: int = _setting(10_000, "a worker stops once so many articles in a row are rejected; 0: never", low=0)
    window_seconds: int = _setting(604_800, "how long de-duplication remembers an article", unit="seconds", low=60)
    story_window_seconds: int = _setting(
        259_200, "a story whose last article is older takes no more", unit="seconds", low=60
    )
    session_timeout_seconds: float = _setting(
        8.0, "a silent worker is given up after this", unit="seconds", low=6, high=1_800
    )
    drain_seconds: float = _setting(
        20.0, "how long a stopping process may finish what it holds", unit="seconds", low=0, high=86_400
    )
    tagger: str = _setting(
        "fast",
        "what finds names; spacy finds more, fewer of them right, at some 30 times the cost, and needs copydesk[spacy]",
        choices=("fast", "spacy"),
    )
    taxonomy: str = _setting("", "your own terms: path of a taxonomy.toml, read again when it changes; empty: none")
    # endpoints
    metrics_host: str = _setting("127.0.0.1", "address of /metrics, /livez and /readyz")
    metrics_port: int = _setting(9108, "their port; 0 takes a free one", low=0, high=65_535)
    page_host: str = _setting("127.0.0.1", "address of the live page")
    page_port: int = _setting(8080, "its port; 0 takes a free one", low=0, high=65_535)
    http_certfile: str = _setting("", "PEM file of the certificate for page and endpoints; empty: plain HTTP")
    http_keyfile: str = _setting("", "PEM file of its key; empty: it is in http_certfile")
    http_username: str = _setting("", "user name that page and endpoints ask for; empty: none", shape=_USER)
    http_password: str = _setting("", "its password (environment or file only)", secret=True)
    http_password_file: str = _setting("", "file that holds that password")
    # words
    log_level: str = _setting("warning", "how much is logged", choices=("debug", "info", "warning", "error"))

    @property
    def group(self) -> str:
        """Consumer group of the workers, and stem of every transactional id."""
        return f"copydesk-{self.prefix}"

    def field_names(self) -> dict[str, tuple[str, ...]]:
        """`fields` by fact."""
        pairs = (part.partition("=") for part in self.fields.split())
        return {fact: tuple(names.split(",")) for fact, _, names in pairs}

    def password(self) -> str:
        """The SASL password from its file or setting. Raises SettingError where the file cannot be read."""
        return _secret(self.sasl_password_file, "sasl_password_file") if self.sasl_password_file else self.sasl_password

    def http_secret(self) -> str:
        """The password of page and endpoints. Raises SettingError where the file cannot be read."""
        return _secret(self.http_password_file, "http_password_file") if self.http_password_file else self.http_password

    def token(self) -> str:
        """The OAUTHBEARER token, read afresh. Raises SettingError where the file cannot be read."""
        return _secret(self.sasl_token_file, "sasl_token_file")

    def __repr__(self) -> str:
        shown = {f.name: "…" if f.metadata["secret"] else getattr(self, f.name) for f in fields(self)}
        return f"Settings({shown})"

    def environment(self) -> dict[str, str]:
        """The settings as environment variables: how `run` hands them, secrets too, to its children."""
        return {ENVIRONMENT_PREFIX + f.name.upper(): _as_text(getattr(self, f.name)) for f in fields(self)}


def _secret(path: str, name: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(f"{name}: cannot read {path} ({error.strerror}); check the path and its rights") from error
    except UnicodeDecodeError:
        # Without the cause, which shows bytes of what may be a secret.
        raise SettingError(f"{name}: {path} is no UTF-8 text; name the file that holds it alone") from None


def _as_text(value: Any) -> str:
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _parse(name: str, value: Any, where: str) -> Any:
    """One value from a flag, variable or file in its declared type. Raises SettingError."""
    spec = next(f for f in fields(Settings) if f.name == name)
    kind = get_type_hints(Settings)[name]
    words, typed = _KINDS[kind]
    # What a file says has a type already; true is no number, and 2.5 no whole one.
    parsed = _converted(value, kind) if isinstance(value, str) or type(value) in typed else None
    if parsed is None:
        raise SettingError(f"{where}: {name} must be {words}, not {_shown(spec, value)}")
    wrong = _wrong(spec.metadata, parsed)
    if wrong:
        raise SettingError(f"{where}: {name} must be {wrong}, not {_shown(spec, value)}")
    return parsed


_KINDS: Mapping[Any, tuple[str, tuple[type, ...]]] = {
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("text", (str,)),
    tuple[str, ...]: ("at least one folder", (list, tuple)),
}


def _converted(value: Any, kind: Any) -> Any:
    """`value` as `kind`, None where it is not one."""
    if kind == tuple[str, ...]:
        # One a line in a variable: every other sign may stand in a folder's name.
        parts = value.split("\n") if isinstance(value, str) else value
        return (
            tuple(part for part in parts if part) if all(type(part) is str for part in parts) and any(parts) else None
        )
    try:
        return kind(value)
    except ValueError:
        return None


def _wrong(meta: Mapping[str, Any], value: Any) -> str:
    """What `value` should be instead; empty where it is right."""
    if meta["choices"] and value not in meta["choices"]:
        return f"one of {', '.join(meta['choices'])}"
    pattern, words = meta["shape"]
    if pattern and not re.fullmatch(pattern, value):
        return str(words)
    if isinstance(value, tuple) and any("\n" in part for part in value):
        return "folders whose names have no line break"
    if isinstance(value, (int, float)):
        # Put this way round so that nan, which compares with nothing, is refused.
        if not value >= meta["low"]:
            return f"at least {meta['low']:.15g}"
        if not value <= meta["high"]:
            return f"at most {meta['high']:.15g}"
    return ""


def _shown(spec: Field[Any], value: Any) -> str:
    return "…" if spec.metadata["secret"] else repr(value)


def given(**values: Any) -> Settings:
    """Settings as code gives them, the others by default. Raises SettingError on an unusable value."""
    return Settings(**{name: _parse(name, value, "given") for name, value in values.items()})


def load(flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ, file: Path | None = None) -> Settings:
    """Settings from `flags` (absent or None: not given), `environment` and `file` (default: `copydesk.toml` here).

    Raises SettingError on an unknown name in the file or an unusable value anywhere, naming where it stood.
    """
    names = [f.name for f in fields(Settings)]
    found: dict[str, Any] = {}
    path = file or Path(FILE)
    for name, value in _from_file(path).items():
        if name not in names:
            raise SettingError(f"{path}: there is no setting {name!r}; `copydesk run --help` lists them")
        found[name] = _parse(name, value, str(path))
    for name in names:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environment:
            found[name] = _parse(name, environment[variable], variable)
        if flags.get(name) is not None:
            found[name] = _parse(name, flags[name], "--" + name.replace("_", "-"))
    return Settings(**found)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path}: cannot be read as TOML ({error}); mend or remove it") from error
