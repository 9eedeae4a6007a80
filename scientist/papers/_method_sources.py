"""Which software a study used, and which sources its own documentation names for the methods in use."""

from __future__ import annotations

from scientist.literature import Novelty
from scientist.papers._phrases import Phrases, listing

_SOFTWARE = {
    "torch": ("PyTorch", "paszke"),
    "numpy": ("NumPy", "harris"),
    "scipy": ("SciPy", "virtanen"),
    "scikit-learn": ("scikit-learn", "pedregosa"),
}
"""Package -> its name, and the first author of what to cite for it."""


def method_sources(p: Phrases, novelty: Novelty) -> str:
    """Which software was used and which sources its own documentation names for the methods in use."""
    software = {r.key.rstrip("0123456789"): r.key for r in novelty.references if "software" in r.topics}

    def named(package: str) -> str:
        title, author = _SOFTWARE[package]
        return title + (rf" \citep{{{software[author]}}}" if author in software else "")

    text = f"The methods are those of {named('scikit-learn')}" if "scikit-learn" in p.template.packages else ""
    rest = [named(package) for package in ("torch", "numpy", "scipy") if package in p.template.packages]
    documented = [r for r in novelty.references if r.source.startswith("docstring:")][:6]
    if text and documented:
        text += (
            rf", whose documentation refers to \citet{{{','.join(r.key for r in documented)}}} for what is used here"
        )
    uses = f"{'It also uses' if text else 'The code uses'} {listing(rest)}." if rest else ""
    return f"{text}. {uses}".strip() if text else uses
