"""The one tree of errors. Each class has a `reason` slug; each message names the thing and says what to do.

`UserError` is for whoever started the command: the command line prints it as one line and ends.
`BadInput` is for an article or a file: it becomes a rejected record with its original bytes and the stream goes on.
`StreamError` is for the machinery: a worker that meets one stops without committing, so nothing is lost.
"""

from __future__ import annotations

from typing import ClassVar


class CopydeskError(Exception):
    """Root of everything that Copydesk raises on purpose."""

    reason: ClassVar[str] = "error"


# --- what the person at the keyboard can mend ---------------------------------------------------


class UserError(CopydeskError):
    """Ends a command with one line and exit code 2."""

    reason = "user"


class SettingError(UserError):
    """A flag, environment variable or line of `copydesk.toml` has an unusable value."""

    reason = "bad-setting"


class TaxonomyError(UserError):
    """A `taxonomy.toml` that cannot be used; the message names every fault, one a line."""

    reason = "bad-taxonomy"


class FolderError(UserError):
    """A folder is missing, is no folder, or lacks the rights we need."""

    reason = "folder"


class PortTakenError(UserError):
    """Somebody else listens on the port that we were told to use."""

    reason = "port-taken"


class BrokerUnreachableError(UserError):
    """No Kafka answers at the bootstrap address."""

    reason = "broker-unreachable"


class AccessRefusedError(BrokerUnreachableError):
    """Kafka answers, but not to us: a wrong password, a certificate that is not trusted, or a right that we lack."""

    reason = "access-refused"


class BrokerFailedError(UserError):
    """The embedded broker ended before it was ready; the message shows the tail of its log."""

    reason = "broker-failed"


class FencedError(UserError):
    """Another process took over this one's inbox or partition, so this one must stop."""

    reason = "fenced"


class PoisonError(UserError):
    """Nearly everything that comes in is rejected: a person should look before more of it is."""

    reason = "poison"


# --- what the stream sets aside -----------------------------------------------------------------


class BadInput(CopydeskError):
    """An article (or file) that cannot become an enriched record. Base of all content errors."""

    reason = "parse"


class EmptyInput(BadInput):
    """No bytes, or nothing but white space."""

    reason = "empty"


class BinaryInput(BadInput):
    """The bytes are no text in any charset we know."""

    reason = "binary"


class EncodingFault(BadInput):
    """Text whose charset is declared wrongly or cannot be found out."""

    reason = "encoding"


class BrokenRecord(BadInput):
    """One line or entry of a file is not what its format promises (a broken JSON line, say)."""

    reason = "parse"


class NoArticle(BadInput):
    """Well-formed, but there is no article text in it."""

    reason = "no-article"


class TooLarge(BadInput):
    """Over `max_article_bytes` (or the broker's own limit)."""

    reason = "too-large"


class ArchiveLimit(BadInput):
    """Decompresses to more than we allow, or is cut short or corrupt."""

    reason = "archive-limit"


class Encrypted(BadInput):
    """A member of an archive that asks for a password."""

    reason = "encrypted"


class UnsafeName(BadInput):
    """A member of an archive whose name leads out of it (`../`, `/`, `C:`) or cannot be a name at all."""

    reason = "unsafe-name"


class SymlinkRefused(BadInput):
    """A symbolic link in the inbox; we never follow one."""

    reason = "symlink"


class NotRegular(BadInput):
    """A FIFO, socket or device in the inbox."""

    reason = "not-regular"


class Unreadable(BadInput):
    """The operating system does not let us read the file."""

    reason = "unreadable"


class UnknownFormat(BadInput):
    """No parser claims this content."""

    reason = "unknown-format"


class TooCostly(BadInput):
    """Its parser took more time or memory than one article may have."""

    reason = "over-budget"


class StageFault(BadInput):
    """An unexpected exception in a stage: that article alone is set aside."""

    reason = "unexpected"


# --- what stops a worker, so that nothing is lost ------------------------------------------------


class StreamError(CopydeskError):
    """The stream cannot go on in this process; offsets stay where they were."""

    reason = "stream"


class OutageError(StreamError):
    """Kafka went away for longer than its clients wait; a fresh process carries on once it is back."""

    reason = "outage"


class ClaimLogError(StreamError):
    """The claim log holds a record that we cannot read, or has lost records that we still need."""

    reason = "claim-log"


def rejection_reasons() -> tuple[str, ...]:
    """Every reason slug a rejected record can carry, sorted: the closed set behind the metric label."""
    found: set[str] = set()
    todo: list[type[BadInput]] = [BadInput]
    while todo:
        kind = todo.pop()
        found.add(kind.reason)
        todo.extend(kind.__subclasses__())
    return tuple(sorted(found))
