"""message/rfc822: the text of an e-mail, by the standard library."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

from pipeline.errors import BadInput, BrokenRecord, EmptyInput, NoArticle
from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.cleaning import from_html, paragraphs
from pipeline.stages.normalise.draft import Context, Draft

# RFC 3676, 4.3: what follows is the sender's signature.
_SIGNATURE = re.compile(r"^-- ?\r?$", re.M)
_FOLDED = re.compile(r"\s*\r?\n\s+")
_MOST_PARTS = 200
# A plain part of so little beside an HTML part only says that one should look at the other.
_LEAST_PLAIN_RATIO = 0.2
_NO_TEXT = "the message has no part with a text (attachments only?); send it with its text in the message"


def parse_mail(content: bytes, context: Context) -> Draft:
    """The article in a message. Raises NoArticle without a text, EmptyInput without anything, BrokenRecord."""
    if not content.strip():
        raise EmptyInput("the message has no bytes but white space; drop the file again with its text")
    try:
        message = message_from_bytes(content, policy=policy.default)
        return _read(message)
    except BadInput:
        raise
    except Exception as error:  # the library raises some twenty kinds over headers that are none
        raise BrokenRecord(f"the message cannot be read ({type(error).__name__}: {error}); save it anew") from error


def _read(message: EmailMessage) -> Draft:
    plain, marked = _texts(message)
    text, warnings = _decoded(plain) if plain else ("", set())
    body = paragraphs(_SIGNATURE.split(text, maxsplit=1)[0])
    if marked:
        source, guessed = _decoded(marked)
        rich = paragraphs(from_html(source))
        if sum(map(len, body)) < _LEAST_PLAIN_RATIO * sum(map(len, rich)):
            body, warnings = rich, guessed
    if not body:
        raise NoArticle(_NO_TEXT)
    sender = _header(message, "from")
    return Draft(
        body,
        headline=_header(message, "subject"),
        authors=[name for name in [parseaddr(sender)[0]] if name],
        published=[(moment, "mail") for moment in [_header(message, "date")] if moment],
        language=_header(message, "content-language").partition(",")[0] or None,
        url=_header(message, "archived-at").strip("<>") or None,
        publisher=_header(message, "organization") or None,
        warnings=warnings,
        origin="mail",
    )


def _header(message: EmailMessage, name: str) -> str:
    return _FOLDED.sub(" ", str(message.get(name) or "")).strip()


def _texts(message: EmailMessage) -> tuple[EmailMessage | None, EmailMessage | None]:
    """The first plain and the first HTML part that are no attachments, wherever they are."""
    plain = marked = None
    for number, part in enumerate(message.walk()):
        if number == _MOST_PARTS or (plain and marked):
            break
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        plain = part if kind == "text/plain" and plain is None else plain
        marked = part if kind == "text/html" and marked is None else marked
    return plain, marked


def _decoded(part: EmailMessage) -> tuple[str, set[str]]:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload.strip():
        return "", set()
    return decode(payload, part.get_content_charset())
