"""Intuit's faults: one exception, its messages, and one function for each refusal that several places know."""

from __future__ import annotations

from simulator.world import Json

_MESSAGES = {
    "500": "Unsupported Operation",
    "610": "Object Not Found",
    "620": "Transaction in use",
    "1040": "Too many batch items",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid Date",
    "2050": "String length is either shorter or longer than supported by specification",
    "2090": "Invalid Number",
    "2210": "Invalid Email Address format in the request",
    "2500": "Invalid Reference Id",
    "3001": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
    "3100": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
    "3200": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "6000": "A business validation error has occurred while processing your request",
    "6070": "Amount calculation incorrect in the request",
    "6140": "Duplicate Document Number Error",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6240": "Duplicate Name Exists Error",
    "10000": "An application error has occurred while processing your request",
    "6540": "Deposited Transaction cannot be changed",
}


class Fault(Exception):
    """A refusal with Intuit's code. `status` is the HTTP status of an answer that carries only this fault."""

    def __init__(
        self, code: str, detail: str, element: str = "", *, status: int = 400, kind: str = "ValidationFault"
    ) -> None:
        super().__init__(f"{code} {_MESSAGES[code]}: {detail}")
        self.status = status
        self._kind = kind
        self._error = {"Message": _MESSAGES[code], "Detail": detail, "code": code, "element": element}

    def body(self) -> Json:
        """`{"Error": [{"Message", "Detail", "code", "element"}], "type": ...}`."""
        error = {key: text for key, text in self._error.items() if text or key != "element"}
        return {"Error": [error], "type": self._kind}


def missing(name: str) -> Fault:
    """A required field is not there."""
    return Fault("2020", f"Required parameter {name} is missing in the request", name)


def unknown_property(name: str) -> Fault:
    """A field that the entity does not have."""
    return Fault("2010", f"Property Name:{name} specified is unsupported or invalid", name)


def too_long(name: str, longest: int, length: int) -> Fault:
    """A text with more characters than the field takes."""
    limits = f"String length specified does not match the supported length. Min:0 Max:{longest} supported."
    return Fault("2050", f"{limits} Supplied length:{length}", name)


def invalid_reference(what: str, key: str, element: str = "") -> Fault:
    """A reference to something that the company does not have."""
    return Fault("2500", f"Invalid Reference Id : {what} element id {key} not found", element)


def not_found() -> Fault:
    """No such entity, or an inactive one."""
    return Fault(
        "610",
        "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, "
        "customers, items, vendors or employees.",
    )


def stale() -> Fault:
    """A change that was made on an old version."""
    return Fault(
        "5010",
        "Stale Object Error : You and root were working on this at the same time. root finished before you did, "
        "so your work was not saved.",
    )


def duplicate_number(number: str, other: str) -> Fault:
    """A document number that another transaction bears."""
    return Fault(
        "6140",
        "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
        f"DocNumber={number} is assigned to TxnType={other}",
    )


def duplicate_name(other: str) -> Fault:
    """A name that another entity bears."""
    return Fault("6240", f"The name supplied already exists. : Id={other}")


def wrong_amount(supplied: str) -> Fault:
    """A line whose amount is not price times quantity."""
    sentence = "Amount calculation incorrect in the request. Amount is not equal to UnitPrice * Qty."
    return Fault("6070", f"{sentence} Supplied value:{supplied}")


def closed_books() -> Fault:
    """A transaction in a period that is closed."""
    return Fault(
        "6210",
        "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes.",
    )


def deposited() -> Fault:
    """A payment that a deposit holds."""
    return Fault(
        "6540",
        "Deposited Transaction cannot be changed : This transaction has been deposited. If you want to change or "
        "delete it, you must edit the deposit it appears on and remove it first.",
    )


def cannot_link(detail: str) -> Fault:
    """A link between transactions that do not go together."""
    return Fault("620", detail)


def business(detail: str, element: str = "") -> Fault:
    """Intuit's catch-all for its own business rules."""
    return Fault("6000", detail, element)


def unsupported(what: str) -> Fault:
    """Something that the entity or the API does not do."""
    return Fault("500", f"Operation {what} is not supported.")


def query_syntax(detail: str) -> Fault:
    """A query that cannot be read."""
    return Fault("4000", f"QueryParserError: {detail}")


def query_property(detail: str) -> Fault:
    """A query for what cannot be asked."""
    return Fault("4001", f"QueryValidationError: {detail}")


def throttled() -> Fault:
    """One request too many."""
    return Fault("3001", "Too many requests for this company", status=429, kind="ThrottlingFault")


def unauthenticated() -> Fault:
    """A token that is unknown or has expired."""
    return Fault("3200", "Token expired or unknown", status=401, kind="AUTHENTICATION")


def wrong_company() -> Fault:
    """A company that the token does not open."""
    sentence = "The application is not connected to this company"
    return Fault("3100", sentence, status=403, kind="AuthorizationFault")
