"""article ─▶ language ─▶ names known and names by form ─▶ who and where ─▶ topics ─▶ keywords ─▶ tags

A missing tag is better than a wrong one: people, organisations and topics are read in English only, a city only where
something speaks for it. Lists and rules in `data/`, one small model for names that we trained, one for the language.
Your own terms come from a taxonomy.
"""

from pipeline.stages.tag.tagger import Tagger
from pipeline.stages.tag.taxonomy import Taxonomy
from pipeline.stages.tag.taxonomy import parse as parse_taxonomy

__all__ = ["Tagger", "Taxonomy", "parse_taxonomy"]
