"""The file of your own terms is followed, and a broken one never stops the stream."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import TaxonomyError
from pipeline.taxonomies import TaxonomyFile

ONE = "[[term]]\nid = 'a'\nname = 'A'\ntarget = 'topic'\n"
TWO = ONE + "[[term]]\nid = 'b'\nname = 'B'\ntarget = 'topic'\n"


def write(path: Path, text: str, second: int) -> None:
    path.write_text(text)
    os.utime(path, (second, second))


def test_no_file_no_taxonomy() -> None:
    assert TaxonomyFile("").current() is None


def test_a_change_is_taken_up_and_a_broken_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.toml"
    write(path, ONE, 1)
    file = TaxonomyFile(str(path))
    first = file.current()
    assert first
    assert file.current() is first
    write(path, TWO, 2)
    second = file.current()
    assert second
    assert (first.terms, second.terms) == (1, 2)
    write(path, "[[term]", 3)
    assert file.current() is second
    path.unlink()
    assert file.current() is second
    write(path, ONE, 4)
    again = file.current()
    assert again
    assert again.version == first.version


def test_at_the_start_a_broken_or_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="cannot be read"):
        TaxonomyFile(str(tmp_path / "none.toml"))


def test_check_says_how_many_terms_or_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "taxonomy.toml"
    path.write_text(TWO)
    assert main(["taxonomy", "check", str(path)]) == 0
    assert "2 terms, version " in capsys.readouterr().out
    path.write_text(ONE.replace("topic", "colour") + ONE.replace("'a'", "'b c'"))
    assert main(["taxonomy", "check", str(path)]) == 2
    assert capsys.readouterr().err.count(str(path)) == 2


def test_explain_says_which_words_made_a_term_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, file = tmp_path / "taxonomy.toml", tmp_path / "a.txt"
    path.write_text("[[term]]\nid = 'quay'\nname = 'Quays'\ntarget = 'topic'\nrule = 'quay near/3 closed'\n")
    file.write_text("Harbour news\n\nThe quay was closed on Monday, and nobody knows until when it will stay so.\n")
    assert main(["explain", "--taxonomy", str(path), str(file)]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert re.search(r"Quays \(quay\), for “quay” at body \d+, “closed” at body \d+", shown)
