"""Fuzzing one parser with atheris: `python -m tests.fuzz.fuzz_parsers MEDIA-TYPE SECONDS`; `make fuzz` runs them all.

Whatever the bytes, only an Article or BadInput may come out, within ten seconds. The corpus is made of seeds/ and of
the golden inputs; a finding is left in build/fuzz/ and ends the run with an exit code of its own.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pipeline.stages.normalise"]):
    from pipeline.stages.normalise import PARSERS, normalise

from pipeline.errors import BadInput
from pipeline.formats import of_media_type
from pipeline.records import RawArticle

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "fuzz"
RECEIVED = "2025-03-19T08:00:00.000Z"


def corpus(media_type: str) -> Path:
    """A folder of files of this media type, our own samples to begin with."""
    folder = BUILD / media_type.replace("/", "_")
    folder.mkdir(parents=True, exist_ok=True)
    form = of_media_type(media_type)
    extensions = form.extensions if form else ()
    for place in ("seeds", "tests/golden/normalise"):
        for path in (ROOT / place).rglob("*"):
            if path.suffix in extensions:
                (folder / f"seed-{path.name}").write_bytes(path.read_bytes())
    return folder


def main(media_type: str, seconds: str) -> None:
    def one(data: bytes) -> None:
        context = {"charset": "utf-8", "xmlns": 'xmlns:dc="http://purl.org/dc/elements/1.1/"', "language": "en"}
        raw = RawArticle("0" * 32, "a", 0, media_type, RECEIVED, "", data, context=context if len(data) % 2 else {})
        with suppress(BadInput):
            normalise(raw)

    name = media_type.replace("/", "_")
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=3000", "-max_len=16384", "-verbosity=0",
               "-print_final_stats=1", f"-artifact_prefix={BUILD}/{name}-"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus(media_type))], one)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print("\n".join(PARSERS))
    else:
        os.makedirs(BUILD, exist_ok=True)
        main(sys.argv[1], sys.argv[2])
