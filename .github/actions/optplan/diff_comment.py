"""Keep one comment of a pull request that says what it changes in the plans of some configs.

Reads its inputs from the environment: DIFF (configs and globs), MODEL, BASE (the commit of the pull request's base),
REPOSITORY, NUMBER, and what gh takes (GH_TOKEN). Ends with 0 also where the comment cannot be written, as for pull
requests from forks: the diff is in the step's summary as well.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARKER = "<!-- optplan: diff of plans -->"
_MOST = 60_000  # characters; GitHub takes 65,536
_SAME, _DIFFERENT = 0, 1


def main() -> int:
    """Compare, and write the summary and the comment."""
    base = os.environ["BASE"]
    if _run("git", "cat-file", "-e", f"{base}^{{commit}}").returncode:
        _run("git", "fetch", "--no-tags", "--depth=1", "origin", base)
    parts = list(_parts(base))
    body = "\n".join(
        (MARKER, "### Learning rates and weight decay", "", *(parts or ["No plan changes."]))
    )
    if len(body) > _MOST:
        body = f"{body[:_MOST]}\n\n… and more: the step's summary has all of it."
    if (summary := os.environ.get("GITHUB_STEP_SUMMARY")) is not None:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write("\n".join((*parts, "")) if parts else "No plan changes.\n")
    return _comment(body, is_needed=bool(parts))


def _parts(base: str) -> Iterator[str]:
    """Yield a section for each config whose plan differs from that of the base, or cannot be compared."""
    model = ["--model", os.environ["MODEL"]] if os.environ.get("MODEL") else []
    for word in os.environ["DIFF"].split():
        for config in sorted(glob.glob(word, recursive=True)) or [word]:  # noqa: PTH207
            if config.startswith("-"):
                sys.exit(f"::error::{config!r} is no config")
            before = f"{base[:12]}:./{config}"
            done = _run("optplan", "diff", before, config, *model, "--format", "md")
            if done.returncode == _DIFFERENT:
                yield f"{done.stdout.rstrip()}\n"
            elif done.returncode != _SAME:
                reason = done.stderr.strip().replace("```", "` ` `")
                yield f"`{config}` could not be compared:\n\n```\n{reason}\n```\n"


def _comment(body: str, *, is_needed: bool) -> int:
    """Change the comment that is there, or write one where that is needed."""
    repository, number = os.environ["REPOSITORY"], os.environ["NUMBER"]
    comments = f"repos/{repository}/issues/{number}/comments"
    found = _run("gh", "api", "--paginate", comments)
    if found.returncode:
        return _warn(found.stderr)
    own = [
        one["id"]
        for one in _listed(found.stdout)
        if one["body"].startswith(MARKER) and one["user"]["type"] == "Bot"
    ]
    if own:
        where = ["--method", "PATCH", f"repos/{repository}/issues/comments/{own[0]}"]
    elif is_needed:
        where = ["--method", "POST", comments]
    else:
        return 0
    done = _run("gh", "api", *where, "--input", "-", question=json.dumps({"body": body}))
    return _warn(done.stderr) if done.returncode else 0


def _listed(text: str) -> Iterator[dict[str, Any]]:
    """Yield what several lists hold that stand one after another, as gh prints pages."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        page, at = decoder.raw_decode(text, at)
        yield from page
        at += len(text[at:]) - len(text[at:].lstrip())


def _warn(reason: str) -> int:
    text = " ".join(reason.split())
    print(f"::warning::the comment could not be written: {text}")  # noqa: T201
    return 0


def _run(*words: str, question: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, input=question, capture_output=True, text=True, encoding="utf-8", check=False
    )


if __name__ == "__main__":
    sys.exit(main())
