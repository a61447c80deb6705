"""The raw topic read with Faust as it comes, for comparison: what it does where our tests say that we must not.

Configured by `COPYDESK_*` and `STOCK_*`: it writes the offset of each record that it has worked on to the file
`STOCK_OUT`, and where `STOCK_FLAW` is `raises`, its agent raises once; where it is `hangs`, its consumer never ends.
"""

from __future__ import annotations

import os
from pathlib import Path

import faust
from faust.types import StreamT

from pipeline.settings import load
from pipeline.topics import topic_name
from tests.faults.flawed import FLAWS

_FAILS_AT = 10

settings = load({})
flaw = os.environ.get("STOCK_FLAW", "")
if flaw == "hangs":
    FLAWS[flaw]()
Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
app = faust.App(
    f"stock-{settings.prefix}",
    broker=f"kafka://{settings.broker}",
    datadir=settings.data_dir,
    store="memory://",
    consumer_auto_offset_reset="earliest",
    topic_allow_declare=False,
    topic_disable_leader=True,
    broker_commit_interval=0.5,
)
raw = app.topic(topic_name(settings.prefix, "raw"), value_serializer="raw", key_serializer="raw")
seen = 0


@app.agent(raw)  # type: ignore[untyped-decorator]
async def work(stream: StreamT[bytes]) -> None:
    """Work on each record, and write down that it was done."""
    global seen
    with Path(os.environ["STOCK_OUT"]).open("a", buffering=1) as out:
        async for event in stream.events():
            seen += 1
            if flaw == "raises" and seen == _FAILS_AT:
                raise RuntimeError("on purpose")
            print(event.message.partition, event.message.offset, file=out)
