"""What a watcher says about files that it cannot put away."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pipeline.inbox.looks import dispose
from pipeline.inbox.scan import scan
from pipeline.inbox.state import Inbox
from pipeline.metrics import Meter
from pipeline.settings import Settings
from pipeline.testing import FakeClock


def test_files_that_cannot_be_put_away_are_said_once_a_minute(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (tmp_path / "taken").write_text("no folder")
    for number in range(5):
        (folder / f"{number}.txt").write_text("news")
    clock = FakeClock()
    settings = Settings(after="move", after_dir=str(tmp_path / "taken"))
    inbox = Inbox(settings, str(folder), clock, Meter(CollectorRegistry()), lambda: None)

    async def look() -> None:
        for found in scan(os.fsencode(folder)):
            await dispose(inbox, found)

    asyncio.run(look())
    clock.advance(60)
    asyncio.run(look())
    inbox.threads.shutdown()
    assert [message.partition("; ")[2] for message in caplog.messages] == [
        "it is published and stays",
        "it is published and stays (and 4 more times since this was last said)",
    ]
    assert len(list(folder.iterdir())) == 5
