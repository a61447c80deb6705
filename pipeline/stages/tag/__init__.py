"""article ─▶ language ─▶ names known and names by form ─▶ who and where ─▶ topics ─▶ keywords ─▶ tags

A missing tag is better than a wrong one: people, organisations and topics are read in English only, a city only where
something speaks for it. Everything is rules and word lists in `data/`, no statistical model but the language guesser.
"""

from pipeline.stages.tag.tagger import Tagger

__all__ = ["Tagger"]
