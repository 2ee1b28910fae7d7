"""The simulator's mailbox: a real SMTP server that keeps what it receives, and pages to look at it.

Messages live in the World (kind `mail`), so that a reset of the simulator empties the mailbox.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import weakref
from email.message import EmailMessage
from html import escape
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.world import Json, World

SIZE_LIMIT_BYTES = 10 * 1024 * 1024
_STAGES = ("data", "rcpt")


class Mailbox:
    """An SMTP server in the event loop that `listen` is called in."""

    def __init__(self, world: World, host: str) -> None:
        self._handler = _Handler(world)
        self._host = host
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    async def listen(self) -> int:
        """Listen on a free port: its number."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._connection(loop), self._host, 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening, and close what is connected."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.close()

    def _connection(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        smtp = SMTP(
            self._handler,
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",
            ident="Tillbook simulator",
            loop=loop,
        )
        self._connections.add(smtp)
        return smtp


class _Handler:
    """What the SMTP server asks while it receives a message."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = _refusal(self._world, "rcpt")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        refusal = _refusal(self._world, "data")
        if refusal:
            return refusal
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        keep(self._world, str(envelope.mail_from or ""), [str(one) for one in envelope.rcpt_tos], raw)
        return "250 OK: kept"


def fail_next(world: World, code: int, times: int = 1, at: str = "data") -> None:
    """Make the next messages fail with an SMTP code (451, 550 ...), after the data or at the recipient."""
    if at not in _STAGES:
        raise ValueError(f"at is one of {_STAGES}, not {at!r}")
    world.save("mailbox.fault", at, {"code": code, "times": times})


def _refusal(world: World, stage: str) -> str:
    fault = world.get("mailbox.fault", stage)
    if fault is None or fault["times"] < 1:
        return ""
    world.save("mailbox.fault", stage, {**fault, "times": fault["times"] - 1})
    return f"{fault['code']} simulated failure"


def keep(world: World, sender: str, recipients: list[str], raw: bytes) -> Json:
    """Store one message: `{"id", "received_at", "from", "to", "subject", "message_id", "raw", "text", "html"}`."""
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    number = str(world.number("mail"))
    return world.save(
        "mail",
        number,
        {
            "id": number,
            "received_at": world.now(),
            "from": sender,
            "to": recipients,
            "subject": str(message.get("Subject", "")),
            "message_id": str(message.get("Message-ID", "")),
            "raw": raw.decode("utf-8", "backslashreplace"),
            "text": _part(message, "plain"),
            "html": _part(message, "html"),
        },
    )


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    if part is None:
        return ""
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError):  # an unknown charset: show the bytes as they are
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "backslashreplace") if isinstance(payload, bytes) else ""


# -- pages -----------------------------------------------------------------------------------------


def routes(world: World) -> list[BaseRoute]:
    """The mailbox's pages, to be mounted under `/mailbox`: the list, and one message."""

    async def show_list(request: Request) -> Response:
        messages = list(world.all("mail"))
        if _wants_json(request):
            fields = ("id", "to", "subject", "message_id", "received_at")
            return JSONResponse({"messages": [{name: one[name] for name in fields} for one in messages]})
        return HTMLResponse(_list_page(messages))

    async def show_message(request: Request) -> Response:
        message = world.get("mail", request.path_params["id"])
        if message is None:
            return JSONResponse({"error": "no such message"}, status_code=404)
        return JSONResponse(message) if _wants_json(request) else HTMLResponse(_message_page(message))

    return [Route("/", show_list), Route("/{id}", show_message)]


def _wants_json(request: Request) -> bool:
    return request.query_params.get("format") == "json" or "json" in request.headers.get("accept", "")


def _list_page(messages: list[Json]) -> str:
    rows = "".join(
        f'<tr><td><a href="{escape(one["id"])}">{escape(one["subject"] or "(no subject)")}</a></td>'
        f"<td>{escape(', '.join(one['to']))}</td></tr>"
        for one in reversed(messages)
    )
    head = "<thead><tr><th>Subject</th><th>To</th></tr></thead>"
    return _page(
        "Mailbox", f"<table>{head}<tbody>{rows}</tbody></table>" if rows else "<p>No mail has arrived yet.</p>"
    )


def _message_page(message: dict[str, Any]) -> str:
    html = (
        '<h2>HTML</h2><iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="HTML part" '
        f'srcdoc="{escape(_opening_links_elsewhere(message["html"]))}"></iframe>'
        if message["html"]
        else ""
    )
    return _page(
        message["subject"] or "(no subject)",
        f'<p><a href="./">Mailbox</a></p><p>From {escape(message["from"])}<br>To {escape(", ".join(message["to"]))}<br>'
        f"Message-ID {escape(message['message_id'])}</p>{html}<h2>Text</h2><pre>{escape(message['text'])}</pre>",
    )


def _opening_links_elsewhere(html: str) -> str:
    """The message with links that open a tab of their own: inside the frame no form could be sent."""
    return html.replace("<head>", '<head><base target="_blank">', 1)


_STYLE = """
:root{color-scheme:light dark;--ink:#14202e;--soft:#45556a;--hair:#d5dce6;--paper:#fff;--back:#eef2f7;--link:#0b5468}
@media (prefers-color-scheme:dark){
:root{--ink:#edf2f7;--soft:#b1bdcb;--hair:#364353;--paper:#1a232d;--back:#11181f;--link:#7fcfe3}}
body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:0 auto;padding:2rem 1rem;color:var(--ink);
background:var(--back);overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 1rem}h2{font-size:1rem;margin:2rem 0 .5rem;color:var(--soft)}
a{color:var(--link)}a:focus-visible{outline:3px solid;outline-offset:2px}
table{width:100%;border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.6rem 1rem .6rem 0;
border-bottom:1px solid var(--hair)}th{color:var(--soft);font-weight:600}
iframe,pre{width:100%;box-sizing:border-box;border:1px solid var(--hair);border-radius:8px;background:var(--paper)}
iframe{height:44rem}pre{padding:1rem;margin:0;white-space:pre-wrap}
"""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
