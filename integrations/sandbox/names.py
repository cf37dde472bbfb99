"""Invented names for a coast that does not exist."""

from __future__ import annotations

TOWNS = (
    "Juniper Bay",
    "Harrowpoint",
    "Quillmere",
    "Saltmarrow",
    "Tern Hollow",
    "Wrackline",
    "Gannetstead",
    "Loonbrook Landing",
    "Fernwick Cove",
    "Osprey Neck",
    "Cinderholm",
    "Dunlin Harbor",
)
TOWN_STEMS = (
    "Alder",
    "Brine",
    "Curlew",
    "Drift",
    "Ember",
    "Foggy",
    "Grebe",
    "Heron",
    "Kelp",
    "Larch",
    "Murre",
    "Petrel",
)
TOWN_ENDS = ("mouth", "haven", "ledge", "sound", "reach", "gut", "stead", "wick", "shoal", "bluff", "cove", "strand")

STREET_STEMS = (
    "Alder", "Amber", "Anchor", "Barley", "Birch", "Bracken", "Bramble", "Briar", "Cedar", "Clover",
    "Copper", "Coral", "Cranberry", "Drift", "Elder", "Ember", "Fern", "Finch", "Fox", "Granite",
    "Hawthorn", "Hazel", "Heather", "Heron", "Holly", "Iris", "Kestrel", "Lark", "Linden", "Maple",
    "Marsh", "Meadow", "Moss", "Osprey", "Otter", "Pebble", "Quarry", "Raven", "Rowan", "Sorrel",
)  # fmt: skip
STREET_ENDS = (
    "", "brook", "dale", "field", "ford", "gate", "hill", "hurst", "land", "mere",
    "more", "ridge", "side", "stone", "vale", "view", "well", "wick", "wood", "worth",
)  # fmt: skip
STREET_TYPES = ("Street", "Avenue", "Road", "Lane", "Drive", "Way", "Court")

FIRST_NAMES = (
    "Abel", "Ada", "Amara", "Anders", "Bea", "Benedict", "Camille", "Carlos", "Dara", "Della",
    "Edwin", "Elena", "Farid", "Fiona", "Gideon", "Greta", "Hamza", "Harriet", "Imani", "Ivan",
    "Jonah", "Josefa", "Kenji", "Kirsten", "Lars", "Leila", "Malik", "Marta", "Nils", "Noor",
    "Omar", "Odette", "Pavel", "Petra", "Quentin", "Rafael", "Rhoda", "Samir", "Sigrid", "Tariq",
    "Thea", "Ulla", "Viktor", "Wanda", "Xavier", "Yara", "Yusuf", "Zelda",
)  # fmt: skip
LAST_NAMES = (
    "Abernathy", "Achterberg", "Bellweather", "Brightwater", "Caldera", "Castellane", "Dunmore", "Eastlake",
    "Fairweather", "Farouk", "Galloway", "Grünwald", "Halvorsen", "Ibarra", "Jankowski", "Kowalchuk",
    "Lachance", "Lindgren", "Marchetti", "Mbeki", "Nakagawa", "Northcott", "Olufemi", "Ostrander",
    "Pemberwick", "Quesada", "Ravenscroft", "Rasmussen", "Santangelo", "Silverthorne", "Tremaine", "Underhill",
    "Vandermeer", "Villanueva", "Wetherby", "Winterbourne", "Yamashita", "Zapatero",
)  # fmt: skip


def town_name(index: int) -> str:
    """The name of the town around the substation with this index; distinct for the first few hundred."""
    if index < len(TOWNS):
        return TOWNS[index]
    rest = index - len(TOWNS)
    stem, end = TOWN_STEMS[rest % len(TOWN_STEMS)], TOWN_ENDS[(rest // len(TOWN_STEMS)) % len(TOWN_ENDS)]
    part = rest // (len(TOWN_STEMS) * len(TOWN_ENDS))
    return f"{stem}{end}" if part == 0 else f"{stem}{end} {part + 1}"


def street_name(index: int) -> str:
    """The name of a street; all distinct until the words run out, then they start again in another town."""
    ends, stems, types = len(STREET_ENDS), len(STREET_STEMS), len(STREET_TYPES)
    # Steps that share no factor with the size, so that neighbours get unlike names and none comes twice.
    mixed = (index * 2741) % (ends * stems * types)
    stem, rest = mixed % stems, mixed // stems
    return f"{STREET_STEMS[stem]}{STREET_ENDS[rest % ends]} {STREET_TYPES[rest // ends]}"
