"""What each story has come to: enriched and duplicates ─▶ count ─▶ articles.stories, exactly once. A role of its own.

Which story an article belongs to is decided long before, by the claim log (`stages.deduplicate`), and stands in its
record. But a story's articles lie on any partition and are committed by any worker, so no worker alone can count them.
"""
