"""The operations of the API about money that goes back or out: refunds, disputes and payouts, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.stripe import disputes, parameters, payouts, refunds
from simulator.stripe.forms import merged
from simulator.stripe.listing import inside, page, same
from simulator.stripe.operations import Call, Operation

Json = dict[str, Any]


def _create_refund(call: Call) -> Json:
    given = {**call.params, "metadata": merged({}, call.params.get("metadata", {}))}
    return refunds.create(call.account, given, call.at, cause=call.cause)


def _refund(call: Call) -> Json:
    return call.account.need(refunds.REFUND, call.key, "refund")


def _update_refund(call: Call) -> Json:
    metadata = call.params.get("metadata", {})
    return refunds.update(call.account, _refund(call), metadata, call.at, call.cause)


def _cancel_refund(call: Call) -> Json:
    return refunds.cancel(call.account, _refund(call), call.at, call.cause)


def _of_payment(what: str) -> Callable[[Call], Json]:
    """List what belongs to charges and payment intents."""

    def act(call: Call) -> Json:
        found = (
            thing
            for thing in call.account.newest(what)
            if inside(thing["created"], call.params.get("created"))
            and same(thing, call.params, "charge", "payment_intent")
        )
        return page(found, call.params, call.path, what)

    return act


def _list_payouts(call: Call) -> Json:
    return page(payouts.found(call.account, call.params), call.params, call.path, payouts.PAYOUT)


_REFUND, _DISPUTE, _PAYOUT = refunds.REFUND, disputes.DISPUTE, payouts.PAYOUT
OPERATIONS = (
    Operation("POST", "/v1/refunds", parameters.REFUND, _REFUND, _create_refund),
    Operation("GET", "/v1/refunds", parameters.OF_PAYMENT, _REFUND, _of_payment(_REFUND)),
    Operation("GET", "/v1/refunds/{}", parameters.READ, _REFUND, _refund),
    Operation("POST", "/v1/refunds/{}", parameters.REFUND_UPDATE, _REFUND, _update_refund),
    Operation("POST", "/v1/refunds/{}/cancel", parameters.READ, _REFUND, _cancel_refund),
    Operation("GET", "/v1/disputes", parameters.OF_PAYMENT, _DISPUTE, _of_payment(_DISPUTE)),
    Operation(
        "GET",
        "/v1/disputes/{}",
        parameters.READ,
        _DISPUTE,
        lambda call: call.account.need(_DISPUTE, call.key, "dispute"),
    ),
    Operation("GET", "/v1/payouts", parameters.PAYOUTS, _PAYOUT, _list_payouts),
    Operation(
        "GET", "/v1/payouts/{}", parameters.READ, _PAYOUT, lambda call: call.account.need(_PAYOUT, call.key, "payout")
    ),
)
