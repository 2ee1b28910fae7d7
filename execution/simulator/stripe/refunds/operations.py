"""The operations of the API about refunds and disputes."""

from __future__ import annotations

from simulator.stripe.operation import READ, Call, Operation, listed, retrieve
from simulator.stripe.refunds import refunds
from simulator.stripe.refunds.disputes import DISPUTE
from simulator.stripe.refunds.refunds import REFUND
from simulator.stripe.wire.forms import Metadata, Text, Whole, with_metadata
from simulator.stripe.wire.listing import dated_form
from simulator.world import Json

_CREATE = READ.including(
    {
        "amount": Whole(1),
        "charge": Text(),
        "metadata": Metadata(),
        "payment_intent": Text(),
        "reason": Text(refunds.REASONS),
    }
)
_UPDATE = READ.including({"metadata": Metadata()})
# Refunds and disputes are found by the payment that they belong to.
_LIST = dated_form(charge=Text(), payment_intent=Text())


def _create(call: Call) -> Json:
    return refunds.create(call.account, with_metadata(call.params), call.at, cause=call.cause)


def _update(call: Call) -> Json:
    refund = call.account.need(REFUND, call.key, "refund")
    return refunds.update(call.account, refund, call.params.get("metadata", {}), call.at, call.cause)


def _cancel(call: Call) -> Json:
    return refunds.cancel(call.account, call.account.need(REFUND, call.key, "refund"), call.at, call.cause)


OPERATIONS = (
    Operation("POST", "/v1/refunds", _CREATE, REFUND, _create),
    Operation("GET", "/v1/refunds", _LIST, REFUND, listed(REFUND, "charge", "payment_intent")),
    Operation("GET", "/v1/refunds/{}", READ, REFUND, retrieve(REFUND, "refund")),
    Operation("POST", "/v1/refunds/{}", _UPDATE, REFUND, _update),
    Operation("POST", "/v1/refunds/{}/cancel", READ, REFUND, _cancel),
    Operation("GET", "/v1/disputes", _LIST, DISPUTE, listed(DISPUTE, "charge", "payment_intent")),
    Operation("GET", "/v1/disputes/{}", READ, DISPUTE, retrieve(DISPUTE, "dispute")),
)
