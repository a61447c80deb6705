"""Stories one article at a time, in dicts, with floats nowhere and nothing forgotten: what `Stories` must come to."""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field

from pipeline.stages.deduplicate import Fingerprint
from pipeline.stages.deduplicate.parameters import FAINT, HOLDERS, RELATED, SAME_STORY

Story = tuple[str, int]
"""Id of its first article, and when that was claimed."""


def weights(claim: Fingerprint) -> dict[int, int]:
    """Weight by hash of a word."""
    return {term >> 8: term & 255 for term in struct.unpack("<16I", claim.terms) if term}


@dataclass
class Member:
    claim: Fingerprint
    time: int
    story: Story

    @property
    def began(self) -> bool:
        return self.story[0] == self.claim.id


@dataclass
class SlowStories:
    members: list[Member] = field(default_factory=list)
    chains: defaultdict[int, list[tuple[int, Member]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, claim: Fingerprint, now: int, since: int, horizon: int, given: Story | None) -> Story:
        """Enter an article; `given`: the story of the one that it rests on."""
        chained = self.enter(claim, now)
        chained.story = given or self.nearest(chained, since, horizon) or (claim.id, now)
        if chained.began:
            chained.story = claim.id, now
        return chained.story

    def enter(self, claim: Fingerprint, now: int) -> Member:
        member = Member(claim, now, ("", 0))
        self.members.append(member)
        for word in weights(claim):
            self.chains[word >> 4].append((word, member))
        return member

    def nearest(self, member: Member, since: int, horizon: int) -> Story | None:
        mine = weights(member.claim)
        common: defaultdict[int, int] = defaultdict(int)
        for word, weight in mine.items():
            chain = self.chains[word >> 4]
            at = chain.index((word, member))
            for theirs, other in chain[max(0, at - HOLDERS) : at]:
                if theirs == word and other.time >= since:
                    common[self.members.index(other)] += weight * weights(other.claim)[word]
        ranked = sorted((-count, -at) for at, count in common.items() if count >= round(FAINT * 255 * 255))[:RELATED]
        stories: dict[Story, list[tuple[int, bool]]] = {}
        for cosine, at in sorted(((self.cosine(member, self.members[-at]), -at) for _, at in ranked), reverse=True):
            other = self.members[at]
            if other.story[1] >= horizon and not self.series(member.claim, other.claim):
                alone = not any(one is not other and one.story == other.story for one in self.members)
                stories.setdefault(other.story, []).append((cosine, alone))
        scores = {story: self.score(found) for story, found in stories.items()}
        best = max(scores, key=lambda story: scores[story], default=None)
        return best if best and scores[best] >= 2 * round(SAME_STORY * 255 * 255) else None

    @staticmethod
    def series(left: Fingerprint, right: Fingerprint) -> bool:
        """Whether two more spots have the same words around other figures than around the same."""
        ours, theirs = (struct.unpack("<32H", claim.figures) for claim in (left, right))
        spots = [at for at in range(16) if ours[at] == theirs[at] != 0]
        return sum(-1 if ours[at + 16] == theirs[at + 16] else 1 for at in spots) >= 2

    @staticmethod
    def cosine(left: Member, right: Member) -> int:
        theirs = weights(right.claim)
        return sum(weight * theirs.get(word, 0) for word, weight in weights(left.claim).items())

    @staticmethod
    def score(found: list[tuple[int, bool]]) -> int:
        if len(found) > 1:
            return found[0][0] + found[1][0]
        return found[0][0] * (2 if found[0][1] else 1)
