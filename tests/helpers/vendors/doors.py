"""Every door to a vendor, each with one thing that it asks: for the tests that hold all of them to one behaviour."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.forging.certificate_authority import CERTS, SIGNER, Authority, Leaf, written
from helpers.settings import bare
from helpers.vendors.books_stage import file_lock
from helpers.vendors.misbehaving import TOKEN_PATH, Behaviour, Misbehaving, SetClock, answer
from tillbook.kit.errors import Forged, NotAllowed, TillbookError, Unavailable, Uncertain
from tillbook.kit.settings import Settings
from tillbook.vendors.paypal.declaration import API_BASE

Json = dict[str, Any]
Asking = Callable[[], object]

STRIPE_KEY = "sk_test_51HxQhILkdIwHu7ixA3uWq0pZ"
PAYPAL_ID, PAYPAL_SECRET = "AYSq3RDGsmBLJE-otTkBtM-jBRd1TCQwFf9RGfwddNX", "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQ"
INTUIT_ID, INTUIT_SECRET = "ABqQ8x1k9Zy7Tn3", "f0Zq9Wc7Xs5Le3Rv1Pb8"
ACCESS, REFRESH = "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2", "AB11733000000x8Kq2"
_SECRETS = {
    "Stripe": (STRIPE_KEY,),
    "PayPal": (PAYPAL_ID, PAYPAL_SECRET),
    "QuickBooks": (ACCESS,),
    "Intuit": (INTUIT_SECRET,),
}
REALM = "4620816365000000001"

DISCOVERY = "/.well-known/openid_sandbox_configuration"
INTUIT_TOKEN = "/oauth2/v1/tokens/bearer"
ORDERS, ORDER = "/v2/checkout/orders", "/v2/checkout/orders/5O190127TN364715T"
CERTIFICATE = f"{CERTS}CERT-360caa42-fca2a594-a5cafa77"
NOW = 1_800_000_000


@dataclass(frozen=True)
class Door:
    """One thing that is asked of one vendor. `path` is where.

    `refusal` is how the vendor itself words an error; None where it has no words of its own. `usual_pause` is what a
    throttle without a time means, in seconds. `instead` are the statuses that mean something else than at the other
    doors, each with its reason.
    """

    name: str
    path: str
    open: Callable[[Settings, SetClock], Asking]
    _good: bytes
    refusal: Callable[[str, str], Json] | None
    changes: bool = False
    usual_pause: float = 1
    instead: Mapping[int, tuple[type[TillbookError], str]] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What this vendor was shown of ours, and must not show to anybody in its words."""
        return _SECRETS[self.name.partition(",")[0]]

    def good(self, url: str) -> bytes:
        """What a good answer holds, from a server at this address."""
        return self._good.replace(b"HERE", url.encode())


def settings_for(home: Path, url: str, seconds: float, mode: str) -> Settings:
    """Settings of a home of their own, with every vendor at one address."""
    home.mkdir(parents=True, exist_ok=True)
    values: Json = {
        "mode": mode,
        "home": home,
        "timeout_seconds": seconds,
        "stripe_api_base": url,
        "stripe_secret_key": STRIPE_KEY,
        "paypal_api_base": url,
        "paypal_client_id": PAYPAL_ID,
        "paypal_client_secret": PAYPAL_SECRET,
        "paypal_trust_anchors": written(home, AUTHORITY),
        "quickbooks_api_base": url,
        "quickbooks_realm_id": REALM,
        "quickbooks_client_id": INTUIT_ID,
        "quickbooks_client_secret": INTUIT_SECRET,
    }
    return bare(**values)


def prepare(server: Misbehaving) -> None:
    """Let a server answer well at the path of every door."""
    for door in DOORS:
        server.on(door.path, answer(door.good(server.url)))


# -- the doors -------------------------------------------------------------------------------------------


def _stripe(settings: Settings, clock: SetClock) -> Any:
    from tillbook.vendors.stripe.calls import StripeCalls

    return StripeCalls(settings, clock)


def _stripe_read(settings: Settings, clock: SetClock) -> Asking:
    calls = _stripe(settings, clock)
    return lambda: calls.read(lambda client: client.v1.balance.retrieve())


def _stripe_change(settings: Settings, clock: SetClock) -> Asking:
    calls = _stripe(settings, clock)

    def create(client: Any) -> Any:
        return client.v1.customers.create({"name": "Grace"}, {"idempotency_key": "operation-1"})

    return lambda: calls.change(create, _with_id)


def _paypal(settings: Settings, clock: SetClock) -> Any:
    from tillbook.vendors.paypal.calls import PayPalCalls

    return PayPalCalls(settings, clock)


def _paypal_read(settings: Settings, clock: SetClock) -> Asking:
    calls = _paypal(settings, clock)
    return lambda: _with_id(calls.read(ORDER))


def _paypal_change(settings: Settings, clock: SetClock) -> Asking:
    calls = _paypal(settings, clock)
    return lambda: calls.change(ORDERS, {"intent": "CAPTURE"}, "operation-1", _with_id)


def _certificate(settings: Settings, clock: SetClock) -> Asking:
    from tillbook.vendors.paypal.webhooks.certificates import Certificates

    certificates = Certificates(settings, clock)
    return lambda: certificates.public_key(settings[API_BASE] + CERTIFICATE)


def _books(settings: Settings, clock: SetClock, *, connected: bool = True) -> Any:
    from tillbook.vendors.quickbooks.session import Connection
    from tillbook.vendors.quickbooks.tokens import TokenFile, Tokens

    now = clock.now()
    known = Tokens(REALM, REFRESH, ACCESS, now + 3600, now + 86_400, now)
    TokenFile(settings.home).write(known if connected else Tokens.first(REALM, REFRESH))
    return Connection(settings, clock, file_lock(settings.home))


def _books_read(settings: Settings, clock: SetClock) -> Asking:
    books = _books(settings, clock)
    return lambda: books.call(lambda client: client.get_single_object("Invoice", "1"))


def _books_change(settings: Settings, clock: SetClock) -> Asking:
    books = _books(settings, clock)
    return lambda: books.call(lambda client: client.create_object("Invoice", "{}", request_id="operation-1"))


def _refresh(settings: Settings, clock: SetClock) -> Asking:
    books = _books(settings, clock, connected=False)
    return lambda: books.call(lambda client: client.get_single_object("Invoice", "1"))


def _discovery(settings: Settings, clock: SetClock) -> Asking:
    from tillbook.vendors.quickbooks import consent

    return lambda: consent.authorization_url(settings, clock)


def _first_token(settings: Settings, clock: SetClock) -> Asking:
    from tillbook.vendors.quickbooks import consent
    from tillbook.vendors.quickbooks.tokens import write_json

    def connect() -> object:
        write_json(settings.home / "quickbooks-state.json", {"state": "s", "made_at": clock.now()})
        return consent.connect(settings, clock, f"http://localhost/?code=c&state=s&realmId={REALM}")

    return connect


def _with_id(body: Json) -> Json:
    if "id" not in body:
        raise Unavailable("it has no id")
    return body


# -- their vendors' words --------------------------------------------------------------------------------


def _stripe_says(word: str, sentence: str) -> Json:
    return {"error": {"type": "invalid_request_error", "code": word, "message": sentence}}


def _paypal_says(word: str, sentence: str) -> Json:
    return {"name": word, "message": sentence, "debug_id": "90957fca61718", "details": []}


def _quickbooks_says(word: str, sentence: str) -> Json:
    return {"Fault": {"Error": [{"Message": sentence, "Detail": word, "code": "2020"}], "type": "ValidationFault"}}


def _oauth_says(word: str, sentence: str) -> Json:
    return {"error": word, "error_description": sentence}


AUTHORITY = Authority("trusted", NOW)
_INTUIT_TOKENS = {"access_token": ACCESS, "refresh_token": REFRESH, "token_type": "bearer", "expires_in": 3600}
_PAYPAL_TOKEN = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 32_400}
_DOCUMENT = {
    **{f"{name}_endpoint": f"HERE{INTUIT_TOKEN}" for name in ("authorization", "token", "revocation", "userinfo")},
    "issuer": "i",
    "jwks_uri": "HERE/jwks",
}
_INVOICE = {"Invoice": {"Id": "1"}, "time": "2026-11-26T09:05:00Z"}
_NO_TOKEN = dict.fromkeys((400, 404, 422), (NotAllowed, "without a token nothing was asked; our credentials are wrong"))
_NO_WORDS = dict.fromkeys(
    (400, 401, 403, 422, 429), (Unavailable, "a certificate is no JSON, so its address has no words of PayPal's")
) | {404: (Forged, "whoever named a certificate that is not there did not get it from PayPal")}


def _json(body: Json) -> bytes:
    return json.dumps(body).encode()


DOORS = (
    Door("Stripe, read", "/v1/balance", _stripe_read, _json({"object": "balance", "id": "b"}), _stripe_says),
    Door(
        "Stripe, change", "/v1/customers", _stripe_change, _json({"object": "customer", "id": "c"}), _stripe_says, True
    ),
    Door("PayPal, read", ORDER, _paypal_read, _json({"id": "A"}), _paypal_says),
    Door("PayPal, change", ORDERS, _paypal_change, _json({"id": "A"}), _paypal_says, True),
    Door("PayPal, token", TOKEN_PATH, _paypal_read, _json(_PAYPAL_TOKEN), _oauth_says, instead=_NO_TOKEN),
    Door(
        "PayPal, token for a change", TOKEN_PATH, _paypal_change, _json(_PAYPAL_TOKEN), _oauth_says, instead=_NO_TOKEN
    ),
    Door("PayPal, certificate", CERTIFICATE, _certificate, AUTHORITY.chain(Leaf(SIGNER)), None, instead=_NO_WORDS),
    Door(
        "QuickBooks, read",
        f"/v3/company/{REALM}/invoice/1",
        _books_read,
        _json(_INVOICE),
        _quickbooks_says,
        usual_pause=60,
    ),
    Door(
        "QuickBooks, change", f"/v3/company/{REALM}/invoice", _books_change, _json(_INVOICE), _quickbooks_says, True, 60
    ),
    Door("Intuit, discovery", DISCOVERY, _discovery, _json(_DOCUMENT), _oauth_says, usual_pause=60, instead=_NO_TOKEN),
    Door(
        "Intuit, first token",
        INTUIT_TOKEN,
        _first_token,
        _json(_INTUIT_TOKENS),
        _oauth_says,
        usual_pause=60,
        instead=_NO_TOKEN,
    ),
    Door(
        "Intuit, refresh", INTUIT_TOKEN, _refresh, _json(_INTUIT_TOKENS), _oauth_says, usual_pause=60, instead=_NO_TOKEN
    ),
)


# -- asking at all of them -------------------------------------------------------------------------------

SECONDS = 1.0
"""The time-out of tests that measure it. All others have time enough for a busy machine."""
ENOUGH = 20.0
SLACK = 0.9  # less than one more time-out
Outcome = type[TillbookError] | None
At = Callable[[Door, bytes], Behaviour]
"""How a door's own path behaves, from what a good answer holds there."""


@dataclass
class Asked:
    """What became of asking at one door, and what its server saw."""

    door: Door
    server: Misbehaving | None
    error: TillbookError | None
    seconds: float


def ask(door: Door, home: Path, url: str, *, mode: str = "test", times: int = 1, limit: float = ENOUGH) -> Asked:
    """Ask at a door whose vendor is at this address."""
    asking = door.open(settings_for(home / door.name, url, limit, mode), SetClock())
    begun, error = time.monotonic(), None
    try:
        for _ in range(times):
            asking()
    except TillbookError as failure:
        error = failure
    return Asked(door, None, error, time.monotonic() - begun)


def everywhere(one: Callable[[Door], Asked]) -> list[Asked]:
    """Every door at the same time."""
    with ThreadPoolExecutor(len(DOORS)) as threads:
        return list(threads.map(one, DOORS))


def at_address(home: Path, url: str, **more: Any) -> list[Asked]:
    """Every door of vendors at this address."""
    return everywhere(lambda door: ask(door, home, url, **more))


def at_path(
    home: Path, behaviour: At, *, first: Behaviour | None = None, tls: ssl.SSLContext | None = None, **more: Any
) -> list[Asked]:
    """Every door of vendors that behave well, but so at the door's own path; `first` is for the first request."""

    def one(door: Door) -> Asked:
        with Misbehaving(tls) as server:
            prepare(server)
            behaviours = (first, behaviour(door, door.good(server.url)))
            server.on(door.path, *filter(None, behaviours))
            asked = ask(door, home, server.url, **more)
        asked.server = server
        return asked

    return everywhere(one)


def always(behaviour: Behaviour) -> At:
    """The same behaviour at every door."""
    return lambda _door, _good: behaviour


def good(_door: Door, whole: bytes) -> Behaviour:
    """A plain good answer."""
    return answer(whole)


def of(every: list[Asked]) -> dict[str, Outcome]:
    """How each door ended."""
    return {asked.door.name: type(asked.error) if asked.error else None for asked in every}


def all_of(outcome: Outcome) -> dict[str, Outcome]:
    """Every door ends so."""
    return {door.name: outcome for door in DOORS}


def doubt(instead: Outcome = Unavailable) -> dict[str, Outcome]:
    """A change may have happened; a read has only no answer."""
    return {door.name: Uncertain if door.changes else instead for door in DOORS}


def in_time(every: list[Asked], limit: float = SECONDS, slack: float = SLACK) -> bool:
    """Whether nobody waited for longer than the time-out. `slack` is what a busy machine may add."""
    return max(asked.seconds for asked in every) < limit + slack


def every_door_opens(home: Path) -> bool:
    """Whether all is well where nothing misbehaves. It imports every SDK, before a test measures time."""
    return of(at_path(home, good)) == all_of(None)
