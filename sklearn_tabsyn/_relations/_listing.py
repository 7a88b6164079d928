"""The exact relations of a table as users see them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_tabsyn._relations._orders import reduced
from sklearn_tabsyn._relations._spans import UNITS
from sklearn_tabsyn._relations._sums import WeightedSum
from sklearn_tabsyn._relations._surfaces import Surface

# Power of all sources but the first, if no others are told.
POWERS = {"product": 1, "quotient": -1}


@dataclass(frozen=True)
class Relation:
    """An exact relation between columns of a table.

    Parameters
    ----------
    kind : {"equal", "difference", "ratio", "sum", "product", "quotient", "total", \
"function", "one of", "order", "years", "months", "days", "hours", "minutes", "seconds"}
        The target is the source, or the source plus a constant, or a constant times the
        source, or the weighted sum of several sources, or the product of some, or the
        first source divided by the others, or two or more sources add up to a constant,
        or the target is determined by the source, or is a smooth function of two, or
        at most one of several sources is on, or the target is at least the source, or
        it counts the time from the second source to the first.
    target, source : object
        Names of the columns; a tuple of names if there are several. The target is None
        if a total or at most one of the sources is meant.
    share : float, default=1.0
        Share of the rows where it holds, of those where all columns have a value.
    constant : float or Timedelta, default=None
        That of a difference, a ratio or a total, what is added to a sum or counted
        beside a time, or what a product or quotient is times.
    strict : bool, default=False
        Whether in order and never equal, whether one is always on, or whether a product
        or quotient is rounded down.
    weights : tuple of float, default=()
        What each source of a sum is times, or the powers of those of a product, if not
        all are 1.
    """

    kind: str
    target: Any
    source: Any
    share: float = 1.0
    constant: Any = None
    strict: bool = False
    weights: tuple = ()

    def __str__(self):
        if self.kind == "one of":
            return (
                f"{'exactly' if self.strict else 'at most'} one of {_text(self.source)}"
            )
        if self.kind == "order":
            return f"{self.source} {'<' if self.strict else '<='} {self.target}"
        if self.kind in UNITS:
            more = f" + {self.constant:g}" if self.constant else ""
            later, earlier = self.source
            text = f"{self.target} = {self.kind} from {earlier} to {later}{more}"
        else:
            text = f"{self.target} = {self.source}"
        if self.kind == "function":
            text = f"{_text(self.target)} is a function of {_text(self.source)}"
        elif self.kind == "total":
            text = f"{' + '.join(map(str, self.source))} = {self.constant:.12g}"
        elif self.kind in POWERS:
            times = "" if self.constant is None else f"{self.constant:.12g} * "
            down = ", rounded down" if self.strict else ""
            text = f"{self.target} = {times}{self._product()}{down}"
        elif self.kind == "sum":
            text = f"{self.target} = {self._sum()}"
        elif self.kind == "ratio":
            text = f"{self.target} = {self.constant:.12g} * {self.source}"
        elif self.kind == "difference":
            minus = self.constant < type(self.constant)(0)
            size = -self.constant if minus else self.constant
            size = f"{size:.12g}" if isinstance(size, float) else size
            text = f"{text} {'-' if minus else '+'} {size}"
        if self.share == 1:
            return text
        share = f"{self.share:.1%} of the rows"
        return f"{text} in {'nearly all rows' if share[:3] == '100' else share}"

    def _product(self):
        """Return the product of powers of the sources as text."""
        powers = self.weights or (1, *[POWERS[self.kind]] * (len(self.source) - 1))
        pairs = sorted(zip(powers, self.source, strict=True), key=lambda p: -p[0])
        text = "1"
        for power, name in pairs:
            part = f"{name}" if abs(power) == 1 else f"{name} ** {abs(power):g}"
            text += f" {'*' if power > 0 else '/'} {part}"
        return text.removeprefix("1 * ")

    def _sum(self):
        """Return the weighted sum of the sources as text."""
        pairs = [*zip(self.weights, self.source, strict=True)]
        if self.constant is not None:
            pairs.append((self.constant, None))
        parts = [_summand(*pair) for pair in sorted(pairs, key=lambda p: p[0] < 0)]
        return " ".join(parts).removeprefix("+ ")


def _summand(weight, name):
    """Return a summand of a sum as text; without a name it is the weight itself."""
    size = f"{abs(weight):.12g}"
    if name is not None:
        size = f"{name}" if abs(weight) == 1 else f"{size} * {name}"
    return f"{'-' if weight < 0 else '+'} {size}"


def _text(names):
    """Return the name of one column, or the names of several."""
    return ", ".join(map(str, names)) if isinstance(names, tuple) else f"{names}"


def list_relations(relations, columns, frame):
    """Return the relations of a frame of canonical values.

    Parameters
    ----------
    relations : Relations
        What was found.
    columns : list of ColumnSchema
        Schemas of the columns.
    frame : DataFrame of shape (n_rows, n_columns)
        Canonical values.
    """
    listed = []
    for link in relations.links:
        target, source = (relations.read(j, frame) for j in (link.target, link.source))
        both = ~np.isnan(target) & ~np.isnan(source)
        numbers = link.numbers(target[both], source[both], relations.axes)
        pair = columns[link.target].name, columns[link.source].name
        for number, constant in enumerate(link.constants, 1):
            share = float(np.mean(numbers == number))
            if link.kind == "equal" or (link.kind == "ratio" and constant == 1):
                listed.append(Relation("equal", *pair, share))
                continue
            constant = relations.axes[link.target].amount(float(constant))
            if link.kind == "complement":
                listed.append(Relation("total", None, pair[::-1], share, constant))
            else:
                listed.append(Relation(link.kind, *pair, share, constant))
    listed += _list_sums(relations, columns, frame)
    names = {j: column.name for j, column in enumerate(columns)}
    members = set()
    for group in relations.one_of:
        names[group.unit] = tuple(names[j] for j in group.members)
        members |= {(j, group.unit) for j in group.members}
        listed.append(Relation("one of", None, names[group.unit], strict=group.always))
    for function in [*relations.functions, *relations.parts, *relations.curves]:
        pair = function.target, function.source
        if pair not in members:
            listed.append(Relation("function", *(names[j] for j in pair)))
    for formula in [*relations.formulas, *relations.partial]:
        listed += _list_formula(formula, names, relations.remainders)
    for span in relations.spans:
        dates = tuple(names[j] for j in span.sources)
        listed.append(
            Relation(span.unit, names[span.target], dates, span.share, span.more)
        )
    for total in relations.totals:
        parts = tuple(names[j] for j in total.members)
        listed.append(Relation("total", None, parts, total.share, total.amount))
    for order in reduced(relations.orders):
        pair = names[order.high], names[order.low]
        listed.append(Relation("order", *pair, strict=order.strict))
    return listed


def _list_sums(relations, columns, frame):
    """Yield the sums of several columns."""
    rests = relations.rests(frame).T
    for offset, rest in zip(relations.offsets, rests, strict=True):
        units = offset.target, *offset.sources
        read = [relations.read(j, frame) for j in units]
        if len(units) > 2:
            there = ~np.isnan(read).any(axis=0)
            target, *names = (columns[j].name for j in units)
            share = float((rest == 0)[there].mean())
            yield Relation("sum", target, tuple(names), share, weights=offset.signs)


def _list_formula(formula, names, remainders):
    """Yield a sum, product or quotient as users see it, each amount of a remainder."""
    target = names[formula.target]
    for remainder in remainders:
        if remainder.unit in formula.sources:
            offset = remainder.offset
            pairs = sorted(zip(offset.sources, offset.signs, strict=True))
            sources, signs = zip(*((names[j], sign) for j, sign in pairs), strict=True)
            shares = offset.counts / offset.counts.sum()
            for amount, share in zip(offset.amounts.tolist(), shares, strict=True):
                how = float(share), amount or None, False, signs
                yield Relation("sum", target, sources, *how)
            return
    sources = [names[j] for j in formula.sources]
    if isinstance(formula, WeightedSum):
        how = formula.share, formula.constant or None, False, formula.weights
        yield Relation("sum", target, tuple(sources), *how)
        return
    if isinstance(formula, Surface):
        yield Relation("function", target, tuple(sources), formula.share)
        return
    kind, weights = "product", ()
    first, *others = formula.powers
    if first == 1 and all(power < 0 and power % 1 == 0 for power in others):
        kind = "quotient"
        pairs = zip(formula.powers, sources, strict=True)
        sources = [name for power, name in pairs for _ in range(abs(int(power)))]
    elif set(formula.powers) != {1}:
        weights = formula.powers
    constant = None if formula.constant == 1 else formula.constant
    how = formula.share, constant, formula.below > 0, weights
    yield Relation(kind, target, tuple(sources), *how)
