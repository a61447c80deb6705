"""The real Kafka that every test may ask for: started once a session, never skipped."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.broker import EmbeddedBroker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A running embedded broker on a free port; `broker.bootstrap` is its HOST:PORT."""
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), 0, print) as running:
        yield running


@pytest.fixture
def prefix() -> str:
    """A topic prefix of this test's own, so that tests share the broker and nothing else."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory whose path is as awkward as a user's may be."""
    folder = tmp_path / "Données, my=data #1"
    folder.mkdir()
    return folder
