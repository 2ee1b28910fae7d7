"""The simulated Stripe as the server and `/_control` use it."""

from __future__ import annotations

import secrets
from random import Random

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from simulator.control_input import Conflict, choice
from simulator.stripe import strangers
from simulator.stripe.account import Account
from simulator.stripe.api import Api
from simulator.stripe.balance import payouts
from simulator.stripe.checkout import links, sessions
from simulator.stripe.due import run_due
from simulator.stripe.pages import pages
from simulator.stripe.payments import cards, payments
from simulator.stripe.refunds import disputes, refunds
from simulator.stripe.wire.errors import StripeError
from simulator.vendor import Options, Processor
from simulator.world import Json, World


class Stripe(Processor):
    """One Stripe account: the API, the pages where customers pay, the events, and what a test may do to it."""

    name = "stripe"
    hidden = ("due", "idempotency", "payment_intent_data", "payment_link_asked", "refund_start")
    refuses_busy_keys = True

    def __init__(self, world: World, options: Options) -> None:
        super().__init__(world, options)
        self._account = Account(world, settle_seconds=options.settle_seconds)
        self._api = Api(self._account)
        self.deliveries = self._account.deliveries
        self.deliveries.offer(options.deliver_to)

    @staticmethod
    def made_accounts() -> dict[str, str]:
        """The account, its two keys, and the secret of its webhook endpoint."""
        return {
            "stripe_account": f"acct_{secrets.token_hex(8)}",
            "stripe_secret_key": f"sk_test_{secrets.token_hex(24)}",
            "stripe_publishable_key": f"pk_test_{secrets.token_hex(24)}",
            "stripe_webhook_secret": f"whsec_{secrets.token_hex(24)}",
        }

    def api(self) -> ASGIApp:
        """The API below `/stripe`."""
        return self._api

    def fault(self, kind: str, path: str, form: str, headers: Headers) -> Response:
        """Stripe's answer to `500`, `429`, `409` or `403`."""
        return self._api.fault(kind, path, form, headers)

    def request_key(self, headers: Headers, query: str) -> str | None:
        """The `Idempotency-Key`."""
        return headers.get("idempotency-key") or None

    def pages(self) -> list[BaseRoute]:
        """Checkout Sessions below `/checkout`, Payment Links below `/link`."""
        own = pages.Pages(self._account)
        return [Mount("/checkout", routes=own.checkout_routes()), Mount("/link", routes=own.link_routes())]

    def happen_until(self, at: int) -> None:
        """Let money settle and sessions expire."""
        run_due(self._account, at)

    def stranger(self, chance: Random, at: int) -> None:
        """Another program, or a person, uses the account."""
        strangers.act(self._account, chance, at)

    def restore(self, photograph: str) -> None:
        """Know the agenda and the deliveries that the World keeps."""
        self._account.agenda.read()
        super().restore(photograph)

    async def reset(self) -> None:
        """Forget the agenda and the deliveries."""
        self._account.agenda.clear()
        await super().reset()

    # -- `/_control` -------------------------------------------------------------------------------

    def knows(self, key: str) -> bool:
        """Whether a session, a link, a payment intent, a charge, a refund or a dispute has this id."""
        kinds = (sessions.SESSION, links.LINK, payments.INTENT, payments.CHARGE, refunds.REFUND, disputes.DISPUTE)
        return any(self._account.find(kind, key) for kind in kinds)

    def pay(self, given: Json) -> Json | Response:
        """The customer pays a session or a link with a test card. `passed` answers its 3-D Secure question."""
        if "decline" in given:
            raise ValueError("decline is for orders of PayPal; a checkout of Stripe is declined by its card")
        card = cards.find(given.get("card", "4242424242424242"))
        if card is None:
            raise ValueError("card is the number of a test card, such as 4242424242424242")
        session = self._session(given.get("checkout_id", ""))
        email = given.get("email") or session["customer_email"] or "customer@example.com"
        payer = payments.Payer(email, given.get("name", "Test Customer"))
        intent = payments.attempt(self._account, session, card, payer)
        if intent["status"] == "requires_action":
            intent = payments.authenticate(self._account, session, passed=given.get("passed", True))
        paid = {"status": intent["status"], "payment_intent": intent["id"]}
        if error := intent["last_payment_error"]:
            declined = {name: error.get(name) for name in ("code", "decline_code", "message")}
            return JSONResponse({**paid, "error": declined["message"], "decline": declined}, 402)
        return paid

    def refund(self, given: Json) -> Json:
        """A refund without metadata and without a key."""
        start = choice(given, "status", refunds.STARTS, "")
        choice(given, "reason", refunds.REASONS, "")
        wanted: Json = {name: given[name] for name in ("amount", "reason") if name in given}
        wanted["charge"] = self._charge(given)["id"]
        try:
            return refunds.create(self._account, wanted, self.world.now(), start=start)
        except StripeError as error:
            raise Conflict(str(error)) from error

    def end_refund(self, given: Json) -> Json:
        """Let a refund succeed, fail or be cancelled."""
        outcome = choice(given, "outcome", refunds.OUTCOMES)
        refund = self._account.find(refunds.REFUND, given.get("refund"))
        if refund is None:
            raise ValueError(f"there is no refund {given.get('refund', '')!r}")
        if not refunds.can_end(refund, outcome):
            raise Conflict(f"the refund {refund['id']} is {refund['status']}, so it cannot become {outcome}")
        return refunds.end(self._account, refund, outcome, self.world.now())

    def start_refunds(self, given: Json) -> Json:
        """Let new refunds begin in one of `refunds.STARTS`."""
        start = choice(given, "status", refunds.STARTS)
        refunds.starts_as(self._account, start)
        return {"status": start}

    def dispute(self, given: Json) -> Json:
        """The customer's bank questions what is not refunded of a charge."""
        kind = choice(given, "kind", disputes.KINDS)
        reason = choice(given, "reason", disputes.REASONS, "fraudulent")
        charge = self._charge(given)
        if disputes.of_charge(self._account, charge) is not None:
            raise Conflict(f"the charge {charge['id']} is disputed already")
        if charge["amount_captured"] <= charge["amount_refunded"]:
            raise Conflict(f"the charge {charge['id']} holds no money to dispute")
        return disputes.begin(self._account, charge, kind, reason, self.world.now())

    def end_dispute(self, given: Json) -> Json:
        """Let a dispute be won or lost."""
        outcome = choice(given, "outcome", disputes.OUTCOMES)
        found = self._account.find(disputes.DISPUTE, given.get("dispute"))
        if found is None:
            raise ValueError(f"there is no dispute {given.get('dispute', '')!r}")
        if not disputes.can_end(found):
            raise Conflict(f"the dispute {found['id']} is {found['status']} already")
        return disputes.end(self._account, found, outcome, self.world.now())

    def pay_out(self, given: Json) -> Json:
        """A payout that arrives at the bank two days later."""
        currency = given.get("currency", "usd")
        ready = payouts.available(self._account, currency)
        amount = given.get("amount", ready)
        if not 1 <= amount <= ready:
            raise Conflict(f"{amount} {currency} cannot be paid out: {ready} are available")
        return payouts.begin(self._account, amount, currency, self.world.now())

    def sums(self) -> dict[str, dict[str, int]]:
        """What charges captured and gave back, and the net of all balance transactions."""
        return {
            "captured": self._sum("charge", "amount_captured"),
            "refunded": self._sum("charge", "amount_refunded"),
            "statement": self._sum("balance_transaction", "net"),
        }

    def _sum(self, kind: str, field: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for thing in self._account.newest(kind):
            sums[thing["currency"]] = sums.get(thing["currency"], 0) + thing[field]
        return sums

    def _session(self, key: str) -> Json:
        """The open session of this id, or a new one of the link of this id."""
        link = self._account.find(links.LINK, key)
        if link is not None and not links.is_open(link):
            raise Conflict(f"the payment link {link['id']} is not active, so it cannot be paid")
        session = links.open_session(self._account, link) if link else self._account.find(sessions.SESSION, key)
        if session is None:
            raise ValueError(f"there is no checkout {key!r}")
        if session["status"] != "open":
            raise Conflict(f"the checkout {session['id']} is {session['status']}, so it cannot be paid")
        return session

    def _charge(self, given: Json) -> Json:
        """The charge that `payment` names, by its own id or as the latest of a payment intent."""
        key = given.get("payment", "")
        intent = self._account.find("payment_intent", key)
        charge = self._account.find("charge", intent["latest_charge"] if intent else key)
        if charge is None:
            raise ValueError(f"there is no payment {key!r}")
        return charge
