"""The flow's own bookkeeping around the pure stages: counted where it should be, off the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.metrics import Meter, open_labels
from pipeline.records import ORIGINAL
from pipeline.settings import Settings
from pipeline.stream.flow import Flow
from pipeline.stream.outcomes import Outcome
from pipeline.stream.pulse import Pulse
from pipeline.stream.steps import judge_batch
from pipeline.testing import FakeClock
from tests.unit.stream.test_steps import delivered, of, raw

SETTINGS = Settings(broker="127.0.0.1:1")


def counts(meter: Meter) -> dict[str, float]:
    """Series that are not zero, times and sizes left out."""
    text = generate_latest(meter.registry).decode()
    return {
        f"{sample.name.removeprefix('copydesk_')}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value and sample.name.endswith("_total")
    }


def test_a_batch_is_counted_stage_by_stage() -> None:
    meter, failures = Meter(open_labels=open_labels(SETTINGS)), list[BaseException]()

    async def through() -> None:
        flow = Flow(SETTINGS, FakeClock(), meter, failures.append)
        batch = delivered(of(raw("Aveiro")), of(raw("nothing", b""), 1), of(raw("Porto"), 2))
        clean = await flow.normalise(batch)
        done = await flow.tag(judge_batch(clean, [ORIGINAL, ORIGINAL]))
        assert [tags is not None for tags in done.tags] == [True, True]
        assert done.origin == batch.origin

    asyncio.run(through())
    assert failures == []
    assert counts(meter) == {
        "stage_received_total['normalise']": 3,
        "stage_processed_total['normalise', 'ok']": 2,
        "stage_processed_total['normalise', 'rejected']": 1,
        "stage_received_total['tag']": 2,
        "stage_processed_total['ok', 'tag']": 2,
    }


def test_cheap_batches_let_the_next_ones_grow() -> None:
    async def through() -> tuple[int, int]:
        flow = Flow(SETTINGS, FakeClock(), Meter(open_labels=open_labels(SETTINGS)), lambda error: None)
        before = flow.pace.size
        for _ in range(8):
            await flow.normalise(delivered(*(of(raw("Aveiro"), n) for n in range(20))))
        return before, flow.pace.size

    before, after = asyncio.run(through())
    assert before < after <= SETTINGS.batch_articles


def test_a_full_queue_is_back_pressure() -> None:
    meter, clock = Meter(open_labels=open_labels(SETTINGS)), FakeClock()

    async def put() -> None:
        clock.advance(2.5)

    async def through() -> list[float | None]:
        flow = Flow(SETTINGS, clock, meter, lambda error: None)
        flow.queue("judged", 2)
        clean = await flow.normalise(delivered(of(raw("Aveiro"))))
        held = []
        await flow.hand_on("judged", put())
        held.append(meter.registry.get_sample_value("copydesk_queue_items", {"queue": "judged"}))
        await flow.tag(judge_batch(clean, [ORIGINAL]))
        held.append(meter.registry.get_sample_value("copydesk_queue_items", {"queue": "judged"}))
        return held

    assert asyncio.run(through()) == [1, 0]
    assert counts(meter)["backpressure_seconds_total['judged']"] == 2.5
    assert meter.registry.get_sample_value("copydesk_queue_capacity", {"queue": "judged"}) == 2


def test_a_share_of_what_is_written_is_held_against_both_schemas(caplog: pytest.LogCaptureFixture) -> None:
    meter = Meter(open_labels=open_labels(SETTINGS))

    async def through() -> None:
        flow = Flow(replace(SETTINGS, check_ratio=0.5), FakeClock(), meter, lambda error: None)
        kept, passed_over = "0" * 32, "f" * 32
        written = [Outcome("enriched", key.encode(), b'{"uri": 7}', []) for key in (kept, kept, passed_over)]
        flow._check([*written, Outcome("rejected", b"a.txt", b"no JSON", [])])

    asyncio.run(through())
    assert counts(meter) == {"records_checked_total[]": 2, "records_faulty_total[]": 2}
    assert "breaks its schema" in caplog.text


def test_a_stage_that_waits_is_named_and_so_is_a_broker_that_does_not_answer() -> None:
    async def waiting() -> tuple[list[str], list[str], str]:
        clock, pulse = FakeClock(), Pulse(SETTINGS)
        flow = Flow(SETTINGS, clock, Meter(open_labels=open_labels(SETTINGS)), lambda error: None)
        flow.claims.caught_up.set()
        flow._enter("sink", 3)
        clock.advance(4)
        soon = flow.waits
        clock.advance(8)
        late = flow.waits
        said = await pulse.feel()
        await pulse.close()
        return soon, late, said

    soon, late, said = asyncio.run(waiting())
    assert (soon, late) == ([], ["sink: at one batch for 12 s"])
    assert said.startswith("Kafka at 127.0.0.1:1 does not answer")


def test_a_worker_with_nothing_to_tag_keeps_up_with_the_file_of_terms(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.toml"
    term = "[[term]]\nid = '{0}'\nname = '{0}'\ntarget = 'keyword'\n"
    path.write_text(term.format("Aveiro"))

    async def through() -> list[str | None]:
        settings = replace(SETTINGS, taxonomy=str(path))
        flow = Flow(settings, FakeClock(), Meter(open_labels=open_labels(settings)), lambda error: None)
        path.write_text(term.format("Aveiro") + term.format("Porto"))
        flow.follow_terms()
        path.write_text("[[term] broken")
        clean = await flow.normalise(delivered(of(raw("Porto"))))
        done = await flow.tag(judge_batch(clean, [ORIGINAL]))
        return [term.id for tags in done.tags if tags for term in tags.terms]

    assert asyncio.run(through()) == ["Porto"]
