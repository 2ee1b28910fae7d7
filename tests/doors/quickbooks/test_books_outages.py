"""The QuickBooks door on its bad days: lost answers, throttles, silence, and what each odd answer means."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.vendors.books_stage import Stage, new_account, new_customer, new_invoice, new_payment, open_stage
from helpers.vendors.stand_in import StandIn
from simulator.quickbooks.limits import set_limits
from simulator.server import Simulator
from tillbook.kit.errors import NotAllowed, Refused, Throttled, Unavailable, Uncertain
from tillbook.vendors.quickbooks.books import QuickBooksOnline
from tillbook.vendors.quickbooks.errors import TokenRefused, require_success
from tillbook.vendors.quickbooks.tokens import TokenFile, Tokens


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("TILLBOOK_HOME", str(tmp_path))
    set_limits(simulator.world, per_minute=0)
    opened = open_stage(simulator, tmp_path)
    yield opened
    simulator.world.delete("quickbooks.limits", "limits")


@pytest.fixture
def books(stage: Stage) -> QuickBooksOnline:
    return stage.books()


@pytest.fixture
def customer(books: QuickBooksOnline) -> str:
    return str(books.send(new_customer())["id"])


# -- bad days ------------------------------------------------------------------------------------------


def test_c26_an_answer_lost_after_acting_is_asked_for_again_with_the_same_requestid(
    books: QuickBooksOnline, customer: str, stage: Stage
) -> None:
    """The invoice was made, the connection broke: the repetition gets the first answer, and there is one invoice."""
    created = new_invoice(customer)
    stage.fault("drop_after", "invoice")
    mark = stage.mark()
    result = books.send(created)
    asked = stage.requests(mark, "/invoice")
    assert [one["idempotency_key"] for one in asked] == [created.id, created.id]
    assert books.find(created) == result


def test_c26_when_no_answer_comes_the_change_is_uncertain_and_find_ends_it(
    books: QuickBooksOnline, customer: str, stage: Stage
) -> None:
    """Three lost answers: nobody knows, until the document is found by its mark."""
    created = new_invoice(customer)
    stage.fault("drop_after", "invoice", times=3)
    with pytest.raises(Uncertain, match="may have been done"):
        books.send(created)
    found = books.find(created)
    assert found is not None
    assert found["number"] == created.params["number"]


@pytest.mark.parametrize("kind", ["create_account", "create_customer", "create_invoice", "post_payment"])
def test_c26_every_kind_is_found_after_a_lost_answer(
    books: QuickBooksOnline, customer: str, stage: Stage, kind: str
) -> None:
    """Whatever was made without an answer is recognised; what was never made is not."""
    made = {
        "create_account": new_account("Lost (USD)"),
        "create_customer": new_customer(),
        "create_invoice": new_invoice(customer),
        "post_payment": new_payment(customer, books.send(new_account())["id"], "10.00"),
    }[kind]
    assert books.find(made) is None
    stage.fault("drop_after", {"post_payment": "payment"}.get(kind, kind.removeprefix("create_")), times=3)
    with pytest.raises(Uncertain):
        books.send(made)
    found = books.find(made)
    assert found is not None
    assert found["id"]


def test_c26_a_token_that_dies_midway_keeps_the_requestid(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """401: one refresh, then the very same request; never a second document."""
    file = TokenFile(stage.settings.home)
    tokens = file.read()
    assert tokens is not None
    file.write(Tokens(tokens.realm, tokens.refresh_token, "dead", tokens.access_expires_at, 0, 1))
    mark = stage.mark()
    created = new_invoice(customer)
    books.send(created)
    asked = stage.requests(mark)
    assert [one["status"] for one in asked] == [401, 200, 200, 200, 200]  # the last one reads the invoice back
    assert [one["idempotency_key"] for one in asked if one["path"].endswith("/invoice")] == [created.id] * 2


def test_c26_a_refusal_after_a_lost_answer_proves_nothing(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """The first attempt may have acted: a refused repetition stays uncertain, for find to decide."""
    account = books.send(new_account())["id"]
    invoice = books.send(new_invoice(customer))["id"]
    paid = new_payment(customer, account, "500.00", **{f"i{invoice}": "500.00"})
    stage.fault("drop_before", "payment")
    with pytest.raises(Uncertain):
        books.send(paid)
    stage.fault("drop_before", "invoice")
    stage.fault("429", "invoice", times=2)
    with pytest.raises(Uncertain):
        books.send(new_invoice(customer))


def test_c27_a_duplicate_number_that_is_ours_is_adopted(
    books: QuickBooksOnline, customer: str, simulator: Simulator
) -> None:
    """QuickBooks forgot our requestid and says 6140: our mark tells that the first try made it."""
    created = new_invoice(customer)
    first = books.send(created)
    simulator.world.delete("quickbooks.requestid", created.id)
    assert books.send(created) == first


def test_c27_a_duplicate_number_of_somebody_else_is_refused(books: QuickBooksOnline, customer: str) -> None:
    """An invoice that a person made keeps its number; ours is refused with QuickBooks' code."""
    books.send(new_invoice(customer, "TAKEN-1"))
    with pytest.raises(Refused) as refused:
        books.send(new_invoice(customer, "TAKEN-1"))
    assert refused.value.code == "6140"
    assert "another" in refused.value.hint


def test_c27_doubt_about_a_duplicate_stays_uncertain(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """6140, and the look whose it is fails: nobody may say refused."""
    books.send(new_invoice(customer, "TAKEN-2"))
    stage.fault("html_502", "query", times=3)
    with pytest.raises(Uncertain):
        books.send(new_invoice(customer, "TAKEN-2"))


def test_c32_a_throttle_is_waited_for_as_long_as_it_says(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """Retry-After: 1 is one second, and then it works."""
    stage.fault("429", "invoice")
    assert books.send(new_invoice(customer))["id"]
    assert stage.clock.slept == [1.0]


def test_c32_a_throttle_without_a_time_is_a_minute_that_nobody_sits_out(
    books: QuickBooksOnline, customer: str, stage: Stage, simulator: Simulator
) -> None:
    """The company's own limit: the error names 60 s and nothing happened."""
    created = new_invoice(customer)
    set_limits(simulator.world, per_minute=1)
    with pytest.raises(Throttled) as throttled:
        books.send(created)
    assert throttled.value.retry_after_seconds == 60
    assert stage.clock.slept == []
    set_limits(simulator.world, per_minute=0)
    assert books.find(created) is None


@pytest.mark.parametrize("kind", ["html_502", "500", "drop_before"])
def test_silence_is_uncertain_for_a_change_and_unavailable_for_a_read(
    books: QuickBooksOnline, customer: str, stage: Stage, kind: str
) -> None:
    """A gateway's HTML, a failure of QuickBooks and a broken connection say nothing about a change."""
    stage.fault(kind, "invoice", times=3)
    with pytest.raises(Uncertain):
        books.send(new_invoice(customer))
    stage.fault(kind, "query", times=3)
    with pytest.raises(Unavailable):
        books.invoice_by_number("X")


def test_one_bad_answer_is_repeated_in_silence(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """Two failures, then success: the caller sees the success."""
    stage.fault("html_502", "invoice", times=2)
    assert books.send(new_invoice(customer))["id"]


def test_c24_a_vendor_that_never_answers_ends_in_time(stage: Stage) -> None:
    """A black hole: the change is uncertain, the read unavailable, and neither hangs."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        address = f"http://127.0.0.1:{hole.getsockname()[1]}"
        deaf = stage.connected(address, timeout_seconds=0.1)
        with pytest.raises(Uncertain, match="did not answer in time"):
            deaf.send(new_invoice("1"))
        with pytest.raises(Unavailable, match="did not answer in time"):
            deaf.invoice("1")
        stage.token_file.unlink()
        with pytest.raises(Unavailable, match="did not answer in time"):
            deaf.invoice("1")


def test_a_refused_connection_is_unavailable_even_for_a_change(stage: Stage, books: QuickBooksOnline) -> None:
    """Nothing left this machine, so nothing happened."""
    books.company()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unavailable, match="cannot be reached"):
        stage.books(quickbooks_api_base=address).send(new_invoice("1"))


def test_an_answer_without_its_record_is_no_success(stage: Stage) -> None:
    """200 with the wrong content: the change is uncertain, the read unavailable."""
    with StandIn() as vendor:
        for end in ("invoice", "invoice/1", "query"):
            vendor.answer(stage.path(end), {"time": "now"})
        books = stage.connected(vendor.url)
        with pytest.raises(Uncertain):
            books.send(new_invoice("1"))
        with pytest.raises(Unavailable):
            books.invoice("1")
        with pytest.raises(Unavailable):
            books.invoice_by_number("1")


def test_a_payment_that_cannot_be_read_back_is_uncertain(books: QuickBooksOnline, customer: str, stage: Stage) -> None:
    """It was posted; where its money lies is not known yet: never 'refused', never 'nothing happened'."""
    account = books.send(new_account())["id"]
    paid = new_payment(customer, account, "10.00")
    stage.fault("html_502", "payment/*", method="GET", times=3)
    with pytest.raises(Uncertain, match="not read back"):
        books.send(paid)
    assert books.find(paid) is not None


# -- what an answer means --------------------------------------------------------------------------------


def judge(status: int, text: str) -> None:
    require_success(status, {}, text.encode(), change=True)


FAULT = '{"Fault": {"Error": [{"Message": "%s", "Detail": "%s"%s}], "type": "%s"}}'


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, FAULT % ("No", "code", "", "ValidationFault"), Refused),
        (200, FAULT % ("No", "even with 200", ', "code": "610"', "ValidationFault"), Refused),
        (400, '{"fault": {"error": [{"message": "No", "code": "2010"}], "type": "SERVICE"}}', Refused),
        (400, '{"Fault": {"Error": []}}', Refused),
        (400, '{"Fault": null, "fault": "odd"}', Uncertain),
        (403, FAULT % ("No", "wrong company", ', "code": "3100"', "AuthorizationFault"), NotAllowed),
        (401, '{"fault": {"error": [{"code": "3200"}]}}', TokenRefused),
        (401, "<html>", TokenRefused),
        (429, "<html>", Uncertain),
        (429, FAULT % ("slow", "down", "", "SERVICE"), Throttled),
        (400, FAULT % ("slow", "down", ', "code": "003001"', "ValidationFault"), Throttled),
        (400, FAULT % ("An application error", "", ', "code": "10000"', "SystemFault"), Uncertain),
        (500, FAULT % ("No", "", ', "code": "6000"', "ValidationFault"), Uncertain),
        (302, "", Uncertain),
        (200, "[]", Uncertain),
        (200, "<html>200 and still no JSON</html>", Uncertain),
        (200, "[" * 100_000, Uncertain),
    ],
)
def test_every_answer_becomes_one_of_our_errors(status: int, text: str, expected: type[Exception]) -> None:
    """Faults without a code, in lower case, throttles in disguise, HTML: each has one meaning."""
    with pytest.raises(expected):
        judge(status, text)


def test_vendor_text_is_made_harmless() -> None:
    """Control characters vanish, card numbers are masked, and the first code is kept."""
    detail = "card 4242 4242 4242 4242 \\u001b[31m\\u202e\\nred"
    with pytest.raises(Refused) as refused:
        judge(400, FAULT % ("Bad", detail, ', "code": "5010"', "ValidationFault"))
    assert refused.value.message == "QuickBooks refused: Bad: card [card ending 4242] [31m red"
    assert refused.value.code == "5010"
    assert "run the same command" in refused.value.hint
