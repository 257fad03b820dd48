"""Settings and the business file."""

import dataclasses
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.business import load_business
from bot.config import SETTINGS, Config, load_config
from bot.core.opening_hours import Interval
from bot.errors import BotError, ConfigError

SECRET = "s" * 32
PRODUCTION = {"SECRET_KEY": SECRET, "IDENTITY_SECRET": "i" * 32, "API_KEY": "key-of-the-shop"}

BUSINESS = """
name: Corner Shop
currency: EUR
time_zone: Europe/Berlin
contact: {email: hello@corner.example}
opening_hours:
  monday: ["08:00-12:00", "13:00-17:00"]
  tuesday: 08:00-20:00
  wednesday: closed
  thursday: []
  friday: ["20:00-02:00"]
  saturday: []
  sunday: []
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "business.yml").write_text(BUSINESS)
    return tmp_path


def faults_of(root: Path, environ: dict[str, str] | None = None, **options) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(PRODUCTION if environ is None else environ, root=root, **options)
    return list(caught.value.faults)


def faults_in_business(root: Path, text: str) -> list[str]:
    (root / "business.yml").write_text(text)
    return [fault.removeprefix(f"{root / 'business.yml'}: ") for fault in faults_of(root)]


# Where settings come from


def test_an_empty_environment_gets_the_documented_defaults(root):
    config = load_config({"DEMO": "1"}, root=root)

    assert (config.host, config.port, config.public_url) == ("127.0.0.1", 8080, "http://localhost:8080")
    assert config.database_url == f"sqlite:///{root}/var/kasuki.db"
    assert (config.desk_hours, config.log_format, config.workers) == ("business", "text", 1)
    assert config.telegram_api_url == "https://api.telegram.org"
    assert config.telegram_bot_token is config.telegram_webhook_secret is config.smtp_url is None
    assert config.model_path == root / "models/kasuki.tar.gz"


def test_paths_are_relative_to_the_working_directory_by_default(root, monkeypatch):
    monkeypatch.chdir(root)

    assert load_config({"DEMO": "1"}).database_url == "sqlite:///var/kasuki.db"


def test_the_environment_wins_over_dotenv_and_the_command_line_over_both(root):
    (root / ".env").write_text("PORT=1111\nHOST=192.0.2.1\nexport LOG_FORMAT='json'  # a remark\nWORKERS=2\n")

    config = load_config({**PRODUCTION, "PORT": "2222", "WORKERS": "3"}, root=root, overrides={"WORKERS": "4"})

    assert (config.host, config.port, config.log_format, config.workers) == ("192.0.2.1", 2222, "json", 4)


def test_an_empty_setting_counts_as_unset(root):
    (root / ".env").write_text("PORT=1111\nSMTP_URL=\n")

    config = load_config({**PRODUCTION, "PORT": "", "DATABASE_URL": " "}, root=root)

    assert (config.port, config.smtp_url) == (1111, None)
    assert config.database_url.endswith("var/kasuki.db")


def test_dotenv_values_are_taken_as_they_are(root):
    (root / ".env").write_text("API_KEY='a${HOME}b'\n")

    assert load_config({**PRODUCTION, "API_KEY": ""}, root=root).api_key == "a${HOME}b"


def test_a_line_of_dotenv_that_is_no_setting_is_named(root):
    (root / ".env").write_text("PORT=1111\nthis is not a setting\n")

    assert faults_of(root) == [f"{root / '.env'}: line 2 is not NAME=value"]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@db/kasuki", "postgresql://u:p@db/kasuki"),
        ("postgresql:///kasuki?host=/run/pg", "postgresql:///kasuki?host=/run/pg"),
        ("sqlite:////srv/k.db", "sqlite:////srv/k.db"),
    ],
)
def test_database_urls_have_one_form(root, given, used):
    assert load_config({**PRODUCTION, "DATABASE_URL": given}, root=root).database_url == used


def test_the_public_url_is_an_origin_as_browsers_send_it(root):
    config = load_config({**PRODUCTION, "PUBLIC_URL": "https://Chat.Corner.example:443/"}, root=root)

    assert config.public_url == "https://chat.corner.example"


def test_a_local_public_url_is_allowed_under_both_names(root):
    (root / "business.yml").write_text(BUSINESS + "widget: {origins: ['https://Corner.example/']}\n")

    config = load_config({**PRODUCTION, "PORT": "9000"}, root=root)

    assert config.allowed_origins == {"http://localhost:9000", "http://127.0.0.1:9000", "https://corner.example"}


def test_only_configured_origins_are_allowed_for_a_public_server(root):
    config = load_config({**PRODUCTION, "PUBLIC_URL": "https://localhost.corner.example"}, root=root)

    assert config.allowed_origins == {"https://localhost.corner.example"}


# Faults


def test_every_fault_of_settings_and_business_file_is_named_at_once(root):
    (root / "business.yml").write_text(BUSINESS.replace("EUR", "euro").replace("20:00-02:00", "8pm-2am"))
    (root / ".env").write_text("???\n")
    wrong = {
        "DATABASE_URL": "mysql://db/kasuki",
        "HOST": "http://here",
        "PORT": "80800",
        "PUBLIC_URL": "chat.example.com",
        "SECRET_KEY": "short",
        "IDENTITY_SECRET": "also-short",
        "DEMO": "perhaps",
        "DESK_HOURS": "sometimes",
        "TELEGRAM_BOT_TOKEN": "1:token",
        "TELEGRAM_API_URL": "ftp://telegram",
        "SMTP_URL": "mail.example.com",
        "LOG_FORMAT": "xml",
        "WORKERS": "0",
    }

    with pytest.raises(ConfigError) as caught:
        load_config(wrong, root=root)

    lines = str(caught.value).splitlines()
    assert {line.split(":")[0] for line in lines if "business.yml" not in line and ".env" not in line} == {
        *wrong.keys() - {"TELEGRAM_BOT_TOKEN"},
        "TELEGRAM_WEBHOOK_SECRET",
        "API_KEY",
    }
    assert sum("business.yml: currency" in line for line in lines) == 1
    assert sum("business.yml: opening_hours.friday.0" in line for line in lines) == 1
    assert sum(".env: line 1" in line for line in lines) == 1
    assert len(lines) == len(wrong) + 1 + 3


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite://var/k.db", "postgresql://db", "kasuki.db", "postgresql://[/k"]
)
def test_a_database_url_that_names_no_database_is_a_fault(root, url):
    (fault,) = faults_of(root, {**PRODUCTION, "DATABASE_URL": url})

    assert fault.startswith("DATABASE_URL: ")


@pytest.mark.parametrize("url", ["https://h/path", "https://h?x=1", "https://u:p@h", "https://*", "//h", "https://h:x"])
def test_a_public_url_that_is_more_or_less_than_an_origin_is_a_fault(root, url):
    (fault,) = faults_of(root, {**PRODUCTION, "PUBLIC_URL": url})

    assert fault.startswith("PUBLIC_URL: ")


def test_a_telegram_secret_that_telegram_would_refuse_is_a_fault(root):
    (fault,) = faults_of(
        root, {**PRODUCTION, "TELEGRAM_BOT_TOKEN": "1:token", "TELEGRAM_WEBHOOK_SECRET": "with spaces!"}
    )

    assert fault.startswith("TELEGRAM_WEBHOOK_SECRET: ")


def test_one_secret_cannot_serve_as_the_other(root):
    (fault,) = faults_of(root, {**PRODUCTION, "IDENTITY_SECRET": SECRET})

    assert fault.startswith("IDENTITY_SECRET: is the same")


def test_a_missing_business_file_is_a_fault(root):
    (root / "business.yml").unlink()

    (fault,) = faults_of(root)

    assert "cannot be read" in fault
    assert "BUSINESS_FILE" in fault


# Secrets


def test_secrets_are_never_in_the_repr(root):
    given = {
        "SECRET_KEY": "sekret-" * 5,
        "IDENTITY_SECRET": "identisekret-" * 3,
        "API_KEY": "apisekret",
        "DATABASE_URL": "postgresql://u:dbsekret@db/kasuki",
        "SMTP_URL": "smtp://u:mailsekret@mail.example.com",
        "TELEGRAM_BOT_TOKEN": "1:tokensekret",
        "TELEGRAM_WEBHOOK_SECRET": "hooksekret",
    }

    config = load_config(given, root=root)

    assert dataclasses.asdict(config)["api_key"] == "apisekret"
    assert "sekret" not in repr(config)
    assert "sekret" not in f"{config}"


def test_secrets_are_never_in_a_fault(root):
    given = {
        "SECRET_KEY": "sekret",
        "IDENTITY_SECRET": "sekret two",
        "API_KEY": "sekret with spaces",
        "DATABASE_URL": "mysql://u:sekret@db/kasuki",
        "PUBLIC_URL": "https://u:sekret@chat.example.com",
        "SMTP_URL": "http://u:sekret@mail.example.com",
        "TELEGRAM_API_URL": "telegram:sekret",
        "TELEGRAM_BOT_TOKEN": "1:sekret",
        "TELEGRAM_WEBHOOK_SECRET": "sekret!",
    }

    faults = faults_of(root, given)

    assert len(faults) >= len(given) - 1
    assert "sekret" not in "\n".join(faults)


def test_a_demo_makes_its_secrets_once_and_keeps_them_from_other_users(root):
    first = load_config({"DEMO": "1"}, root=root)
    second = load_config({"DEMO": "yes"}, root=root)

    made = [first.secret_key, first.identity_secret, first.api_key]
    assert made == [second.secret_key, second.identity_secret, second.api_key]
    assert len(set(made)) == 3
    assert all(len(secret) >= 32 for secret in made)
    assert first.api_key_is_kept
    kept = list((root / "var/secrets").iterdir())
    assert sorted(file.name for file in kept) == ["api_key", "identity_secret", "secret_key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    assert stat.S_IMODE((root / "var/secrets").stat().st_mode) == 0o700


def test_a_secret_that_is_set_is_not_kept(root):
    config = load_config({**PRODUCTION, "DEMO": "1"}, root=root)

    assert config.secret_key == SECRET
    assert not config.api_key_is_kept
    assert not (root / "var").exists()


def test_processes_that_start_at_once_share_the_secrets(root):
    starting_line = threading.Barrier(8)

    def start(_: int) -> tuple[str, str, str]:
        starting_line.wait()
        config = load_config({"DEMO": "1"}, root=root)
        return config.secret_key, config.identity_secret, config.api_key

    with ThreadPoolExecutor(8) as processes:
        assert len(set(processes.map(start, range(8)))) == 1
    assert len(list((root / "var/secrets").iterdir())) == 3


def test_without_demo_a_missing_secret_is_a_fault_even_when_one_is_kept(root):
    load_config({"DEMO": "1"}, root=root)

    assert [fault.split(":")[0] for fault in faults_of(root, {})] == ["SECRET_KEY", "IDENTITY_SECRET", "API_KEY"]


def test_a_damaged_kept_secret_is_a_fault(root):
    load_config({"DEMO": "1"}, root=root)
    (root / "var/secrets/secret_key").write_text("")

    (fault,) = faults_of(root, {"DEMO": "1"})

    assert fault.startswith("SECRET_KEY: ")
    assert "damaged" in fault


def test_secrets_that_cannot_be_kept_are_faults(root):
    (root / "var").write_text("a file in the folder's place")

    assert [fault.split(":")[0] for fault in faults_of(root, {"DEMO": "1"})] == [
        "SECRET_KEY",
        "IDENTITY_SECRET",
        "API_KEY",
    ]


def test_a_command_that_does_not_serve_uses_what_is_kept(root):
    served = load_config({"DEMO": "1"}, root=root)

    assert load_config({}, root=root, serving=False).secret_key == served.secret_key


def test_a_command_that_does_not_serve_needs_no_secrets(root):
    config = load_config({}, root=root, serving=False)

    assert len(config.secret_key) >= 32
    assert config.secret_key != load_config({}, root=root, serving=False).secret_key
    assert not (root / "var").exists()


# The business file


def test_the_business_file_of_the_demo_shop_is_valid():
    business = load_business(Path(__file__).parents[1] / "business.yml")

    assert (business.name, business.assistant_name) == ("Tala Coffee", "Suki")
    assert (business.currency, business.time_zone, business.orders.number_prefix) == ("USD", "Asia/Manila", "TC")
    assert business.hours.holiday_on(date(2026, 12, 25)).intervals == ()
    assert business.hours.describe_week()[0] == ("Monday–Friday", "07:00–20:00")


def test_hours_may_be_written_with_and_without_brackets(root):
    business = load_config(PRODUCTION, root=root).business

    assert business.hours.weekly[0] == (Interval.parse("08:00-12:00"), Interval.parse("13:00-17:00"))
    assert business.hours.weekly[1] == (Interval.parse("08:00-20:00"),)
    assert business.hours.weekly[2] == business.hours.weekly[3] == ()


def test_holidays_are_a_name_or_a_name_with_hours(root):
    (root / "business.yml").write_text(
        BUSINESS + "holidays:\n  2026-12-25: Christmas\n  2026-12-24: {name: Eve, hours: 08:00-12:00}\n"
    )

    hours = load_config(PRODUCTION, root=root).business.hours

    assert hours.holiday_on(date(2026, 12, 25)).intervals == ()
    assert hours.holiday_on(date(2026, 12, 24)).intervals == (Interval.parse("08:00-12:00"),)


def test_the_lookup_limits_have_the_agreed_defaults(root):
    limits = load_config(PRODUCTION, root=root).business.to_shop().lookup_limits

    assert (limits.per_conversation, limits.conversation_window) == (5, timedelta(minutes=15))
    assert (limits.per_order, limits.order_window) == (10, timedelta(hours=1))


def test_the_shop_has_the_owners_facts(root):
    (root / "business.yml").write_text(
        BUSINESS + "limits: {lookups_per_order: {attempts: 2, minutes: 3}}\nhandoff: {reply_time: in a minute}\n"
    )

    shop = load_config(PRODUCTION, root=root).business.to_shop()

    assert (shop.name, shop.assistant_name, shop.currency) == ("Corner Shop", "Suki", "EUR")
    assert (shop.contact_email, shop.contact_phone, shop.order_prefix) == ("hello@corner.example", None, "")
    assert (shop.reply_time, shop.lookup_limits.per_order) == ("in a minute", 2)
    assert shop.lookup_limits.order_window == timedelta(minutes=3)


def test_a_misspelt_setting_is_named_with_the_likely_one(root):
    assert faults_in_business(root, BUSINESS + "assistent_name: Bob\nwidget: {origin: []}\n") == [
        "widget.origin: is not a setting; did you mean origins?",
        "assistent_name: is not a setting; did you mean assistant_name?",
    ]


def test_an_unknown_setting_is_named_with_the_known_ones(root):
    assert faults_in_business(root, BUSINESS + "handoff: {xyz: 1}\n") == [
        "handoff.xyz: is not a setting (there are: reply_time)"
    ]


def test_every_fault_of_the_business_file_is_named(root):
    faults = faults_in_business(
        root,
        """
name:
assistant_name: 12
currency: US
time_zone: Manila
contact: {email: nobody, phone: 0281234567}
opening_hours: {monday: 8-5, tuesday: [], wednesday: [], thursday: [], friday: [], saturday: []}
holidays: {2027-02-30: x}
orders: {number_prefix: TOOLONG}
links: {shop: corner, order_page: "https://corner.example/{order}"}
widget: {origins: ["*"]}
limits: {lookups_per_order: {attempts: 0, minutes: 60}}
""",
    )

    assert [fault.split(": ")[0] for fault in faults] == [
        "name",
        "assistant_name",
        "currency",
        "time_zone",
        "contact.email",
        "contact.phone",
        "opening_hours.monday.0",
        "opening_hours.sunday",
        "holidays",
        "orders.number_prefix",
        "links.shop",
        "links.order_page",
        "widget.origins.0",
        "limits.lookups_per_order.attempts",
    ]
    assert "contact.phone: is not text: put it in quotes" in faults
    assert "opening_hours.sunday: is missing" in faults


def test_hours_that_overlap_are_a_fault(root):
    assert faults_in_business(root, BUSINESS.replace("saturday: []", "saturday: 01:00-05:00")) == [
        "opening_hours: Friday's 20:00–02:00 runs into Saturday's 01:00–05:00"
    ]


def test_a_business_file_that_is_not_yaml_is_named_with_its_line(root):
    (fault,) = faults_in_business(root, "name: Corner Shop\ncurrency: [EUR\ntime_zone: Europe/Berlin\n")

    assert fault.startswith("line 3, column ")


def test_a_setting_written_twice_is_a_fault(root):
    (fault,) = faults_in_business(root, BUSINESS + "name: Other Shop\n")

    assert "line 14" in fault
    assert "duplicate" in fault


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list\n", "1: x\n"])
def test_a_business_file_without_settings_is_a_fault(root, text):
    (fault,) = faults_in_business(root, text)

    assert "settings" in fault


# The rest


def test_a_configuration_error_is_one_of_ours_with_a_stable_code():
    error = ConfigError(["one", "two"])

    assert isinstance(error, BotError)
    assert (error.code, str(error), error.message) == ("invalid_configuration", "one\ntwo", "one\ntwo")


def test_config_cannot_be_changed(root):
    config: Config = load_config(PRODUCTION, root=root)

    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.business.name = "Other Shop"


def test_every_setting_is_explained():
    assert all(name.isupper() and text for name, text in SETTINGS.items())
