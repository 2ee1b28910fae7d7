"""How PayPal says no: a name for people's eyes, and issues that programs can tell apart."""

from __future__ import annotations

from simulator.world import Json

_MESSAGES = {
    "INVALID_REQUEST": "Request is not well-formed, syntactically incorrect, or violates schema.",
    "UNPROCESSABLE_ENTITY": (
        "The requested action could not be performed, semantically incorrect, or failed business validation."
    ),
    "RESOURCE_NOT_FOUND": "The specified resource does not exist.",
    "NOT_AUTHORIZED": "Authorization failed due to insufficient permissions.",
    "UNSUPPORTED_MEDIA_TYPE": "The server does not support the request payload's media type.",
    "INTERNAL_SERVER_ERROR": "An internal server error occurred.",
    "RATE_LIMIT_REACHED": "Too many requests. Blocked due to rate limiting.",
}
# What is wrong with the form of a request, in the words of PayPal's schema.
_SENTENCES = {
    "INVALID_ARRAY_MAX_ITEMS": "The number of items in an array parameter is too large.",
    "INVALID_ARRAY_MIN_ITEMS": "The number of items in an array parameter is too small.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "A parameter value is not valid.",
    "INVALID_STRING_LENGTH": "The value of a field is either too short or too long",
    "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
    "MISSING_REQUIRED_PARAMETER": "A required parameter is missing.",
    "NOT_SUPPORTED": "This field is not currently supported.",
}


class PayPalError(Exception):
    """A refusal: `status`, `name`, and the issue with where in the request it is."""

    def __init__(
        self, status: int, name: str, issue: str = "", description: str = "", *, field: str = "", value: str = ""
    ) -> None:
        super().__init__(description or _MESSAGES.get(name, name))
        self.status, self.name, self.issue = status, name, issue
        self._description, self._field, self._value = description, field, value

    def _location(self) -> str:
        """Where the field is: a JSON pointer names one of the body."""
        return "" if not self._field else "body" if self._field.startswith("/") else "query"

    def body(self, debug_id: str) -> Json:
        """The answer as JSON. `debug_id` is what PayPal's support asks for."""
        answer: Json = {"name": self.name, "message": _MESSAGES.get(self.name, self.name), "debug_id": debug_id}
        if self.issue:
            detail = {"field": self._field, "value": self._value, "location": self._location()}
            shown = {name: text for name, text in detail.items() if text}
            answer["details"] = [{**shown, "issue": self.issue, "description": self._description}]
        answer["links"] = []
        return answer


def unprocessable(issue: str, description: str, *, field: str = "", value: str = "") -> PayPalError:
    """422: understood, and not done."""
    return PayPalError(422, "UNPROCESSABLE_ENTITY", issue, description, field=field, value=value)


def invalid(issue: str, description: str = "", *, field: str = "", value: str = "") -> PayPalError:
    """400: a request that breaks the schema. The well-known issues bring their sentence."""
    return PayPalError(400, "INVALID_REQUEST", issue, description or _SENTENCES[issue], field=field, value=value)


def not_found() -> PayPalError:
    """404: no such resource, or no longer."""
    return PayPalError(
        404,
        "RESOURCE_NOT_FOUND",
        "INVALID_RESOURCE_ID",
        "Specified resource ID does not exist. Please check the resource ID and try again.",
    )
