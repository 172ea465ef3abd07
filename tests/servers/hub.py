"""A stand-in for the Hugging Face Hub on the loopback: its HTTP protocol over real git.

    with Hub(folder) as hub:
        HfApi(endpoint=hub.url, token=TOKEN).create_repo("org/data", repo_type="dataset")

A dataset is a bare git repository with LFS pointers; large files lie in a store of their own,
reached by another host name, or, with ``xet=True``, in a local CAS that the real `hf_xet` reads
and writes. What it does not do: models and spaces, discussions but for pull requests made by a
commit, the dataset viewer and its Parquet export, webhooks, collections, malware scans, quotas,
commits over SSH or ``git push``, access requests (a gated repository is closed to all but its
owners), and copies between repositories.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.http import Answer, Ending, Host
from tests.servers.hub_api import Dataset, Question, answer_api, is_change, refuse, say
from tests.servers.hub_blobs import Blobs
from tests.servers.hub_files import answer_blob, answer_file, answer_git, answer_lfs
from tests.servers.hub_git import Repository

TOKEN = "hf_token_of_ada"  # noqa: S105 - opens nothing but this server
READER = "hf_token_of_bob"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a token."""

    name: str
    orgs: tuple[str, ...] = ()
    role: str = "write"

    def owns(self, namespace: str) -> bool:
        return namespace == self.name or namespace in self.orgs


USERS = {TOKEN: User("ada", ("org",)), READER: User("bob", role="read")}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was seen: ``path`` without the query."""

    index: int
    method: str
    path: str
    token: str | None = None
    sent: int = 0
    status: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned failure of requests for which ``when`` holds, ``times`` times.

    With a status it is answered so, with ``Retry-After`` if it is given; ``lost`` does the work
    and drops the answer; else the connection just ends.
    """

    when: Callable[[Request], bool]
    status: int = 0
    retry_after: int | None = None
    lost: bool = False
    times: int = 1


class Hub:
    """A Hub with two users: ada, who owns ``org``, and bob, who may only read.

    Args:
        folder: where it keeps its repositories and files; empty or not there yet.
        xet: whether large files go by Xet (a client without `hf_xet` still gets them plainly).
        part_bytes: above this size LFS takes a file in parts.
        hook: called with each request before it is looked at.
    """

    def __init__(
        self,
        folder: Path,
        *,
        xet: bool = False,
        part_bytes: int = 64 << 20,
        hook: Callable[[Request], None] | None = None,
    ) -> None:
        self.xet = xet
        self.hook = hook
        self.blobs = Blobs(folder / "blobs")
        self.datasets: dict[str, Dataset] = {}
        self._folder = folder
        self._part_bytes = part_bytes
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._begun = 0
        self._faults: list[Fault] = []
        self._host: Host | None = None

    def __enter__(self) -> Self:
        self._host = Host(self._answer_http)
        self._host.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._host is not None:
            self._host.stop()

    @property
    def url(self) -> str:
        assert self._host is not None, "the server is not started"
        return f"http://127.0.0.1:{self._host.port}"

    @property
    def requests(self) -> list[Request]:
        """Return all requests so far, in the order in which they came."""
        with self._lock:
            return sorted(self._requests, key=lambda request: request.index)

    def forget(self) -> None:
        """Drop the record of requests."""
        with self._lock:
            self._requests.clear()

    def plan(self, *faults: Fault) -> None:
        """Add faults; the first that fits a request happens to it."""
        with self._lock:
            self._faults += faults

    @property
    def faults_left(self) -> int:
        """Return how many planned faults no request has met yet."""
        with self._lock:
            return len(self._faults)

    def create(self, name: str, *, private: bool = False, gated: bool = False) -> Dataset:
        """Make a dataset."""
        dataset = Dataset(name, Repository(self._folder / f"{name}.git"), private, gated)
        self.datasets[name] = dataset
        return dataset

    def _answer_http(
        self, handler: BaseHTTPRequestHandler, body: bytes, wait: Callable[[float], object]
    ) -> Answer:
        with self._lock:
            index, self._begun = self._begun, self._begun + 1
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ") or None
        path = urlsplit(handler.path).path
        request = Request(index, handler.command, path, token, len(body))
        if self.hook is not None:
            self.hook(request)
        fault = self._take_fault(request)
        if fault is not None and not fault.lost:
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            answer = (
                refuse(fault.status, "planned", headers=headers)
                if fault.status
                else Answer(0, b"", ending=Ending.HANG_UP)
            )
        else:
            answer = self._answer(request, handler.path, body, handler.headers)
            if fault is not None:
                answer = replace(answer, ending=Ending.HANG_UP)
        with self._lock:
            self._requests.append(replace(request, status=answer.status))
        return answer

    def _take_fault(self, request: Request) -> Fault | None:
        with self._lock:
            for number, fault in enumerate(self._faults):
                if fault.when(request):
                    left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    self._faults[number : number + 1] = left
                    return fault
        return None

    def _answer(self, request: Request, address: str, body: bytes, headers: Message) -> Answer:
        if request.token is not None and request.token not in USERS:
            return refuse(401, "Invalid credentials in Authorization header")
        user = USERS[request.token] if request.token else None
        query = parse_qs(urlsplit(address).query)
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        ask = Question(
            method=request.method, verb="", revision="", rest="", query=query, body=body,
            origin=self.url, user=user.name if user else None, headers=headers,
        )  # fmt: skip
        match parts:
            case ["api", "whoami-v2"]:
                return _whoami(user)
            case ["api", "validate-yaml"]:
                return say(200, {"errors": [], "warnings": []})
            case ["api", "repos", "create" | "delete"]:
                return self._create_or_delete(replace(ask, verb=parts[2]), user)
            case ["blobs", sha256, *number]:
                return answer_blob(self.blobs, replace(ask, revision=sha256, rest="".join(number)))
            case ["api", "datasets", namespace, name, "discussions", number, "merge"]:
                ask = replace(ask, verb="merge", revision=number)
                return self._answer_dataset(f"{namespace}/{name}", ask, user, answer_api)
            case ["api", "datasets", namespace, name, *rest]:
                verb, revision, *path = [*rest, "", ""][: max(2, len(rest))]
                ask = replace(ask, verb=verb, revision=revision, rest="/".join(path).strip("/"))
                return self._answer_dataset(f"{namespace}/{name}", ask, user, answer_api)
            case ["datasets", namespace, name, "resolve", revision, *path]:
                ask = replace(ask, verb="resolve", revision=revision, rest="/".join(path))
                return self._answer_dataset(f"{namespace}/{name}", ask, user, self._resolve)
            case ["datasets", namespace, name, "info", "lfs", *rest]:
                where = "/".join(parts[:5])
                ask = replace(ask, verb=where, rest="/".join(rest).replace("objects/batch", ""))
                return self._answer_dataset(_bare(namespace, name), ask, user, self._lfs)
            case ["datasets", namespace, name, *path]:
                ask = replace(ask, verb="git", rest="/".join(path))
                return self._answer_dataset(_bare(namespace, name), ask, user, _git)
            case _:
                return refuse(404, "Repository not found", "RepoNotFound")

    def _answer_dataset(
        self,
        name: str,
        ask: Question,
        user: User | None,
        answerer: Callable[[Dataset, Blobs, Question], Answer],
    ) -> Answer:
        dataset = self.datasets.get(name)
        owns = user is not None and user.owns(name.partition("/")[0])
        if dataset is None or (dataset.private and not owns):
            return refuse(404 if user else 401, "Repository not found", "RepoNotFound")
        if dataset.gated and not owns and ask.verb in ("resolve", "git"):
            words = f"Access to dataset {name} is restricted."
            return refuse(403 if user else 401, words, "GatedRepo")
        if is_change(ask) and not (owns and user is not None and user.role == "write"):
            return refuse(403 if user else 401, f"You may not write to {name}")
        return answerer(dataset, self.blobs, ask)

    def _create_or_delete(self, ask: Question, user: User | None) -> Answer:
        if user is None:
            return refuse(401, "Invalid username or password.")
        wanted = ask.json()
        name = f"{wanted.get('organization') or user.name}/{wanted['name']}"
        if user.role != "write" or not user.owns(name.partition("/")[0]):
            return refuse(403, f"You don't have the rights to {ask.verb} {name}")
        if ask.verb == "delete":
            if name not in self.datasets:
                return refuse(404, "Repository not found", "RepoNotFound")
            shutil.rmtree(self.datasets.pop(name).git.folder)
            return say(200, {})
        address = {"url": f"{self.url}/datasets/{name}", "name": name}
        with self._lock:
            if name in self.datasets:
                return say(409, {"error": "You already created this dataset repo", **address})
            private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
            self.create(name, private=private)
        return say(200, address)

    def _resolve(self, dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
        return answer_file(dataset, blobs, ask, self._blob_origin, xet=self.xet)

    def _lfs(self, dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
        return answer_lfs(blobs, ask, self._blob_origin, self._part_bytes)

    @property
    def _blob_origin(self) -> str:
        return self.url.replace("127.0.0.1", "localhost")


def _whoami(user: User | None) -> Answer:
    if user is None:
        return refuse(401, "Invalid username or password.")
    return say(200, {
        "type": "user",
        "name": user.name,
        "fullname": user.name.title(),
        "orgs": [{"name": name, "type": "org"} for name in user.orgs],
        "auth": {"type": "access_token", "accessToken": {"role": user.role}},
    })  # fmt: skip


def _git(dataset: Dataset, blobs: Blobs, ask: Question) -> Answer:
    return answer_git(dataset, ask.rest)


def _bare(namespace: str, name: str) -> str:
    return f"{namespace}/{name.removesuffix('.git')}"
