"""What happens to an article on its way from desk to desk, and articles that only look like copies. All seeded."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Edit = Callable[[str, random.Random, "Stock"], str]

_HEADER = (
    "NORTHGATE NEWS WIRE -- for subscribers only, not for release before noon. Slug: {0}. Desk: {1} {0}, ext. 412."
)
_FOOTER = (
    "(Reporting by {0} {1}; Additional reporting by {1} {0} in {0}; Editing by {0}) Northgate News Wire 2025. "
    "All rights reserved. No reproduction without permission. To sign up write to desk@n.example"
)
_CONFUSED = {"m": "rn", "l": "1", "O": "0", "e": "c", "h": "b", "i": "j", "a": "o", "s": "5", "t": "f"}
_SIGN = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"(?<!\S)[^\s\d]+(?!\S)")
_PIECE = {True: 2, False: 4}  # signs that stand for a word: Han and kana, Thai


class Stock:
    """All bodies of the back-test: where foreign words and paragraphs come from."""

    def __init__(self, bodies: list[str]) -> None:
        self.bodies = bodies
        self.words = [word for body in bodies if not spaceless(body) for word in body.split()]
        self.signs = "".join(sign for body in bodies if spaceless(body) for sign in body if _SIGN.match(sign))


def spaceless(body: str) -> bool:
    """Whether most of it is in a script without spaces between words."""
    return len(_SIGN.findall(body)) * 2 > len(body)


def words_changed(share: float) -> Edit:
    """That share of words (or of pieces as long as words) replaced by words from other articles.

    Figures stay as they are: the same words around other figures are other news, which `number_corrected` makes.
    """

    def edit(body: str, dice: random.Random, stock: Stock) -> str:
        if spaceless(body):
            size = _PIECE[not "\u0e00" <= max(body[:50]) <= "\u0eff"]
            pieces = re.findall(rf"\d[\d.,]*|\D{{1,{size}}}", body)

            def other(piece: str) -> str:
                return piece if piece[0].isdigit() else "".join(dice.choices(stock.signs, k=size))

            return "".join(other(piece) if dice.random() < share else piece for piece in pieces)
        return _WORD.sub(lambda found: dice.choice(stock.words) if dice.random() < share else found[0], body)

    return edit


def agency(body: str, dice: random.Random, stock: Stock) -> str:
    """A header above, a footer below."""
    names = dice.choices([w for w in stock.words[:5000] if w.isalpha()] or ["desk"], k=2)
    return f"{_HEADER.format(*names)}\n\n{body}\n\n{_FOOTER.format(*names)}"


def first_part(share: float) -> Edit:
    """Cut from the end, at a sentence or paragraph where there is one."""
    return lambda body, dice, stock: _cut(body, share)


def _cut(body: str, share: float) -> str:
    end = int(len(body) * share)
    while end < len(body) and body[end] not in "\n.。 ":
        end += 1
    return body[:end]


def moved(body: str, dice: random.Random, stock: Stock) -> str:
    """The pieces between the blank lines (or lines, or sentences) in another order."""
    for mark in ("\n\n", "\n", ". ", "。"):
        parts = body.split(mark)
        if len(parts) > 2:
            at, to = dice.sample(range(len(parts)), 2)
            parts[at], parts[to] = parts[to], parts[at]
            return mark.join(parts)
    return body


def prepended(body: str, dice: random.Random, stock: Stock) -> str:
    """A foreign paragraph of up to 60 words in front."""
    return " ".join(dice.choice(stock.bodies).split()[:60])[:400] + "\n\n" + body


def ocr(share: float) -> Edit:
    """That share of letters misread."""

    def edit(body: str, dice: random.Random, stock: Stock) -> str:
        return "".join(
            _CONFUSED.get(sign) or dice.choice("lIj1tr") if sign.isalpha() and dice.random() < share else sign
            for sign in body
        )

    return edit


def typeset(body: str, dice: random.Random, stock: Stock) -> str:
    """Case, quotes, dashes and spacing changed."""
    text = body.upper() if dice.random() < 0.5 else body
    for old, new in (('"', "”"), ("'", "’"), (" - ", " — "), ("\n\n", "\n"), (". ", ".  ")):
        text = text.replace(old, new)
    return text


def unchanged(body: str, dice: random.Random, stock: Stock) -> str:
    """The same body; the runner gives every copy another headline."""
    return body


COPIES: dict[str, Edit] = {
    "headline swapped": unchanged,
    "case, quotes, spacing": typeset,
    "agency header and footer": agency,
    "2 % of words": words_changed(0.02),
    "5 % of words": words_changed(0.05),
    "10 % of words": words_changed(0.10),
    "paragraph moved": moved,
    "paragraph prepended": prepended,
    "OCR, 1 % of letters": ocr(0.01),
    "last tenth cut": first_part(0.9),
    "last quarter cut": first_part(0.75),
}
"""Edits after which an article is still the same."""

PARTS: dict[str, Edit] = {
    "OCR, 3 % of letters": ocr(0.03),
    "15 % of words": words_changed(0.15),
    "20 % of words": words_changed(0.20),
    "first half": first_part(0.5),
    "first quarter": first_part(0.25),
}
"""Edits after which it is a matter of taste; at best they are duplicates or derived."""


def number_corrected(body: str, dice: random.Random) -> str | None:
    """One figure changed, with a note in front half of the time; None where there is no figure between words."""
    places = list(re.finditer(r"(?<=[a-z] )\d+(?= [a-z])", body))
    if not places:
        return None
    place = dice.choice(places)
    text = f"{body[: place.start()]}{int(place[0]) + dice.randint(1, 9)}{body[place.end() :]}"
    return f"Correction: an earlier version gave a wrong figure. {text}" if dice.random() < 0.5 else text
