"""Orders: created by the seller, approved by the payer, captured by the seller. After three hours they are gone."""

from __future__ import annotations

import copy

from simulator.paypal import choices, request_ids
from simulator.paypal.account import Account
from simulator.paypal.orders import request
from simulator.paypal.payments import captures, refunds
from simulator.paypal.wire.call import Call
from simulator.paypal.wire.errors import PayPalError, invalid, not_found, unprocessable
from simulator.paypal.wire.times import stamp
from simulator.world import Json

ORDER = "order"
LIFE_SECONDS = 3 * 3600
REQUEST_ID_SECONDS = 6 * 3600
# Beside each order: until when it lives, how its payer is led, whether the next capture is declined.
_DUE = "order_due"
OPEN = ("CREATED", "PAYER_ACTION_REQUIRED")
_DUPLICATE = (
    "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account setting requires that "
    "Invoice Id be unique for each transaction."
)
_NOT_APPROVED = (
    "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' url returned "
    "as part of the HATEOAS links within the Create Order call or provide a valid `payment_source` in the request."
)
_DECLINED = (
    "The instrument presented  was either declined by the processor or bank, or it can't be used for this payment."
)
_CAPTURED = "Order already captured.If 'intent=CAPTURE' only one capture per order is allowed."
_NO_REQUEST_ID = (
    "A PayPal-Request-Id is required if you are trying to process payment for an Order. Please specify a "
    "PayPal-Request-Id or Create the Order without a 'payment_source' specified."
)


def create(account: Account, call: Call) -> tuple[int, Json]:
    """POST /v2/checkout/orders. A replay of its PayPal-Request-Id answers 200 with what was answered first."""
    replayed = request_ids.stored(account, call, "order")
    if replayed is not None:
        return 200, replayed
    wanted = request.read(call.body)
    if wanted.wallet and not call.headers.get(request_ids.HEADER):
        raise invalid("PAYPAL_REQUEST_ID_REQUIRED", _NO_REQUEST_ID)
    _check_invoice(account, wanted.unit)
    order = make(account, wanted, call.now)
    answer = shown(account, order) if call.wants_all else _shortest(account, order)
    request_ids.keep(account, call, "order", answer, REQUEST_ID_SECONDS)
    return 201, answer


def show(account: Account, call: Call) -> tuple[int, Json]:
    """GET /v2/checkout/orders/{id}."""
    return 200, shown(account, need(account, call.key, call.now))


def capture(account: Account, call: Call) -> tuple[int, Json]:
    """POST /v2/checkout/orders/{id}/capture. A replay of its PayPal-Request-Id answers 200."""
    replayed = request_ids.stored(account, call, "order_capture")
    if replayed is not None:
        return 200, replayed
    order = need(account, call.key, call.now)
    if call.body:
        raise invalid("NOT_SUPPORTED", field=f"/{next(iter(call.body))}")
    take(account, order, call.now)
    answer = shown(account, order) if call.wants_all else _shortest(account, order)
    request_ids.keep(account, call, "order_capture", answer, REQUEST_ID_SECONDS)
    return 201, answer


def need(account: Account, key: str, now: int) -> Json:
    """The order of this id. Raises the PayPalError 404 for one that is unknown or gone."""
    order = account.need(ORDER, key)
    if is_gone(account, order, now):
        raise not_found()
    return order


def is_gone(account: Account, order: Json, now: int) -> bool:
    """Whether an order's time is over. A captured order stays."""
    return order["status"] != "COMPLETED" and now >= int(_due(account, order)["until"])


def open_page(account: Account, order: Json, now: int) -> None:
    """The payer looks at the order for the first time: from now on it lives for three hours."""
    due = _due(account, order)
    if order["status"] in OPEN and not due["opened"]:
        account.save(_DUE, {**due, "opened": now, "until": now + LIFE_SECONDS})


def approve(account: Account, order: Json, payer: Json, now: int, *, declined: bool = False) -> Json:
    """The payer agrees. With `declined` the payer's bank refuses the next capture. Approving twice is fine."""
    open_page(account, order, now)
    if declined:
        account.save(_DUE, {**_due(account, order), "declined": True})
    if order["status"] not in OPEN:
        return order
    order["status"] = "APPROVED"
    order["payer"] = payer
    order["payment_source"] = {"paypal": _wallet(payer)}
    order["update_time"] = stamp(now)
    account.save(ORDER, order)
    account.emit(
        "CHECKOUT.ORDER.APPROVED", "checkout-order", shown(account, order), now, "An order has been approved by buyer"
    )
    return order


def take(account: Account, order: Json, now: int) -> Json:
    """Capture an order, whoever asks for it: the new capture. Raises PayPalError 422 where PayPal refuses."""
    if order["status"] == "COMPLETED":
        raise unprocessable("ORDER_ALREADY_CAPTURED", _CAPTURED)
    if order["status"] != "APPROVED":
        raise unprocessable("ORDER_NOT_APPROVED", _NOT_APPROVED)
    due = _due(account, order)
    if due["declined"]:
        account.save(_DUE, {**due, "declined": False})
        raise unprocessable("INSTRUMENT_DECLINED", _DECLINED)
    _check_invoice(account, order["purchase_units"][0])
    made = captures.make(account, order, now)
    order["status"] = "COMPLETED"
    order["update_time"] = stamp(now)
    account.save(ORDER, order)
    captures.tell(account, made, now)
    account.emit("CHECKOUT.ORDER.COMPLETED", "checkout-order", shown(account, order), now, "Checkout Order Completed")
    return made


def shown(account: Account, order: Json) -> Json:
    """The whole order as the API shows it, with the captures and refunds that it led to."""
    answer = copy.deepcopy(order)
    if payments := _payments(account, order["id"]):
        answer["purchase_units"][0]["payments"] = payments
    answer["links"] = links(account, order)
    return answer


def links(account: Account, order: Json) -> list[Json]:
    """What can be done with an order in its present status."""
    path, page = f"/v2/checkout/orders/{order['id']}", f"/approve/{order['id']}"
    own, capture_it = account.link("self", path), account.link("capture", f"{path}/capture", "POST")
    others = {
        "PAYER_ACTION_REQUIRED": [account.link("payer-action", page)],
        "CREATED": [account.link("approve", page), capture_it],
        "APPROVED": [capture_it],
    }
    return [own, *others.get(order["status"], [])]


def context(account: Account, order: Json) -> Json:
    """How the payer is led: `return_url`, `cancel_url`, `brand_name`, `user_action` ..., as far as they were given."""
    found: Json = _due(account, order)["context"]
    return found


def make(account: Account, wanted: request.Wanted, now: int) -> Json:
    """A new order that nobody approved yet."""
    order: Json = {
        "id": account.identifier(),
        "intent": "CAPTURE",
        "status": "PAYER_ACTION_REQUIRED" if wanted.wallet else "CREATED",
        "purchase_units": [{**wanted.unit, "payee": account.payee}],
        "create_time": stamp(now),
    }
    if wanted.wallet:
        order["payment_source"] = {"paypal": {}}
    due = {"id": order["id"], "opened": 0, "until": now + LIFE_SECONDS, "context": wanted.context, "declined": False}
    account.save(_DUE, due)
    return account.save(ORDER, order)


def _shortest(account: Account, order: Json) -> Json:
    """The answer to a client that did not ask for the representation: no amount anywhere."""
    answer = {"id": order["id"], "status": order["status"], "links": links(account, order)}
    if payments := _payments(account, order["id"]):
        short = [{name: one[name] for name in ("id", "status", "links")} for one in payments["captures"]]
        unit = order["purchase_units"][0]
        answer["purchase_units"] = [{"reference_id": unit["reference_id"], "payments": {"captures": short}}]
    for name in ("payment_source", "payer"):
        if name in order:
            answer[name] = order[name]
    return answer


def _check_invoice(account: Account, unit: Json) -> None:
    invoice = unit.get("invoice_id")
    if invoice and choices.chosen(account, "unique_invoices") and captures.invoice_was_paid(account, invoice):
        raise PayPalError(
            422,
            "UNPROCESSABLE_ENTITY",
            "DUPLICATE_INVOICE_ID",
            _DUPLICATE,
            field="/purchase_units/@reference_id=='default'/invoice_id",
            value=invoice,
        )


def _payments(account: Account, order: str) -> Json:
    """`{"captures": [...], "refunds": [...]}` of an order, as the order lists them, and {} before the first."""
    found = [one for one in account.all(captures.CAPTURE) if captures.order_of(one) == order]
    if not found:
        return {}
    hidden = ("payee", "supplementary_data")
    nested = [{name: value for name, value in one.items() if name not in hidden} for one in found]
    listed: Json = {"captures": nested}
    if given_back := [one for capture in found for one in refunds.of_capture(account, capture["id"])]:
        listed["refunds"] = given_back
    return listed


def _due(account: Account, order: Json) -> Json:
    found = account.find(_DUE, order["id"])
    assert found is not None, "an order is made together with its time"
    return found


def _wallet(payer: Json) -> Json:
    return {
        "email_address": payer["email_address"],
        "account_id": payer["payer_id"],
        "account_status": "VERIFIED",
        "name": payer["name"],
        "address": payer["address"],
    }
