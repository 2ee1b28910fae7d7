"""The table of everything that must survive a crash, a bad vendor or seven copies of itself: one row a step.

A new step is a new row: how the situation comes about, and the command that is tried in it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from boundaries import Death, Watch
from refunding import TAXED, ended, paid_twice, refunds_start_as
from sale import Json, Ran, Till, control
from tillbook.orders import order_json, read_order
from tillbook.simulator.server import Photograph
from tillbook.workshop import open_workshop

READ_LAG = 61  # longer than any vendor's read lag and than the first pause after a failure
DONE, UNAVAILABLE, UNCERTAIN, DISCREPANCIES = 0, 4, 5, 7
FORESEEN = (DONE, UNAVAILABLE, UNCERTAIN, DISCREPANCIES)  # how a step may end beside a vendor in trouble
ROUND = ("run_pending",)


@dataclass(frozen=True)
class Scenario:
    """`prepare` makes the situation in which `command`, a script with its arguments, is tried."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Till], object]


def died_on_answer(till: Till, *command: str) -> None:
    """A step that makes a page dies when Stripe has made it and we know nothing of it."""
    watch = Watch(till.home, end_at="answer arrives: POST /stripe/v1/checkout/sessions")
    with suppress(Death), watch.on_duty():
        till.run(*command)
    assert watch.died, watch.passed


def _nothing(till: Till) -> None:
    """A new home beside a company that was never used."""


def _order(till: Till) -> None:
    till.order("INV-1")


def _order_of_a_known_customer(till: Till) -> None:
    till.invoiced("INV-0")
    till.order("INV-1")


def _submitted(till: Till) -> None:
    """What the receiver keeps of a form on the website."""
    order = read_order(Path(till.order("INV-1")).read_bytes())
    with till.shop.ledger.transaction():
        assert till.shop.ledger.forms.add(order.number, order_json(order), till.shop.clock.now())


def _invoice(till: Till) -> None:
    till.invoiced("INV-1")


def _expired_page(till: Till) -> None:
    till.opened_page("INV-1")
    till.later(25 * 3600)


def _page_of_another_amount(till: Till) -> None:
    """25.00 of 60.00 were paid at the counter and entered in QuickBooks by hand."""
    till.opened_page("INV-1")
    till.paid_at_the_counter("INV-1", "25.00")


def _paid(till: Till) -> None:
    page = till.opened_page("INV-1")
    till.pay(page["checkout_id"])
    till.later(60)


def _polled(till: Till) -> None:
    _paid(till)
    assert till.run("poll_events").code == 0


def _processed(till: Till) -> None:
    _polled(till)
    assert till.run("process_inbox").code == 0


def _posted(till: Till) -> None:
    _processed(till)
    assert till.run("post_to_books").code == 0


def _refunded(till: Till) -> None:
    """The refund of a taxed sale waits for its document and its mail."""
    till.finished("INV-1", lines=TAXED)
    assert till.run("refund_payment", "INV-1").code == 0


def _taxed(till: Till) -> None:
    till.finished("INV-1", lines=TAXED)


def _pending_refund(till: Till) -> None:
    """Part of it went back before, and refunds take a while now."""
    till.finished("INV-1")
    assert till.run("refund_payment", "INV-1", "--amount", "20.00").code == 0
    refunds_start_as(till, "held")


def _refund_that_failed(till: Till) -> None:
    """The receipt is posted, then the customer's bank sends the money back."""
    _taxed(till)
    refund = till.run("refund_payment", "INV-1").json["refund"]
    till.run("run_pending")
    ended(till, refund, "failed")


def _refunded_credit(till: Till) -> None:
    """The second of two payments of an invoice went back; its Purchase waits."""
    _, second = paid_twice(till, "INV-1")
    assert till.run("refund_payment", second).code == 0


def _another_rate(till: Till) -> None:
    """The document of a refund will come out four cents wrong: the tax rate was changed."""
    _refunded(till)
    rate = {"vendor": "quickbooks", "kind": "TaxRate", "id": "1", "set": {"RateValue": "14.75"}}
    control(till.simulator, "plant", rate)


def _everything(till: Till) -> None:
    """A page is open, a payment unheard of, and the making of another page died in the middle."""
    _paid(till)
    till.invoiced("INV-2")
    died_on_answer(till, "create_checkout", "INV-2")


def _approved(till: Till) -> None:
    """The customer agreed on PayPal's page and never came back to ours."""
    till.approved("INV-1")


def _capture_pending(till: Till) -> None:
    """The money is captured and under review, and then PayPal says no."""
    control(till.simulator, "captures", {"status": "PENDING", "reason": "PENDING_REVIEW"})
    order = till.approved("INV-1")
    assert till.run("run_pending").code == 0
    (capture,) = till.simulator.world.all("paypal.capture")
    assert capture["status"] == "PENDING", order
    control(till.simulator, "capture_outcome", {"capture": capture["id"], "outcome": "declined"})


def _captured_twice(till: Till) -> None:
    """Another program of the seller captured the order before us."""
    control(till.simulator, "capture", {"checkout_id": till.approved("INV-1")})


def _lost_answer_of_a_capture(till: Till) -> None:
    """Sent in time, done by PayPal, the answer lost; nobody ran anything for seven hours."""
    till.approved("INV-1")
    watch = Watch(till.home, end_at="answer arrives: POST /paypal/v2/checkout/orders/*/capture")
    with suppress(Death), watch.on_duty():
        till.run("run_pending")
    assert watch.died, watch.passed
    till.later(7 * 3600)


def _approval_that_expired(till: Till) -> None:
    """Approved, and nobody captured it in time."""
    till.approved("INV-1")
    till.later(4 * 3600)


def _paid_at_paypal(till: Till) -> None:
    till.approved("INV-1")
    assert till.run("run_pending").code == 0


def _lost_sale_at_paypal(till: Till) -> None:
    """Another program captured it, every event was lost, and the statement shows it after hours."""
    control(till.simulator, "capture", {"checkout_id": till.approved("INV-1")})
    till.later(4 * 3600)


def _day_of_lost_events(till: Till) -> None:
    """A sale of which nobody heard: every event of it was lost."""
    till.pay(till.opened_page("INV-1")["checkout_id"])
    till.later(400)


def _books_that_somebody_changed(till: Till) -> None:
    """One Payment was deleted in QuickBooks by hand, another one was copied with our mark."""
    till.finished("INV-1")
    till.finished("INV-2")
    kept, lost = till.books("Payment")
    names = ("CustomerRef", "TxnDate", "DepositToAccountRef", "PaymentRefNum", "PrivateNote")
    copy = json.dumps({name: kept[name] for name in names} | {"TotalAmt": 60}).encode()
    gone = json.dumps({"Id": lost["Id"], "SyncToken": lost["SyncToken"]}).encode()
    connection = till.shop.books.connection
    connection.call(lambda client: client.create_object("Payment", copy))
    connection.call(lambda client: client.delete_object("Payment", gone))
    till.later(400)


SCENARIOS = (
    Scenario("connect_quickbooks", ("connect_quickbooks",), _nothing),
    Scenario("create_invoice, new customer", ("create_invoice", "{home}/INV-1.json"), _order),
    Scenario("create_invoice, known customer", ("create_invoice", "{home}/INV-1.json"), _order_of_a_known_customer),
    Scenario("issue_forms", ("issue_forms",), _submitted),
    Scenario("create_checkout, the first", ("create_checkout", "INV-1"), _invoice),
    Scenario("create_checkout, after an expiry", ("create_checkout", "INV-1"), _expired_page),
    Scenario("create_checkout, another balance", ("create_checkout", "INV-1"), _page_of_another_amount),
    Scenario("send_invoice", ("send_invoice", "INV-1"), _invoice),
    Scenario("poll_events", ("poll_events",), _paid),
    Scenario("process_inbox", ("process_inbox",), _polled),
    Scenario("post_to_books, a new company", ("post_to_books",), _processed),
    Scenario("send_messages", ("send_messages",), _posted),
    Scenario("refund_payment, all of a sale", ("refund_payment", "INV-1"), _taxed),
    Scenario("refund_payment, held, the rest", ("refund_payment", "INV-1"), _pending_refund),
    Scenario("refund_payment, while the sale stands", ("refund_payment", "INV-1", "--of", "payment"), _posted),
    Scenario("post_to_books, a refund", ("post_to_books",), _refunded),
    Scenario("post_to_books, a refund's last cents", ("post_to_books",), _another_rate),
    Scenario("post_to_books, a refunded credit", ("post_to_books",), _refunded_credit),
    Scenario("run_pending, a refund failed", ("run_pending",), _refund_that_failed),
    Scenario("reconcile_payments, a day of lost events", ("reconcile_payments", "--repair"), _day_of_lost_events),
    Scenario("reconcile_payments, changed books", ("reconcile_payments", "--repair"), _books_that_somebody_changed),
    Scenario("create_checkout, at PayPal", ("create_checkout", "INV-1", "--provider", "paypal"), _invoice),
    Scenario("run_pending, approved and not captured", ("run_pending",), _approved),
    Scenario("run_pending, a capture that was denied", ("run_pending",), _capture_pending),
    Scenario("run_pending, captured twice", ("run_pending",), _captured_twice),
    Scenario("run_pending, a capture's answer lost 7 h ago", ("run_pending",), _lost_answer_of_a_capture),
    Scenario("run_pending, an approval that expired", ("run_pending",), _approval_that_expired),
    Scenario("refund_payment, at PayPal", ("refund_payment", "INV-1"), _paid_at_paypal),
    Scenario("reconcile_payments, a lost sale at PayPal", ("reconcile_payments", "--repair"), _lost_sale_at_paypal),
    Scenario("run_pending, everything waits", ("run_pending",), _everything),
)
NAMES = [scenario.name for scenario in SCENARIOS]


@dataclass(frozen=True)
class Situation:
    """A home folder and the vendors' world at one moment."""

    home: Path
    world: Photograph


@dataclass
class Stage:
    """One scenario in one world; `back` puts its situation back, as often as it is tried."""

    till: Till
    scenario: Scenario
    prepared: Situation = field(init=False)
    _met: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.scenario.prepare(self.till)
        self.till.shop.close()
        self.prepared = self.kept()

    def kept(self) -> Situation:
        """The situation of this moment, to come back to."""
        copy = Path(tempfile.mkdtemp(prefix="kept-", dir=self.till.home.parent))
        shutil.copytree(self.till.home, copy, dirs_exist_ok=True)
        return Situation(copy, self.till.simulator.photograph())

    def back(self, situation: Situation | None = None) -> None:
        """The prepared situation, or another one, in the vendors' world and on our disk."""
        chosen = situation or self.prepared
        self.till.shop.close()
        shutil.rmtree(self.till.home)
        shutil.copytree(chosen.home, self.till.home)
        self.till.simulator.restore(chosen.world)

    @property
    def command(self) -> tuple[str, ...]:
        return tuple(part.format(home=self.till.home) for part in self.scenario.command)

    @property
    def recoveries(self) -> tuple[tuple[str, ...], ...]:
        """What can be run after a crash: the same command, or the round of cron."""
        return tuple(dict.fromkeys((self.command, ROUND)))

    def step(self) -> Ran:
        return self.till.run(*self.command)

    def watched(self, command: tuple[str, ...], end_at: int = -1) -> Watch:
        """Run a command and say what it passed; with `end_at` it dies there, if it comes that far."""
        watch = Watch(self.till.home, end_at)
        try:
            with watch.on_duty():
                ran = self.till.run(*command)
        except Death:
            return watch
        assert ran.code in FORESEEN, ran.err
        return watch

    def is_new(self) -> bool:
        """Whether the situation of this moment is another one than those that this was asked about before."""
        from final_state import situation

        found = situation(self.till)
        known = found in self._met
        self._met.add(found)
        return not known

    def finish(self, command: tuple[str, ...]) -> None:
        """Recover within two rounds; a step that a person runs may have died before it was written down, so she
        runs it again."""
        self._within_two_rounds(command)
        if command != self.command:
            last = self.step()
            assert last.code == DONE, last.err

    def end(self) -> Json:
        """What is still owed is done within two more rounds of cron; the state of the world then."""
        from final_state import final_state

        self.till.later(READ_LAG)
        self._within_two_rounds(ROUND)
        self.till.shop.close()
        self.till.shop = open_workshop()
        return final_state(self.till)

    def _within_two_rounds(self, command: tuple[str, ...]) -> None:
        first = self.till.run(*command)
        assert first.code in FORESEEN, first.err
        if first.code != DONE:
            self.till.later(READ_LAG)
            second = self.till.run(*command)
            assert second.code == DONE, second.err + second.out

    def undisturbed(self) -> tuple[list[str], str]:
        """What the step passes when nothing happens to it, and the state that it leads to, as text."""
        self.back()
        return self.watched(self.command).passed, dumped(self.end())


def dumped(state: Json) -> str:
    """A state as text, for a difference that people can read."""
    return json.dumps(state, indent=1, sort_keys=True)
