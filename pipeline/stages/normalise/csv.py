"""text/csv: one row with its header line; columns are named as the fields of a news API are."""

from __future__ import annotations

import csv
import io

from pipeline.errors import BrokenRecord, NoArticle
from pipeline.stages.normalise.charset import decode
from pipeline.stages.normalise.draft import Context, Draft
from pipeline.stages.normalise.fields import read_record

_SEPARATORS = ",;\t|"
_MOST_COLUMNS = 1_000
csv.field_size_limit(1 << 30)  # articles are bounded before they come here


def parse_csv(content: bytes, context: Context) -> Draft:
    """The article in the second line of `content`. Raises BrokenRecord, NoArticle where no column holds a text."""
    text, warnings = decode(content, context.said.get("charset"))
    text = text.lstrip("\ufeff")
    head = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise BrokenRecord(f"this is no row of CSV ({error}); mend it and drop it again") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2 or len(rows[0]) > _MOST_COLUMNS:
        raise BrokenRecord(f"there are {len(rows)} lines where a header and a row should be; give every row a header")
    record = {name.strip(): cell for name, cell in zip(rows[0], rows[1], strict=False) if name.strip() and cell.strip()}
    draft = read_record(record, "csv", context.names)
    if not draft.paragraphs:
        columns = ", ".join(list(record)[:8])
        raise NoArticle(f"no column of this row holds an article's text (it has: {columns}); name it `body` or `text`")
    draft.origin = "csv"
    draft.warnings |= warnings
    return draft
