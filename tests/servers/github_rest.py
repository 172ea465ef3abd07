"""REST of the loopback GitHub: the repository, and its pull requests page by page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.servers.github_answers import PaidAnswer, json_answer, refusal
from tests.servers.github_below import WEB, make_id
from tests.servers.github_data import Pull, Repository

PREFIX = "/api/v3"
REPOSITORY_ID = 1

View = dict[str, object]


def answer_rest(
    repository: Repository, pulls: Mapping[int, Pull], target: str, host: str
) -> PaidAnswer:
    """Return the answer to a GET below ``/api/v3``; ``host`` is the root of its links."""
    parts = urlsplit(target)
    root = f"{host}{PREFIX}"
    names = parts.path.removeprefix(PREFIX).strip("/").split("/")
    match names:
        case ["repos", owner, name, *rest]:
            asked = f"{owner}/{name}".lower()
        case ["repositories", number, *rest] if number == str(REPOSITORY_ID):
            asked = repository.full_name.lower()
        case _:
            return refusal(404, "Not Found")
    if asked in {former.lower() for former in repository.former_names}:
        # Renamed: GitHub names the repository by its number from here on.
        tail = "".join(f"/{each}" for each in rest) + (f"?{parts.query}" if parts.query else "")
        place = f"{root}/repositories/{REPOSITORY_ID}{tail}"
        moved = {"message": "Moved Permanently", "url": place, "documentation_url": ""}
        return json_answer(301, moved, {"Location": place})
    if asked != repository.full_name.lower():
        return refusal(404, "Not Found", "rest/repos/repos#get-a-repository")
    if not rest:
        return _with_etag(json_answer(200, _repository(repository, root)))
    if rest == ["pulls"]:
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        return _with_etag(_list_pulls(repository, pulls, options, host + parts.path, root))
    return refusal(404, "Not Found")


def _with_etag(answer: PaidAnswer) -> PaidAnswer:
    digest = hashlib.sha256(answer.body).hexdigest()
    return replace(answer, headers={**answer.headers, "ETag": f'W/"{digest}"'})


def _repository(repository: Repository, root: str) -> View:
    spdx_id = repository.spdx_id
    return {
        "id": REPOSITORY_ID,
        "node_id": make_id("R", repository.full_name),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.is_private,
        "owner": {
            "login": repository.owner,
            "id": 1,
            "type": "Organization",
            "url": f"{root}/users/{repository.owner}",
        },
        "html_url": f"{WEB}/{repository.full_name}",
        "url": f"{root}/repos/{repository.full_name}",
        # An empty repository has a name for its first branch, though not the branch.
        "default_branch": repository.default_branch or "main",
        "license": (
            {"key": spdx_id.lower(), "name": spdx_id, "spdx_id": spdx_id, "url": None}
            if spdx_id
            else None
        ),
    }


def _list_pulls(
    repository: Repository,
    pulls: Mapping[int, Pull],
    options: Mapping[str, str],
    place: str,
    root: str,
) -> PaidAnswer:
    size = min(100, max(1, _number(options.get("per_page"), 30)))
    page = max(1, _number(options.get("page"), 1))
    wanted = options.get("state", "open")
    by_update = options.get("sort") == "updated"
    # GitHub lists the newest first, unless it was asked for another order without a direction.
    default = "asc" if options.get("sort", "created") != "created" else "desc"
    chosen = sorted(
        (pull for pull in pulls.values() if wanted in {"all", _state(pull)}),
        key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number),
        reverse=options.get("direction", default) == "desc",
    )
    last = max(1, -(-len(chosen) // size))
    links = []
    if page < last:
        links += [("next", page + 1), ("last", last)]
    if page > 1:
        links += [("first", 1), ("prev", page - 1)]
    header = ", ".join(
        f'<{place}?{urlencode({**options, "page": number})}>; rel="{name}"'
        for name, number in links
    )
    shown = chosen[(page - 1) * size : page * size]
    body = [_pull(repository, pull, root) for pull in shown]
    return json_answer(200, body, {"Link": header} if header else {})


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


def _state(pull: Pull) -> str:
    return "open" if pull.state == "OPEN" else "closed"


def _pull(repository: Repository, pull: Pull, root: str) -> View:
    # REST writes a bot's name with its suffix, GraphQL without.
    login = f"{pull.author}[bot]" if pull.is_bot else pull.author
    user = {"login": login, "type": "Bot" if pull.is_bot else "User"} if pull.author else None
    return {
        "id": pull.number,
        "node_id": make_id("PR", repository.full_name, pull.number),
        "number": pull.number,
        "url": f"{root}/repos/{repository.full_name}/pulls/{pull.number}",
        "html_url": f"{WEB}/{repository.full_name}/pull/{pull.number}",
        "title": pull.title,
        "body": pull.body,
        "state": _state(pull),
        "user": user,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "labels": [{"name": name} for name in pull.labels],
        "head": {"sha": pull.head_oid},
        "base": {"ref": pull.base_ref},
    }
