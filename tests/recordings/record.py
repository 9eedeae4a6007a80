"""Record a campaign anew from answers that were written once.

    python tests/recordings/record.py tests/recordings/digits

`answers/` holds what somebody answered in the model's place, a file for each question, named by what was asked. The campaign of
`campaign.json` is run against a server on loopback that gives these answers; its conversations replace those of the recording.
Prompts may change without anybody writing anew: only a question that has no answer yet is shown, and ends the recording.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def said(message: dict[str, Any]) -> str:
    """The text of a message, its pictures left out."""
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def name_of(messages: list[dict[str, Any]]) -> str:
    """How the file with the answer is called: the task, the section, the study, and the number of the try."""
    asked = said(messages[1])
    parts = re.findall(r"^# (.*)|^## The section: (.*)|^Question: (.*)|<data \w+ change>\n(.*)", asked, re.MULTILINE)
    words = [next(filter(None, part)) for part in parts]
    if words[0].startswith("Propose"):
        words = [words[0], "at first" if re.search(r"Lessons from reviews.*\n\n\(none\)", asked) else "later"]
    if words[0].startswith("Look"):
        words.append(hashlib.sha256(re.sub(r"<data \w+", "", asked).encode()).hexdigest()[:8])
    tries = sum(message["role"] == "assistant" for message in messages)
    slugs = [re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:48].strip("-") for word in words]
    return ".".join([*slugs, *([str(tries)] if tries else [])]) + ".md"


def serve(answers: Path, missing: list[str]) -> ThreadingHTTPServer:
    """An OpenAI-compatible server that answers from files; a question without one goes to `missing`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            messages = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
            path = answers / name_of(messages)
            if path.is_file():
                choice = {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": path.read_text()},
                }
                body = {"id": "1", "object": "chat.completion", "created": 1, "model": "author", "choices": [choice]}
                status = 200
            else:
                missing.append(f"=== {path.name}\n" + "\n\n".join(said(message) for message in messages[1:]))
                status, body = 401, {"error": {"message": f"no answer was written for {path.name}"}}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(folder: Path) -> int:
    """Record; the conversations are replaced only by those of a campaign that ended well."""
    missing: list[str] = []
    server = serve(folder / "answers", missing)
    campaign = json.loads((folder / "campaign.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        lab = Path(scratch) / "lab"
        scientist = [sys.executable, "-m", "scientist"]
        environment = {
            **os.environ,
            "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}/v1",
            "OPENAI_API_KEY": "none",
            "SCIENTIST_ONLINE": "false",
        }
        subprocess.run([*scientist, "init", str(lab), "--quiet"], check=True, cwd=ROOT)
        done = subprocess.run([*scientist, "--lab", str(lab), *campaign["run"]], env=environment, cwd=ROOT, check=False)
        if done.returncode or missing:
            sys.stderr.write("\n".join(missing) + "\n")
            return 1
        for part in [*sorted(folder.glob("[0-9a-f][0-9a-f]")), folder / "searches"]:
            shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(lab / "conversations", folder, dirs_exist_ok=True)
        facts = {
            path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(lab.glob("papers/*/facts.json"))
        }
        (folder / "campaign.json").write_text(json.dumps({**campaign, "facts": facts}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
