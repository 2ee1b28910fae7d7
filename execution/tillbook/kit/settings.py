"""The one reader of the environment and `.env`: every setting, checked once, in one frozen object.

The settings of the payment providers are declared in their folders and given to `load`. A value in the environment wins
over `.env` (the file that TILLBOOK_ENV names, else beside `.env.example`, else in TILLBOOK_HOME). In simulator mode
what is still empty comes from the simulator's own state folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tillbook.kit.declared import Setting, api_base
from tillbook.kit.errors import Refused, Unavailable

REPOSITORY = Path(__file__).parents[3]
MODES = ("simulator", "test", "live")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUICKBOOKS_API = {"test": "https://sandbox-quickbooks.api.intuit.com", "live": "https://quickbooks.api.intuit.com"}
QUICKBOOKS_BASE = api_base("QUICKBOOKS_API_BASE", test=QUICKBOOKS_API["test"], live=QUICKBOOKS_API["live"])
RECEIVER_ADDRESS = "http://127.0.0.1:8080"

Declared = Mapping[str, tuple[Setting, ...]]
"""The settings that each provider declares, by the provider's name."""


# Only what is needed is generated: a dataclass of this size costs every start several milliseconds otherwise.
@dataclass(frozen=True, repr=False)
class Settings:
    """Every setting. Addresses have no trailing slash. `repr` tells no secret."""

    mode: str
    home: Path
    ledger: Path
    timezone: str
    base_url: str
    timeout_seconds: float
    mail_from: str
    mail_test_recipient: str
    mail_owner: str
    mail_owner_payouts: bool
    quickbooks_api_base: str
    quickbooks_realm_id: str
    simulator_url: str
    simulator_state: Path
    quickbooks_client_id: str
    quickbooks_client_secret: str
    quickbooks_refresh_token: str
    form_secret: str
    smtp_url: str
    declared: Declared
    values: Mapping[Setting, str]

    def __getitem__(self, setting: Setting) -> str:
        """The value of a setting that a vendor's folder declares, or empty when there is none."""
        return self.values[setting]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of the providers that is set: what no message may hold."""
        known = [setting for settings in self.declared.values() for setting in settings if setting.secret]
        return tuple(part for setting in known for part in self.listed(setting))

    def listed(self, setting: Setting) -> tuple[str, ...]:
        """The parts of a value with commas between them."""
        return tuple(part.strip() for part in self[setting].split(",") if part.strip())

    def __repr__(self) -> str:
        return f"Settings({self.mode}, {self.home})"

    @property
    def clock_file(self) -> Path | None:
        """Where the simulator keeps its clock's offset, or None outside simulator mode."""
        return self.simulator_state / "clock.json" if self.mode == "simulator" else None

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that are set up, by name: those whose needed settings are all there."""
        return tuple(
            name
            for name, settings in self.declared.items()
            if all(self[setting] for setting in settings if setting.needed)
        )

    @property
    def return_url(self) -> str:
        """Where a customer comes back to, or empty when there is no public address to come back to."""
        return self.base_url or (RECEIVER_ADDRESS if self.mode == "simulator" else "")


# Every name that is read here, in the order of `.env.example`, where the providers' own stand in the middle.
OURS = (
    "TILLBOOK_MODE",
    "TILLBOOK_TIMEZONE",
    "TILLBOOK_HOME",
    "TILLBOOK_LEDGER",
    "TILLBOOK_BASE_URL",
    "TILLBOOK_SIMULATOR_URL",
    "TILLBOOK_TIMEOUT_SECONDS",
)
OTHERS = (
    "QUICKBOOKS_CLIENT_ID",
    "QUICKBOOKS_CLIENT_SECRET",
    "QUICKBOOKS_REALM_ID",
    "QUICKBOOKS_API_BASE",
    "FORM_SECRET",
    "SMTP_URL",
    "MAIL_FROM",
    "MAIL_TEST_RECIPIENT",
    "MAIL_OWNER",
    "MAIL_OWNER_PAYOUTS",
)


def names(declared: Declared) -> tuple[str, ...]:
    """Every name that `load` reads, in the order of `.env.example`."""
    return (*OURS, *(setting.name for settings in declared.values() for setting in settings), *OTHERS)


def load(declared: Declared) -> Settings:
    """Read and check every setting, those of each provider too: `declared` has them by its name.

    Raises Refused naming the one that is wrong, Unavailable without a simulator.
    """
    values = _values(names(declared))
    mode = values["TILLBOOK_MODE"] or "simulator"
    if mode not in MODES:
        raise Refused(f"TILLBOOK_MODE is {mode!r}; expected one of {', '.join(MODES)}")
    home = Path(values["TILLBOOK_HOME"] or Path.home() / ".local/share/tillbook").expanduser()
    world = _Simulated.read(home, values["TILLBOOK_SIMULATOR_URL"]) if mode == "simulator" else _Simulated.absent(home)
    settings = Settings(
        mode=mode,
        home=home,
        ledger=_ledger(values["TILLBOOK_LEDGER"], home),
        timezone=values["TILLBOOK_TIMEZONE"],
        base_url=values["TILLBOOK_BASE_URL"].rstrip("/"),
        timeout_seconds=_seconds(values["TILLBOOK_TIMEOUT_SECONDS"] or "20"),
        mail_from=values["MAIL_FROM"] or ("billing@tillbook.example" if mode == "simulator" else ""),
        mail_test_recipient=values["MAIL_TEST_RECIPIENT"],
        mail_owner=values["MAIL_OWNER"],
        mail_owner_payouts=_is_yes("MAIL_OWNER_PAYOUTS", values),
        quickbooks_api_base=world.value_of(QUICKBOOKS_BASE, values[QUICKBOOKS_BASE.name], mode, "quickbooks"),
        quickbooks_realm_id=values["QUICKBOOKS_REALM_ID"] or world.account("quickbooks_realm"),
        simulator_url=world.url,
        simulator_state=world.state,
        quickbooks_client_id=values["QUICKBOOKS_CLIENT_ID"] or world.account("quickbooks_client_id"),
        quickbooks_client_secret=values["QUICKBOOKS_CLIENT_SECRET"] or world.account("quickbooks_client_secret"),
        quickbooks_refresh_token=world.account("quickbooks_refresh_token"),
        form_secret=values["FORM_SECRET"] or world.account("form_secret"),
        smtp_url=world.smtp_url if mode == "simulator" else values["SMTP_URL"],
        declared=declared,
        values={
            setting: world.value_of(setting, values[setting.name], mode, vendor)
            for vendor, settings in declared.items()
            for setting in settings
        },
    )
    _check(settings, values)
    return settings


def home_folder() -> Path:
    """TILLBOOK_HOME alone, for the one script that must run before the simulator exists."""
    return Path(_values(OURS)["TILLBOOK_HOME"] or Path.home() / ".local/share/tillbook").expanduser()


def make_home() -> Path:
    """TILLBOOK_HOME, made readable by its owner only when it is not there yet."""
    home = home_folder()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def name_simulator(state: Path) -> None:
    """Tell every other script of this TILLBOOK_HOME where the simulator keeps its state."""
    home = make_home()
    draft = home / f"simulator.json.{os.getpid()}"
    draft.write_text(json.dumps({"state": str(state)}))
    draft.replace(home / "simulator.json")


def receiver_address() -> str:
    """Where webhooks can reach us, before any other setting is known: for the simulator's deliveries."""
    return _values(OURS)["TILLBOOK_BASE_URL"].rstrip("/") or RECEIVER_ADDRESS


def simulator_address() -> str:
    """TILLBOOK_SIMULATOR_URL or its default: where the simulator is to listen."""
    return _values(OURS)["TILLBOOK_SIMULATOR_URL"].rstrip("/") or "http://127.0.0.1:4242"


@dataclass(frozen=True, eq=False, repr=False)
class _Simulated:
    """What a running simulator told about itself in files: its address, its accounts, its SMTP server."""

    state: Path
    url: str
    smtp_url: str
    accounts: Mapping[str, str]

    @staticmethod
    def read(home: Path, wanted_url: str) -> _Simulated:
        pointer = _json(home / "simulator.json")
        state = Path(pointer.get("state") or home / "simulator")
        addresses, accounts = _json(state / "addresses.json"), _json(state / "accounts.json")
        url = wanted_url or addresses.get("url") or "http://127.0.0.1:4242"
        if not accounts:
            raise Unavailable(
                "simulator mode, but no simulator has been started for this TILLBOOK_HOME yet",
                hint="In another terminal: python execution/run_simulator.py",
            )
        return _Simulated(state, url.rstrip("/"), addresses.get("smtp_url", ""), accounts)

    @staticmethod
    def absent(home: Path) -> _Simulated:
        return _Simulated(home / "simulator", "", "", {})

    def account(self, name: str) -> str:
        return self.accounts.get(name, "")

    def value_of(self, setting: Setting, given: str, mode: str, vendor: str) -> str:
        """The value of a vendor's setting of which `given` is set. An empty one is the simulator's, or its default."""
        if setting.addresses:
            return (given or (f"{self.url}/{vendor}" if self.url else setting.addresses.get(mode, ""))).rstrip("/")
        if self.url and setting.simulated_file:
            return given or str(self.state / setting.simulated_file)
        return given or self.account(setting.name.lower()) or setting.default


def forget(name: str) -> None:
    """Take a variable out of the environment: a package that nobody asked to would act on it."""
    os.environ.pop(name, None)


def _values(wanted: tuple[str, ...]) -> dict[str, str]:
    """Each name with its value, the environment over the file. An unset one is empty."""
    file = _env_file()
    from_file: Mapping[str, str | None] = {}
    if file:
        from dotenv import dotenv_values  # noqa: PLC0415  imported only when there is a file: start-up time

        from_file = dotenv_values(file, interpolate=False)
    return {name: (os.environ.get(name) or from_file.get(name) or "").strip() for name in wanted}


def _env_file() -> Path | None:
    """The file to read. None when there is none, or when TILLBOOK_ENV names the null device."""
    named = os.environ.get("TILLBOOK_ENV")
    if named == os.devnull:
        return None
    if named:
        if not Path(named).exists():
            raise Refused(f"TILLBOOK_ENV names {named}, which does not exist")
        return Path(named)
    home = Path(os.environ.get("TILLBOOK_HOME") or Path.home() / ".local/share/tillbook").expanduser()
    return next((file for file in (REPOSITORY / ".env", home / ".env") if file.is_file()), None)


def _json(file: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return found


def _ledger(text: str, home: Path) -> Path:
    """The ledger's file. A relative path is in TILLBOOK_HOME, so that it is the same one from every folder."""
    if "://" in text:
        raise Refused(f"TILLBOOK_LEDGER is {text!r}; expected the path of a SQLite file")
    return home / Path(text or "ledger.db").expanduser()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)  # a time-out, not money
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:  # noqa: PLR2004
        raise Refused(f"TILLBOOK_TIMEOUT_SECONDS is {text!r}; expected seconds between 0 and 600")
    return seconds


def _is_yes(name: str, values: Mapping[str, str]) -> bool:
    if values[name] not in ("", "yes", "no"):
        raise Refused(f"{name} is {values[name]!r}; expected yes or no")
    return values[name] == "yes"


def _check(settings: Settings, values: Mapping[str, str]) -> None:
    """Refuse what must never be sent anywhere: a key of another mode, an address that the mode forbids."""
    declared = {**settings.values, QUICKBOOKS_BASE: settings.quickbooks_api_base}
    for setting, value in declared.items():
        setting.require(value, settings.mode, is_set=bool(values[setting.name]))
    addresses = {one.name: value for one, value in declared.items() if one.addresses}
    for name, address in {"TILLBOOK_SIMULATOR_URL": settings.simulator_url, **addresses}.items():
        if settings.mode == "simulator" and urlsplit(address).hostname not in LOOPBACK:
            raise Refused(
                f"{name} is {address}, which is not on this machine, but TILLBOOK_MODE is simulator",
                hint="Use an address on 127.0.0.1, or set TILLBOOK_MODE=test.",
            )
    if settings.base_url and urlsplit(settings.base_url).scheme not in ("http", "https"):
        raise Refused(f"TILLBOOK_BASE_URL is {settings.base_url!r}; expected an http(s) address")
    if settings.timezone and not _is_zone(settings.timezone):
        raise Refused(
            f"TILLBOOK_TIMEZONE is {settings.timezone!r}; expected a name such as Europe/Berlin or America/New_York"
        )
    if settings.mode == "test" and settings.smtp_url and not settings.mail_test_recipient:
        raise Refused(
            "MAIL_TEST_RECIPIENT is empty: in test mode mail goes only there",
            hint="Set MAIL_TEST_RECIPIENT to your own address.",
        )


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  only when a zone is set: start-up time

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone; not a name of one; a folder of zones
        return False
    return True
