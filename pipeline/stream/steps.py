"""The pure stages, a batch at a time: faults set aside article by article, everything counted and timed.

    Delivered ─ normalise ─▶ Normalised ─ deduplicate ─▶ Judged ─ tag ─▶ Tagged ─▶ sink

What can fail on content comes before the claim. An article that was claimed must come out, since others may be
judged its duplicates: a tagger that fails afterwards leaves its tags out and says so in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from aiokafka import ConsumerRecord

from pipeline.errors import BadInput, StageFault
from pipeline.records import Article, RawArticle, Rejected, Tags, Verdict
from pipeline.stages.deduplicate import Fingerprint, fingerprints
from pipeline.stages.normalise import normalise
from pipeline.stream.batch import Delivered, Judged, Normalised, Tagged

R = TypeVar("R")
F = TypeVar("F")


def normalise_batch(batch: Delivered, parse: Callable[[RawArticle], Article] = normalise) -> Normalised:
    """Parse and clean every record; the fingerprint belongs here since it may fail on content too."""
    articles: list[Article] = []
    rejected: list[Rejected] = []
    for record in batch.records:
        outcome = _normalise_record(record, parse)
        if isinstance(outcome, Rejected):
            rejected.append(outcome)
        else:
            articles.append(outcome)
    known: list[tuple[Article, Fingerprint]] = []
    prints = _of_all(fingerprints, articles, lambda article, error: _unforeseen(article.raw, error))
    for article, found in zip(articles, prints, strict=True):
        if isinstance(found, Rejected):
            rejected.append(found)
        else:
            known.append((article, found))
    return Normalised(batch.origin, [a for a, _ in known], [f for _, f in known], rejected)


def _normalise_record(record: ConsumerRecord, parse: Callable[[RawArticle], Article]) -> Article | Rejected:
    try:
        raw = RawArticle.from_record(record.key, record.value, record.headers)
    except (KeyError, ValueError, AttributeError) as error:
        return _foreign(record, error)
    try:
        return parse(raw)
    except BadInput as error:
        return _reject(raw, error.reason, str(error))
    except Exception as error:
        return _unforeseen(raw, error)


def _unforeseen(raw: RawArticle, error: Exception) -> Rejected:
    return _reject(raw, StageFault.reason, f"normalise failed unexpectedly: {type(error).__name__}: {error}")


def _reject(raw: RawArticle, reason: str, error: str) -> Rejected:
    return Rejected(raw.id, raw.content, reason, error, "normalise", raw.source, raw.position, raw.attempts, raw)


def _foreign(record: ConsumerRecord, error: Exception) -> Rejected:
    """A record that our watcher did not write: no usable key or headers."""
    key = (record.key or b"").decode("ascii", "replace")
    where = f"partition {record.partition} offset {record.offset}"
    why = f"{where} is no raw article ({error!r}); publish through `copydesk watch`"
    return Rejected(key, record.value or b"", BadInput.reason, why, "normalise", "", 0)


def judge_batch(batch: Normalised, verdicts: Sequence[Verdict]) -> Judged:
    """Join the articles with the claim log's verdicts, one each, in order."""
    return Judged(batch.origin, batch.articles, verdicts, batch.rejected)


def tag_batch(batch: Judged, tag: Callable[[Sequence[Article]], Sequence[Tags]]) -> Tagged:
    """Tag what goes to the enriched topic, all at once; duplicates refer to their original's tags."""
    judged = zip(batch.articles, batch.verdicts, strict=True)
    tagged = iter(_of_all(tag, [article for article, verdict in judged if verdict.kind != "duplicate"], _untagged))
    tags = [None if verdict.kind == "duplicate" else next(tagged) for verdict in batch.verdicts]
    return Tagged(batch.origin, batch.articles, batch.verdicts, tags, batch.rejected)


def _untagged(article: Article, error: Exception) -> Tags:
    return Tags(failed=f"tag failed unexpectedly: {type(error).__name__}: {error}")


def _of_all(
    work: Callable[[Sequence[Article]], Sequence[R]],
    articles: Sequence[Article],
    failed: Callable[[Article, Exception], F],
) -> Sequence[R | F]:
    """What `work` makes of each article, all at once; where it fails, it is the fault of few, so they go one by one."""
    try:
        return work(articles)
    except Exception as error:
        if len(articles) == 1:
            return [failed(articles[0], error)]
        return [made for article in articles for made in _of_all(work, [article], failed)]
