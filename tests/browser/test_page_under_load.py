"""The live page while more comes out than anybody can read: memory stays flat, here and in the browser."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from pathlib import Path

from confluent_kafka import Producer

from pipeline.broker import EmbeddedBroker
from tests.browser.chromium import Tab, tab
from tests.browser.test_live_page import ALL_EVIL, EVIL, address, faults, record
from tests.rig import Rig, rig

ROUNDS, ARTICLES, COPIES, LETTERS = 3, 10_000, 1_000, 500
MIB = 1 << 20


def write(bootstrap: str, prefix: str, turn: int) -> None:
    """One round of hostile articles, copies of the first, and dead letters; the last article is harmless."""
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": "gzip", "linger.ms": 50})
    # One is made and its id replaced: what takes the time is to be Kafka and the page.
    article = record(0).replace(json.dumps(f"{EVIL[0]}0").encode(), b'"%s"')
    copied = record(0, duplicate={"of": f"{turn}-0", "method": "near", "similarity": 0.9})
    copied = copied.replace(json.dumps(f"{EVIL[0]}0").encode(), b'"%s"')
    headers = [(name, ALL_EVIL.encode()) for name in ("reason", "error", "stage", "source", "position", "attempts")]
    for number in range(ARTICLES):
        producer.produce(f"{prefix}.enriched", article.replace(b"%s", b"%d-%d" % (turn, number)))
        if number < COPIES:
            producer.produce(f"{prefix}.duplicates", copied.replace(b"%s", b"c%d-%d" % (turn, number)))
        if number < LETTERS:
            producer.produce(f"{prefix}.rejected", ALL_EVIL.encode(), headers=headers)
        producer.poll(0)
    producer.flush(60)
    last = {"x_copydesk": {"id": f"last-{turn}", "source": "a.txt"}, "headlines": [{"value": f"End of round {turn}"}]}
    producer.produce(f"{prefix}.enriched", json.dumps(last).encode())
    producer.flush(60)


def memory_of_monitor(running: Rig) -> int:
    """Resident bytes, by its own account."""
    found = re.search(r"metrics on (http\S+)", running.words())
    assert found
    with urllib.request.urlopen(found[1], timeout=10) as answer:
        said = re.search(r'process_resident_memory_bytes{role="monitor"} (\S+)', answer.read().decode())
    assert said
    return int(float(said[1]))


async def memory_of_tab(seen: Tab) -> int:
    """Bytes of live JavaScript objects."""
    await seen.call("HeapProfiler.collectGarbage")
    return int((await seen.call("Runtime.getHeapUsage"))["usedSize"])


def test_ten_thousand_hostile_cards_again_and_again_take_no_more_memory(
    broker: EmbeddedBroker, prefix: str, tmp_path: Path
) -> None:
    with rig(broker.bootstrap, prefix, tmp_path) as running:
        running.start("monitor")
        monitor, heap, elements = [], [], []

        async def look() -> None:
            async with tab(tmp_path / "profile", address(running)) as seen:
                await seen.wait("document.getElementById('articles')", "the page")
                for turn in range(ROUNDS):
                    await asyncio.to_thread(write, broker.bootstrap, prefix, turn)
                    newest = "document.querySelector('.card h3')?.textContent"
                    await seen.wait(f"{newest} === 'End of round {turn}'", f"the end of round {turn}")
                    await asyncio.sleep(2)
                    monitor.append(memory_of_monitor(running))
                    heap.append(await memory_of_tab(seen))
                    elements.append(int(await seen.run("document.querySelectorAll('*').length")))
                assert await seen.run("document.querySelectorAll('.card').length") == 60
                assert await seen.run("window.owned") is None
                assert faults(seen) == []

        asyncio.run(look())
        print(f"monitor {[b // MIB for b in monitor]} MiB, tab {[b // MIB for b in heap]} MiB, elements {elements}")
        # The first round fills the window; after it nothing grows.
        assert monitor[-1] - monitor[0] < 24 * MIB, monitor
        assert heap[-1] - heap[0] < 8 * MIB, heap
        assert elements[-1] - elements[0] < 1_000, elements
