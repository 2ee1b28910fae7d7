"""What is sent to `/_control`, read strictly, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.world import Json


class Conflict(Exception):
    """What was asked for is not possible now: answered with 409 and the sentence."""


def guarded(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """The handler as an endpoint: a ValueError becomes 400 with its sentence, a Conflict 409."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = await handler(request)
        except ValueError as error:
            return refusal(400, str(error))
        except Conflict as error:
            return refusal(409, str(error))
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return endpoint


def refusal(status: int, sentence: str) -> Response:
    """A no in one sentence."""
    return JSONResponse({"error": sentence}, status)


def choice(given: Json, name: str, choices: Sequence[str], default: str | None = None) -> str:
    """A field that has one of a few values. Raises ValueError otherwise, or when it is missing without a default."""
    value = given.get(name, default)
    if value not in choices and (value is None or value != default):
        raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")
    return str(value)


async def body(request: Request, types: dict[str, type] | None) -> Json:
    """The JSON object that was sent. `types` names the fields that it may have. Raises ValueError otherwise."""
    try:
        given = json.loads(await request.body() or b"{}")
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body is not a JSON object")
    for name, value in given.items() if types is not None else ():
        if types is None or name not in types:
            raise ValueError(f"there is no field {name!r} here; there are {', '.join(types or ())}")
        if type(value) is not types[name]:
            raise ValueError(f"{name} is of type {types[name].__name__}, not {value!r}")
    return given
