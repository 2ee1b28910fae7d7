"""The connection to QuickBooks: the owner's consent, the token file, and refreshes that never lose the connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPMessage
from pathlib import Path
from typing import Any, cast

import pytest

from helpers.vendors.books_stage import Stage, file_lock, open_stage
from helpers.vendors.stand_in import Reply, StandIn
from simulator.quickbooks.limits import set_limits
from simulator.server import Simulator
from tillbook.kit.errors import NotAllowed, Refused, Unavailable
from tillbook.kit.settings import Settings
from tillbook.vendors.quickbooks import consent
from tillbook.vendors.quickbooks.session import Connection
from tillbook.vendors.quickbooks.tokens import TokenFile, Tokens, write_json

TOKEN_PATH = "/oauth2/v1/tokens/bearer"
DISCOVERY_PATH = "/.well-known/openid_sandbox_configuration"
DAY = 86_400


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("TILLBOOK_HOME", str(tmp_path))
    opened = open_stage(simulator, tmp_path)
    opened.control("reset", {})  # tests move the clock, and every home begins with the first refresh token
    set_limits(simulator.world, per_minute=0)
    return opened


def connection(settings: Settings, stage: Stage) -> Connection:
    return Connection(settings, stage.clock, file_lock(settings.home))


def stored(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.token_file.read_text())
    return found


class Intuit(StandIn):
    """A stand-in for Intuit's OAuth and API that notes the stored access token whenever it is asked."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.on_disk: list[str] = []
        names = ("authorization", "revocation", "userinfo")
        endpoints = {f"{name}_endpoint": f"{self.url}/{name}" for name in names}
        document = {**endpoints, "token_endpoint": self.url + TOKEN_PATH, "issuer": "i", "jwks_uri": "j"}
        self.answer(DISCOVERY_PATH, document)

    def __enter__(self) -> Intuit:
        super().__enter__()
        return self

    def take(self, path: str) -> Reply:
        if path.startswith("/v3/"):
            self.on_disk.append(json.loads(self.file.read_text())["access_token"])
        return super().take(path)

    def count(self, path: str) -> int:
        return sum(1 for one in self.asked if one.path == path)


@pytest.fixture
def intuit(stage: Stage) -> Iterator[Intuit]:
    with Intuit(stage.token_file) as running:
        yield running


def tokens(access: str = "A1", refresh: str = "R1", **more: Any) -> dict[str, Any]:
    expiry = {"expires_in": 3600, "x_refresh_token_expires_in": 100 * DAY}
    return {"token_type": "bearer", "access_token": access, "refresh_token": refresh, **expiry, **more}


NOT_FOUND = {"Fault": {"Error": [{"Message": "Object Not Found", "code": "610"}], "type": "ValidationFault"}}


# -- refreshing ----------------------------------------------------------------------------------------


def test_the_first_call_refreshes_and_the_next_ones_do_not(stage: Stage) -> None:
    """One token lives an hour; five minutes before its end it is replaced."""
    mark = stage.mark()
    books = stage.books()
    books.company()
    books.company()
    assert len(stage.requests(mark, TOKEN_PATH)) == 1
    stage.advance(3600 - 299)
    books.company()
    assert len(stage.requests(mark, TOKEN_PATH)) == 2


def test_the_token_file_is_private_and_whole(stage: Stage) -> None:
    """Mode 0600, every field, no draft left behind, and no secret in a repr."""
    stage.books().company()
    assert stage.token_file.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in stage.settings.home.glob("*.draft")] == []
    fields = "realm refresh_token access_token access_expires_at refresh_expires_at refreshed_at"
    assert sorted(stored(stage)) == sorted(fields.split())
    kept = TokenFile(stage.settings.home).read()
    assert kept is not None
    assert kept.refresh_token not in repr(kept)
    assert kept.access_token not in repr(kept)


def test_e8_threads_that_refresh_at_once_ask_once(stage: Stage) -> None:
    """Eight connections find a dead token together: one asks Intuit, seven use what it stored."""
    mark = stage.mark()
    with ThreadPoolExecutor(8) as pool:
        used = set(pool.map(lambda _: connection(stage.settings, stage).access_token(), range(8)))
    assert used == {stored(stage)["access_token"]}
    assert len(stage.requests(mark, TOKEN_PATH)) == 1


def test_e8_processes_that_refresh_at_once_ask_once(stage: Stage) -> None:
    """The same between processes, on the day that Intuit rotates the refresh token: the connection survives."""
    stage.books().company()
    before = stored(stage)["refresh_token"]
    stage.advance(DAY + 60)
    mark = stage.mark()
    program = (
        "import pathlib\n"
        "from helpers.vendors.books_stage import HurriedClock, file_lock\n"
        "from tillbook.kit import settings\n"
        "from tillbook.vendors.quickbooks.session import Connection\n"
        "found = settings.load({})\n"
        "Connection(found, HurriedClock(found.clock_file), file_lock(found.home)).access_token()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(3)]
    assert [one.wait(30) for one in running] == [0, 0, 0]
    assert len(stage.requests(mark, TOKEN_PATH)) == 1
    assert stored(stage)["refresh_token"] != before
    stage.advance(3600)
    stage.books().company()


def test_e9_a_token_is_on_the_disk_before_its_first_use(stage: Stage, intuit: Intuit) -> None:
    """When Intuit sees a new access token for the first time, the file already holds it and its refresh token."""
    intuit.answer(TOKEN_PATH, tokens("A1", "R1"))
    intuit.answer(TOKEN_PATH, tokens("A2", "R2"))
    intuit.answer(stage.path("invoice/1"), NOT_FOUND, 400)
    books = stage.books(quickbooks_api_base=intuit.url)
    assert books.invoice("1") is None
    stage.advance(3600)
    assert books.invoice("1") is None
    assert intuit.on_disk == ["A1", "A2"]
    used = [one.headers["authorization"] for one in intuit.asked if one.path == stage.path("invoice/1")]
    assert used == ["Bearer A1", "Bearer A2"]
    assert stored(stage)["refresh_token"] == "R2"


def test_e9_a_store_that_cannot_be_written_takes_no_new_token(stage: Stage) -> None:
    """A full disk is found out before Intuit gives a token that would be lost."""
    (stage.settings.home / "quickbooks-token.json.draft").mkdir()
    mark = stage.mark()
    with pytest.raises(Unavailable, match="cannot be written"):
        stage.books().company()
    assert stage.requests(mark) == []


def test_e9_after_invalid_grant_the_store_is_read_once_more(stage: Stage, intuit: Intuit) -> None:
    """Somebody without our lock stored a newer token meanwhile: it is used, and the connection lives."""
    realm = stage.settings.quickbooks_realm_id
    file = TokenFile(stage.settings.home)
    file.write(Tokens.first(realm, "R-old"))

    class Hasty(Intuit):
        def take(self, path: str) -> Reply:
            if path == TOKEN_PATH and "R-old" in self.asked[-1].body:
                file.write(Tokens.first(realm, "R-new"))
                return Reply({"error": "invalid_grant"}, 400)
            return super().take(path)

    with Hasty(stage.token_file) as hasty:
        hasty.answer(TOKEN_PATH, tokens("A9", "R-new"))
        settings = replace(stage.settings, quickbooks_api_base=hasty.url)
        assert connection(settings, stage).access_token() == "A9"
        assert hasty.count(TOKEN_PATH) == 2


def test_e9_a_lost_answer_to_a_refresh_is_asked_for_again(stage: Stage) -> None:
    """The old refresh token is kept until a new one is stored, so the repetition works."""
    stage.fault("drop_after", TOKEN_PATH)
    assert stage.books().company().name == "Harbor Lane Studio LLC"


@pytest.mark.parametrize("body", [{"error": "invalid_grant"}, {"access_token": ""}, {"access_token": None}, {}])
def test_e10_a_body_without_a_token_is_no_success(stage: Stage, intuit: Intuit, body: dict[str, Any]) -> None:
    """200 and no access token: nothing is stored over the old tokens, and no request goes out with 'None'."""
    TokenFile(stage.settings.home).write(Tokens.first(stage.settings.quickbooks_realm_id, "R1"))
    intuit.answer(TOKEN_PATH, body)
    with pytest.raises((NotAllowed, Unavailable)):
        stage.books(quickbooks_api_base=intuit.url).invoice("1")
    assert stored(stage)["refresh_token"] == "R1"
    assert intuit.on_disk == []


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"error": "invalid_grant"}', NotAllowed),
        (401, b'{"error": "invalid_client"}', NotAllowed),
        (400, b"<html>", Unavailable),
        (200, b"<html>", Unavailable),
        (200, b"[1]", Unavailable),
        (200, b'"text"', Unavailable),
        (429, b"{}", Unavailable),
        (503, b"", Unavailable),
    ],
)
def test_every_answer_of_the_token_endpoint_has_a_meaning(
    stage: Stage, intuit: Intuit, status: int, body: bytes, expected: type[Exception]
) -> None:
    """A refused grant needs a person; a failure of Intuit only time."""
    intuit.answer(TOKEN_PATH, body, status)
    with pytest.raises(expected):
        stage.books(quickbooks_api_base=intuit.url).invoice("1")


def test_a_refused_token_is_refreshed_once_and_never_in_a_circle(stage: Stage, intuit: Intuit) -> None:
    """Intuit answers 401 to everything: two tokens, two requests, then the hint to connect again."""
    intuit.answer(TOKEN_PATH, tokens("A1"))
    intuit.answer(TOKEN_PATH, tokens("A2"))
    intuit.answer(stage.path("invoice/1"), {"fault": {"error": [{"code": "3200"}]}}, 401)
    with pytest.raises(NotAllowed) as refused:
        stage.books(quickbooks_api_base=intuit.url).invoice("1")
    assert "execution/connect_quickbooks.py" in refused.value.hint
    assert (intuit.count(TOKEN_PATH), intuit.count(stage.path("invoice/1"))) == (2, 2)


def test_e11_days_left_and_the_end_of_an_idle_connection(stage: Stage) -> None:
    """A hundred days without use end it; the error says which command connects again."""
    books = stage.books()
    assert books.connection.days_left(stage.clock.now()) is None
    books.company()
    now = stored(stage)["refreshed_at"]
    assert books.connection.days_left(now) == 100
    assert books.connection.days_left(now + 40 * DAY) == 60
    assert books.connection.days_left(now + 400 * DAY) == 0
    stage.advance(101 * DAY)
    with pytest.raises(NotAllowed, match="no longer accepts the connection") as refused:
        books.company()
    assert refused.value.hint == "Connect again: python execution/connect_quickbooks.py"


def test_e12_the_token_of_another_company_is_not_used(stage: Stage) -> None:
    """A file of another realm is refused before anything is sent."""
    TokenFile(stage.settings.home).write(Tokens.first("4620816365000000000", "R1"))
    mark = stage.mark()
    with pytest.raises(NotAllowed, match="is for company 4620816365000000000"):
        stage.books().company()
    assert stage.requests(mark) == []


def test_e13_without_credentials_nothing_else_is_used(stage: Stage) -> None:
    """No token: not connected. No app keys: said by name. Never somebody else's."""
    with pytest.raises(NotAllowed, match="not connected yet"):
        stage.books(quickbooks_refresh_token="").company()
    with pytest.raises(Refused, match="QUICKBOOKS_CLIENT_SECRET is empty"):
        stage.books(quickbooks_client_secret="").company()


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"realm": "1"}', '{"surprise": 1}'])
def test_a_spoilt_token_file_is_refused_with_a_way_out(stage: Stage, text: str) -> None:
    """Half a file is not guessed at: connect again."""
    stage.token_file.write_text(text)
    with pytest.raises(Refused, match="is not what Tillbook wrote") as refused:
        stage.books().company()
    assert "connect_quickbooks.py" in refused.value.hint


def test_a_discovery_document_leads_to_no_other_machine(stage: Stage, intuit: Intuit) -> None:
    """Simulator mode does not ask an address only because Intuit's own document names it."""
    away = {f"{name}_endpoint": "https://api.example/" for name in ("authorization", "token", "revocation", "userinfo")}
    with Intuit(stage.token_file) as elsewhere:
        elsewhere.replace(DISCOVERY_PATH, {**away, "issuer": "i", "jwks_uri": "j"})
        with pytest.raises(Refused, match=r"api\.example is not on this machine"):
            stage.books(quickbooks_api_base=elsewhere.url).invoice("1")


def test_an_answer_of_intuit_changes_nothing_but_the_tokens(stage: Stage, intuit: Intuit) -> None:
    """The SDK takes every name of an answer for its own, and asks other addresses about an `id_token`."""
    odd = {"id_token": "e30.e30.e30", "jwks_uri": f"{intuit.url}/keys", "request": "no function", "state_token": "mine"}
    intuit.answer(TOKEN_PATH, tokens("A1", **odd))
    intuit.answer(stage.path("invoice/1"), NOT_FOUND, 400)
    assert stage.books(quickbooks_api_base=intuit.url).invoice("1") is None
    assert intuit.count("/keys") == 0


# -- the owner's consent -----------------------------------------------------------------------------------


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        """Follow nothing: the address itself is what the test wants."""


def press_connect(url: str) -> str:
    """What the owner does in the browser; the address that the browser is sent to."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    try:
        opener.open(urllib.request.Request(url, data=b""), timeout=10)  # noqa: S310  our own simulator
    except urllib.error.HTTPError as answer:
        with answer:
            return cast(HTTPMessage, answer.headers)["Location"]
    raise AssertionError("the Connect page did not redirect")


def changed(url: str, **values: str) -> str:
    parts = urllib.parse.urlsplit(url)
    query = {**dict(urllib.parse.parse_qsl(parts.query)), **values}
    return parts._replace(query=urllib.parse.urlencode({k: v for k, v in query.items() if v})).geturl()


def finish(stage: Stage, url: str, **changes: Any) -> str:
    settings = replace(stage.settings, **changes)
    tokens = consent.connect(settings, stage.clock, url)
    connection(settings, stage).save(tokens)
    return tokens.realm


def test_connecting_stores_a_working_connection(stage: Stage) -> None:
    """Link, consent, pasted address: the realm comes back and the books answer."""
    unconnected = {"quickbooks_refresh_token": "", "quickbooks_realm_id": ""}
    link = consent.authorization_url(replace(stage.settings, **cast(Any, unconnected)), stage.clock)
    redirected = press_connect(link)
    assert redirected.startswith("http://localhost:8080/oauth/quickbooks?")
    assert finish(stage, f"  {redirected}\n", **unconnected) == stage.settings.quickbooks_realm_id
    books = stage.books(**unconnected)
    assert books.connection.realm == stage.settings.quickbooks_realm_id
    assert books.company().name == "Harbor Lane Studio LLC"


def test_connecting_again_repairs_a_connection_of_another_company(stage: Stage) -> None:
    """What the owner connects now replaces what was stored."""
    TokenFile(stage.settings.home).write(Tokens.first("4620816365000000000", "R1"))
    finish(stage, press_connect(consent.authorization_url(stage.settings, stage.clock)))
    assert stage.books().company().country == "US"


def test_a_state_works_once(stage: Stage) -> None:
    """The same address pasted twice is refused the second time."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    finish(stage, redirected)
    with pytest.raises(Refused, match="not the answer to the last link"):
        finish(stage, redirected)


def test_a_state_of_somebody_else_is_refused_and_ours_stays_good(stage: Stage) -> None:
    """A link that an attacker sends connects no company of theirs."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    with pytest.raises(Refused, match="not the answer to the last link"):
        finish(stage, changed(redirected, state="guess"))
    assert (stage.settings.home / "quickbooks-state.json").stat().st_mode & 0o777 == 0o600
    finish(stage, redirected)


def test_a_state_is_good_for_an_hour(stage: Stage) -> None:
    """An old link must be asked for again."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    stage.advance(3601)
    with pytest.raises(Refused, match="older than an hour"):
        finish(stage, redirected)


def test_an_empty_state_file_lets_nobody_in(stage: Stage) -> None:
    """No state stored, none given: still refused."""
    url = "http://localhost:8080/oauth/quickbooks?code=c&state=%20&realmId=" + stage.settings.quickbooks_realm_id
    with pytest.raises(Refused, match="not the answer"):
        finish(stage, url)
    write_json(stage.settings.home / "quickbooks-state.json", {"state": "", "made_at": stage.clock.now()})
    with pytest.raises(Refused, match="not the answer"):
        finish(stage, url)


def test_e12_another_company_than_the_settings_name_is_refused(stage: Stage) -> None:
    """The owner chose the wrong company: nothing is exchanged or stored."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    with pytest.raises(Refused, match="company 1 was chosen"):
        finish(stage, changed(redirected, realmId="1"))
    assert not stage.token_file.exists()


def test_g1_a_stranger_does_not_hear_which_company_it_is(stage: Stage) -> None:
    """Whoever does not have our link is refused for that, before anything is said of the company."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    with pytest.raises(Refused, match="not the answer") as refusal:
        finish(stage, changed(redirected, realmId="1", state="guessed"))
    assert stage.settings.quickbooks_realm_id not in f"{refusal.value.message} {refusal.value.hint}"


@pytest.mark.parametrize("missing", ["code", "state", "realmId"])
def test_half_an_address_is_refused(stage: Stage, missing: str) -> None:
    """The error names what the pasted address lacks."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    with pytest.raises(Refused, match=f"lacks {missing}"):
        finish(stage, changed(redirected, **{missing: ""}))


def test_an_owner_who_says_no_is_heard(stage: Stage) -> None:
    """error=access_denied is a refusal in words."""
    with pytest.raises(Refused, match="the owner did not connect: access_denied"):
        finish(stage, "http://localhost:8080/oauth/quickbooks?error=access_denied&state=x")


def test_a_code_that_was_used_is_refused(stage: Stage) -> None:
    """Intuit says invalid_grant: start over."""
    redirected = press_connect(consent.authorization_url(stage.settings, stage.clock))
    with pytest.raises(NotAllowed):
        finish(stage, changed(redirected, code="AB1used"))
    assert not stage.token_file.exists()


def test_live_mode_needs_a_public_address_to_come_back_to(stage: Stage) -> None:
    """Intuit takes no localhost address for a live company; with a base address the link names it."""
    live = replace(stage.settings, mode="live")
    with pytest.raises(Refused, match="TILLBOOK_BASE_URL is empty"):
        consent.authorization_url(live, stage.clock)
    link = consent.authorization_url(replace(stage.settings, base_url="https://pay.example"), stage.clock)
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
    assert query["redirect_uri"] == "https://pay.example/oauth/quickbooks"
    assert query["scope"] == "com.intuit.quickbooks.accounting"
