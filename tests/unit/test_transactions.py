"""What a failed transaction is counted as."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerFenced,
)

from pipeline.catalogue import CLOSED
from pipeline.transactions import failure


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProducerFenced(), "fenced"),
        (InvalidProducerEpoch(), "fenced"),
        (GroupAuthorizationFailedError("copydesk-articles"), "refused"),
        (MessageSizeTooLargeError(), "too-large"),
        (KafkaTimeoutError(), "timeout"),
        (TimeoutError(), "timeout"),
        (KafkaConnectionError(), "connection"),
        (ConnectionResetError(), "connection"),
        (KafkaError(), "other"),
        (ValueError(), "other"),
    ],
)
def test_the_kind_of_a_failure(error: BaseException, kind: str) -> None:
    assert failure(error) == kind
    assert kind in CLOSED["failure"]
