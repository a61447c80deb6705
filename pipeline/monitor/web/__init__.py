"""The live page: what it keeps in memory, how it reads, what it serves.

    status() ─▶ series ─┐
                        ├─▶ server ─▶ browser (static/)
    Kafka ─▶ follow ─▶ window

`window` and `series` are pure and bounded; `follow` reads while somebody looks, and not otherwise.
"""
