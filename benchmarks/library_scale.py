"""How the library behaves when it is large: import rate, size, memory, and how long a question takes.

Writes synthetic records in the format of arXiv's dump (words by Zipf's law from a made-up vocabulary of 60,000, abstracts
of about 150 words, one record in fifty a second record of an earlier work), imports them with the command that a user
would use, and asks questions of four words and of the length of an idea (about 60 words). With `--vectors` every work gets
a random unit vector, so that the part of a search that compares vectors is measured without days of embedding.

    python benchmarks/library_scale.py                      # 100,000 records: a minute
    python benchmarks/library_scale.py --records 1000000 --vectors
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from scientist.literature import Phrasing, Store, find
from scientist.literature._embed import SIZE
from scientist.literature._meaning import held
from scientist.literature._stats import size_of

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY = 60_000
CHUNK = 10_000
QUESTIONS = 100
AGAIN = 50  # every so many-th record is a second record of an earlier work


@dataclass(frozen=True)
class Figures:
    """What was seen. Times in seconds, sizes in bytes."""

    records: int
    works: int
    file_bytes: int
    import_s: float
    import_cpu_s: float
    rate: float
    library_bytes: int
    import_peak_bytes: int
    search_peak_bytes: int
    short_p50: float
    short_p95: float
    long_p50: float
    long_p95: float
    short_cpu: float  # medians of processor time: what a quiet machine would take
    long_cpu: float
    first: float  # the first question of a process that has just opened the library
    vectors_p50: float | None
    vectors_p95: float | None
    vectors_bytes: int
    load: float  # mean number of processes that wanted to run, at the end


def vocabulary(rng: np.random.Generator) -> list[str]:
    """Words that look like words, none twice; the porter stemmer has something to do."""
    first, middle, last = (
        ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "ch", "st", "tr"],
        ["a", "e", "i", "o", "u", "ai", "ea"],
        ["n", "r", "s", "t", "l", "m", "ng", "ct"],
    )
    endings = ["", "s", "ing", "ed", "ation", "ity", "ly", "er"]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        syllables = [
            "".join(rng.choice(part) for part in (first, middle, last)) for _ in range(int(rng.integers(1, 4)))
        ]
        words["".join(syllables) + str(rng.choice(endings))] = None
    return list(words)


def texts(rng: np.random.Generator, words: np.ndarray, count: int, low: int, high: int) -> Iterator[str]:
    """Texts of so many words; the word of rank r is about 1/r as frequent as the first."""
    lengths = rng.integers(low, high, size=count)
    drawn = (VOCABULARY ** rng.random(int(lengths.sum()))).astype(np.int64) - 1
    at = 0
    for length in lengths:
        yield " ".join(words[drawn[at : at + length]])
        at += length


def write_records(path: Path, count: int, seed: int = 0) -> np.ndarray:
    """A dump of so many records; returns the vocabulary."""
    rng = np.random.default_rng(seed)
    words = np.array(vocabulary(rng))
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, count, CHUNK):
            some = min(CHUNK, count - start)
            titles, abstracts = list(texts(rng, words, some, 5, 14)), list(texts(rng, words, some, 80, 220))
            surnames = rng.integers(0, VOCABULARY, size=(some, 3))
            for row in range(some):
                number = start + row
                of = number - AGAIN // 2 if number % AGAIN == AGAIN - 1 else number
                year, month = 2000 + of % 25, of % 12 + 1
                names = [[str(words[n]).title(), "A. B.", ""] for n in surnames[row]]
                record = {
                    "id": f"{year % 100:02d}{month:02d}.{of // 300:05d}" if of < 3 * 10**7 else f"x/{of:07d}",
                    "title": f"{titles[row]} {of}",
                    "abstract": abstracts[row],
                    "authors_parsed": names,
                    "categories": "cs.LG stat.ML",
                    "doi": f"10.1234/{of}" if of % 2 else None,
                    "versions": [{"version": "v1", "created": f"Mon, 1 Jan {year} 00:00:00 GMT"}],
                    "update_date": f"{year}-{month:02d}-01",
                }
                file.write(json.dumps(record) + "\n")
    return words


def import_records(path: Path, library: Path) -> tuple[float, float, int, int]:
    """Seconds, seconds of processor time, peak bytes of memory and works of an import by the command line."""
    command = [sys.executable, "-m", "scientist", "library", "import", str(path), "--library", str(library), "--json"]
    before = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    took = time.monotonic() - before
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, int(json.loads(done.stdout)["works"])


def ask(library: Path, words: np.ndarray, low: int, high: int, seed: int) -> tuple[list[float], list[float]]:
    """Seconds of each question, and seconds of processor time."""
    rng = np.random.default_rng(seed)
    times, used = [], []
    with Store(library) as store:
        for text in texts(rng, words, QUESTIONS, low, high):
            before, cpu = time.monotonic(), time.process_time()
            find(store, [Phrasing(text)], 20, "lexical")
            times.append(time.monotonic() - before)
            used.append(time.process_time() - cpu)
    return times, used


def keep_random_vectors(library: Path) -> None:
    """A random unit vector for every work."""
    rng = np.random.default_rng(1)
    with Store(library, write=True) as store:
        last = 0
        while ids := store.without_vector(last, 20_000):
            vectors = rng.standard_normal((len(ids), SIZE), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            with store.transaction():
                store.keep_vectors(ids, vectors)
            last = ids[-1]


def compare_vectors(library: Path, times: int = 20) -> list[float]:
    """Seconds to compare one question with the vectors of all works."""
    rng = np.random.default_rng(2)
    took = []
    with Store(library) as store:
        for _ in range(times):
            question = rng.standard_normal(SIZE, dtype=np.float32)
            before = time.monotonic()
            best = max(float((vectors @ question).max()) for _, vectors in held(store))
            took.append(time.monotonic() - before)
            assert best > 0
    return took


def measure(count: int, vectors: bool, folder: Path) -> Figures:
    path, library = folder / "dump.jsonl", folder / "library.sqlite"
    words = write_records(path, count)
    took, cpu, peak, works = import_records(path, library)
    size = size_of(library)
    # In a process of its own, whose memory is that of searching alone.
    program = (
        "import json, sys, resource\nsys.path.insert(0, sys.argv[3])\nimport numpy as np, library_scale as b\n"
        "from pathlib import Path\nlibrary, words = Path(sys.argv[1]), np.load(sys.argv[2])\n"
        "short, long = b.ask(library, words, 4, 5, 1), b.ask(library, words, 50, 70, 2)\n"
        "print(json.dumps([short, long, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))"
    )
    np.save(folder / "words.npy", words)
    command = [sys.executable, "-c", program, str(library), str(folder / "words.npy"), str(Path(__file__).parent)]
    (short, short_cpu), (long, long_cpu), search_peak = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    compared: list[float] = []
    if vectors:
        keep_random_vectors(library)
        compared = compare_vectors(library)
    return Figures(
        records=count,
        works=works,
        file_bytes=path.stat().st_size,
        import_s=took,
        import_cpu_s=cpu,
        rate=count / took,
        library_bytes=size,
        import_peak_bytes=peak,
        search_peak_bytes=search_peak,
        short_p50=statistics.median(short),
        short_p95=p95(short),
        long_p50=statistics.median(long),
        long_p95=p95(long),
        short_cpu=statistics.median(short_cpu),
        long_cpu=statistics.median(long_cpu),
        first=short[0],
        vectors_p50=statistics.median(compared) if compared else None,
        vectors_p95=p95(compared) if compared else None,
        vectors_bytes=size_of(library) - size if vectors else 0,
        load=os.getloadavg()[0],
    )


def p95(times: Sequence[float]) -> float:
    return float(np.quantile(np.array(times), 0.95))


def table(seen: Figures) -> str:
    """Markdown."""
    rows = [
        ("records, works", f"{seen.records:,}, {seen.works:,}"),
        ("file of records", f"{seen.file_bytes / 1e6:,.0f} MB"),
        ("import", f"{seen.import_s:,.0f} s, {seen.rate:,.0f} records a second"),
        (
            "of that on a processor",
            f"{seen.import_cpu_s:,.0f} s, {seen.records / seen.import_cpu_s:,.0f} records a second",
        ),
        ("memory of the import, at most", f"{seen.import_peak_bytes / 1e6:,.0f} MB"),
        ("library", f"{seen.library_bytes / 1e6:,.0f} MB, {seen.library_bytes / seen.works / 1e3:.1f} kB a work"),
        ("question of 4 words, p50 and p95", f"{seen.short_p50 * 1e3:,.0f} ms, {seen.short_p95 * 1e3:,.0f} ms"),
        ("question of 60 words, p50 and p95", f"{seen.long_p50 * 1e3:,.0f} ms, {seen.long_p95 * 1e3:,.0f} ms"),
        ("of that on a processor, p50", f"{seen.short_cpu * 1e3:,.0f} ms, {seen.long_cpu * 1e3:,.0f} ms"),
        ("first question after opening", f"{seen.first * 1e3:,.0f} ms"),
        ("memory of searching, at most", f"{seen.search_peak_bytes / 1e6:,.0f} MB"),
    ]
    if seen.vectors_p50 is not None and seen.vectors_p95 is not None:
        rows += [
            (
                "comparing all vectors, p50 and p95",
                f"{seen.vectors_p50 * 1e3:,.0f} ms, {seen.vectors_p95 * 1e3:,.0f} ms",
            ),
            ("vectors in the library", f"{seen.vectors_bytes / 1e6:,.0f} MB"),
        ]
    rows.append(("load of the machine at the end", f"{seen.load:.1f} on {os.cpu_count()} cores"))
    return "\n".join(["| what | seen |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument(
        "--vectors", action="store_true", help="random vectors for all works, and the time to compare them"
    )
    parser.add_argument("--folder", type=Path, help="where to work; else a temporary folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="library-scale-", dir=options.folder) as place:
        seen = measure(options.records, options.vectors, Path(place))
    print(json.dumps(asdict(seen), indent=2) if options.json else table(seen))


if __name__ == "__main__":
    main()
