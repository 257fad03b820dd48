"""The settings: Config from the environment and .env. The only module that reads os.environ."""

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dotenv.parser import parse_stream

from bot.business import Business, load_business
from bot.errors import ConfigError
from bot.web_addresses import as_origin, split_url

__all__ = ["SETTINGS", "Business", "Config", "load_config"]

# Every setting there is, with what it means; the documentation lists the same ones.
SETTINGS: Mapping[str, str] = {
    "DATABASE_URL": "sqlite:///path/to/file.db or postgresql://user:password@host/database",
    "HOST": "the address to listen on",
    "PORT": "the port to listen on",
    "PUBLIC_URL": "how browsers reach the service: scheme and host, without a path",
    "SECRET_KEY": "signs visitors' tokens and desk sessions; at least 32 characters",
    "IDENTITY_SECRET": "also held by the shop's website, which signs identity tokens with it; at least 32 characters",
    "API_KEY": "what the shop's own programs send to the REST and shop APIs",
    "DEMO": "1 for the demo shop: demo data and sign-ins, and missing secrets are made",
    "DESK_HOURS": "business: people answer in the opening hours; always: at any hour",
    "TELEGRAM_BOT_TOKEN": "the Telegram bot's token; unset: no Telegram",
    "TELEGRAM_WEBHOOK_SECRET": "what Telegram sends with each update, to be recognised",
    "TELEGRAM_API_URL": "where Telegram's bot API is",
    "SMTP_URL": "smtp://user:password@host:port or smtps://…; unset: mail is written to mail/ in VAR_DIR",
    "LOG_FORMAT": "text or json",
    "WORKERS": "how many dialogue workers `serve` starts",
    "VAR_DIR": "the folder of what the service writes: database, kept secrets, mail",
    "MODEL_PATH": "the trained model",
    "BUSINESS_FILE": "the business file; data/knowledge and catalogue.yml lie beside it",
}

_SECRETS = ("SECRET_KEY", "IDENTITY_SECRET", "API_KEY")
_SECRET_CHARACTERS = 32


@dataclass(frozen=True)
class Config:
    """Everything the environment decides, checked.

    Safe to print: neither a secret nor a URL that may hold a password is in its repr.
    """

    demo: bool
    host: str
    port: int
    public_url: str
    desk_hours: Literal["business", "always"]
    log_format: Literal["text", "json"]
    workers: int
    var_dir: Path
    model_path: Path
    business_file: Path
    telegram_api_url: str
    api_key_is_kept: bool  # made by us, so that nobody knows it unless it is printed
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    identity_secret: str = field(repr=False)
    api_key: str = field(repr=False)
    telegram_bot_token: str | None = field(repr=False)
    telegram_webhook_secret: str | None = field(repr=False)
    smtp_url: str | None = field(repr=False)
    business: Business = field(repr=False)

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins whose pages may open a chat: PUBLIC_URL's and the business file's.

        A public URL on this machine counts under both of its names, localhost and 127.0.0.1.
        """
        local = re.fullmatch(r"http://(?:localhost|127\.0\.0\.1)(:\d+)?", self.public_url)
        names = [f"http://{name}{local[1] or ''}" for name in ("localhost", "127.0.0.1")] if local else []
        return frozenset([self.public_url, *names, *self.business.widget.origins])

    @property
    def mail_dir(self) -> Path:
        """Where mail is written while SMTP_URL is unset."""
        return self.var_dir / "mail"

    @property
    def metrics_dir(self) -> Path:
        """Where this machine's processes keep what they measure, so that one page shows all of it."""
        return self.var_dir / "metrics"


def load_config(
    environ: Mapping[str, str] | None = None,
    *,
    root: Path = Path(),
    overrides: Mapping[str, str] | None = None,
    serving: bool = True,
) -> Config:
    """Read the settings and the business file, and check all of it.

    `overrides` (from the command line) win over `environ` (by default the process's), which wins over `.env` in `root`;
    relative paths start at `root`, and an empty setting counts as unset. Missing secrets are made and kept in VAR_DIR
    when DEMO is on; otherwise they are faults, except for a command that is not `serving`, which gets what is kept or
    throw-away random ones.

    Raises ConfigError with every fault of the environment, `.env` and the business file. Safe to repeat, and to run in
    several processes at once: all of them get the same kept secrets.
    """
    faults: list[str] = []
    values = _read_dotenv(root / ".env", faults)
    values.update({name: value for name, value in (os.environ if environ is None else environ).items() if value})
    values.update(overrides or {})
    settings = _Settings(values, faults)

    demo = settings.flag("DEMO")
    host, port = settings.host("HOST", "127.0.0.1"), settings.number("PORT", 8080, 1, 65535)
    var_dir = root / settings.text("VAR_DIR", "var")
    kept = {name: settings.secret(name, var_dir / "secrets", demo=demo, serving=serving) for name in _SECRETS}
    settings.check_telegram()
    business_file = root / settings.text("BUSINESS_FILE", "business.yml")
    try:
        business = load_business(business_file)
    except ConfigError as error:
        faults.extend(error.faults)
    config: dict[str, Any] = {
        "demo": demo,
        "host": host,
        "port": port,
        "public_url": settings.origin("PUBLIC_URL", f"http://{_browsable(host)}:{port}"),
        "desk_hours": settings.choice("DESK_HOURS", ("business", "always")),
        "log_format": settings.choice("LOG_FORMAT", ("text", "json")),
        "workers": settings.number("WORKERS", 1, 1, 64),
        "var_dir": var_dir,
        "business_file": business_file,
        "model_path": root / settings.text("MODEL_PATH", "models/kasuki.tar.gz"),
        "telegram_api_url": settings.url("TELEGRAM_API_URL", ("https", "http"), "https://api.telegram.org"),
        "api_key_is_kept": "API_KEY" not in settings,
        "database_url": settings.database_url(root, f"sqlite:///{var_dir / 'kasuki.db'}"),
        "secret_key": kept["SECRET_KEY"],
        "identity_secret": kept["IDENTITY_SECRET"],
        "api_key": kept["API_KEY"],
        "telegram_bot_token": settings.text("TELEGRAM_BOT_TOKEN") or None,
        "telegram_webhook_secret": settings.text("TELEGRAM_WEBHOOK_SECRET") or None,
        "smtp_url": settings.url("SMTP_URL", ("smtp", "smtps")) or None,
    }
    if kept["SECRET_KEY"] and kept["SECRET_KEY"] == kept["IDENTITY_SECRET"]:
        # The shop's website could otherwise sign visitors' tokens and desk sessions too.
        faults.append("IDENTITY_SECRET: is the same as SECRET_KEY; the shop's website must not hold that one")
    if faults:
        raise ConfigError(faults)
    if config["desk_hours"] == "always":
        business.open_desk_always()
    return Config(business=business, **config)


class _Settings:
    """Reads settings one at a time and gathers the faults. A fault never shows a value that may be secret."""

    def __init__(self, values: Mapping[str, str], faults: list[str]) -> None:
        self._values = values
        self._faults = faults

    def __contains__(self, name: str) -> bool:
        return bool(self.text(name))

    def fault(self, name: str, what: str) -> None:
        self._faults.append(f"{name}: {what}")

    def text(self, name: str, default: str = "") -> str:
        _ = SETTINGS[name]  # a KeyError here is ours: the setting is not listed
        return self._values.get(name, "").strip() or default

    def flag(self, name: str) -> bool:
        value = self.text(name, "0").lower()
        if value not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            self.fault(name, f"{value!r} is not 1 or 0")
        return value in ("1", "true", "yes", "on")

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            self.fault(name, f"{value!r} is not a whole number from {least} to {most}")
            return default
        return int(value)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed values; the first is the default."""
        value = self.text(name, allowed[0]).lower()
        if value not in allowed:
            self.fault(name, f"{value!r} is not {' or '.join(allowed)}")
        return value

    def host(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not re.fullmatch(r"[A-Za-z0-9.-]+", value) and not _is_ip_address(value):
            self.fault(name, f"{value!r} is not a host name or an address such as 127.0.0.1 or 0.0.0.0")
        return value

    def origin(self, name: str, default: str) -> str:
        origin = as_origin(self.text(name, default))
        if origin is None:
            self.fault(name, "is not a web address such as https://chat.example.com, without a path")
        return origin or default

    def url(self, name: str, schemes: tuple[str, ...], default: str = "") -> str:
        value = self.text(name, default)
        split = split_url(value)
        if value and (split is None or split.scheme not in schemes or not split.hostname):
            self.fault(name, f"is not {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")
        return value.rstrip("/")

    def database_url(self, root: Path, default: str) -> str:
        """The database URL in the form that storage expects: sqlite:///PATH or postgresql://…"""
        name = "DATABASE_URL"
        if name not in self:
            return default
        value = self.text(name)
        split = split_url(value)
        if split is not None and split.scheme == "sqlite":
            path = split.path.removeprefix("/")
            if split.netloc or not path or path == ":memory:":
                self.fault(name, "names no file: write sqlite:///path/to/file.db, with three slashes")
            return f"sqlite:///{root / path}"
        if split is not None and split.scheme in ("postgresql", "postgres"):
            if not split.path.strip("/"):
                self.fault(name, "names no database: write postgresql://user:password@host/database")
            return "postgresql" + value.removeprefix(split.scheme)
        self.fault(name, "does not begin with sqlite:/// or postgresql://")
        return value

    def secret(self, name: str, folder: Path, *, demo: bool, serving: bool) -> str:
        """A secret: the one that is set, else the one kept in `folder`, else a new one if it may be made."""
        value, file = self.text(name), folder / name.lower()
        least = 1 if name == "API_KEY" else _SECRET_CHARACTERS
        if value:
            if len(value) < least:
                self.fault(name, f"has {len(value)} characters and needs at least {least}")
            if not re.fullmatch(r"[!-~]*", value):
                self.fault(name, "has characters other than plain letters, digits and signs")
            return value
        try:
            if demo:
                value = _keep(file, secrets.token_urlsafe(_SECRET_CHARACTERS))
            elif serving:
                self.fault(name, f"is missing: {SETTINGS[name]} (with DEMO=1 one is made)")
                return ""
            else:
                value = file.read_text().strip() if file.exists() else secrets.token_urlsafe(_SECRET_CHARACTERS)
        except OSError as error:
            self.fault(name, f"is unset and cannot be kept in {file} ({error.strerror}): set it")
            return ""
        if len(value) < _SECRET_CHARACTERS:
            self.fault(name, f"{file}, where it is kept, is damaged: delete that file, or set {name}")
        return value

    def check_telegram(self) -> None:
        token, secret = "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"
        if (token in self) != (secret in self):
            missing, present = (token, secret) if secret in self else (secret, token)
            self.fault(missing, f"is missing, while {present} is set")
        # Telegram's own rule for secret_token: https://core.telegram.org/bots/api#setwebhook
        if secret in self and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", self.text(secret)):
            self.fault(secret, "may have 1 to 256 letters, digits, _ and -")


def _read_dotenv(path: Path, faults: list[str]) -> dict[str, str]:
    """The settings in a .env file, if there is one; values are taken as they are, without ${…} replacement."""
    values: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            for binding in parse_stream(file):
                if binding.error or (binding.key and binding.value is None):
                    faults.append(f"{path}: line {binding.original.line} is not NAME=value")
                elif binding.key and binding.value:
                    values[binding.key] = binding.value
    except FileNotFoundError:
        pass
    except UnicodeDecodeError:
        faults.append(f"{path}: is not UTF-8 text")
    except OSError as error:
        faults.append(f"{path}: cannot be read ({error.strerror})")
    return values


def _keep(file: Path, value: str) -> str:
    """Keep a new secret in a file that only its owner can read, and return what the file holds.

    Of two processes that do this at once, one wins and both return its secret: the file appears complete, under
    its name, or not at all.
    """
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(f"{value}\n")
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return file.read_text().strip()


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _browsable(host: str) -> str:
    """The host as a browser on this machine would write it."""
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1"):  # noqa: S104 - compared with, not listened on
        return "localhost"
    return f"[{host}]" if ":" in host else host
