"""Copydesk: drop news articles into a folder, read a clean, de-duplicated, tagged stream from Apache Kafka.

    inbox/ ─▶ watch ─▶ articles.raw ─▶ normalise ─▶ deduplicate ─▶ tag ─▶ sink ─▶ articles.enriched
                │                          │             │                  ├──▶ articles.duplicates
                ├─▶ articles.files         │             └─▶ articles.claims└──▶ /metrics
                └─────────────▶ articles.rejected ◀──────┘

Read on in this order: `records` (what travels), `stream.app` (the flow on one screen), then one stage,
say `stages.normalise`. Promises, in order: nothing lost, nothing twice, nothing invented; then fast; then small.
"""

__version__ = "0.1.0"
