"""One article in, its tags out."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.records import Article, Tags
from pipeline.stages.tag.dates import DateFinder
from pipeline.stages.tag.entities import CHARACTERS_READ, EntityFinder, Reader
from pipeline.stages.tag.found import Found
from pipeline.stages.tag.keywords import KeywordFinder
from pipeline.stages.tag.language import Guess, LanguageGuesser
from pipeline.stages.tag.letters import cut
from pipeline.stages.tag.page import Page, pages
from pipeline.stages.tag.statistical import load
from pipeline.stages.tag.taxonomy import Taxonomy
from pipeline.stages.tag.topics import TopicFinder
from pipeline.terms import Target, Term, Topic

# Articles that are cut into words together: enough that numpy's calls cost little, few enough for a cache.
_AT_ONCE = 16


class Tagger:
    """All tags of an article. Loads models and data for about half a second and 120 MB: build one a process."""

    def __init__(self, name: str = "fast") -> None:
        """`name` is what the setting says; with `spacy` their model finds the names. Raises SettingError without it."""
        reader: Reader | None = None
        self._model: str | None = None
        if name == "spacy":
            reader, self._model = load()
        self._language = LanguageGuesser()
        self._entities = EntityFinder(reader)
        self._topics = TopicFinder()
        self._keywords = KeywordFinder()
        self._dates = DateFinder()

    def tag(self, article: Article, taxonomy: Taxonomy | None = None) -> Tags:
        """The tags of `article`; see `tag_all`."""
        (found,) = self.tag_all([article], taxonomy)
        return found

    def tag_all(self, articles: Sequence[Article], taxonomy: Taxonomy | None = None) -> list[Tags]:
        """The tags of each of `articles`. Pure: an article has the same tags in any company. Raises nothing by design.

        With a `taxonomy`, its terms too: people, organisations and keywords of theirs stand before our own. Mentions
        have character offsets into `article.body`. What needs English stays empty in other languages.
        """
        found: list[Tags] = []
        for start in range(0, len(articles), _AT_ONCE):
            found += self._some(articles[start : start + _AT_ONCE], taxonomy)
        return found

    def _some(self, articles: Sequence[Article], taxonomy: Taxonomy | None) -> list[Tags]:
        words = cut([article.body[:CHARACTERS_READ] for article in articles])
        read = pages(articles, words)
        languages = self._language.guess_all(read)
        named = self._entities.find(articles, words, [guess.code for guess in languages])
        english = [page for page, guess in zip(read, languages, strict=True) if guess.code == "en"]
        topics = iter(self._topics.find_all(english))
        return [
            self._one(page, guess, found, next(topics) if guess.code == "en" else (), taxonomy)
            for page, guess, found in zip(read, languages, named, strict=True)
        ]

    def _one(
        self, page: Page, guess: Guess, found: Found, topics: tuple[Topic, ...], taxonomy: Taxonomy | None
    ) -> Tags:
        language = guess.code
        article = page.article
        terms = taxonomy.find(article) if taxonomy else ()
        return Tags(
            language=language,
            language_confidence=guess.confidence,
            language_alternatives=guess.alternatives,
            people=_joined(terms, "person", found.names("person")),
            organisations=_joined(terms, "organisation", found.names("organisation")),
            places=found.ranked_places(),
            topics=topics,
            keywords=_joined(terms, "keyword", self._keywords.find(page, language)),
            mentions=tuple(found.mentions),
            dates=self._dates.find(page, language == "en"),
            model=self._model,
            taxonomy=taxonomy.version if taxonomy else None,
            terms=terms,
        )


def _joined(terms: tuple[Term, ...], target: Target, found: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(term.name for term in terms if term.target == target), *found)))
