"""The Hub's answers outside ``/api``: files, large files, LFS, and git's plain file protocol."""

from __future__ import annotations

import re
from pathlib import Path

from tests.servers.http import Answer
from tests.servers.hub_api import Dataset, Question, no_revision, refuse, say
from tests.servers.hub_blobs import Blobs

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_LFS = {"Content-Type": "application/vnd.git-lfs+json"}


def answer_file(
    dataset: Dataset, blobs: Blobs, ask: Question, blob_origin: str, *, xet: bool
) -> Answer:
    """Answer ``resolve``: a small file itself, a large one by a redirect to another host.

    Another host, because clients follow a redirect on the same one and then lose what the first
    answer said.
    """
    commit = dataset.git.resolve(ask.revision)
    if commit is None:
        return no_revision(ask.revision)
    marks = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
    entry = dataset.git.entry(commit, ask.rest)
    if entry is None or entry.kind == "tree":
        return refuse(404, "Entry not found", "EntryNotFound", marks)
    if entry.pointer is None:
        content = dataset.git.read(entry.oid)
        return _part(content, len(content), ask, {**marks, "ETag": f'"{entry.oid}"'})
    pointer = entry.pointer
    marks |= {
        "ETag": f'"{entry.oid}"',
        "X-Linked-Etag": f'"{pointer.sha256}"',
        "X-Linked-Size": str(pointer.size),
        "Location": f"{blob_origin}/blobs/{pointer.sha256}",
    }
    if xet and (found := blobs.xet_file(pointer.sha256)):
        token = f"{ask.origin}/api/datasets/{dataset.name}/xet-read-token/{commit}"
        marks |= {"X-Xet-Hash": found[0], "Link": f'<{token}>; rel="xet-auth"'}
    return Answer(302, b"", marks)


def answer_blob(blobs: Blobs, ask: Question) -> Answer:
    """Answer a store of large files: whole ones and ranges, uploads whole and in parts."""
    sha256, number = ask.revision, ask.rest
    if ask.method == "PUT" and number:
        return Answer(200, b"", {"ETag": f'"{blobs.put_part(sha256, int(number), ask.body)}"'})
    if ask.method == "PUT":
        return Answer(200 if blobs.put(sha256, ask.body) else 400, b"")
    if ask.method == "POST":
        return say(200 if blobs.join_parts(sha256, len(ask.json()["parts"])) else 400, {})
    path = blobs.path(sha256)
    if path is None:
        return Answer(404, b"")
    return _part(path, path.stat().st_size, ask, {"ETag": f'"{sha256}"', "Accept-Ranges": "bytes"})


def _part(content: bytes | Path, size: int, ask: Question, headers: dict[str, str]) -> Answer:
    wanted = _RANGE.fullmatch(ask.headers.get("Range", ""))
    begin, end = 0, size
    if wanted and wanted[1]:
        begin, end = int(wanted[1]), min(int(wanted[2] or size) + 1, size)
    elif wanted and wanted[2]:
        begin = max(0, size - int(wanted[2]))
    if begin > end or (wanted and begin == size):
        return Answer(416, b"", {"Content-Range": f"bytes */{size}"})
    if wanted:
        headers = {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{size}"}
    headers = {**headers, "Content-Length": str(end - begin)}
    status = 206 if wanted else 200
    if ask.method == "HEAD":
        return Answer(status, b"", headers)
    if isinstance(content, bytes):
        return Answer(status, content[begin:end], headers)
    with content.open("rb") as file:
        file.seek(begin)
        return Answer(status, file.read(end - begin), headers)


def answer_lfs(blobs: Blobs, ask: Question, blob_origin: str, part_bytes: int) -> Answer:
    """Answer LFS's batch: what is to be sent, whole or in parts, and where."""
    wanted = ask.json()
    if ask.rest == "objects/verify":
        return Answer(404 if blobs.size(wanted["oid"]) is None else 200, b"{}", _LFS)
    objects = []
    for each in wanted["objects"]:
        found = {"oid": each["oid"], "size": each["size"]}
        if blobs.size(each["oid"]) is None:
            address = f"{blob_origin}/blobs/{each['oid']}"
            header: dict[str, str] = {}
            if each["size"] > part_bytes:
                count = -(-each["size"] // part_bytes)
                header = {str(n): f"{address}/{n}" for n in range(1, count + 1)}
                header["chunk_size"] = str(part_bytes)
            verify = {"href": f"{ask.origin}/{ask.verb}/objects/verify"}
            found["actions"] = {"upload": {"href": address, "header": header}, "verify": verify}
        objects.append(found)
    return say(200, {"transfer": "basic", "objects": objects}, _LFS)


def answer_git(dataset: Dataset, path: str) -> Answer:
    """Answer git's plain protocol: files of the bare repository, as they lie there."""
    file = (dataset.git.folder / path).resolve()
    if not (file.is_file() and file.is_relative_to(dataset.git.folder.resolve())):
        return Answer(404, b"")
    return Answer(200, file.read_bytes(), {"Content-Type": "application/octet-stream"})
