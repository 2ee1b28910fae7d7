"""Operations against the simulated vendors, through the real doors: whatever breaks, one object, and no guess."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from helpers.providers.stage import HurriedClock
from helpers.running.processes import Processes
from helpers.sale import Shop
from helpers.settings import changed
from tillbook.kit.errors import NotAllowed, Refused, Unavailable, Uncertain
from tillbook.kit.money import Money
from tillbook.ledger import Ledger
from tillbook.operations.kinds.sales.create_checkout import CheckoutRequest
from tillbook.operations.perform import Outcome, perform
from tillbook.proof import invariants
from tillbook.rules.operations import Json, Operation, Plan
from tillbook.till import Till
from tillbook.vendors.providers import clearing

DAY = 86_400
KEY = "create_checkout:stripe/INV-1001:{}"
SESSIONS = "/v1/checkout/sessions"


@dataclass
class Bench:
    """A shop with an invoice of 60.00, and a till that waits for no pause; `hasty` also soon gives up a call."""

    shop: Shop
    till: Till
    hasty: Till
    clock: HurriedClock

    def plan(self, minor: int = 6000, **changes: Any) -> Plan:
        """What create_checkout plans for the invoice."""
        request = CheckoutRequest(
            invoice="INV-1001",
            amount=Money(minor, "USD"),
            description="Invoice INV-1001",
            email="grace@example.com",
            success_url="http://127.0.0.1:8080/pay/x/paid",
            cancel_url="http://127.0.0.1:8080/pay/x/cancelled",
            **changes,
        )
        return self.till.provider("stripe").plan_checkout(request)

    def perform(self, minor: int = 6000, **options: Any) -> Outcome:
        return perform(self.till, self.plan(minor), **options)

    def fail(self, kind: str, times: int = 3, **more: float) -> None:
        """Let the attempts to open a page fail; three are one call of ours."""
        self.shop.fail("stripe", SESSIONS, kind, method="POST", times=times, **more)

    def calm(self) -> None:
        """The faults stop."""
        requests.delete(f"{self.shop.simulator.url}/_control/faults", timeout=10).raise_for_status()

    def doubtful(self, kind: str = "timeout") -> Operation:
        """An operation whose outcome nobody knows: `timeout` lost the request, `timeout_after` the answer."""
        self.fail(kind, times=1)
        with pytest.raises(Uncertain):
            perform(self.hasty, self.plan())
        assert self.last.state == "unknown"
        return self.last

    @property
    def last(self) -> Operation:
        found = self.till.ledger.operations.last("create_checkout", "stripe/INV-1001")
        assert found is not None
        return found

    @property
    def made(self) -> list[Json]:
        """The pages that the vendor holds."""
        return list(self.shop.simulator.world.all("stripe.checkout.session"))

    @property
    def keys(self) -> list[str]:
        """The idempotency key of every attempt to open a page."""
        return [row["idempotency_key"] for row in self.shop.requests("stripe", "POST", SESSIONS)]

    def one_page(self) -> Json:
        """The only page there is; the ledger knows it as the result of the operation that its metadata names."""
        (session,) = self.made
        assert session["metadata"]["operation"] == self.last.id
        assert self.last.result is not None
        assert self.last.result["checkout_id"] == session["id"]
        page = self.till.ledger.sales.checkout_of_operation(self.last.id)
        assert page is not None
        assert (page.id, page.status) == (session["id"], "open")
        assert list(invariants.broken(self.till.ledger)) == []
        return session


@pytest.fixture
def bench(shop: Shop) -> Iterator[Bench]:
    shop.invoiced()
    settings = shop.till.settings
    clock, ledger = HurriedClock(settings.clock_file), Ledger(settings.ledger, clearing)
    till = Till(settings, clock, ledger, "test")
    hasty = Till(replace(settings, timeout_seconds=0.4), clock, ledger, "test")
    till.provider("stripe")
    yield Bench(shop, till, hasty, clock)
    till.close()


# -- a good day ----------------------------------------------------------------------------------------


def test_an_operation_is_done_once_and_stands_for_itself_afterwards(bench: Bench) -> None:
    """The second time nothing is asked: the result is the ledger's."""
    first, second = bench.perform(), bench.perform()
    assert (first.already_done, second.already_done) == (False, True)
    assert first.result == second.result
    assert bench.keys == [KEY.format(1)]
    bench.one_page()


def test_c3_the_key_is_the_same_for_every_attempt_of_every_process(bench: Bench) -> None:
    """In-process and in a process of its own: never from the clock or a random number."""
    bench.doubtful()
    bench.shop.spawn("run_pending")
    assert set(bench.keys) == {KEY.format(1)}
    assert len(bench.keys) >= 2
    bench.one_page()


def test_the_same_subject_with_other_content_is_refused(bench: Bench) -> None:
    """What is done is done; nothing is sent for the second plan."""
    bench.perform()
    with pytest.raises(Refused, match="already done with other content"):
        bench.perform(3000)
    assert bench.keys == [KEY.format(1)]
    bench.one_page()


def test_a_reason_opens_the_next_generation_and_is_kept(bench: Bench) -> None:
    """The ledger says why there is another one, and who asked."""
    bench.perform()
    bench.till.provider("stripe")
    with bench.till.ledger.transaction():
        bench.till.ledger.sales.set_checkout_status(bench.made[0]["id"], "expired")
    bench.perform(3000, renew="checkout is expired")
    assert bench.keys == [KEY.format(1), KEY.format(2)]
    row = bench.till.ledger.database.one("operations.by_id", id=bench.last.id)
    assert row is not None
    assert (row["generation"], row["renewed"], row["asked_by"]) == (2, "checkout is expired", "test")


# -- nothing happened ----------------------------------------------------------------------------------


def test_a_refusal_of_the_vendor_ends_the_operation(bench: Bench) -> None:
    """Exit code 3 with the vendor's words; the next try is another generation with another key."""
    bad = replace(bench.plan(), params={**bench.plan().params, "success_url": "nowhere"})
    with pytest.raises(Refused) as caught:
        perform(bench.till, bad)
    assert (caught.value.exit_code, bench.last.state) == (3, "refused")
    assert bench.last.reason == caught.value.message
    assert bench.made == []
    bench.perform()
    assert bench.keys == [KEY.format(1), KEY.format(2)]
    bench.one_page()


def test_connection_refused_leaves_nothing_behind_and_exit_code_4(bench: Bench) -> None:
    """The vendor could not even be asked what it shows: run it again, and the first generation is sent."""
    nowhere = changed(bench.till.settings, stripe_api_base="http://127.0.0.1:1/stripe")
    away = Till(nowhere, bench.clock, bench.till.ledger, "test")
    with pytest.raises(Unavailable) as caught:
        perform(away, bench.plan())
    assert caught.value.exit_code == 4
    assert bench.till.ledger.operations.unfinished() == []
    bench.perform()
    assert bench.keys == [KEY.format(1)]
    bench.one_page()


def test_c23_429_is_prepared_again_and_the_pause_is_kept(bench: Bench) -> None:
    """The vendor said that it did nothing: its Retry-After is waited for, then exit code 4."""
    bench.fail("429", times=3)
    with pytest.raises(Unavailable) as caught:
        bench.perform()
    assert caught.value.exit_code == 4
    assert (bench.last.state, bench.last.sent_at) == ("prepared", None)
    assert bench.clock.slept == [1.0, 1.0]
    assert bench.perform().already_done is False
    assert set(bench.keys) == {KEY.format(1)}
    bench.one_page()


def test_a_key_that_is_not_accepted_did_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revoked key is exit code 3, and nothing is left behind; with a good one the page is opened."""
    with monkeypatch.context() as revoked:
        revoked.setitem(bench.shop.simulator.world.accounts, "stripe_secret_key", "sk_test_another")
        with pytest.raises(NotAllowed) as caught:
            bench.perform()
    assert (caught.value.exit_code, bench.till.ledger.operations.unfinished()) == (3, [])
    bench.perform()
    bench.one_page()


# -- it may have happened ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["timeout", "timeout_after", "drop_before", "drop_after", "500", "409", "html_502"])
def test_c1_c2_a_doubt_is_unknown_and_settles_to_one_page(bench: Bench, kind: str) -> None:
    """Lost on the way there or back, cut off, broken, busy, a proxy's page: never 'failed', and one page in the end."""
    bench.fail(kind, times=3)
    with pytest.raises(Uncertain) as caught:
        perform(bench.hasty, bench.plan())
    assert caught.value.exit_code == 5
    assert "run_pending.py" in caught.value.hint
    assert bench.last.state == "unknown"
    bench.calm()
    for _ in range(3):
        bench.shop.later(61)
        try:
            bench.perform()
        except Uncertain:
            continue
        break
    assert bench.last.state == "done"
    bench.one_page()


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "409", "html_502"])
def test_a_short_trouble_is_ridden_out(bench: Bench, kind: str) -> None:
    """One bad answer and then a good one: done within the same call, under the same key."""
    bench.fail(kind, times=1)
    bench.perform()
    assert bench.keys == [KEY.format(1)] * 2
    bench.one_page()


def test_a_slow_answer_is_waited_for(bench: Bench) -> None:
    """Slower than usual, but within the time-out: nothing to settle."""
    bench.fail("slow", times=1, seconds=0.1)
    bench.perform()
    assert bench.keys == [KEY.format(1)]
    bench.one_page()


def test_an_error_pinned_to_its_key_is_looked_behind(bench: Bench) -> None:
    """Stripe repeats a 500 for its key for a day: the repetition shows that, then two looks end the matter."""
    bench.fail("500", times=1)
    with pytest.raises(Uncertain):
        bench.perform()
    with pytest.raises(Uncertain, match="does not show it"):
        bench.perform()
    asked = len(bench.keys)
    assert bench.last.absent_since is not None
    bench.shop.later(30)
    with pytest.raises(Uncertain):
        bench.perform()
    assert len(bench.keys) == asked, "after a look nothing more is sent under this key"
    bench.shop.later(31)
    bench.perform()
    assert bench.keys[asked:] == [KEY.format(2)]
    bench.one_page()


def test_c4_what_was_begun_is_finished_with_its_own_parameters(bench: Bench) -> None:
    """Asked with another amount meanwhile: the repetition sends the first one's bytes, then says no to the second."""
    bench.doubtful("timeout_after")
    with pytest.raises(Refused, match="other content"):
        bench.perform(3000)
    sent = [row["body"] for row in bench.shop.requests("stripe", "POST", SESSIONS)]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert bench.one_page()["amount_total"] == 6000


# -- unknown ends only by evidence ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["timeout", "timeout_after"])
def test_c2_c15_time_alone_changes_nothing(bench: Bench, kind: str) -> None:
    """Days, weeks and a year later it is as unknown as on the first day."""
    before = bench.doubtful(kind)
    for days in (1, 30, 365):
        bench.shop.later(days * DAY)
        bench.shop.run("process_inbox")
        assert bench.last == before


@pytest.mark.parametrize("after_seconds", [12 * 3600, 25 * 3600, 40 * DAY])
def test_c7_beyond_half_the_window_it_looks_and_finds(bench: Bench, after_seconds: int) -> None:
    """The page was made, the answer lost; the key may be forgotten, so it is found by its metadata and not sent."""
    bench.doubtful("timeout_after")
    bench.shop.later(after_seconds)
    bench.perform()
    assert bench.keys == [KEY.format(1)]
    bench.one_page()


def test_c8_absent_twice_beyond_the_lag_is_refused_and_the_next_generation_may(bench: Bench) -> None:
    """The request never arrived: one look is not enough, two within the lag neither."""
    first = bench.doubtful("timeout")
    bench.shop.later(25 * 3600)
    for _ in range(2):
        with pytest.raises(Uncertain, match="does not show it"):
            bench.perform()
    bench.shop.later(61)
    bench.perform()
    ended = bench.till.ledger.operations.get(first.id)
    assert ended is not None
    assert (ended.state, ended.reason) == ("refused", "absent in two complete reads")
    assert bench.keys == [KEY.format(1), KEY.format(2)]
    bench.one_page()


def test_c25_a_look_that_fails_proves_nothing(bench: Bench) -> None:
    """A list that cannot be read is not an empty list."""
    bench.doubtful("timeout_after")
    bench.shop.later(25 * 3600)
    for _ in range(2):
        bench.shop.fail("stripe", SESSIONS, "500", method="GET", times=3)
        with pytest.raises(Uncertain, match="could not look"):
            bench.perform()
        bench.calm()
        bench.shop.later(3600)
    assert bench.last.absent_since is None
    bench.perform()
    bench.one_page()


@pytest.mark.parametrize("later", [0, 25 * 3600])
def test_bad_credentials_while_unknown_leave_it_unknown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    """A revoked key says nothing about an earlier attempt, neither when sending again nor when looking."""
    bench.doubtful("timeout_after")
    bench.shop.later(later)
    with monkeypatch.context() as revoked:
        revoked.setitem(bench.shop.simulator.world.accounts, "stripe_secret_key", "sk_test_another")
        with pytest.raises(Uncertain):
            bench.perform()
    assert bench.last.state == "unknown"
    bench.perform()
    bench.one_page()


@pytest.mark.parametrize("later", [0, 25 * 3600])
def test_connection_refused_while_unknown_leaves_it_unknown(bench: Bench, later: int) -> None:
    """That this attempt did nothing is no news of the first one."""
    bench.doubtful("timeout_after")
    bench.shop.later(later)
    nowhere = changed(bench.till.settings, stripe_api_base="http://127.0.0.1:1/stripe")
    with pytest.raises(Uncertain):
        perform(Till(nowhere, bench.clock, bench.till.ledger, "test"), bench.plan())
    assert bench.last.state == "unknown"
    bench.perform()
    bench.one_page()


def test_a_throttle_while_unknown_leaves_it_unknown(bench: Bench) -> None:
    """The vendor did nothing this time."""
    bench.doubtful("timeout_after")
    bench.fail("429", times=3)
    with pytest.raises(Uncertain):
        bench.perform()
    bench.calm()
    assert bench.last.state == "unknown"
    bench.perform()
    bench.one_page()


# -- other hands ---------------------------------------------------------------------------------------


def test_run_pending_settles_what_another_run_left(bench: Bench) -> None:
    """Cron finishes it: the page is in the ledger, and create_checkout returns that one."""
    bench.doubtful("timeout_after")
    ran = bench.shop.run("run_pending")
    assert ran.code == 0, ran.err
    assert ran.json["settled"] >= 1
    session = bench.one_page()
    assert bench.shop.run("create_checkout", "INV-1001").json["checkout_id"] == session["id"]


def test_run_pending_says_5_while_a_doubt_stays(bench: Bench) -> None:
    """The vendor still does not answer: exit code 5, the sentence names the operation, the rest of the round runs."""
    bench.doubtful()
    bench.fail("html_502", times=3)
    ran = bench.shop.run("run_pending")
    assert ran.code == 5
    assert any("create_checkout" in sentence for sentence in ran.json["trouble"])
    assert "process_inbox" in ran.json


def test_inv14_when_faults_stop_two_rounds_are_enough(bench: Bench) -> None:
    """Every kind of doubt at Stripe ends within two rounds further apart than the read lag, without a person."""
    bench.fail("500", times=1)
    with pytest.raises(Uncertain):
        bench.perform()
    for _ in range(2):
        bench.shop.run("run_pending")
        bench.shop.later(61)
    assert bench.till.ledger.operations.unfinished() == []


def test_c10_f11_eight_processes_at_once_make_one_page(bench: Bench, processes: Processes) -> None:
    """Eight people run the same step in the same second: one request, one page, eight times the same answer."""
    ended = processes.run(*[("create_checkout", "INV-1001")] * 8)
    assert [run.code for run in ended] == [0] * 8, [run.err for run in ended]
    session = bench.one_page()
    assert all(session["id"] in run.out for run in ended)
    assert bench.keys == [KEY.format(1)]
    assert sum('"already_done": false' in run.out for run in ended) == 1


# -- the other door ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "acted"), [("drop_after", True), ("drop_before", False), ("500", False)])
def test_c26_an_invoice_in_doubt_becomes_one_invoice(shop: Shop, kind: str, acted: bool) -> None:
    """QuickBooks' silence is settled by looking for our mark: found at once, or absent twice and then made once."""
    shop.fail("quickbooks", "/v3/company/*/invoice", kind, method="POST", times=3)
    first = shop.run("create_invoice", shop.order())
    assert first.code == 5, first.err
    assert len(shop.books("Invoice")) == int(acted)
    again = shop.run("create_invoice", shop.order())
    assert again.code == (0 if acted else 5)
    shop.later(31)
    last = shop.run("create_invoice", shop.order())
    assert last.code == 0, last.err
    (invoice,) = shop.books("Invoice")
    assert last.json["quickbooks_id"] == invoice["Id"]
    assert list(invariants.broken(shop.till.ledger)) == []
