"""What a stranger's script imports: what is installed here, what is missing, and what a worker may import beforehand."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scientist.errors import TemplateError
from scientist.template._words import vocabulary

if TYPE_CHECKING:
    from scientist.template._template import Template

DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
    "ema_pytorch": "ema-pytorch",
}
"""Import name -> what to install, where the two differ."""

# Well-known libraries that do nothing on import but take time: a worker may import them once, before any run. Never a
# module of the stranger, and nothing that starts threads which a fork would lose.
_SAFE = vocabulary("numpy scipy sklearn pandas torch torchvision einops networkx statsmodels sympy tqdm")
EXTRAS = frozenset({"torch"})
"""Packages of templates that come with the scientist, each an extra of the same name."""

_SAFE_TOP_ONLY = frozenset({"matplotlib"})


def installed(name: str) -> bool:
    """Whether a top-level module can be found, without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def missing(required: Sequence[str]) -> tuple[str, ...]:
    """The distributions to install for those top-level modules that are not here, sorted."""
    return tuple(sorted({DISTRIBUTIONS.get(name, name) for name in required if not installed(name)}))


def require_packages(template: Template) -> None:
    """Raises :class:`TemplateError`, with the command that helps, when a module that workers import is not installed."""
    lacking = missing([name.split(".")[0] for name in template.warm])
    if lacking:
        ours = [f"'scientist[{','.join(name for name in lacking if name in EXTRAS)}]'"] if set(lacking) & EXTRAS else []
        others = [name for name in lacking if name not in EXTRAS]
        raise TemplateError(
            f"template '{template.name}' needs {' and '.join(lacking)}, which {'is' if len(lacking) == 1 else 'are'} not "
            "installed",
            f"pip install {' '.join([*ours, *others])}",
        )


def warmable(imported: Sequence[str]) -> tuple[str, ...]:
    """The modules among those imported that a worker may import beforehand and that are there."""
    found = []
    for name in sorted(set(imported)):
        top = name.split(".")[0]
        if top in _SAFE_TOP_ONLY and installed(top):
            found.append(top)
        elif top in _SAFE and _exists(name):
            found.append(name)
    return tuple(dict.fromkeys(found))


def _exists(name: str) -> bool:
    """Whether a module is there, told from files: asking importlib for a submodule would import its parents."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None or (rest and not spec.submodule_search_locations):
        return False
    for place in spec.submodule_search_locations or ():
        folder = Path(place).joinpath(*rest)
        if not rest or (folder / "__init__.py").is_file() or folder.with_suffix(".py").is_file():
            return True
    return not rest


def distributions(imported: Sequence[str]) -> tuple[str, ...]:
    """The distributions of the imported modules that are installed, for the manifest."""
    names = {DISTRIBUTIONS.get(name.split(".")[0], name.split(".")[0]) for name in imported}
    found = []
    for name in sorted(names):
        try:
            importlib.metadata.version(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
        found.append(name)
    return tuple(found)
