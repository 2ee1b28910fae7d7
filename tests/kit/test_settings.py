"""Settings: one list, the environment over the file, and what no mode may ever be given."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import json
import os
import re
from pathlib import Path

import pytest

from helpers.sale import ROOT, Shop
from helpers.settings import loaded
from tillbook.kit import settings as room
from tillbook.kit.declared import Setting
from tillbook.kit.errors import Refused, TillbookError, Unavailable
from tillbook.kit.settings import Settings
from tillbook.vendors.paypal.declaration import TRUST_ANCHORS, WEBHOOK_CHECK
from tillbook.vendors.providers import PROVIDERS, declared_settings
from tillbook.vendors.stripe.declaration import API_BASE, SECRET_KEY, WEBHOOK_SECRET

ADDRESSES = ["STRIPE_API_BASE", "PAYPAL_API_BASE", "QUICKBOOKS_API_BASE"]
TEST_KEY, LIVE_KEY = "sk_test_" + "1" * 24, "sk_live_" + "1" * 24


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of test mode with its keys: no simulator, no vendor."""
    monkeypatch.setenv("TILLBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("TILLBOOK_MODE", "test")
    monkeypatch.setenv("STRIPE_SECRET_KEY", TEST_KEY)
    return tmp_path


@pytest.fixture
def simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of simulator mode; the simulator is known by its files."""
    state = tmp_path / "world"
    state.mkdir()
    (tmp_path / "simulator.json").write_text(json.dumps({"state": str(state)}))
    (state / "accounts.json").write_text(json.dumps({"stripe_secret_key": TEST_KEY, "quickbooks_realm": "9130"}))
    addresses = {"url": "http://127.0.0.1:5555", "smtp_url": "smtp://127.0.0.1:2525"}
    (state / "addresses.json").write_text(json.dumps(addresses))
    monkeypatch.setenv("TILLBOOK_HOME", str(tmp_path))
    return tmp_path


def declared() -> list[Setting]:
    """Every setting of every provider."""
    return [setting for settings in declared_settings().values() for setting in settings]


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> TillbookError:
    """What loading says when these are set."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refused) as caught:
        loaded()
    assert caught.value.exit_code == 3
    for secret in (TEST_KEY, LIVE_KEY):
        assert secret not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


# -- one list ------------------------------------------------------------------------------------------


def test_every_setting_is_in_the_example_file_and_no_other() -> None:
    """`.env.example` and the reader name the same settings in the same order, each with a line that explains it."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    found = [match[1] for line in lines if (match := re.match(r"#? ?([A-Z][A-Z_]+)=", line))]
    assert tuple(found) == room.names(declared_settings())
    for before, line in itertools.pairwise(lines):
        if re.match(r"[A-Z_]+=", line):
            assert before.startswith("# "), f"{line} has no words"


def test_the_example_file_as_it_is_works(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied without a change it means what no file means: the simulator."""
    without = loaded()
    monkeypatch.setenv("TILLBOOK_ENV", str(ROOT / ".env.example"))
    assert loaded() == without
    assert without.mode == "simulator"


def test_g3_secrets_are_not_in_the_repr(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings object in a traceback or a log shows no key, secret, token or password."""
    secrets = {
        **{secret.name: "canary-key" for secret in declared() if secret.secret and secret is not SECRET_KEY},
        "QUICKBOOKS_CLIENT_SECRET": "canary-client",
        "SMTP_URL": "smtp://user:canary-password@mail.example.com",
        "MAIL_TEST_RECIPIENT": "me@example.com",
        "FORM_SECRET": "canary-form",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    known = loaded()
    assert known[SECRET_KEY] == TEST_KEY
    assert "canary" not in repr(known)
    assert TEST_KEY not in repr(known)
    with pytest.raises(dataclasses.FrozenInstanceError):
        known.mode = "live"  # type: ignore[misc]  # that it is refused is the point


# -- where values come from ----------------------------------------------------------------------------


def env_file(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set in both is the environment's; what is only in the file counts."""
    env_file(home / "my.env", "MAIL_FROM=file@example.com\nMAIL_OWNER=file@example.com\n")
    monkeypatch.setenv("TILLBOOK_ENV", str(home / "my.env"))
    monkeypatch.setenv("MAIL_FROM", "environment@example.com")
    known = loaded()
    assert (known.mail_from, known.mail_owner) == ("environment@example.com", "file@example.com")


def test_an_env_file_in_the_home_folder_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TILLBOOK_ENV and without one beside the example, it is the home's."""
    env_file(home / ".env", "MAIL_OWNER=home@example.com\n")
    monkeypatch.delenv("TILLBOOK_ENV", raising=False)
    monkeypatch.setattr(room, "REPOSITORY", home / "nothing-here")
    assert loaded().mail_owner == "home@example.com"


def test_an_env_file_beside_the_example_comes_before_the_homes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clone's own file wins."""
    (home / "clone").mkdir()
    env_file(home / ".env", "MAIL_OWNER=home@example.com\n")
    env_file(home / "clone" / ".env", "MAIL_OWNER=clone@example.com\n")
    monkeypatch.delenv("TILLBOOK_ENV", raising=False)
    monkeypatch.setattr(room, "REPOSITORY", home / "clone")
    assert loaded().mail_owner == "clone@example.com"


def test_a_named_env_file_that_is_missing_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never another file in its place."""
    assert "TILLBOOK_ENV" in refusal(monkeypatch, TILLBOOK_ENV=str(home / "missing.env")).message


def test_the_null_device_names_no_env_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests and demos: the environment alone counts, no file is looked for."""
    env_file(home / ".env", "MAIL_OWNER=home@example.com\n")
    monkeypatch.setattr(room, "REPOSITORY", home / "nothing-here")
    monkeypatch.setenv("TILLBOOK_ENV", os.devnull)
    assert loaded().mail_owner == ""


def test_nothing_in_a_value_is_expanded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password with a dollar sign is a password, and no file can pull in the environment."""
    env_file(home / "my.env", "SMTP_URL='smtp://u:${HOME}$x@mail.example.com'\nMAIL_TEST_RECIPIENT=me@example.com\n")
    monkeypatch.setenv("TILLBOOK_ENV", str(home / "my.env"))
    assert loaded().smtp_url == "smtp://u:${HOME}$x@mail.example.com"


def test_an_unset_mode_is_the_simulator(simulated: Path) -> None:
    """Production is never the default; keys and addresses come from the simulator's own files."""
    known = loaded()
    assert known.mode == "simulator"
    assert known[SECRET_KEY] == TEST_KEY
    assert known.quickbooks_realm_id == "9130"
    assert (known[API_BASE], known.quickbooks_api_base) == (
        "http://127.0.0.1:5555/stripe",
        "http://127.0.0.1:5555/quickbooks",
    )
    assert known.smtp_url == "smtp://127.0.0.1:2525"


def test_simulator_mode_ignores_a_real_mail_server(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the machine, also when SMTP_URL is left over from another mode."""
    monkeypatch.setenv("SMTP_URL", "smtps://user:password@mail.example.com")
    assert loaded().smtp_url == "smtp://127.0.0.1:2525"


def test_simulator_mode_without_a_simulator_says_how_to_start_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4 and the command, not a stack of connection errors."""
    monkeypatch.setenv("TILLBOOK_MODE", "simulator")
    with pytest.raises(Unavailable) as caught:
        loaded()
    assert "run_simulator.py" in caught.value.hint


def test_the_vendors_own_addresses_are_used_outside_the_simulator(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test mode speaks to the sandbox, live mode to production, and both to the one Stripe."""
    test = loaded()
    monkeypatch.setenv("TILLBOOK_MODE", "live")
    monkeypatch.setenv("STRIPE_SECRET_KEY", LIVE_KEY)
    live = loaded()
    assert test[API_BASE] == live[API_BASE] == "https://api.stripe.com"
    assert test.quickbooks_api_base == "https://sandbox-quickbooks.api.intuit.com"
    assert live.quickbooks_api_base == "https://quickbooks.api.intuit.com"
    assert test.clock_file is live.clock_file is None


def test_several_webhook_secrets_and_trailing_slashes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A11 A13: two secrets while one is rolled; addresses are joined without a double slash."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", " whsec_new , whsec_old ,")
    monkeypatch.setenv("TILLBOOK_BASE_URL", "https://pay.example.com/")
    known = loaded()
    assert known.listed(WEBHOOK_SECRET) == ("whsec_new", "whsec_old")
    assert known.base_url == known.return_url == "https://pay.example.com"


# -- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["test", "simulator"])
@pytest.mark.parametrize("key", [LIVE_KEY, "rk_live_" + "1" * 24])
def test_g4_a_live_key_is_refused_outside_live_mode(
    simulated: Path, monkeypatch: pytest.MonkeyPatch, mode: str, key: str
) -> None:
    """Before anything is sent."""
    error = refusal(monkeypatch, TILLBOOK_MODE=mode, STRIPE_SECRET_KEY=key)
    assert "is a live key" in error.message
    assert "sk_test_" in error.hint


@pytest.mark.parametrize("key", [TEST_KEY, "rk_test_" + "1" * 24])
def test_a14_a_test_key_is_refused_in_live_mode(home: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Sales that nobody pays for are not made in earnest."""
    assert "is a test key" in refusal(monkeypatch, TILLBOOK_MODE="live", STRIPE_SECRET_KEY=key).message


def test_a6_what_vouches_for_certificates_cannot_be_moved_in_live_mode(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of one's own authorities is for test servers: in live mode it would vouch for anybody."""
    values = {"TILLBOOK_MODE": "live", "STRIPE_SECRET_KEY": LIVE_KEY, "PAYPAL_TRUST_ANCHORS": "anchors.pem"}
    error = refusal(monkeypatch, **values)
    assert "only the system's own certificate authorities" in error.message
    assert error.hint == "Unset PAYPAL_TRUST_ANCHORS."


def test_an_unset_setting_has_its_default_or_the_simulators_file(
    simulated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PayPal's check is by certificate unless another is named; the simulator has authorities of its own."""
    known = loaded()
    assert known[WEBHOOK_CHECK] == "certificate"
    assert known[TRUST_ANCHORS] == str(simulated / "world" / "paypal-ca.pem")
    monkeypatch.setenv("TILLBOOK_MODE", "test")
    assert loaded()[TRUST_ANCHORS] == ""


def test_a_provider_is_set_up_when_all_that_it_needs_is_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id without its secret is none; the order is that of PROVIDERS, whoever was set first."""
    monkeypatch.setenv("PAYPAL_CLIENT_ID", "id")
    assert loaded().providers == ("stripe",)
    monkeypatch.setenv("PAYPAL_CLIENT_SECRET", "secret")
    assert loaded().providers == ("stripe", "paypal")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    assert loaded().providers == ("paypal",)


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_vendors_address_cannot_be_moved_in_live_mode(home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Live keys go to the vendors only."""
    values = {"TILLBOOK_MODE": "live", "STRIPE_SECRET_KEY": LIVE_KEY, name: "https://api.stripe.com.example.com"}
    assert name in refusal(monkeypatch, **values).message


@pytest.mark.parametrize("name", ["TILLBOOK_SIMULATOR_URL", *ADDRESSES])
@pytest.mark.parametrize(
    "address",
    [
        "https://api.stripe.com",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "http://example.com#127.0.0.1",
        "http://10.0.0.1:4242",
        "http://0.0.0.0:4242",
        "127.0.0.1:4242",
    ],
)
def test_simulator_mode_refuses_every_address_that_is_not_this_machine(
    simulated: Path, monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    """Nothing leaves the machine, whichever setting says so and however it is disguised."""
    assert "not on this machine" in refusal(monkeypatch, **{name: address}).message


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_simulator_mode_takes_an_address_of_this_machine(
    simulated: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """An independent test server on localhost is welcome."""
    monkeypatch.setenv("STRIPE_API_BASE", address)
    assert loaded()[API_BASE] == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TILLBOOK_MODE", "production"),
        ("TILLBOOK_MODE", "LIVE"),
        ("PAYPAL_WEBHOOK_CHECK", "trust"),
        ("TILLBOOK_TIMEOUT_SECONDS", "0"),
        ("TILLBOOK_TIMEOUT_SECONDS", "-1"),
        ("TILLBOOK_TIMEOUT_SECONDS", "nan"),
        ("TILLBOOK_TIMEOUT_SECONDS", "inf"),
        ("TILLBOOK_TIMEOUT_SECONDS", "soon"),
        ("TILLBOOK_TIMEZONE", "Mars/Olympus"),
        ("TILLBOOK_TIMEZONE", "../../../etc/passwd"),
        ("TILLBOOK_TIMEZONE", "America"),
        ("TILLBOOK_BASE_URL", "pay.example.com"),
        ("TILLBOOK_BASE_URL", "javascript:alert(1)"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The setting, what was found, and what is expected."""
    error = refusal(monkeypatch, **{name: value})
    assert name in error.message
    assert value in error.message
    assert "expected" in error.message


def test_test_mode_mails_only_to_its_recipient(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a mail server and nobody named, a test would write to real customers."""
    assert "MAIL_TEST_RECIPIENT" in refusal(monkeypatch, SMTP_URL="smtp://mail.example.com").message


# -- a step that meets such settings -------------------------------------------------------------------


def test_g4_a_step_with_a_live_key_sends_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, words without the key, no request to any vendor and no invoice in the ledger."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", LIVE_KEY)
    ran = shop.run("create_invoice", shop.order())
    assert (ran.code, ran.out) == (3, "")
    assert "live key" in ran.err
    assert LIVE_KEY not in ran.err
    assert shop.requests() == []
    assert shop.till.ledger.sales.invoice_numbers() == []


def test_every_field_of_the_settings_has_a_use() -> None:
    """A setting that nobody reads is a promise that nobody keeps."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "execution").rglob("*.py"))
    unused = [field.name for field in dataclasses.fields(Settings) if len(re.findall(rf"\.{field.name}\b", code)) == 0]
    assert unused == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_setting_that_a_provider_declares_has_a_use(name: str) -> None:
    """Its folder reads the value; Stripe's publishable key alone waits for the pages of a later door."""
    folder = ROOT / "execution/tillbook/vendors" / name
    code = "\n".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.py"))
    module = importlib.import_module(f"{PROVIDERS[name]}.declaration")
    names = {setting: name for name, setting in vars(module).items() if isinstance(setting, Setting)}
    read = r"settings(?:\.listed)?[\[(]{}[\])]"
    unused = [one.name for one in declared_settings()[name] if not re.search(read.format(names[one]), code)]
    assert unused == (["STRIPE_PUBLISHABLE_KEY"] if name == "stripe" else [])
