from __future__ import annotations

import pytest

from pipeline.stages.tag import Tagger


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger()
