"""The operations of the API about payment intents and charges."""

from __future__ import annotations

from simulator.stripe.operation import READ, Operation, listed, retrieve
from simulator.stripe.payments.payments import CHARGE, INTENT
from simulator.stripe.wire.forms import Text
from simulator.stripe.wire.listing import dated_form

_INTENTS = dated_form(customer=Text())
_INTENT = READ.including({"client_secret": Text()})
_CHARGES = dated_form(customer=Text(), payment_intent=Text())

OPERATIONS = (
    Operation("GET", "/v1/payment_intents", _INTENTS, INTENT, listed(INTENT, "customer")),
    Operation("GET", "/v1/payment_intents/{}", _INTENT, INTENT, retrieve(INTENT, "intent")),
    Operation("GET", "/v1/charges", _CHARGES, CHARGE, listed(CHARGE, "payment_intent", "customer")),
    Operation("GET", "/v1/charges/{}", READ, CHARGE, retrieve(CHARGE)),
)
