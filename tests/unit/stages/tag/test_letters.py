"""How texts are cut into words."""

from __future__ import annotations

import pytest

from pipeline.stages.tag.chain import find_runs, tokens
from pipeline.stages.tag.letters import Table, Words, cut, hashes


def spelled(text: str) -> list[str]:
    words = cut([text])
    return [text[start:end] for start, end in zip(words.starts.tolist(), words.ends.tolist(), strict=True)][:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The bank, he said, fell.", "The|bank|,|he|said|,|fell|."),
        ("France's and O'Neill’s", "France|'s|and|O'Neill|’s"),
        ("Mr. Smith met J. R. Ewing of plan B.", "Mr.|Smith|met|J.|R.|Ewing|of|plan|B|."),
        ("the U.S. Senate, U.N.", "the|U.S.|Senate|,|U.N."),
        ("Covid-19, a Berlin-based, Anglo-Saxon AT&T", "Covid-19|,|a|Berlin|-|based|,|Anglo-Saxon|AT&T"),
        ("al-Assad won 3.5%", "al-Assad|won|3|.|5|%"),
        ("one\n\ntwo\tthree\u00a0four", "one|\n\n|two|three|four"),
        ("snake_case (🙂) Łódź 東京", "snake|_|case|(|🙂|)|Łódź|東京"),
        ("", ""),
    ],
)
def test_words_and_signs(text: str, expected: str) -> None:
    assert "|".join(spelled(text)) == expected


def rows(words: Words, i: int) -> list[tuple[int, int, int, int]]:
    part = slice(words.bounds[i], words.bounds[i + 1])
    starts, ends = words.starts[part] - words.begins[i], words.ends[part] - words.begins[i]
    columns = (starts, ends, words.forms[part], words.lowers[part])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_text_is_cut_the_same_in_any_company() -> None:
    texts = ["One J.", "", "Smith said so.\n", "\n\nThe end", "Mr", ". Other"]
    together = cut(texts)
    for i, text in enumerate(texts):
        assert rows(together, i) == rows(cut([text]), 0), text
        assert rows(together, i)[-1][:2] == (len(text), len(text) + 1)


def test_small_letters_are_the_same_word() -> None:
    words = cut(["Bank BANK bank Bänke"])
    assert len(set(words.lowers.tolist()[:3])) == 1
    assert len(set(words.forms.tolist()[:4])) == 4


def test_hashes_are_the_same_on_every_machine_and_for_good() -> None:
    # The model's weights are found by them: with other numbers it has to be trained anew.
    assert [hex(number) for number in hashes(["London", "the"]).tolist()] == [
        "0x7caaf9ae072b40e6",
        "0xd5595babea752504",
    ]


def test_a_table_knows_its_words_and_no_other() -> None:
    table = Table(hashes(["bank", "river"]), [7, 9])
    assert table.of(hashes(["river", "shore", "bank"])).tolist() == [9, 0, 7]
    assert table.has(hashes(["river", "shore", "bank"])).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Bank of England met Ms. Kay and Lee Jones.", "The Bank of England|Ms. Kay and Lee Jones"),
        ("It rained. They left for the NATO base of THE club", "NATO|THE"),
        ("Then al-Assad spoke", "Then al-Assad"),
        ("nothing here", ""),
    ],
)
def test_runs_are_capitalised_words_and_what_may_stand_between_them(text: str, expected: str) -> None:
    words = cut([text])
    (found,) = tokens([text], words, find_runs(words))
    assert "|".join(text[found.starts[first] : found.ends[after - 1]] for first, after in found.runs) == expected
