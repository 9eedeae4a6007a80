"""Becomes the coding program, inside the box: hands the port's listening socket out first, and gets what to run back.

Standard library only; it is never imported by the scientist. Argument: the socket in its folder at which we wait.
Answer: {"argv", "env", "folder", "stdin"}; environment variables do not travel as arguments, which others could read.
"""

# As little of the standard library as possible, and nothing of ours.

import json
import os
import socket
import sys


def main() -> None:
    with socket.socket(socket.AF_UNIX) as door, socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        door.connect(sys.argv[1])
        socket.send_fds(door, [b"."], [listener.fileno()])
        with door.makefile("rb") as answer:
            job = json.loads(answer.read())
    os.dup2(os.open(job["stdin"], os.O_RDONLY), 0)
    os.chdir(job["folder"])
    try:
        os.execvpe(job["argv"][0], job["argv"], job["env"])
    except OSError as error:
        sys.exit(f"{job['argv'][0]}: {error.strerror}")


if __name__ == "__main__":
    main()
