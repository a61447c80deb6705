"""From a folder to `articles.raw`: every article exactly as found, exactly once.

    scan ─▶ readiness ─▶ taking (files, unpack, splitters) ─▶ publisher ─▶ raw, files, rejected
     ▲                      ▲                                     │
    hints                   └────────────── ledger ◀──────────────┘

`watch` turns the wheel. Start with `ledger`: it says what is known about a file and what follows from it.
"""
