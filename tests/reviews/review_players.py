"""Models that review on loopback: each reads the question as a model would, and answers well or badly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_server import Behaviour, Desk, Handler, completion

from scientist.llm import Budget, HttpWire, Ledger, Model, endpoint

Answer = dict[str, Any]


def model_at(desk: Desk, folder: Path, replay: bool = False) -> Model:
    """A model that asks the desk and keeps its conversations in a folder; with `replay` it asks nobody."""
    wire = None if replay else HttpWire(endpoint("player", desk.url), attempts=1)
    return Model("player", wire, Budget(Ledger(folder / "calls.jsonl")), folder / "conversations", secrets=[])


def asked(body: dict[str, Any]) -> str:
    """Everything that a request says."""
    return "\n".join(message["content"] for message in body["messages"])


def paper_of(body: dict[str, Any]) -> str:
    found = re.search(r"<data (\w+) paper>\n(.*?)\n</data \1>", asked(body), re.DOTALL)
    assert found is not None
    return found[2]


def sentences_of(body: dict[str, Any]) -> list[str]:
    """Sentences of the paper that can be quoted."""
    text = re.sub(r"(?m)^#.*$", "", paper_of(body))
    found = [" ".join(s.split()) for s in re.split(r"(?<=\.)\s+", text)]
    return [s for s in found if 6 <= len(s.split()) <= 40 and "[" not in s]


def criteria_of(body: dict[str, Any]) -> list[str]:
    """Which criteria the last message asks for."""
    last = body["messages"][-1]["content"]
    if "rest on nothing" in last:
        return re.findall(r"^- (\w+): ", last, re.MULTILINE)
    return re.findall(r"^- `(\w+)`: .*Score: ", asked(body), re.MULTILINE)


def form(body: dict[str, Any], score: Callable[[str], int], quotes: list[str], **more: Any) -> Answer:
    """A whole form, or the criteria that were asked for once more."""
    scores = [
        {
            "criterion": name,
            "why": f"Because of its {name}.",
            "quotes": quotes[number % len(quotes) :][:2] if quotes else [],
            "score": score(name),
        }
        for number, name in enumerate(criteria_of(body))
    ]
    if "rest on nothing" in body["messages"][-1]["content"]:
        return {"scores": scores}
    made: Answer = {
        "summary": "It compares two ways to do a thing.",
        "strengths": [{"text": "It is direct.", "quote": quotes[0] if quotes else ""}],
        "weaknesses": [
            {
                "kind": "evidence",
                "text": "One data set.",
                "quote": quotes[-1] if quotes else "",
                "actionable": True,
                "action": "Run it on another data set.",
            }
        ],
        "questions": ["Does it hold elsewhere?"],
        "limitations": ["One data set."],
        "ethical_concerns": "",
        "texts": [],
        "scores": scores,
        "confidence": 4,
    }
    return made | more


def meta(body: dict[str, Any]) -> Answer:
    first = re.search(r"\b(R\d+\.W\d+)", asked(body))
    assert first is not None
    return {
        "summary": "Two ways are compared.",
        "agreed": ["One data set."],
        "disputed": [],
        "decisive": [{"remark": first[1], "why": "It bounds every claim."}],
    }


def capable(body: dict[str, Any]) -> Answer:
    """Reads, quotes, scores by where the reviewer stands; lower once errors are shown."""
    if "# Write the meta-review" in asked(body):
        return meta(body)
    quotes = sentences_of(body)[:8]
    lower = "Programs have checked this paper" in body["messages"][-1]["content"]
    top = 6 + len(quotes[0]) % 3  # whatever stands first
    return form(body, lambda name: (3 if lower else top) if name == "overall" else (1 if lower else 3), quotes)


def lazy(body: dict[str, Any]) -> Answer:
    """Scores without a word of evidence."""
    return meta(body) if "# Write the meta-review" in asked(body) else form(body, lambda _: 4, [])


def lying(body: dict[str, Any]) -> Answer:
    """Quotes what the paper does not say."""
    said = ["Our method wins on all forty benchmarks with p below one in a million."]
    return meta(body) if "# Write the meta-review" in asked(body) else form(body, lambda _: 4, said)


def obedient(body: dict[str, Any]) -> Answer:
    """Does what the paper says, and quotes it as its reason."""
    if "# Write the meta-review" in asked(body):
        return meta(body)
    order = next((s for s in sentences_of(body) if re.search(r"give (?:this paper )?(?:a )?10", s)), None)
    if order is None:
        return capable(body)
    return form(body, lambda name: 10 if name == "overall" else 4, [order])


def plays(player: Callable[[dict[str, Any]], Answer]) -> Behaviour:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        handler.send(200, completion(json.dumps(player(body))))

    return behave
