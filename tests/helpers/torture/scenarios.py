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

from helpers.refunding import TAXED, ended, paid_twice, refunds_start_as
from helpers.sale import Json, Ran, Shop, control
from helpers.torture.boundaries import Death, Watch
from simulator.server import Photograph
from tillbook.rules.orders import order_json, read_order
from tillbook.till import open_till

READ_LAG = 61  # longer than any vendor's read lag and than the first pause after a failure
DONE, UNAVAILABLE, UNCERTAIN, DISCREPANCIES = 0, 4, 5, 7
FORESEEN = (DONE, UNAVAILABLE, UNCERTAIN, DISCREPANCIES)  # how a step may end beside a vendor in trouble
ROUND = ("run_pending",)


@dataclass(frozen=True)
class Scenario:
    """`prepare` makes the situation in which `command`, a script with its arguments, is tried."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Shop], object]


def died_on_answer(shop: Shop, *command: str) -> None:
    """A step that makes a page dies when Stripe has made it and we know nothing of it."""
    watch = Watch(shop.home, end_at="answer arrives: POST /stripe/v1/checkout/sessions")
    with suppress(Death), watch.on_duty():
        shop.run(*command)
    assert watch.died, watch.passed


def _nothing(shop: Shop) -> None:
    """A new home beside a company that was never used."""


def _order(shop: Shop) -> None:
    shop.order("INV-1")


def _order_of_a_known_customer(shop: Shop) -> None:
    shop.invoiced("INV-0")
    shop.order("INV-1")


def _submitted(shop: Shop) -> None:
    """What the receiver keeps of a form on the website."""
    order = read_order(Path(shop.order("INV-1")).read_bytes())
    with shop.till.ledger.transaction():
        assert shop.till.ledger.forms.add(order.number, order_json(order), shop.till.clock.now())


def _invoice(shop: Shop) -> None:
    shop.invoiced("INV-1")


def _open_page(shop: Shop) -> None:
    shop.opened_page("INV-1")


def _expired_page(shop: Shop) -> None:
    shop.opened_page("INV-1")
    shop.later(25 * 3600)


def _page_of_another_amount(shop: Shop) -> None:
    """25.00 of 60.00 were paid at the counter and entered in QuickBooks by hand."""
    shop.opened_page("INV-1")
    shop.paid_at_the_counter("INV-1", "25.00")


def _paid(shop: Shop) -> None:
    page = shop.opened_page("INV-1")
    shop.pay(page["checkout_id"])
    shop.later(60)


def _polled(shop: Shop) -> None:
    _paid(shop)
    assert shop.run("poll_events").code == 0


def _processed(shop: Shop) -> None:
    _polled(shop)
    assert shop.run("process_inbox").code == 0


def _posted(shop: Shop) -> None:
    _processed(shop)
    assert shop.run("post_to_books").code == 0


def _refunded(shop: Shop) -> None:
    """The refund of a taxed sale waits for its document and its mail."""
    shop.finished("INV-1", lines=TAXED)
    assert shop.run("refund_payment", "INV-1").code == 0


def _taxed(shop: Shop) -> None:
    shop.finished("INV-1", lines=TAXED)


def _pending_refund(shop: Shop) -> None:
    """Part of it went back before, and refunds take a while now."""
    shop.finished("INV-1")
    assert shop.run("refund_payment", "INV-1", "--amount", "20.00").code == 0
    refunds_start_as(shop, "held")


def _refund_that_failed(shop: Shop) -> None:
    """The receipt is posted, then the customer's bank sends the money back."""
    _taxed(shop)
    refund = shop.run("refund_payment", "INV-1").json["refund"]
    shop.run("run_pending")
    ended(shop, refund, "failed")


def _refunded_credit(shop: Shop) -> None:
    """The second of two payments of an invoice went back; its Purchase waits."""
    _, second = paid_twice(shop, "INV-1")
    assert shop.run("refund_payment", second).code == 0


def _another_rate(shop: Shop) -> None:
    """The document of a refund will come out four cents wrong: the tax rate was changed."""
    _refunded(shop)
    rate = {"vendor": "quickbooks", "kind": "TaxRate", "id": "1", "set": {"RateValue": "14.75"}}
    control(shop.simulator, "plant", rate)


def _everything(shop: Shop) -> None:
    """A page is open, a payment unheard of, and the making of another page died in the middle."""
    _paid(shop)
    shop.invoiced("INV-2")
    died_on_answer(shop, "create_checkout", "INV-2")


def _approved(shop: Shop) -> None:
    """The customer agreed on PayPal's page and never came back to ours."""
    shop.approved("INV-1")


def _capture_pending(shop: Shop) -> None:
    """The money is captured and under review, and then PayPal says no."""
    control(shop.simulator, "captures", {"status": "PENDING", "reason": "PENDING_REVIEW"})
    order = shop.approved("INV-1")
    assert shop.run("run_pending").code == 0
    (capture,) = shop.simulator.world.all("paypal.capture")
    assert capture["status"] == "PENDING", order
    control(shop.simulator, "capture_outcome", {"capture": capture["id"], "outcome": "declined"})


def _captured_twice(shop: Shop) -> None:
    """Another program of the seller captured the order before us."""
    control(shop.simulator, "capture", {"checkout_id": shop.approved("INV-1")})


def _lost_answer_of_a_capture(shop: Shop) -> None:
    """Sent in time, done by PayPal, the answer lost; nobody ran anything for seven hours."""
    shop.approved("INV-1")
    watch = Watch(shop.home, end_at="answer arrives: POST /paypal/v2/checkout/orders/*/capture")
    with suppress(Death), watch.on_duty():
        shop.run("run_pending")
    assert watch.died, watch.passed
    shop.later(7 * 3600)


def _approval_that_expired(shop: Shop) -> None:
    """Approved, and nobody captured it in time."""
    shop.approved("INV-1")
    shop.later(4 * 3600)


def _paid_at_paypal(shop: Shop) -> None:
    shop.approved("INV-1")
    assert shop.run("run_pending").code == 0


def _lost_sale_at_paypal(shop: Shop) -> None:
    """Another program captured it, every event was lost, and the statement shows it after hours."""
    control(shop.simulator, "capture", {"checkout_id": shop.approved("INV-1")})
    shop.later(4 * 3600)


def _day_of_lost_events(shop: Shop) -> None:
    """A sale of which nobody heard: every event of it was lost."""
    shop.pay(shop.opened_page("INV-1")["checkout_id"])
    shop.later(400)


def _books_that_somebody_changed(shop: Shop) -> None:
    """One Payment was deleted in QuickBooks by hand, another one was copied with our mark."""
    shop.finished("INV-1")
    shop.finished("INV-2")
    kept, lost = shop.books("Payment")
    names = ("CustomerRef", "TxnDate", "DepositToAccountRef", "PaymentRefNum", "PrivateNote")
    copy = json.dumps({name: kept[name] for name in names} | {"TotalAmt": 60}).encode()
    gone = json.dumps({"Id": lost["Id"], "SyncToken": lost["SyncToken"]}).encode()
    connection = shop.till.books.connection
    connection.call(lambda client: client.create_object("Payment", copy))
    connection.call(lambda client: client.delete_object("Payment", gone))
    shop.later(400)


SCENARIOS = (
    Scenario("connect_quickbooks", ("connect_quickbooks",), _nothing),
    Scenario("create_invoice, new customer", ("create_invoice", "{home}/INV-1.json"), _order),
    Scenario("create_invoice, known customer", ("create_invoice", "{home}/INV-1.json"), _order_of_a_known_customer),
    Scenario("issue_forms", ("issue_forms",), _submitted),
    Scenario("create_checkout, the first", ("create_checkout", "INV-1"), _invoice),
    Scenario("create_checkout, after an expiry", ("create_checkout", "INV-1"), _expired_page),
    Scenario("create_checkout, another balance", ("create_checkout", "INV-1"), _page_of_another_amount),
    Scenario("send_invoice", ("send_invoice", "INV-1"), _invoice),
    Scenario("void_invoice", ("void_invoice", "INV-1"), _open_page),
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


# Of each scenario, once for each worker.
_PREPARED: dict[str, Situation] = {}
_UNDISTURBED: dict[str, tuple[list[str], str]] = {}


@dataclass
class Stage:
    """One scenario in one world; `back` puts its situation back, as often as it is tried."""

    shop: Shop
    scenario: Scenario
    prepared: Situation = field(init=False)
    _met: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the situation, once for each worker, and begin with it: the tests of one scenario share it."""
        if self.scenario.name not in _PREPARED:
            self.scenario.prepare(self.shop)
            self.shop.till.close()
            _PREPARED[self.scenario.name] = self.kept(self.shop.simulator.world.folder.parent)
        self.prepared = _PREPARED[self.scenario.name]
        self.back()

    def kept(self, folder: Path | None = None) -> Situation:
        """The situation of this moment, to come back to; copied into `folder`, or beside the home."""
        copy = Path(tempfile.mkdtemp(prefix="kept-", dir=folder or self.shop.home.parent))
        shutil.copytree(self.shop.home, copy, dirs_exist_ok=True)
        return Situation(copy, self.shop.simulator.photograph())

    def back(self, situation: Situation | None = None) -> None:
        """The prepared situation, or another one, in the vendors' world and on our disk."""
        chosen = situation or self.prepared
        self.shop.till.close()
        shutil.rmtree(self.shop.home)
        shutil.copytree(chosen.home, self.shop.home)
        self.shop.simulator.restore(chosen.world)

    @property
    def command(self) -> tuple[str, ...]:
        return tuple(part.format(home=self.shop.home) for part in self.scenario.command)

    @property
    def recoveries(self) -> tuple[tuple[str, ...], ...]:
        """What can be run after a crash: the same command, or the round of cron."""
        return tuple(dict.fromkeys((self.command, ROUND)))

    def step(self) -> Ran:
        return self.shop.run(*self.command)

    def watched(self, command: tuple[str, ...], end_at: int = -1) -> Watch:
        """Run a command and say what it passed; with `end_at` it dies there, if it comes that far."""
        watch = Watch(self.shop.home, end_at)
        try:
            with watch.on_duty():
                ran = self.shop.run(*command)
        except Death:
            return watch
        assert ran.code in FORESEEN, ran.err
        return watch

    def is_new(self, moment: str) -> bool:
        """Whether this situation is another one than those that this was asked about before at that moment."""
        from helpers.torture.final_state import situation

        found = (moment, situation(self.shop))
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
        from helpers.torture.final_state import final_state

        self.shop.later(READ_LAG)
        self._within_two_rounds(ROUND)
        self.shop.till.close()
        self.shop.till = open_till()
        return final_state(self.shop)

    def _within_two_rounds(self, command: tuple[str, ...]) -> None:
        first = self.shop.run(*command)
        assert first.code in FORESEEN, first.err
        if first.code != DONE:
            self.shop.later(READ_LAG)
            second = self.shop.run(*command)
            assert second.code == DONE, second.err + second.out

    def undisturbed(self, *, again: bool = False) -> tuple[list[str], str]:
        """What the step passes when nothing happens to it, and the state that it leads to, as text."""
        if again or self.scenario.name not in _UNDISTURBED:
            self.back()
            _UNDISTURBED[self.scenario.name] = self.watched(self.command).passed, dumped(self.end())
        return _UNDISTURBED[self.scenario.name]


def dumped(state: Json) -> str:
    """A state as text, for a difference that people can read."""
    return json.dumps(state, indent=1, sort_keys=True)
