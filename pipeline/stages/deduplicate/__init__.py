"""Which articles say the same: fingerprint → claim log → replica (index) → verdict. Pure; the log is the caller's.

Principles:

- A false duplicate is worse than a missed one: it takes an article away from its readers.
- The first in the log is the original. A duplicate names an article that was itself published, never a duplicate.
- An article that is claimed again within the window gets its first verdict again, from every worker.
- Same text, whatever its case, quotes and spacing: **exact** duplicate. The headline does not count.
- Another text under the same canonical URL, or in the same single-article file: **revision**; it is published.
- Most of the wording the same: **near** duplicate. A near duplicate of a duplicate must be like the original, too.
- But the same words around another figure are other news: a correction if most figures agree (**derived**), another
  report of the same series if not. So briefs must agree nearly word for word.
- Most of the shorter text in the longer one, a trimmed lead or a long version: **derived**; it is published, linked.
- Not the same, but on the same: one **story** (`stories`, `joining`). A wrong merge is worse than a miss here, too.
- What a text shares with one that left the window does not count.
"""

from pipeline.stages.deduplicate.claims import Claims, decode_claims, encode_claims
from pipeline.stages.deduplicate.fingerprint import Fingerprint, fingerprint, fingerprints
from pipeline.stages.deduplicate.index import Index
from pipeline.stages.deduplicate.replica import Replica

__all__ = ["Claims", "Fingerprint", "Index", "Replica", "decode_claims", "encode_claims", "fingerprint", "fingerprints"]
