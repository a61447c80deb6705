"""The tree of errors: whose fault each is, and its slug."""

from __future__ import annotations

import re

from pipeline import errors
from pipeline.errors import BadInput, CopydeskError, StreamError, UserError, rejection_reasons


def tree(root: type[CopydeskError]) -> list[type[CopydeskError]]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


def test_every_error_is_of_one_of_three_kinds_and_has_a_slug_and_a_word_on_it() -> None:
    defined = {found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, CopydeskError)}
    kinds = {found for kind in (UserError, BadInput, StreamError) for found in tree(kind)}
    assert kinds | {CopydeskError} == defined
    for found in defined:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", found.reason), found
        assert found.__doc__, found


def test_the_reasons_of_rejections_are_those_of_bad_input_and_no_others() -> None:
    assert rejection_reasons() == tuple(sorted({found.reason for found in tree(BadInput)}))
    assert {"parse", "empty", "too-large", "unexpected"} <= set(rejection_reasons())
    assert "bad-setting" not in rejection_reasons()


def test_no_two_kinds_of_bad_input_share_a_reason_save_broken_records_with_their_base() -> None:
    reasons = [found.reason for found in tree(BadInput)]
    assert sorted(reasons) == sorted([*rejection_reasons(), "parse"])
