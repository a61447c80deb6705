"""Texts with names marked, read from the folders in which their publishers give them out. For training and measuring.

Every reader yields documents: a text, and the names in it as (start, end, kind) with offsets in characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.stages.tag.chain import INSIDE, Kind, Span

_KINDS: dict[str, Kind] = {
    "PER": "person", "LOC": "place", "ORG": "organisation", "FIN": "organisation",
    "person": "person", "location": "place", "corporation": "organisation", "group": "organisation",
    "organization": "organisation", "place": "place",
}  # fmt: skip
_TIGHT_BEFORE = frozenset(".,;:!?)]}'’%") | {"'s", "’s", "n't", "''"}
_TIGHT_AFTER = frozenset("([{$#")


class Document(NamedTuple):
    """A text and its names."""

    text: str
    names: list[Span]


def tagged(sentences: Iterable[list[tuple[str, str]]]) -> Document:
    """One document from sentences of (token, label); labels are IOB1 or IOB2."""
    text = ""
    names: list[Span] = []
    for sentence in sentences:
        text += "\n" if text else ""
        before = "O"
        for number, (token, label) in enumerate(sentence):
            if number and token not in _TIGHT_BEFORE and text[-1:] not in _TIGHT_AFTER:
                text += " "
            start, text = len(text), text + token
            kind = _KINDS.get(label[2:])
            if kind and label[0] == "I" and before[2:] == label[2:] and names:
                names.append(names.pop()._replace(end=len(text)))
            elif kind:
                names.append(Span(start, len(text), kind))
            before = label
    return Document(text, names)


def columns(path: Path, token: int = 0, label: int = -1) -> Iterator[list[list[tuple[str, str]]]]:
    """Documents of a file in columns: sentences parted by blank lines, documents by `-DOCSTART-` or `# newdoc`."""
    document: list[list[tuple[str, str]]] = []
    sentence: list[tuple[str, str]] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        parts = line.split("\t") if "\t" in line else line.split()
        starts = line.startswith(("-DOCSTART-", "# newdoc"))
        if (not parts or starts) and sentence:
            document.append(sentence)
            sentence = []
        if starts and document:
            yield document
            document = []
        if parts and not starts and not (line.startswith("# ") and len(parts) != 2):
            sentence.append((parts[token], parts[label]))
    if document:
        yield document


def universal(folder: Path, part: str) -> list[Document]:
    """Universal NER's English Web Treebank, part `dev` or `test`, with the words as they were written."""
    found: list[Document] = []
    text, at = "", 0
    names: list[Span] = []
    for line in (folder / f"en_ewt-ud-{part}.iob2").read_text(encoding="utf-8").splitlines():
        if line.startswith("# newdoc"):
            found.append(Document(text, names))
            text, names = "", []
        elif line.startswith("# text = "):
            text += "\n" if text else ""
            at = len(text)
            text += line.removeprefix("# text = ")
        elif line and not line.startswith("#"):
            _, token, label, *_ = line.split("\t")
            start = text.index(token, at)
            at = start + len(token)
            if label[:1] == "I" and names:
                names.append(names.pop()._replace(end=at))
            elif label[2:] in _KINDS:
                names.append(Span(start, at, _KINDS[label[2:]]))
    return [*found[1:], Document(text, names)]


def wikigold(folder: Path) -> list[Document]:
    """Wikigold, from the collection of entity recognition datasets."""
    return [tagged(doc) for doc in columns(folder / "wikigold/CONLL-format/data/wikigold.conll.txt")]


def tweets(folder: Path) -> list[Document]:
    """Broad Twitter Corpus and WNUT 2017, each tweet a document."""
    files = sorted(folder.glob("BTC/CONLL-format/data/*.conll")) + sorted(folder.glob("WNUT17/CONLL-format/data/*/*"))
    return [tagged([sentence]) for path in files for doc in columns(path) for sentence in doc]


def gum(folder: Path, genres: Iterable[str]) -> list[Document]:
    """GUM: the proper names among its entities. Only `genres` whose texts are under CC BY."""
    files = [path for genre in genres for path in sorted(folder.glob(f"dep/GUM_{genre}_*.conllu"))]
    return [tagged(_gum_sentences(path.read_text(encoding="utf-8"))) for path in files]


def _gum_sentences(text: str) -> Iterator[list[tuple[str, str]]]:
    for block in text.split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if re.match(r"\d+\t", line)]
        labels = ["O"] * len(rows)
        for i, row in enumerate(rows):
            for found in re.finditer(r"\(\d+-(person|place|organization)-[^-()]*-[^-()]*-[^-()]*-([\d,]+)-", row[9]):
                _mark(labels, rows, found[1], [i + int(n) - 1 for n in found[2].split(",")])
        yield [(row[1], label) for row, label in zip(rows, labels, strict=True)]


def _mark(labels: list[str], rows: list[list[str]], kind: str, head: list[int]) -> None:
    """Label the proper nouns of an entity's head and those right before it."""
    if not all(i < len(rows) for i in head) or not any(rows[i][3] == "PROPN" for i in head):
        return
    if len(head) > 1 and rows[head[0]][3] != "PROPN":
        return
    first, last = head[0], head[-1]
    if any(labels[i] != "O" for i in range(first, last + 1)):
        return
    for i in range(first, last + 1):
        labels[i] = ("B-" if i == first else "I-") + kind


_NOBODY = frozenset("Government He She It They We I".split())
_NO_PART_OF_A_PERSON = frozenset("The CEO US".split())
_MARKS = frozenset({".", "'s", "’s", '"', "''", "'"})


def tidied(document: Document, titles: frozenset[str], peoples: frozenset[str]) -> Document:
    """Names as news readers mark them: no titles, articles, peoples or common nouns; places of a list one by one."""
    names = []
    for name in document.names:
        for part in re.finditer(r"[^,;()]+", document.text[name.start : name.end]):
            words = [(m.start(), m[0]) for m in re.finditer(r"\S+", part[0])]
            while words and (words[0][1] in titles or not words[0][1][0].isupper() or _leads(words, name.kind)):
                words.pop(0)
            while words and words[-1][1] in _MARKS:
                words.pop()
            if words and not _is_noun([word for _, word in words], peoples):
                at, (last, word) = name.start + part.start(), words[-1]
                names.append(Span(at + words[0][0], at + last + len(word), name.kind))
            if name.kind != "place":
                break
    return Document(document.text, names)


def _leads(words: list[tuple[int, str]], kind: str) -> bool:
    return kind == "person" and len(words) > 1 and words[0][1] in _NO_PART_OF_A_PERSON


def _is_noun(words: list[str], peoples: frozenset[str]) -> bool:
    """Whether it holds a common noun, or is a people."""
    if len(words) == 1 and (words[0] in peoples or words[0] in _NOBODY):
        return True
    return any(word[0].islower() and word not in INSIDE and word != "-" for word in words)
