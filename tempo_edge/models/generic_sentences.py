"""Generic sentences: what people might have asked of everyday footage, made by rule.

A frame that fits a query fits it better than it fits these. They are drawn from a small grammar of
labels, phrases and sentences by a generator whose draws never change, so that every machine has
the same ones in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["COUNT", "digest", "generic_sentences"]

#: How many there are: a third labels, a third phrases, a third whole sentences.
COUNT = 1500

_PEOPLE = """a man|a woman|a boy|a girl|a baby|a child|a toddler|a teenager|an old man|an old woman
a couple|two friends|two men|two women|two children|three people|a family|a group of people|a crowd
a bride|a waiter|a cook|a teacher|a student|a doctor|a nurse|a farmer|a fisherman|a police officer
a firefighter|a soldier|a worker|a mechanic|a painter|a musician|a singer|a dancer|a runner
a cyclist|a skier|a surfer|a climber|a tourist|someone|a person|several people|a man and a woman
a mother and her child|a father and his son|grandparents|kids|a team|an audience|a clown"""

_WORN = """in a red jacket|in a blue shirt|in a white dress|in a black coat|in a yellow raincoat
with a hat|with glasses|with a backpack|with long hair|with a beard|in a suit|in a uniform
in a swimsuit|in a green sweater|in pyjamas|with a helmet|in a striped shirt|with an umbrella"""

_ACTS = """walking|running|sitting|lying down|sleeping|dancing|singing|jumping|laughing|crying
talking|waving|clapping|smiling|waiting|reading a book|writing a letter|drawing a picture
painting a wall|playing the piano|playing the guitar|playing the violin|playing the drums
playing football|playing basketball|playing tennis|playing chess|playing cards|playing golf
playing a video game|riding a bicycle|riding a horse|riding a motorcycle|riding a skateboard
driving a car|rowing a boat|paddling a kayak|surfing a wave|skiing down a slope|ice skating
climbing a rock|climbing stairs|hiking|swimming|diving|fishing|camping|lifting weights
doing yoga|doing push-ups|stretching|boxing|wrestling|throwing a ball|catching a ball|kicking a ball
flying a kite|blowing out candles|opening a present|cutting a cake|cutting vegetables|cooking a meal
stirring a pot|baking bread|eating|eating ice cream|drinking coffee|drinking from a bottle
pouring water|washing dishes|washing hands|brushing teeth|combing hair|shaving|putting on shoes
ironing clothes|folding laundry|sweeping the floor|vacuuming a carpet|mowing the lawn
watering plants|planting a tree|picking fruit|digging a hole|shovelling snow|chopping wood
hammering a nail|sawing a board|drilling a hole|repairing a bicycle|fixing a car|welding metal
sewing|knitting|typing on a keyboard|using a laptop|looking at a phone|talking on the phone
taking a photo|watching television|giving a speech|teaching a class|shaking hands|hugging|kissing
dancing at a wedding|marching in a parade|shopping|paying at a counter|carrying a box|pushing a cart
pulling a suitcase|opening a door|closing a window|getting into a car|getting off a bus
crossing the street|feeding a baby|feeding the birds|walking a dog|petting a cat|milking a cow
building a sandcastle|building a snowman|throwing a snowball|lighting a fire|grilling meat
juggling|doing a magic trick|doing a handstand|doing a somersault|skipping rope|swinging|sliding"""

_ANIMALS = """dog|puppy|cat|kitten|horse|cow|sheep|goat|pig|chicken|duck|goose|pigeon|parrot|eagle
owl|seagull|swan|penguin|elephant|giraffe|zebra|lion|tiger|bear|wolf|fox|deer|rabbit|squirrel|mouse
hamster|monkey|gorilla|kangaroo|camel|donkey|turtle|snake|lizard|frog|goldfish|shark|whale|dolphin
seal|jellyfish|crab|butterfly|bee|spider|ant|snail|hedgehog|bat"""

_ANIMAL_ACTS = """running|sleeping|eating|drinking water|jumping|swimming|playing|sitting|standing
lying in the sun|looking at the camera|chasing another one|climbing|walking past|hiding|scratching
being petted|in a cage|with its young|in the distance"""

_THINGS = """car|truck|bus|train|tram|motorcycle|bicycle|scooter|tractor|boat|sailing boat|ship
canoe|aeroplane|helicopter|hot air balloon|drone|rocket|ambulance|fire engine|police car
excavator|crane
table|chair|sofa|bed|lamp|mirror|window|door|staircase|bookshelf|desk|fireplace|clock|television
computer|laptop|phone|camera|keyboard|printer|microphone|guitar|piano|violin|drum kit|trumpet
book|newspaper|letter|map|painting|photograph|sign|flag|poster|pen|scissors|knife|hammer|ladder
bottle|cup|plate|bowl|pan|kettle|toaster|oven|refrigerator|washing machine|vacuum cleaner|broom
umbrella|suitcase|backpack|handbag|hat|shoe|glove|dress|jacket|ring|watch|sunglasses
ball|balloon|kite|doll|teddy bear|toy car|puzzle|swing|slide|trampoline|tent|campfire|candle
cake|pizza|bread|sandwich|hamburger|salad|soup|pasta|rice|sushi|egg|cheese|apple|banana|orange
strawberry|watermelon|carrot|tomato|mushroom|ice cream|chocolate|cup of coffee|glass of wine|beer
tree|flower|rose|sunflower|cactus|leaf|grass|rock|wave|waterfall|rainbow|cloud|moon|star|lightning
house|church|castle|tower|skyscraper|bridge|lighthouse|windmill|statue|fountain|fence|bench
traffic light|street lamp|tunnel|wheel|engine|robot|gun|sword|trophy|medal|coin|banknote"""

_PLACES = """kitchen|bathroom|bedroom|living room|garden|garage|office|classroom|library|hospital
supermarket|restaurant|cafe|bar|bakery|market|shopping mall|gym|stadium|swimming pool|playground
park|zoo|farm|barn|field|meadow|forest|jungle|desert|beach|island|lake|river|waterfall|mountain
glacier|cave|canyon|valley|village|city|street|motorway|bridge|tunnel|car park|railway station
airport|harbour|construction site|factory|workshop|laboratory|church|temple|mosque|cemetery|museum
theatre|cinema|concert hall|stage|nightclub|hotel room|corridor|staircase|lift|balcony|roof|cellar
aquarium|greenhouse|vineyard|ski slope|ice rink|golf course|tennis court|racetrack|fairground"""

_SCENES = """in the snow|in the rain|at night|at sunset|in the morning|on a sunny day|in the fog
in slow motion|indoors|outdoors|under water|from above|in the dark|in black and white|in autumn
seen from behind|very close|far away|in front of a wall|on the grass|on the sand|on a table
on a bench|by a window|beside the road|in a crowd|on stage|on the floor|in the back of a car"""

_LOOKS = """red|blue|green|yellow|white|black|brown|orange|pink|purple|grey|old|new|big|small|broken
wooden|metal|empty|open|wet|dirty|colourful|shiny|round|tall"""

_EVENTS = """fireworks|a wedding|a birthday party|a concert|a football match|a parade|a funeral
a graduation|a christmas tree|a carnival|a storm|a flood|a fire|a car accident|an explosion
a sunrise|a sunset|a snowfall|heavy traffic|an empty street|a city skyline|a night sky|a full moon
a close-up of a face|a close-up of hands|a close-up of an eye|a portrait|a selfie|a logo|a title
a black screen|a blurry picture|text on a screen|a cartoon|a drawing|a diagram|a weather map
a news presenter|an interview|a video game|a computer screen|a security camera|a view from a train
a view from an aeroplane|a time-lapse of clouds|a map|a slide with text|credits|static noise"""

_WHILE = """while others watch|while it rains|while music plays|while a dog watches|and then stops
and falls down|and looks at the camera|and laughs|before leaving|next to a parked car
with a friend|in front of a crowd|without looking|again and again|for the first time
as the sun goes down|as people walk by|and waves|with both hands|very slowly"""


def generic_sentences() -> tuple[str, ...]:
    """The sentences, ``COUNT`` different ones, labels, phrases and sentences in turn."""
    draw = _Draws("tempo-edge generic sentences 1")
    kinds = (_label, _phrase, _sentence)
    found: dict[str, None] = {}
    while len(found) < COUNT:
        # A kind's turn ends with a new sentence, so that each has its third.
        kind, before = kinds[len(found) % 3], len(found)
        while len(found) == before:
            found[kind(draw)] = None
    return tuple(found)


def digest(sentences: Sequence[str]) -> str:
    """The SHA-256 of sentences, one a line: vectors of others are not theirs."""
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()


class _Draws:
    """Picks by SHA-256 of a counter: the same in every version of Python."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit - 1``."""
        self._count += 1
        drawn = hashlib.sha256(f"{self._seed} {self._count}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") % limit

    def of(self, words: Sequence[str]) -> str:
        """One of the words."""
        return words[self.below(len(words))]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for line in text.splitlines() for word in line.split("|"))


_LISTS = {
    "people": _words(_PEOPLE),
    "worn": _words(_WORN),
    "acts": _words(_ACTS),
    "animals": _words(_ANIMALS),
    "animal acts": _words(_ANIMAL_ACTS),
    "things": _words(_THINGS),
    "places": _words(_PLACES),
    "scenes": _words(_SCENES),
    "looks": _words(_LOOKS),
    "events": _words(_EVENTS),
    "while": _words(_WHILE),
}


def _one(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _label(draw: _Draws) -> str:
    """One or two words, as people type them."""
    kind = draw.below(6)
    if kind == 0:
        return f"{draw.of(_LISTS['looks'])} {draw.of(_LISTS['things'])}"
    name = ("acts", "animals", "things", "places", "events")[kind - 1]
    return draw.of(_LISTS[name])


def _phrase(draw: _Draws) -> str:
    """Something somewhere, in three to eight words."""
    place = f"in {_one(draw.of(_LISTS['places']))}" if draw.below(2) else draw.of(_LISTS["scenes"])
    kind = draw.below(4)
    if kind == 0:
        return f"{_one(draw.of(_LISTS['animals']))} {draw.of(_LISTS['animal acts'])}"
    if kind == 1:
        return f"{_one(draw.of(_LISTS['things']))} {place}"
    if kind == 2:
        return f"{draw.of(_LISTS['acts'])} {place}"
    return f"{draw.of(_LISTS['people'])} {draw.of(_LISTS['acts'])}"


def _sentence(draw: _Draws) -> str:
    """A whole sentence, of eight words and more."""
    place = f"in {_one(draw.of(_LISTS['places']))}"
    kind = draw.below(5)
    if kind == 0:
        animal = f"{_one(draw.of(_LISTS['looks']))} {draw.of(_LISTS['animals'])}"
        return f"{animal} is {draw.of(_LISTS['animal acts'])} {place} {draw.of(_LISTS['scenes'])}"
    if kind == 1:
        thing = f"{_one(draw.of(_LISTS['looks']))} {draw.of(_LISTS['things'])}"
        return f"there is {thing} next to {_one(draw.of(_LISTS['things']))} {place}"
    who = f"{draw.of(_LISTS['people'])} {draw.of(_LISTS['worn'])}"
    if kind == 2:
        return f"{who} is {draw.of(_LISTS['acts'])} {place}"
    if kind == 3:
        return f"{who} {draw.of(_LISTS['acts'])} {draw.of(_LISTS['while'])}"
    return f"{who} is {draw.of(_LISTS['acts'])} {place} {draw.of(_LISTS['scenes'])}"
