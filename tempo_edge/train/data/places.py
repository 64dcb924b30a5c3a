"""Kinds of place: how each is called, where one is in it, and what people do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tempo_edge.train.data.nouns import with_article
from tempo_edge.train.data.word_tables import parts_of, rows_of

__all__ = ["PLACES", "Place", "place"]


@dataclass(frozen=True)
class Place:
    """A kind of place in words.

    ``phrase`` is it with its article, ``where`` stands after what is found there ("on a bridge"),
    ``also`` are other names of the same, ``people`` are sentences of what people do there, and
    ``enclosed`` says that it is seen from within.
    """

    phrase: str
    where: str
    also: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    enclosed: bool = False


# A row is `name | where | other names | what people do`; a name may be followed by `= phrase`.
_INDOORS = """
airport terminal | in an airport | airport, airport hall | people waiting in an airport; travellers
  in an airport terminal
aquarium | in an aquarium | fish tank | people looking at fish in an aquarium
art gallery | in an art gallery | picture gallery | people looking at paintings in an art gallery
assembly line | on an assembly line | production line, factory | people working in a factory
auditorium | in an auditorium | lecture hall | an audience in an auditorium
bakery | in a bakery | baker's shop, bakeshop, bread shop | someone selling bread in a bakery
ballroom | in a ballroom | dance hall | people dancing in a ballroom
banquet hall | in a banquet hall | banquet room | people dining in a banquet hall
bar | in a bar | pub | people drinking in a bar; someone at the bar
bathroom | in a bathroom | |
beauty salon | in a beauty salon | hair salon, hairdresser's | someone having their hair done in a
  beauty salon
bedroom | in a bedroom | |
bookstore | in a bookstore | bookshop, book store | someone reading in a bookstore
bowling alley | in a bowling alley | bowling lane | people bowling in a bowling alley
bus interior = the inside of a bus | in a bus | inside of a bus, bus seats | passengers on a bus
butcher's shop | in a butcher's shop | butcher shop, meat market | a butcher selling meat
candy store | in a candy store | sweet shop, candy shop | someone buying sweets in a candy store
classroom | in a classroom | school classroom, schoolroom |
clothing store | in a clothing store | clothes shop, clothes store, fashion shop | people shopping
  for clothes
cockpit | in a cockpit | airplane cockpit | a pilot in a cockpit
coffee shop | in a coffee shop | cafe, coffee house | people drinking coffee in a cafe
conference room | in a conference room | meeting room |
corridor | in a corridor | hallway, passage |
dining room | in a dining room | |
food court | in a food court | | people eating in a food court
hospital room | in a hospital room | hospital, sickroom | a patient in a hospital room
indoor stage = a stage | on a stage | stage | performers on a stage; a show on a stage
kindergarten classroom | in a kindergarten | kindergarten, preschool, nursery school | children in a
  kindergarten
kitchen | in a kitchen | |
laundromat | in a laundromat | launderette, laundry | someone washing clothes in a laundromat
living room | in a living room | sitting room, lounge |
lobby | in a lobby | hotel lobby, foyer, entrance hall |
locker room | in a locker room | changing room | players in a locker room
martial arts gym | in a martial arts gym | dojo, gym | people training martial arts in a gym
museum interior = the inside of a museum | in a museum | museum, museum hall | people visiting a
  museum
office | in an office | workplace |
restaurant | in a restaurant | diner | people eating in a restaurant; people in a restaurant
shower | in a shower | shower stall, shower cabin |
staircase | on a staircase | stairs, stairway |
subway station platform | on a subway platform | subway station, subway platform, metro station,
  underground station | people waiting for the subway
supermarket | in a supermarket | grocery store, grocery | people shopping in a supermarket
"""
_OUTDOORS = """
abbey | at an abbey | abbey church |
amphitheater | in an amphitheater | amphitheatre | an audience in an amphitheater
amusement park | in an amusement park | theme park, fairground, funfair | people on rides in an
  amusement park
aqueduct | at an aqueduct | |
badlands | in the badlands | |
bamboo forest | in a bamboo forest | bamboo grove | people walking through a bamboo forest
baseball field | on a baseball field | baseball diamond, ballpark | people playing baseball on a
  baseball field
boat deck | on the deck of a boat | deck of a boat, ship deck | people on the deck of a boat
botanical garden | in a botanical garden | botanic garden, garden | people visiting a botanical
  garden
boxing ring | in a boxing ring | | boxers in a boxing ring
bridge | on a bridge | |
campsite | at a campsite | campground, camping site, camping | people camping; tents at a campsite
canyon | in a canyon | gorge |
cemetery | in a cemetery | graveyard, burial ground | graves in a cemetery
chalet | at a chalet | |
church | at a church | church building, church from outside |
coast | on the coast | seashore, seaside, seacoast, shore | waves on the coast
construction site | on a construction site | building site | people working on a construction site
corn field | in a corn field | cornfield, maize field |
courtyard | in a courtyard | inner yard |
dam | at a dam | |
driveway | on a driveway | |
east asian temple | at an East Asian temple | temple, Asian temple | people visiting a temple
fire station | at a fire station | firehouse, fire hall | fire engines at a fire station
football stadium | in a football stadium | stadium, football ground | fans in a stadium; a match in
  a football stadium
fountain | at a fountain | water fountain |
gas station | at a gas station | petrol station, filling station | a car at a gas station
golf course | on a golf course | | people playing golf on a golf course
harbor | in a harbor | harbour, port, marina | boats in a harbor
highway | on a highway | motorway, freeway | cars on a highway
hot spring | at a hot spring | thermal spring | people bathing in a hot spring
iceberg | near an iceberg | | ice in the sea
lighthouse | near a lighthouse | |
monastery | at a monastery | |
mountain | on a mountain | mountains, mountain peak |
outdoor ice skating rink | on an ice rink | ice skating rink, ice rink, skating rink | people ice
  skating outdoors; people skating on an ice rink
outdoor market | at a market | market, street market, marketplace | people shopping at an outdoor
  market
outdoor running track | on a running track | running track, athletics track | people running on a
  track
outdoor swimming pool | in a swimming pool | swimming pool, pool | people swimming in a pool
palace | at a palace | |
parking lot | in a parking lot | car park | parked cars in a parking lot
phone booth | in a phone booth | telephone booth, phone box, call box | someone in a phone booth
playground | on a playground | play area | children playing on a playground
racecourse | on a racecourse | race track, horse racing track | horses racing on a racecourse
railroad track | on a railroad track | railway track, train tracks, railway, rails | a train on the
  tracks
rainforest | in a rainforest | jungle, rain forest |
river | on a river | stream | a boat on a river
rock arch | under a rock arch | natural arch, stone arch |
runway | on a runway | airport runway, airstrip | a plane on a runway
sandy desert | in a desert | desert, sand dunes, sand desert |
shed | in a shed | garden shed |
ski slope | on a ski slope | ski run, ski piste | people skiing down a slope; skiers on a ski slope
skyscraper | near a skyscraper | high-rise, tower block | a skyscraper in a city
slum | in a slum | slums, shanty town | people in a slum
swamp | in a swamp | marsh, wetland |
trench | in a trench | ditch |
valley | in a valley | vale |
volcano | on a volcano | | smoke over a volcano
yard | in a yard | backyard, back yard |
"""


def _rows(table: str, enclosed: bool) -> dict[str, Place]:
    rows: dict[str, Place] = {}
    for called, where, also, people in rows_of(table):
        name, _, phrase = (part.strip() for part in called.partition("="))
        rows[name] = Place(
            phrase or with_article(name),
            where,
            parts_of(also, ","),
            parts_of(people, ";"),
            enclosed,
        )
    return rows


#: Every kind of place that is known, by its label.
PLACES: Mapping[str, Place] = MappingProxyType(
    {**_rows(_INDOORS, enclosed=True), **_rows(_OUTDOORS, enclosed=False)}
)


def place(label: str) -> Place:
    """A kind of place in words; of one that nobody described, what its name alone allows."""
    if label in PLACES:
        return PLACES[label]
    phrase = with_article(label)
    return Place(phrase, f"at {phrase}")
