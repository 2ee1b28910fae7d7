"""Intuit's faults: one exception, and one function for each refusal that the simulator knows."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """A refusal with Intuit's code; `status` is the HTTP status of an answer that carries only this fault."""

    def __init__(
        self,
        code: str,
        message: str,
        detail: str = "",
        element: str = "",
        *,
        status: int = 400,
        kind: str = "ValidationFault",
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail
        self.element = element
        self.status = status
        self.kind = kind

    def body(self) -> dict[str, Any]:
        """`{"Error": [{"Message", "Detail", "code", "element"}], "type": ...}`."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": self.element}
        return {"Error": [{key: text for key, text in error.items() if text or key != "element"}], "type": self.kind}


def missing(name: str) -> Fault:
    return Fault(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        name,
    )


def unknown_property(name: str) -> Fault:
    return Fault(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{name} specified is unsupported or invalid",
        name,
    )


def too_long(name: str, longest: int, length: int) -> Fault:
    return Fault(
        "2050",
        "String length is either shorter or longer than supported by specification",
        f"String length specified does not match the supported length. Min:0 Max:{longest} supported. "
        f"Supplied length:{length}",
        name,
    )


def invalid_reference(what: str, key: str, element: str = "") -> Fault:
    return Fault("2500", "Invalid Reference Id", f"Invalid Reference Id : {what} element id {key} not found", element)


def not_found() -> Fault:
    return Fault(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, "
        "customers, items, vendors or employees.",
    )


def stale() -> Fault:
    return Fault(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and root were working on this at the same time. root finished before you did, "
        "so your work was not saved.",
    )


def duplicate_number(number: str, other: str) -> Fault:
    return Fault(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
        f"DocNumber={number} is assigned to TxnType={other}",
    )


def duplicate_name(other: str) -> Fault:
    return Fault(
        "6240",
        "Duplicate Name Exists Error",
        f"The name supplied already exists. : Id={other}",
    )


def wrong_amount(supplied: str) -> Fault:
    return Fault(
        "6070",
        "Amount calculation incorrect in the request",
        "Amount calculation incorrect in the request. Amount is not equal to UnitPrice * Qty. "
        f"Supplied value:{supplied}",
    )


def closed_books() -> Fault:
    return Fault(
        "6210",
        "Account Period Closed, Cannot Update Through Services API",
        "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes.",
    )


def deposited() -> Fault:
    return Fault(
        "6540",
        "Deposited Transaction cannot be changed",
        "Deposited Transaction cannot be changed : This transaction has been deposited. If you want to change or "
        "delete it, you must edit the deposit it appears on and remove it first.",
    )


def cannot_link(detail: str) -> Fault:
    return Fault("620", "Transaction in use", detail)


def business(detail: str, element: str = "") -> Fault:
    """Intuit's catch-all for its own business rules."""
    return Fault("6000", "A business validation error has occurred while processing your request", detail, element)


def unsupported(what: str) -> Fault:
    return Fault("500", "Unsupported Operation", f"Operation {what} is not supported.")


def query_syntax(detail: str) -> Fault:
    return Fault("4000", "Error parsing query", f"QueryParserError: {detail}")


def query_property(detail: str) -> Fault:
    return Fault("4001", "Invalid query", f"QueryValidationError: {detail}")


def throttled() -> Fault:
    return Fault(
        "3001",
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "Too many requests for this company",
        status=429,
        kind="ThrottlingFault",
    )


def unauthenticated() -> Fault:
    return Fault(
        "3200",
        "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "Token expired or unknown",
        status=401,
        kind="AUTHENTICATION",
    )


def wrong_company() -> Fault:
    return Fault(
        "3100",
        "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        "The application is not connected to this company",
        status=403,
        kind="AuthorizationFault",
    )
