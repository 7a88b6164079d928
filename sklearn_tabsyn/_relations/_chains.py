"""Columns that are made of others, none in some steps of itself."""

from dataclasses import replace


class OneSource:
    """Of what makes a column of one other."""

    @property
    def sources(self):
        """Position of the source."""
        return (self.source,)


def origins_of(made, unit):
    """Return a column, and all that it is, in some steps, made of."""
    found, waiting = set(), {unit}
    while waiting:
        found |= waiting
        waiting = set().union(*(made.get(j, ()) for j in waiting)) - found
    return found


def comes_from(made, unit, origin):
    """Tell whether a column is another, or is made, in some steps, of it.

    Parameters
    ----------
    made : dict of int to set of int
        Sources of the columns that are made of others.
    unit, origin : int
        Positions of the two columns.
    """
    return origin in origins_of(made, unit)


def goes_round(made, target, sources):
    """Tell whether one of the sources of a column is it, or is made of it."""
    return any(comes_from(made, source, target) for source in sources)


def sources_of(makers):
    """Return the sources of each column that is made of others."""
    made = {}
    for maker in makers:
        made.setdefault(maker.target, set()).update(maker.sources)
    return made


def units_of(makers):
    """Return all columns that are made, or that others are made of."""
    return {unit for maker in makers for unit in (maker.target, *maker.sources)}


def sources_first(makers):
    """Return makers in an order in which every source comes before its targets.

    Of the makers of one column the order stays.
    """
    made = sources_of(makers)

    def depth(unit):
        return 1 + max(map(depth, made[unit])) if unit in made else 0

    return sorted(makers, key=lambda maker: (depth(maker.target), maker.target))


def turned(links, others):
    """Return links, some the other way round, that go together with other makers.

    Parameters
    ----------
    links : list of Link
        None of them holds always.
    others : list
        Makers that stay as they are.

    Returns
    -------
    links : list of Link or None
        At most one for each target; None if they do not go together.
    """
    made, placed = sources_of(others), []
    taken = {maker.target for maker in others if maker.always}
    waiting = [_ways(link) for link in links]
    while waiting:
        waiting = [
            [
                way
                for way in ways
                if way.target not in taken
                and not comes_from(made, way.source, way.target)
            ]
            for ways in waiting
        ]
        waiting.sort(key=len)  # first what can only be one way
        ways = waiting.pop(0)
        if not ways:
            return None
        link = ways[0]
        placed.append(link)
        taken.add(link.target)
        made.setdefault(link.target, set()).add(link.source)
    return placed


def _ways(link):
    """Return a link, and the other way round if that is the same."""
    if link.kind != "equal":
        return [link]
    return [link, replace(link, target=link.source, source=link.target)]
