"""Refusals in Stripe's own error shape."""

from __future__ import annotations

from simulator.world import Json


class StripeError(Exception):
    """A request that Stripe refuses.

    `status` is the HTTP status. `kind` is Stripe's error type. `more` holds further fields of the error object.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        more: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self._fields = {"code": code, "message": message, "param": param, "type": kind, **(more or {})}
        if code:
            self._fields["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"

    def body(self) -> Json:
        """The JSON answer: `{"error": {...}}`, without the fields that do not apply."""
        return {"error": {name: value for name, value in self._fields.items() if value is not None}}


def no_such(what: str, key: str, param: str, status: int = 404) -> StripeError:
    """The answer to an id that is not known."""
    return StripeError(status, f"No such {what}: '{key}'", code="resource_missing", param=param)


def invalid(message: str, param: str, code: str | None = None) -> StripeError:
    """The answer to a parameter with a wrong value."""
    return StripeError(400, message, code=code, param=param)
