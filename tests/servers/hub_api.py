"""The Hub's answers below ``/api``, and what one repository keeps beside its git history."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

import yaml

from tests.servers.http import Answer
from tests.servers.hub_blobs import Blobs
from tests.servers.hub_git import Entry, Pointer, Repository, StaleParentError

LARGE = 10 << 20
"""Files above this size are large ones, whatever their names."""
_LARGE_NAMES = (".parquet", ".arrow", ".zst", ".png")
_PAGE = 1000


@dataclass(slots=True)
class Dataset:
    """One dataset repository."""

    name: str
    git: Repository
    private: bool = False
    gated: bool = False
    pulls: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """One request below a repository's address, taken apart."""

    method: str
    verb: str
    revision: str
    rest: str
    query: Mapping[str, list[str]]
    body: bytes
    origin: str
    user: str | None = None
    headers: Message = field(default_factory=Message)

    def json(self) -> Any:
        return json.loads(self.body)


def say(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Return JSON."""
    text = json.dumps(body).encode()
    return Answer(status, text, {"Content-Type": "application/json", **(headers or {})})


def refuse(
    status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an error in the Hub's words."""
    marks = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
    return say(status, {"error": message}, {**marks, **(headers or {})})


def no_revision(revision: str) -> Answer:
    return refuse(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def answer_api(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    """Answer a request below ``/api/datasets/NAMESPACE/NAME``."""
    changing = _CHANGING.get((ask.method, ask.verb))
    if changing is not None:
        return changing(dataset, blobs, ask)
    reading = _READING.get((ask.method, ask.verb))
    if reading is None:
        return refuse(404, f"This Hub has no {ask.method} …/{ask.verb}")
    commit = dataset.git.resolve(ask.revision or "main")
    if commit is None:
        return no_revision(ask.revision)
    return reading(dataset, blobs, ask, commit)


def is_change(ask: Question) -> bool:
    """Tell whether a request needs the right to write."""
    return (ask.method, ask.verb) in _CHANGING or ask.verb == "xet-write-token"


def file_json(blobs: Blobs, entry: Entry) -> dict[str, Any]:
    """Return a file or folder as trees list it."""
    if entry.kind == "tree":
        return {"type": "directory", "oid": entry.oid, "size": 0, "path": entry.path}
    found: dict[str, Any] = {
        "type": "file",
        "oid": entry.oid,
        "size": entry.size,
        "path": entry.path,
    }
    if entry.pointer is not None:
        pointer = entry.pointer
        found["size"] = pointer.size
        found["lfs"] = {"oid": pointer.sha256, "size": pointer.size, "pointerSize": entry.size}
        if xet := blobs.xet_file(pointer.sha256):
            found["xetHash"] = xet[0]
    return found


# What only reads


def _info(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    files = [entry for entry in dataset.git.entries(commit) if entry.kind == "blob"]
    log = dataset.git.log(commit)
    card = next((entry for entry in files if entry.path == "README.md"), None)
    return say(
        200,
        {
            "id": dataset.name,
            "author": dataset.name.partition("/")[0],
            "sha": commit,
            "lastModified": log[0].date,
            "createdAt": log[-1].date,
            "private": dataset.private,
            "gated": "auto" if dataset.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "cardData": None if card is None else _front_matter(dataset.git.read(card.oid)),
            "siblings": [{"rfilename": entry.path} for entry in files],
        },
    )


def _front_matter(card: bytes) -> Any:
    parts = card.split(b"---\n", 2)
    return yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None


def _tree(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    entries = dataset.git.entries(commit)
    prefix = f"{ask.rest}/" if ask.rest else ""
    if prefix and not any(entry.path == ask.rest and entry.kind == "tree" for entry in entries):
        return refuse(404, f"{ask.rest} does not exist", "EntryNotFound")
    below = [entry for entry in entries if entry.path.startswith(prefix)]
    if ask.query.get("recursive", ["false"])[0].lower() not in ("true", "1"):
        below = [entry for entry in below if "/" not in entry.path[len(prefix) :]]
    begin = int(ask.query.get("cursor", ["0"])[0])
    page = [file_json(blobs, entry) for entry in below[begin : begin + _PAGE]]
    headers = {}
    if begin + _PAGE < len(below):
        kept = "&".join(f"{k}={v[0]}" for k, v in ask.query.items() if k != "cursor")
        path = f"/api/datasets/{dataset.name}/tree/{commit}/{ask.rest}".rstrip("/")
        headers["Link"] = f'<{ask.origin}{path}?{kept}&cursor={begin + _PAGE}>; rel="next"'
    return say(200, page, headers)


def _paths(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    is_json = ask.headers.get("Content-Type", "").startswith("application/json")
    wanted = set(ask.json()["paths"] if is_json else parse_qs(ask.body.decode())["paths"])
    found = [entry for entry in dataset.git.entries(commit) if entry.path in wanted]
    return say(200, [file_json(blobs, entry) for entry in found])


def _refs(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    def listed(prefix: str) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": f"{prefix}/{name}", "targetCommit": oid}
            for name, oid in dataset.git.refs(prefix).items()
        ]

    return say(
        200,
        {
            "branches": listed("refs/heads"),
            "tags": listed("refs/tags"),
            "converts": [],
            "pullRequests": listed("refs/pr"),
        },
    )


def _commits(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    return say(200, [
        {"id": each.oid, "title": each.title, "message": each.message, "date": each.date,
         "authors": [{"user": "ada", "avatar": ""}]}
        for each in dataset.git.log(commit)
    ])  # fmt: skip


def _xet_token(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    end = int(time.time()) + 3600
    body = {"casUrl": blobs.cas_url, "exp": end, "accessToken": "xet"}
    return say(
        200,
        body,
        {
            "X-Xet-Cas-Url": blobs.cas_url,
            "X-Xet-Access-Token": "xet",
            "X-Xet-Token-Expiration": str(end),
        },
    )


def _preupload(dataset: Dataset, blobs: Blobs, ask: Question, commit: str) -> Answer:
    held = {entry.path: entry for entry in dataset.git.entries(commit)}
    files = []
    for each in ask.json()["files"]:
        sample = base64.b64decode(each.get("sample", ""))
        large = each["size"] > LARGE or each["path"].endswith(_LARGE_NAMES) or b"\0" in sample
        entry = held.get(each["path"])
        oid = None if entry is None else entry.pointer.sha256 if entry.pointer else entry.oid
        mode = "lfs" if large else "regular"
        files.append({**each, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return say(200, {"files": files, "commitOid": commit})


# What changes something


def _commit(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    head = dataset.git.resolve(ask.revision)
    if head is None:
        return no_revision(ask.revision)
    header: dict[str, str] = {}
    files: dict[str, bytes | Pointer] = {}
    deleted: list[str] = []
    held = [entry for entry in dataset.git.entries(head) if entry.kind == "blob"]
    for line in ask.body.splitlines():
        item = json.loads(line)
        key, value = item["key"], item["value"]
        if key == "header":
            header = value
        elif key == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            size = blobs.size(value["oid"])
            if size is None:
                return refuse(400, f"LFS pointer pointed to a file that does not exist: {value}")
            files[value["path"]] = Pointer(value["oid"], size)
        elif key in ("deletedFile", "deletedFolder"):
            gone = value["path"].rstrip("/")
            below = [entry.path for entry in held if entry.path.startswith(f"{gone}/")]
            some = below if key == "deletedFolder" else [e.path for e in held if e.path == gone]
            if not some:
                return refuse(404, "A file with this name doesn't exist", "EntryNotFound")
            deleted += some
        else:
            return refuse(400, f"This Hub has no commit line {key}")
    parent = header.get("parentCommit") or head
    words = f"{header['summary']}\n\n{header.get('description', '')}".strip()
    if ask.query.get("create_pr"):
        dataset.pulls += 1
        ref = f"refs/pr/{dataset.pulls}"
        dataset.git.move(ref, parent)
    else:
        ref = f"refs/heads/{ask.revision}"
    try:
        oid = dataset.git.commit(ref, parent, words, files, deleted)
    except StaleParentError:
        return refuse(412, "A commit has happened since. Please refresh and try again.")
    address = f"{ask.origin}/datasets/{dataset.name}"
    body = {"success": True, "commitOid": oid, "commitUrl": f"{address}/commit/{oid}"}
    if ask.query.get("create_pr"):
        body["pullRequestUrl"] = f"{address}/discussions/{dataset.pulls}"
    return say(200, body)


def _new_tag(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    commit = dataset.git.resolve(ask.revision)
    return _new_ref(dataset, f"refs/tags/{ask.json()['tag']}", commit, ask.revision)


def _new_branch(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    start = (ask.json() if ask.body else {}).get("startingPoint") or "main"
    return _new_ref(dataset, f"refs/heads/{ask.revision}", dataset.git.resolve(start), start)


def _new_ref(dataset: Dataset, ref: str, commit: str | None, revision: str) -> Answer:
    if commit is None:
        return no_revision(revision)
    try:
        dataset.git.move(ref, commit, "0" * 40)
    except StaleParentError:
        return refuse(409, f"Reference already exists: {ref}")
    return say(200, {})


def _remove_tag(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    return _remove_ref(dataset, f"refs/tags/{ask.revision}")


def _remove_branch(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    return _remove_ref(dataset, f"refs/heads/{ask.revision}")


def _remove_ref(dataset: Dataset, ref: str) -> Answer:
    if dataset.git.resolve(ref) is None:
        return no_revision(ref)
    dataset.git.remove(ref)
    return say(200, {})


def _settings(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    wanted = ask.json()
    if "visibility" in wanted:
        dataset.private = wanted["visibility"] == "private"
    dataset.private = wanted.get("private", dataset.private)
    dataset.gated = bool(wanted.get("gated", dataset.gated))
    return say(200, {})


def _merge(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    head, main = (dataset.git.resolve(name) for name in (f"refs/pr/{ask.revision}", "main"))
    if head is None or main is None:
        return no_revision(ask.revision)
    if dataset.git.log(head)[1].oid != main:
        return refuse(409, "This pull request can't be merged: main went on.")
    dataset.git.move("refs/heads/main", head, main)
    return say(200, {})


_Reading = Callable[[Dataset, Blobs, Question, str], Answer]
_READING: dict[tuple[str, str], _Reading] = {
    ("GET", ""): _info,
    ("GET", "revision"): _info,
    ("GET", "tree"): _tree,
    ("POST", "paths-info"): _paths,
    ("GET", "refs"): _refs,
    ("GET", "commits"): _commits,
    ("GET", "xet-read-token"): _xet_token,
    ("GET", "xet-write-token"): _xet_token,
    ("POST", "preupload"): _preupload,
}
_Changing = Callable[[Dataset, Blobs, Question], Answer]
_CHANGING: dict[tuple[str, str], _Changing] = {
    ("POST", "commit"): _commit,
    ("POST", "tag"): _new_tag,
    ("DELETE", "tag"): _remove_tag,
    ("POST", "branch"): _new_branch,
    ("DELETE", "branch"): _remove_branch,
    ("PUT", "settings"): _settings,
    ("POST", "merge"): _merge,
}
