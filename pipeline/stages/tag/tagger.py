"""One article in, its tags out."""

from __future__ import annotations

from pipeline.records import Article, Tags
from pipeline.stages.tag.entities import EntityFinder
from pipeline.stages.tag.keywords import KeywordFinder
from pipeline.stages.tag.language import LanguageGuesser
from pipeline.stages.tag.taxonomy import Taxonomy
from pipeline.stages.tag.topics import TopicFinder
from pipeline.stages.tag.words import TOKEN
from pipeline.terms import Target, Term

# Topics and keywords are settled within 2,000 words; what stands behind them only costs time.
CHARACTERS_READ = 12_000


class Tagger:
    """All tags of an article. Loads models and data for about half a second and 120 MB: build one a process."""

    def __init__(self) -> None:
        self._language = LanguageGuesser()
        self._entities = EntityFinder()
        self._topics = TopicFinder()
        self._keywords = KeywordFinder()

    def tag(self, article: Article, taxonomy: Taxonomy | None = None) -> Tags:
        """The tags of `article`: pure, the same article always gets the same tags. Raises nothing by design.

        With a `taxonomy`, its terms too: people, organisations and keywords of theirs stand before our own. Mentions
        have character offsets into `article.body`. What needs English stays empty in other languages.
        """
        language, confidence = self._language.guess(
            f"{article.headline}\n{article.body[:CHARACTERS_READ]}", article.language
        )
        english = language == "en"
        found = self._entities.find(article, english)
        headline = [] if article.headline_derived else TOKEN.findall(article.headline[:CHARACTERS_READ])
        tokens = [*headline, *TOKEN.findall(article.body[:CHARACTERS_READ])]
        lower = [token.lower() for token in tokens]
        terms = taxonomy.find(article) if taxonomy else ()
        return Tags(
            language=language,
            language_confidence=confidence,
            people=_joined(terms, "person", found.names("person")),
            organisations=_joined(terms, "organisation", found.names("organisation")),
            places=found.ranked_places(),
            topics=self._topics.find(lower, len(headline)) if english else (),
            keywords=_joined(terms, "keyword", self._keywords.find(tokens, lower, len(headline), language)),
            mentions=tuple(found.mentions),
            taxonomy=taxonomy.version if taxonomy else None,
            terms=terms,
        )


def _joined(terms: tuple[Term, ...], target: Target, found: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(term.name for term in terms if term.target == target), *found)))
