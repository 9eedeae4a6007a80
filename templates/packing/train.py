"""The candidate: search for a dense arrangement by descents from many starts, and write the best one exactly.

Reads  knobs.json             {"seed": int, "knobs": {...}}
       inputs/problem.json    {"problem": name, "kind": "circles" | "spread", "n": int, "dimension": 2 | 3}
Writes outputs/solution.json  decimals in quotes, feasible without any tolerance
       metrics.jsonl          one line per start: {"step": start, "value": of this start, "best_value": so far}
       checkpoint/state.json  after every start, so that a killed search goes on where it was

A search is `starts` times: lay the centres out, descend, then `hops` times perturb the best of this start and descend
again. Start number k draws from its own generator, so more starts contain fewer. The best of all is polished, and made
exactly feasible in integer arithmetic. Inside, an arrangement is one vector z: coordinates axis by axis, then what is
maximised (the radii of the circles, or the smallest distance when the largest is one).
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.sparse import csr_matrix

PLACES = 30  # decimals written; floats are accurate to about sixteen
UNIT = 10**PLACES
SHARP = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}  # of linear programmes
FINE, EDGE = 1e-4, 1e-9  # boxes of successive linear programming: radii are merely tidied, and the end
WEIGHTS = (10.0, 100.0, 1_000.0, 10_000.0)  # of broken constraints, in the four rounds of the penalty method


class Arrangement:
    """n points in d dimensions with constraints g(z) >= 0 on every pair, and a linear objective c @ z to maximise."""

    def __init__(self, n: int, d: int, extra: int) -> None:
        self.n, self.d = n, d
        self.i, self.j = np.triu_indices(n, 1)
        self.c = np.zeros(n * d + extra)
        self.c[n * d :] = 1.0

    def split(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(d, n) coordinates and the rest."""
        return z[: self.n * self.d].reshape(self.d, self.n), z[self.n * self.d :]

    def distances(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(pairs,) distances, and (d, pairs) unit vectors along them."""
        difference = p[:, self.i] - p[:, self.j]
        length = np.sqrt((difference**2).sum(axis=0))
        return length, difference / np.maximum(length, 1e-300)

    def _gradient_of_distance(self, jacobian: np.ndarray, first: int, unit: np.ndarray, sign: float) -> None:
        rows = first + np.arange(len(self.i))
        for axis in range(self.d):
            jacobian[rows, axis * self.n + self.i] = sign * unit[axis]
            jacobian[rows, axis * self.n + self.j] = -sign * unit[axis]


class Circles(Arrangement):
    """Circles in the unit square: z holds centres and radii, value is the sum of the radii."""

    low, high = 0.0, 1.0

    def __init__(self, n: int, d: int) -> None:
        super().__init__(n, d, n)
        pairs, who = len(self.i), np.arange(n)
        self._jacobian = np.zeros((pairs + 2 * d * n, n * d + n))
        self._jacobian[np.arange(pairs), n * d + self.i] = -1.0
        self._jacobian[np.arange(pairs), n * d + self.j] = -1.0
        for wall in range(2 * d):
            rows = pairs + wall * n + who
            self._jacobian[rows, (wall // 2) * n + who] = -1.0 if wall % 2 else 1.0
            self._jacobian[rows, n * d + who] = -1.0

    def constraints(self, z: np.ndarray) -> np.ndarray:
        p, r = self.split(z)
        walls = [side - r for axis in p for side in (axis, 1 - axis)]
        return np.concatenate([self.distances(p)[0] - r[self.i] - r[self.j], *walls])

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        self._gradient_of_distance(self._jacobian, 0, self.distances(self.split(z)[0])[1], 1.0)
        return self._jacobian

    def begin(self, p: np.ndarray) -> np.ndarray:
        """Every circle as large as half the way to its neighbour, or to the wall."""
        p = np.clip(p, 0.01, 0.99)
        room = np.minimum(p, 1 - p).min(axis=0)
        length = self.distances(p)[0]
        np.minimum.at(room, self.i, length / 2)
        np.minimum.at(room, self.j, length / 2)
        return np.concatenate([p.ravel(), room])

    def repair(self, z: np.ndarray) -> np.ndarray:
        """The largest radii that these centres allow: a linear programme."""
        p = np.clip(self.split(z)[0], 0.0, 1.0)
        room = np.minimum(p, 1 - p).min(axis=0)
        length = self.distances(p)[0]
        near = np.flatnonzero(length < room[self.i] + room[self.j])
        rows = np.arange(len(near))
        columns = np.concatenate([self.i[near], self.j[near]])
        table = csr_matrix((np.ones(2 * len(near)), (np.tile(rows, 2), columns)), shape=(len(near), self.n))
        bounds = np.column_stack([np.zeros(self.n), room])
        found = linprog(-np.ones(self.n), table, length[near], bounds=bounds, options=SHARP)
        r = found.x if found.status == 0 else self.begin(p)[self.n * self.d :]
        return self.tidy(np.concatenate([p.ravel(), r]))

    def tidy(self, z: np.ndarray) -> np.ndarray:
        """Radii cut where circles overlap a little, then each grown as far as the others let it."""
        p, r = self.split(z)
        p, r = np.clip(p, 0.0, 1.0), np.maximum(r, 0.0)
        room = np.minimum(p, 1 - p).min(axis=0)
        apart = np.full((self.n, self.n), np.inf)
        apart[self.i, self.j] = apart[self.j, self.i] = self.distances(p)[0]
        r = np.minimum(r, np.minimum(room, apart.min(axis=0)))
        r = r - np.maximum((r + r[:, None] - apart).max(axis=0) / 2, 0.0)
        for k in range(self.n):
            r[k] = min(room[k], (apart[k] - r).min())
        return np.concatenate([p.ravel(), r])

    def value(self, z: np.ndarray) -> float:
        return float(self.split(z)[1].sum())

    def exact(self, z: np.ndarray) -> list[list[int]]:
        """Centres and radii in units of 10^-30, the radii cut until nothing overlaps."""
        p, r = self.split(z)
        x, y = ([min(max(whole(value), 0), UNIT) for value in axis] for axis in p)
        radius = [min(whole(v), a, b, UNIT - a, UNIT - b) for v, a, b in zip(r, x, y, strict=True)]
        radius = [max(v, 0) for v in radius]
        apart = [(i, j, math.isqrt((x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2)) for j in range(self.n) for i in range(j)]
        for i, j, distance in apart:  # no centre inside another circle: then halving an overlap keeps radii >= 0
            radius[i], radius[j] = min(radius[i], distance), min(radius[j], distance)
        for i, j, distance in apart:
            over = radius[i] + radius[j] - distance
            if over > 0:
                radius[i] -= (over + 1) // 2
                radius[j] -= over - (over + 1) // 2
        return [list(row) for row in zip(x, y, radius, strict=True)]


class Spread(Arrangement):
    """Points in the plane or in space: z holds them and the smallest distance, value is its square over the largest."""

    low, high = -math.inf, math.inf

    def __init__(self, n: int, d: int) -> None:
        super().__init__(n, d, 1)
        self._jacobian = np.zeros((2 * len(self.i), n * d + 1))
        self._jacobian[: len(self.i), -1] = -1.0

    def constraints(self, z: np.ndarray) -> np.ndarray:
        p, least = self.split(z)
        length = self.distances(p)[0]
        return np.concatenate([length - least, 1 - length])

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        unit = self.distances(self.split(z)[0])[1]
        self._gradient_of_distance(self._jacobian, 0, unit, 1.0)
        self._gradient_of_distance(self._jacobian, len(self.i), unit, -1.0)
        return self._jacobian

    def begin(self, p: np.ndarray) -> np.ndarray:
        """Centred, the largest distance one."""
        p = p - p.mean(axis=1, keepdims=True)
        p = p / max(self.distances(p)[0].max(), 1e-9)
        return np.concatenate([p.ravel(), [self.distances(p)[0].min()]])

    def repair(self, z: np.ndarray) -> np.ndarray:
        return self.begin(self.split(z)[0])

    tidy = repair

    def value(self, z: np.ndarray) -> float:
        length = self.distances(self.split(z)[0])[0]
        return float((length.min() / length.max()) ** 2)

    def exact(self, z: np.ndarray) -> list[list[int]]:
        """Coordinates in units of 10^-30: any different points are feasible."""
        return [[whole(value) for value in point] for point in self.split(z)[0].T]


def whole(value: float) -> int:
    """A float, which is an exact fraction, in units of 10^-30."""
    return round(Fraction(float(value)) * UNIT)


# Descents: from z to a nearby arrangement that is better, not quite feasible in the last digits.


def slsqp(a: Arrangement, z: np.ndarray, iterations: int) -> np.ndarray:
    """Sequential quadratic programming on all constraints."""
    rule = {"type": "ineq", "fun": a.constraints, "jac": a.jacobian}
    options = {"maxiter": iterations, "ftol": 1e-10}
    return minimize(lambda z: -(a.c @ z), z, jac=lambda z: -a.c, method="SLSQP", constraints=rule, options=options).x


def penalty(a: Arrangement, z: np.ndarray, iterations: int) -> np.ndarray:
    """L-BFGS on the objective less the squares of broken constraints, their weight raised in four rounds."""
    for weight in WEIGHTS:

        def loss(z: np.ndarray, weight: float = weight) -> tuple[float, np.ndarray]:
            broken = np.minimum(a.constraints(z), 0.0)
            return float(weight * (broken @ broken) - a.c @ z), 2 * weight * (broken @ a.jacobian(z)) - a.c

        z = minimize(loss, z, jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x
    return z


def slp(a: Arrangement, z: np.ndarray, iterations: int, step: float = 0.1) -> np.ndarray:
    """Successive linear programming: the best step in a box in which the constraints are taken for linear.

    The box shrinks when a step, once repaired, brings nothing. Near a rigid arrangement this converges quadratically.
    """
    z = a.repair(z)
    for _ in range(iterations):
        slack = a.constraints(z)
        near = slack < 6 * step  # no step within the box can reach the others
        table = csr_matrix(-a.jacobian(z)[near])
        found = linprog(-a.c, table, np.maximum(slack[near], 0.0) / step, bounds=(-1, 1), options=SHARP)
        # A linear programme is solved to an absolute accuracy; in a small box it pays not to solve another.
        feasible = a.repair if step > FINE else a.tidy
        better = feasible(z + step * found.x) if found.status == 0 else z
        if a.value(better) > a.value(z):
            z = better
        else:
            step *= 0.3
        if step < EDGE:
            break
    return z


DESCENTS = {"slsqp": slsqp, "penalty": penalty, "slp": slp}


# Layouts: (d, n) centres in the unit cube.


def lattice(name: str, d: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """n of the lattice points in a cube, chosen at random, and the spacing; the lattice is shifted at random."""
    if name == "grid":
        basis = np.eye(d)
    elif d == 2:
        basis = np.array([[1.0, 0.0], [0.5, math.sqrt(3) / 2]])
    else:  # face-centred cubic
        basis = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]) / math.sqrt(2)
    far = 3 * math.ceil(n ** (1 / d))
    reach = np.arange(-far, far + 1)
    points = np.stack(np.meshgrid(*[reach] * d), axis=-1).reshape(-1, d) @ basis + rng.random(d)
    spacing = 1.2 * n ** (-1 / d)
    while True:
        inside = points[(np.abs(points * spacing - 0.5) < 0.5).all(axis=1)] * spacing
        if len(inside) >= n:
            return rng.permutation(inside)[:n].T, spacing
        spacing *= 0.97


def lay_out(knobs: dict[str, Any], n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """(d, n) centres as `layout` says, in the order that `numbering` says."""
    if knobs["layout"] == "uniform":
        p = rng.random((d, n))
    else:
        p, spacing = lattice(knobs["layout"], d, n, rng)
        p = p + float(knobs["jitter"]) * spacing * rng.standard_normal((d, n))
    return p[:, np.random.default_rng(int(knobs["numbering"])).permutation(n)] if knobs["numbering"] else p


def hop(a: Arrangement, z: np.ndarray, knobs: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """A perturbed copy: every point shaken, or some of them put elsewhere."""
    p = a.split(z)[0].copy()
    low, high = p.min(axis=1, keepdims=True), p.max(axis=1, keepdims=True)
    size = float(knobs["hop_size"])
    if knobs["hop_kind"] == "shake":
        p += size * float((high - low).mean()) * a.n ** (-1 / a.d) * rng.standard_normal(p.shape)
    else:
        moved = rng.permutation(a.n)[: max(1, round(size * a.n))]
        p[:, moved] = low + (high - low) * rng.random((a.d, len(moved)))
    return a.begin(p)


def search_once(a: Arrangement, knobs: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """One start with its hops."""
    descend, iterations = DESCENTS[knobs["optimiser"]], int(knobs["iterations"])
    best = a.repair(descend(a, a.begin(lay_out(knobs, a.n, a.d, rng)), iterations))
    for _ in range(int(knobs["hops"]) if knobs["hop_kind"] != "none" else 0):
        other = a.repair(descend(a, hop(a, best, knobs, rng), iterations))
        if a.value(other) > a.value(best):
            best = other
    return best


# The files


def resume(told: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    """What an interrupted run of the very same work left behind, or a fresh state."""
    fresh: dict[str, Any] = {"work": [told, problem], "history": [], "best": None}
    path = Path("checkpoint/state.json")
    if path.is_file():
        left = json.loads(path.read_text(encoding="utf-8"))
        if left["work"] == fresh["work"]:
            return dict(left)
    return fresh


def save(state: dict[str, Any]) -> None:
    folder = Path("checkpoint")
    folder.mkdir(exist_ok=True)
    (folder / "state.tmp").write_text(json.dumps(state), encoding="utf-8")
    (folder / "state.tmp").replace(folder / "state.json")


def decimal(value: int) -> str:
    """An integer number of 10^-30 as a decimal."""
    digits = str(abs(value)).rjust(PLACES + 1, "0")
    return ("-" if value < 0 else "") + digits[:-PLACES] + "." + digits[-PLACES:]


def main() -> None:
    told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
    problem = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
    knobs, n, d = told["knobs"], problem["n"], problem["dimension"]
    a = Circles(n, d) if problem["kind"] == "circles" else Spread(n, d)
    state = resume(told, problem)
    history = state["history"]
    with Path("metrics.jsonl").open("w", encoding="utf-8") as progress:
        for line in history:
            progress.write(json.dumps(line) + "\n")
        for start in range(len(history), int(knobs["starts"])):
            z = search_once(a, knobs, np.random.default_rng([int(told["seed"]), start]))
            value = a.value(z)
            if state["best"] is None or value > history[-1]["best_value"]:
                state["best"] = z.tolist()
            best = max([value, *(line["best_value"] for line in history[-1:])])
            history.append({"step": start + 1, "value": value, "best_value": best})
            progress.write(json.dumps(history[-1]) + "\n")
            progress.flush()
            save(state)
    best = np.array(state["best"])
    if knobs["polish"]:
        best = slp(a, best, 100, 0.01)
    key = "circles" if problem["kind"] == "circles" else "points"
    solution = {"problem": problem["problem"], key: [[decimal(v) for v in row] for row in a.exact(best)]}
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/solution.json").write_text(json.dumps(solution, indent=1) + "\n", encoding="utf-8")
    print(f"{problem['problem']}: {len(history)} starts, value {a.value(best):.12f}")


if __name__ == "__main__":
    main()
