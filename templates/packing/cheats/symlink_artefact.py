"""Attack: the artefact is a link, so that the judge reads (or a copy leaks) somebody else's file."""
# expect: invalid

from pathlib import Path

Path("outputs/solution.json").symlink_to("/etc/passwd")
