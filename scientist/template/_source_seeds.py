"""Where a stranger's script takes its randomness from: an option, seeding calls, and what is drawn without a seed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from scientist.template._source import (
    Module,
    Place,
    Source,
    called,
    last_name,
    literal,
    options,
    root_name,
)
from scientist.template._source_literals import Literals
from scientist.template._template import Site
from scientist.template._words import parts, vocabulary

_SEED_WORDS = vocabulary(
    "seed random_seed rng_seed randomseed random_state manual_seed base_seed global_seed np_seed torch_seed"
)
_SEEDING_CALLS = vocabulary(
    "manual_seed manual_seed_all seed default_rng RandomState PRNGKey SeedSequence set_seed seed_everything "
    "seed_all set_random_seed fix_seed set_seeds seed_torch Random"
)
# The families of generators, what seeds each, and what draws from each without being told a seed.
_NUMPY_DRAWS = vocabulary(
    "rand randn randint random choice shuffle permutation normal uniform standard_normal binomial poisson "
    "exponential multivariate_normal beta gamma random_sample sample integers laplace lognormal"
)
_TORCH_DRAWS = vocabulary(
    "rand randn randint randperm rand_like randn_like randint_like bernoulli multinomial normal Linear Embedding "
    "Conv1d Conv2d Dropout DataLoader MultiheadAttention LSTM GRU RNN"
)
_SKLEARN_DRAWS = vocabulary(
    "train_test_split RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier MLPClassifier "
    "MLPRegressor SGDClassifier SGDRegressor KMeans MiniBatchKMeans BaggingClassifier BaggingRegressor "
    "ShuffleSplit StratifiedShuffleSplit make_classification make_regression make_moons make_blobs make_circles "
    "Perceptron GaussianMixture TSNE resample shuffle"
)


@dataclass(frozen=True)
class SeedPlace:
    """One place where a seed goes: `shift` adds it to what stands there (a loop's counter), else it replaces a literal."""

    site: Site
    end: int
    shift: bool = False


@dataclass(frozen=True)
class Seeding:
    """Where the seed goes, whether it decides a run, and what speaks against that, one line each."""

    sites: tuple[Site, ...]
    decides: bool
    notes: tuple[str, ...] = ()


def is_seed(word: str) -> bool:
    """Whether a name means a seed; 'num_seeds' and 'seed_offset' do not."""
    return "_".join(parts(word)) in _SEED_WORDS


def seeding(source: Source) -> Seeding:
    """The seed's places: an option if the script reads one, else every seeding literal, else seeding loop counters."""
    for option in options(source):
        if is_seed(option.word) and option.type == "int" and option.word in source.read:
            return Seeding((option.site,), *_unseeded(source, frozenset({"option"})))
    places = seed_places(source)
    if not places:
        return Seeding((), False, _unseeded(source, frozenset())[1])
    sites = tuple(place.site for place in places)
    return Seeding(sites, *_unseeded(source, _families(source)))


def seed_places(source: Source) -> list[SeedPlace]:
    """Every literal that ends in a seeding call, by file and line; counters of loops only where there is no literal."""
    found = {(p.site.file, p.site.line, p.site.column): p for p in _literal_places(source)}
    if not found:
        found = {(p.site.file, p.site.line, p.site.column): p for p in _counters(source)}
    return [found[key] for key in sorted(found, key=lambda key: (list(source.modules).index(key[0]), *key[1:]))]


def calls_that_seed(module: Module) -> tuple[Counter[str], Counter[str]]:
    """(seeding calls of a file as they are written, those of them that give generators of everybody a fixed number)."""
    calls, fixed = Counter[str](), Counter[str]()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called(node) in _SEEDING_CALLS and (node.args or node.keywords):
            text = ast.unparse(node)
            calls[text] += 1
            if _family_of(node) != "own" and any(True for a in node.args[:1] for _ in _in_argument(module, node, a)):
                fixed[text] += 1
    return calls, fixed


def _literal_places(source: Source) -> Iterator[SeedPlace]:
    places: list[Place] = Literals(source).all()
    for place in places:
        integer = isinstance(place.value, int) and not isinstance(place.value, bool)
        if integer and is_seed(place.word):
            yield SeedPlace(place.site, place.end)
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            if called(node) in _SEEDING_CALLS and node.args:
                yield from _in_argument(module, node, node.args[0])
            for keyword in node.keywords:
                if keyword.arg and is_seed(keyword.arg) and called(node) != "add_argument":
                    yield from _in_argument(module, node, keyword.value)


def _in_argument(module: Module, call: ast.Call, argument: ast.expr) -> Iterator[SeedPlace]:
    """The whole number in `f(1337)`, `f(1337 + offset)` and `f([1337, i])`."""
    candidates: list[ast.expr] = [argument]
    if isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Add):
        candidates = [argument.left, argument.right]
    elif isinstance(argument, ast.List | ast.Tuple):
        candidates = argument.elts[:1]
    for node in candidates:
        value = literal(node)
        if isinstance(value, int) and not isinstance(value, bool) and node.end_lineno == node.lineno:
            yield SeedPlace(_site(module, call, node), node.end_col_offset or 0)
            return


def _site(module: Module, call: ast.Call, node: ast.expr) -> Site:
    name = ast.unparse(call.func)[:60] if isinstance(call.func, ast.Name | ast.Attribute) else called(call)
    return Site(kind="literal", file=module.name, name=name, line=node.lineno, column=node.col_offset)


def _counters(source: Source) -> Iterator[SeedPlace]:
    """Seeding calls whose argument is a name that is not a literal's: `for seed in range(3): np.random.seed(seed)`."""
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or called(node) not in _SEEDING_CALLS:
                continue
            keyword = next((k.value for k in node.keywords if k.arg == "seed"), None)
            argument = node.args[0] if node.args else keyword
            if isinstance(argument, ast.Name | ast.Attribute) and argument.end_lineno == argument.lineno:
                if _is_own_function(source, called(node)):
                    continue  # its own body holds the call that seeds
                yield SeedPlace(_site(module, node, argument), argument.end_col_offset or 0, shift=True)


def _is_own_function(source: Source, name: str) -> bool:
    return any(
        isinstance(node, ast.FunctionDef) and node.name == name
        for module in source.modules.values()
        for node in ast.walk(module.tree)
    )


def _family_of(node: ast.Call) -> str:
    """Which generators a seeding call seeds."""
    name, root = called(node), root_name(node.func)
    if name in ("default_rng", "RandomState", "SeedSequence", "PRNGKey", "Random"):
        return "own"  # a generator object: it draws nothing for others
    if name in ("manual_seed", "manual_seed_all"):
        return "torch"
    if name == "seed":
        return "random" if root == "random" else "numpy"
    return "all"


def _families(source: Source) -> frozenset[str]:
    found = set()
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and called(node) in _SEEDING_CALLS and (node.args or node.keywords):
                found.add(_family_of(node))
    return frozenset(found)


def _unseeded(source: Source, seeded: frozenset[str]) -> tuple[bool, tuple[str, ...]]:
    """(whether the seed decides a run, what is drawn without it). With an option, the calls say what it reaches."""
    families = _families(source)
    if "option" in seeded:
        seeded = families
    notes = [] if "all" in seeded else list(_draws(source, seeded))
    first = {note.partition(" ")[2]: note for note in reversed(notes)}  # one place of each kind is enough
    return not notes, tuple(note for note in notes if first[note.partition(" ")[2]] == note)


def _draws(source: Source, seeded: frozenset[str]) -> Iterator[str]:
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            name, root = called(node), root_name(node.func)
            where = f"{module.name}:{node.lineno}"
            told = any(k.arg in ("random_state", "seed", "generator") for k in node.keywords)
            owner = last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if name == "default_rng" and not node.args and not node.keywords:
                yield f"{where} makes a generator without a seed"
            elif root in ("np", "numpy") and owner == "random" and name in _NUMPY_DRAWS and "numpy" not in seeded:
                yield f"{where} draws from numpy.random, which nothing seeds"
            elif root == "random" and owner == "random" and name in _NUMPY_DRAWS | {"gauss", "choices"}:
                if "random" not in seeded:
                    yield f"{where} draws from the module random, which nothing seeds"
            elif root in ("torch", "nn") and name in _TORCH_DRAWS and "torch" not in seeded and not told:
                yield f"{where} draws from torch, which nothing seeds"
            elif name in _SKLEARN_DRAWS and not told and "numpy" not in seeded and root not in ("random", "rng", "np"):
                method = isinstance(node.func, ast.Attribute) and name in ("shuffle", "resample")
                if not method:
                    yield f"{where} uses {name} without random_state, and nothing seeds numpy.random"
