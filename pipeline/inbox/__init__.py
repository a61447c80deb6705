"""From a folder to `articles.raw`: every article exactly as found, exactly once.

    scan ─▶ readiness ─▶ taking (files, unpack, splitters) ─▶ publisher ─▶ raw, files, rejected
     ▲                      ▲                                     │
    hints                   └────────────── ledger ◀──────────────┘

`looks` and `runs` turn the wheel, `watch` is the role. Start with `ledger`: it says what is known about a file
and what follows from it. Files are taken apart by `splitters`, with one module each for what they hold: `lines`,
`jsons`, `markup` (and `channel`), `rows`, `warc`, `archives`.
"""
