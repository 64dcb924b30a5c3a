"""Sports and actions: how each is called, and sentences of people who do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tempo_edge.train.data.word_tables import parts_of, rows_of

__all__ = ["ACTIONS", "SPORTS", "Activity", "activity"]


@dataclass(frozen=True)
class Activity:
    """What people do, in words.

    ``name`` is how it is typed, ``phrase`` what a sentence says of it, ``also`` are other names of
    the same, and ``people`` sentences of those who do it.
    """

    name: str
    phrase: str
    also: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


# A row is `label | other names | sentences`, where a label that nobody would type so is followed by
# `= name` and one that is no part of a sentence by `/ phrase`.
_GAMES = """
air hockey | |
ampute football = amputee football | football on crutches | men with crutches playing football
baseball | | a batter hits a baseball
basketball | | players under a basket
bike polo | bicycle polo | polo on bicycles
billiards | snooker | a game of pool; someone with a cue at a billiard table
cricket | | a batsman at the wicket
croquet | | someone with a croquet mallet
curling | | people sweeping the ice; a curling stone on ice
disc golf | frisbee golf | someone throwing a disc at a basket
field hockey | | players with sticks on a field
football | american football | players with helmets on a football field
frisbee | | someone throwing a frisbee
gaga | gaga ball | children playing gaga ball
golf | | a golfer swings a club
hockey | ice hockey | hockey players on ice
horseshoe pitching = horseshoes | horseshoe pitching | someone pitching horseshoes
jai alai | pelota |
lacrosse | | players with lacrosse sticks
polo | | polo players on horses
roller derby | | women on roller skates
rugby | | rugby players with the ball
shuffleboard | |
table tennis | ping pong | someone at a ping pong table
tennis | | a tennis player with a racket
tug of war | rope pulling | people pulling a rope
ultimate | ultimate frisbee | people throwing a frisbee on a field
volleyball | | players at the net
water polo | | players with a ball in a pool
wheelchair basketball | | people in wheelchairs playing basketball
"""
_RACES = """
barell racing = barrel racing | barrel race | a rider on a horse around a barrel
chuckwagon racing | wagon race | horses pulling a chuckwagon
formula 1 racing | formula one, formula 1, car racing | a formula 1 car on a track
harness racing | | a horse pulling a sulky
horse racing | horse race | jockeys on horses; horses racing
hydroplane racing | boat racing | a speedboat on the water
motorcycle racing | motorbike racing | a motorcycle on a race track
nascar racing | stock car racing, nascar | race cars on a track
rollerblade racing | inline skating | people on inline skates
sailboat racing | sailing, regatta | sailboats on the water
sidecar racing | | two riders on a motorcycle with a sidecar
snowmobile racing | | someone on a snowmobile
track bicycle = track cycling | track bicycle, bicycle racing, track bicycle racing | cyclists on a
  track
wheelchair racing | | an athlete in a racing wheelchair
"""
_DONE = """
arm wrestling | | two people arm wrestling
axe throwing | | someone throwing an axe
baton twirling | | a girl twirling a baton
bowling | tenpin bowling | someone throwing a bowling ball
boxing | | two boxers in a ring; boxers fighting
bull riding | rodeo | a cowboy riding a bull
bungee jumping | | someone jumping from a bridge on a rope
cheerleading | cheerleaders | cheerleaders with pompoms
fencing | | fencers with swords
fly fishing | | someone fishing in a river
hang gliding | hang glider | someone flying a hang glider
ice climbing | | someone climbing on ice
ice yachting | ice sailing, ice boating | a boat sailing on ice
jousting | | knights on horses with lances
log rolling | | people balancing on a log in the water
mushing | dog sled racing, dog sledding | dogs pulling a sled
pole climbing | | someone climbing a pole
pole dancing | | a woman dancing on a pole
rock climbing | | someone climbing a rock
rowing | | people rowing a boat
ski jumping | | a ski jumper in the air
sky surfing | | someone surfing in the sky
skydiving | parachuting | skydivers in the air
snow boarding = snowboarding | snow boarding | someone on a snowboard
speed skating | | a speed skater on ice
steer wrestling | bulldogging | a cowboy wrestling a steer
sumo wrestling | sumo | two sumo wrestlers
surfing | | a surfer on a wave; someone riding a wave
swimming | | swimmers in a pool
water cycling | water bike | someone on a water bike
weightlifting | weight lifting | someone lifting weights; a weightlifter with a barbell
wingsuit flying | wingsuit | someone flying in a wingsuit
"""
_EVENTS = """
archery | | someone doing archery; an archer with a bow; someone shooting an arrow
balance beam / the balance beam | | a gymnast on the balance beam
bmx | bmx racing, bmx bike | someone riding a bmx bike
bobsled / a bobsled | bobsledding, bobsleigh | a bobsled in an ice track
canoe slamon = canoe slalom | canoe slamon, canoeing | someone paddling a canoe in white water
figure skating men = men's figure skating | figure skating men | a man figure skating; a man skating
  on ice
figure skating pairs = pair skating | figure skating pairs | a couple figure skating; a couple
  skating on ice
figure skating women = women's figure skating | figure skating women | a woman figure skating; a
  woman skating on ice
giant slalom | alpine skiing, skiing | a skier at a slalom gate; someone skiing downhill
hammer throw / the hammer throw | hammer throwing | an athlete throwing the hammer
high jump / the high jump | | an athlete jumping over a bar
horse jumping | show jumping | a rider jumps a horse over a fence
hurdles / a hurdle race | hurdling, hurdle race | runners jumping over hurdles
javelin | javelin throw | an athlete throwing a javelin
judo | | people doing judo; two people doing judo on a mat
luge | | someone on a luge
olympic wrestling = Olympic wrestling | wrestling, olympic wrestling | two wrestlers on a mat;
  people wrestling
parallel bar = parallel bars / the parallel bars | parallel bar | a gymnast on the parallel bars
pole vault / the pole vault | pole vaulting | an athlete vaulting over a bar with a pole
pommel horse / a pommel horse | | a gymnast on the pommel horse
rings / gymnastics rings | gymnastics rings, still rings | a gymnast on the rings
shot put | | an athlete putting the shot
trapeze / a trapeze | flying trapeze | an acrobat on a trapeze
uneven bars / the uneven bars | | a gymnast on the uneven bars
"""
_ACTIONS = """
baby crawling / a baby crawling | crawling baby, crawling | a baby crawls on the floor; a baby
  crawling on hands and knees; an infant crawling indoors
fight / a fight | fighting, brawl, people fighting | a fight; people fight on a street; a fight
  caught on a surveillance camera; people hitting each other; a violent fight in public
no fight / people who do not fight | nobody fights, peaceful people | people walking, nobody fights;
  people on a surveillance camera; security camera footage of people; people standing around, no
  violence
playing with a yo-yo / someone playing with a yo-yo | yo-yo, yoyo, yo-yo tricks | someone playing
  with a yo-yo; a person plays with a yo-yo; a boy with a yo-yo; someone doing tricks with a yo-yo
punching (boxing) = boxing / people boxing | punching, boxing match, punching (boxing) | two boxers
  punch each other; boxers fighting in a ring; a boxer throws a punch; two men boxing
push-ups / someone doing push-ups | pushups, push ups, doing push-ups | a person does push-ups;
  someone doing push-ups on the floor; a man exercising on the floor
sign language gesture / a sign language gesture | sign language, signing | a person makes a gesture
  in sign language; someone using sign language; a person signing with their hands; someone in front
  of a wall gesturing
"""


def _rows(table: str) -> dict[str, Activity]:
    rows: dict[str, Activity] = {}
    for called, also, people in rows_of(table):
        called, _, phrase = (part.strip() for part in called.partition("/"))
        label, _, name = (part.strip() for part in called.partition("="))
        rows[label] = Activity(
            name or label, phrase or name or label, parts_of(also, ","), parts_of(people, ";")
        )
    return rows


def _with(rows: dict[str, Activity], *templates: str) -> dict[str, Activity]:
    """The rows with the templates' sentences before their own."""
    return {
        label: replace(row, people=(*(each.format(row.name) for each in templates), *row.people))
        for label, row in rows.items()
    }


#: Every sport that is known, by its label.
SPORTS: Mapping[str, Activity] = MappingProxyType(
    {
        **_with(_rows(_GAMES), "people playing {}", "someone playing {}", "a game of {}"),
        **_rows(_RACES),
        **_with(_rows(_DONE), "people {}", "someone {}", "people doing {}"),
        **_rows(_EVENTS),
    }
)
#: Every action that is known, by its label.
ACTIONS: Mapping[str, Activity] = MappingProxyType(_rows(_ACTIONS))


def activity(label: str, known: Mapping[str, Activity]) -> Activity:
    """An activity in words; of one that nobody described, its name alone."""
    return known.get(label, Activity(label, label))
