# ruff: noqa: E501 - sentences are easier to read whole
"""Reports of one series: the same frame every day, other facts. Our own writing, seeded."""

from __future__ import annotations

import random

_SKY = ("sunny", "cloudy", "overcast", "rainy", "foggy", "stormy")
_WIND = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_TEAM = ("Harbour United", "Northgate Rovers", "Hillfield Town", "Castle Athletic", "Old Mill City", "Lakeside Albion")
_NAME = ("Marsh", "Okafor", "Lindqvist", "Duarte", "Petrov", "Haddad", "Nakamura", "Keller", "Rossi", "Byrne")
_DAY = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_SHARE = ("Tidewater Bank", "Corvid Mining", "Alder Foods", "Brightline Rail", "Quarry Group", "Petrel Air")


def weather(dice: random.Random) -> str:
    """A forecast for the day."""
    low = dice.randint(-4, 14)
    return (
        f"The coast will be {dice.choice(_SKY)} in the morning and {dice.choice(_SKY)} in the afternoon, the weather "
        f"service said. Temperatures will rise from {low} degrees at dawn to {low + dice.randint(4, 15)} degrees by "
        f"mid-afternoon. Winds from the {dice.choice(_WIND)} will blow at {dice.randint(5, 30)} kilometres an hour, with "
        f"gusts of up to {dice.randint(35, 90)} kilometres an hour on exposed headlands. The chance of rain is "
        f"{dice.randint(0, 95)} percent inland and {dice.randint(0, 95)} percent at sea. High water at the harbour is "
        f"expected at {dice.randint(1, 12)} in the morning, and the sun will set at {dice.randint(4, 9)} in the evening. "
        f"Sailors should expect waves of {dice.randint(1, 6)} metres. The outlook for the days after is "
        f"{dice.choice(_SKY)} with little change, and the next bulletin will be issued in the evening."
    )


def market(dice: random.Random) -> str:
    """Shares at the close."""
    winner, loser = dice.sample(_SHARE, 2)
    moved = dice.choice(("rose", "fell", "slipped", "gained"))
    return (
        f"Shares in the capital {moved} on {dice.choice(_DAY)} as investors weighed company results against the outlook "
        f"for interest rates. The benchmark index {moved} {dice.randint(0, 2)}.{dice.randint(10, 99)} percent to close at "
        f"{dice.randint(4000, 4999)}.{dice.randint(10, 99)} points, after trading between {dice.randint(3900, 3999)} and "
        f"{dice.randint(5000, 5100)} during the session. {winner} led the gainers, up {dice.randint(1, 9)} percent at "
        f"{dice.randint(100, 999)} pence, while {loser} was the weakest, down {dice.randint(1, 9)} percent at "
        f"{dice.randint(100, 999)} pence. About {dice.randint(200, 900)} million shares changed hands, compared with an "
        f"average of {dice.randint(200, 900)} million over the past month. Ten-year government bonds yielded "
        f"{dice.randint(2, 5)}.{dice.randint(10, 99)} percent. The currency traded at {dice.randint(1, 1)}."
        f"{dice.randint(1000, 1999)} against the dollar late in the day, dealers said."
    )


def match(dice: random.Random) -> str:
    """A football result."""
    home, away = dice.sample(_TEAM, 2)
    scorer, other = dice.sample(_NAME, 2)
    return (
        f"{home} beat {away} {dice.randint(2, 5)}-{dice.randint(0, 1)} on {dice.choice(_DAY)} in front of a crowd of "
        f"{dice.randint(4, 30)},{dice.randint(100, 999)}. {scorer} opened the scoring in the {dice.randint(5, 44)}th minute "
        f"after a mistake in the visitors' defence, and {other} made sure of the points {dice.randint(5, 40)} minutes into "
        f"the second half. {home} now have {dice.randint(10, 70)} points from {dice.randint(11, 34)} matches and "
        f"are {dice.randint(1, 9)} points clear of the relegation places. {away} have not won away from home for "
        f"{dice.randint(3, 12)} matches. Both sides play again at the weekend."
    )


def quake(dice: random.Random) -> str:
    """An earthquake bulletin, short."""
    return (
        f"An earthquake of magnitude {dice.randint(3, 6)}.{dice.randint(0, 9)} struck at a depth of {dice.randint(5, 90)} "
        f"kilometres, {dice.randint(8, 120)} kilometres {dice.choice(_WIND)} of the port, the seismological institute said. "
        f"There were no immediate reports of damage or casualties, and no tsunami warning was issued."
    )


def rates(dice: random.Random) -> str:
    """Exchange rates, hardly any words."""
    pairs = ("dollar", "euro", "yen", "pound", "franc", "krone", "zloty", "rand", "peso", "rupee")
    body = " ".join(f"One {name} buys {dice.randint(1, 99)}.{dice.randint(1000, 9999)} crowns." for name in pairs)
    return f"The central bank set these official exchange rates for {dice.choice(_DAY)}. {body}"


def brief(dice: random.Random) -> str:
    """Twenty words or so."""
    return (
        f"A {dice.randint(18, 80)}-year-old {dice.choice(('man', 'woman'))} died after a "
        f"{dice.choice(('car', 'lorry', 'bus'))} left the road near {dice.choice(_TEAM).split()[0]} early on "
        f"{dice.choice(_DAY)}, police said. An inquiry is open."
    )


SERIES = {
    "weather": weather,
    "market": market,
    "match": match,
    "earthquake": quake,
    "exchange rates": rates,
    "20-word briefs": brief,
}
