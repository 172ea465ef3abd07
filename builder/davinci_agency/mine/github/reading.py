"""Which questions are put to GitHub, in which order, and how far the reading has come.

The first time all merged pull requests are listed, the oldest first, an order that no change
disturbs. Later one free question tells whether anything changed at all, and if so those that
changed last are listed down to where the run before began. Every page is kept together with the
cursor after it, so a run that was killed goes on with the page it was at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from davinci_agency.errors import RemoteError
from davinci_agency.mine.github import queries
from davinci_agency.mine.github.client import Answer, Client, PageTooLargeError
from davinci_agency.mine.github.views import Unfinished, View, parse_pull, unfinished
from davinci_agency.mine.sources import GitHubAccess
from davinci_agency.mine.store import Store
from davinci_agency.progress import Progress

_PAGE = 25
_BEGINNING = {"cursor": None, "size": _PAGE, "good": 0, "done": 0}
_GOOD_PAGES = 8
"""Pages in a row after which a size that was halved is doubled again."""
_TOGETHER = 20
"""Connections that are continued by one question."""


class Reader:
    """Reads one repository's pull requests from GitHub into its store."""

    def __init__(self, client: Client, store: Store, repo: str, progress: Progress) -> None:
        self._client = client
        self._store = store
        self._repo = repo
        self._names = dict(zip(("owner", "name"), repo.split("/"), strict=True))
        self._progress = progress
        self._changes = f"/repos/{repo}/pulls?state=all&sort=updated&direction=desc&per_page=1"

    def list_merged(self) -> None:
        """Read all merged pull requests, or what a run before left of them."""
        store = self._store
        state = store.state("listing")
        if state is None:
            # From before the first page: whatever changes from now on is the next run's.
            etag, _ = self._client.changed_since(self._changes, None)
            state = {**_BEGINNING, "newest": None, "etag": etag}
            store.put_state(listing=state)
        while True:
            page = self._page(queries.LIST, state, f"ask GitHub for {self._repo}")
            state = {**page.state, "newest": state["newest"] or page.newest, "etag": state["etag"]}
            if page.is_last:
                end = {"newest": state["newest"], "etag": state["etag"], "license": page.license}
                store.put_views(self._rows(page.views), {**end, "listed": True})
                return
            store.put_views(self._rows(page.views), {"listing": state})

    def list_changed(self) -> None:
        """Read what changed since the run before, if GitHub says that anything did."""
        store = self._store
        state = store.state("changing")
        if state is None:
            etag, has_changed = self._client.changed_since(self._changes, store.state("etag"))
            if not has_changed:
                return
            state = {**_BEGINNING, "newest": None, "etag": etag}
            store.put_state(changing=state)
        until = store.state("newest")
        if until is None:
            newest, license_ = self._newest()
            end = {"newest": newest, "license": license_, "etag": state["etag"]}
            store.put_views([], {**end, "changing": None})
            return
        while True:
            page = self._page(queries.CHANGED, state, f"ask GitHub what changed in {self._repo}")
            state = {**page.state, "newest": state["newest"] or page.newest, "etag": state["etag"]}
            # What changed in the same second as the last that was seen may not have been seen.
            fresh = [view for view in page.views if view.updated_at >= until]
            wanted = [v for v in fresh if v.state == "MERGED" or store.has_view(v.number)]
            if page.is_last or len(fresh) < len(page.views):
                end = {"newest": state["newest"], "etag": state["etag"], "license": page.license}
                store.put_views(self._rows(wanted), {**end, "changing": None})
                return
            store.put_views(self._rows(wanted), {"changing": state})

    def ask_for(self, numbers: Sequence[int]) -> None:
        """Read pull requests by number, those that are not there yet."""
        waiting = [number for number in numbers if not self._store.has_view(number)]
        if not waiting:
            return
        self._progress.start(f"ask GitHub for {self._repo}", len(waiting))
        while waiting:
            batch, waiting = waiting[:_PAGE], waiting[_PAGE:]
            self._store.put_views(self._by_numbers(batch), {})
            self._progress.advance(len(batch))

    def _by_numbers(self, numbers: Sequence[int]) -> list[tuple[int, Any, str | None]]:
        """Return the rows of pull requests by number; those that are gone have empty ones."""
        try:
            answer = self._client.graphql(queries.by_numbers(numbers), dict(self._names))
        except PageTooLargeError:
            if len(numbers) == 1:
                return []
            middle = len(numbers) // 2
            return self._by_numbers(numbers[:middle]) + self._by_numbers(numbers[middle:])
        found = self._repository(answer)
        gone = {
            int(error["path"][-1].removeprefix("p"))
            for error in answer.errors
            if error.get("type") == "NOT_FOUND" and len(error.get("path", ())) == 2
        }
        nodes = [node for n in numbers if (node := found.get(f"p{n}")) is not None]
        return self._rows(self._views(nodes)) + [(n, None, None) for n in sorted(gone)]

    def _newest(self) -> tuple[str, str | None]:
        found = self._repository(self._client.graphql(queries.NEWEST, dict(self._names)))
        return _newest(found), _license(found)

    def _page(self, query: str, state: dict[str, Any], what: str) -> _Page:
        """Ask for one page, in halves if GitHub can't put it together."""
        size, good = state["size"], state["good"] + 1
        while True:
            variables = {**self._names, "first": size, "after": state["cursor"]}
            try:
                answer = self._client.graphql(query, variables)
            except PageTooLargeError as error:
                if size == 1:
                    raise RemoteError(
                        f"GitHub can't give a page of one pull request of {self._repo} ({error}); "
                        "run it again later, it goes on where it was."
                    ) from error
                size, good = size // 2, 0
                continue
            found = self._repository(answer)
            connection = found.get("pullRequests")
            nodes = (connection or {}).get("nodes") or ()
            if connection is None or (size > 1 and None in nodes):
                size, good = max(1, size // 2), 0
                continue
            break
        if not state["done"]:
            self._progress.start(what, connection["totalCount"])
        self._progress.advance(len(nodes))
        info = connection["pageInfo"]
        after = {
            "cursor": info["endCursor"],
            "size": min(_PAGE, size * 2) if good == _GOOD_PAGES else size,
            "good": good % _GOOD_PAGES,
            "done": state["done"] + len(nodes),
        }
        views = self._views([node for node in nodes if node is not None])
        return _Page(views, after, not info["hasNextPage"], _newest(found), _license(found))

    def _repository(self, answer: Answer) -> dict[str, Any]:
        found = answer.data.get("repository")
        if not isinstance(found, dict):
            said = "; ".join(str(error.get("message")) for error in answer.errors)[:300]
            raise RemoteError(
                f"GitHub does not show {self._repo} ({said or 'no reason given'}); is the name "
                "right, and may the token read it?"
            )
        return found

    def _views(self, nodes: Iterable[dict[str, Any]]) -> list[View]:
        """Return the views of pull requests, after their connections were read to the ends."""
        pulls = list(nodes)
        waiting = [part for node in pulls for part in unfinished(node)]
        while waiting:
            again: list[Unfinished] = []
            for start in range(0, len(waiting), _TOGETHER):
                again += self._continue(waiting[start : start + _TOGETHER])
            waiting = again
        return [parse_pull(node) for node in pulls]

    def _continue(self, parts: list[Unfinished]) -> list[Unfinished]:
        """Read the next pages of connections into their places; return those that go on."""
        query, variables = queries.the_rest([part for part, _ in parts])
        answer = self._client.graphql(query, variables)
        again: list[Unfinished] = []
        for place, (part, connection) in enumerate(parts):
            owner = answer.data.get(f"c{place}") or {}
            more = owner.get(part.name)
            if more is None:
                # It vanished meanwhile, or GitHub can't give it: what was read stays.
                connection["nodes"].append(None)
                connection["pageInfo"] = {"hasNextPage": False, "endCursor": None}
                continue
            connection["nodes"] += more["nodes"]
            connection["pageInfo"] = more["pageInfo"]
            if more["pageInfo"]["hasNextPage"]:
                after = more["pageInfo"]["endCursor"]
                again.append((replace(part, after=after), connection))
        return again

    def _rows(self, views: Iterable[View]) -> list[tuple[int, Any, str | None]]:
        return [
            (v.number, msgspec.to_builtins(v), v.merge_commit if v.state == "MERGED" else None)
            for v in views
        ]


class _Page(msgspec.Struct, frozen=True):
    views: list[View]
    state: dict[str, Any]
    is_last: bool
    newest: str
    license: str | None


def _newest(found: dict[str, Any]) -> str:
    nodes = (found.get("newest") or {}).get("nodes") or ()
    return str(nodes[0]["updatedAt"]) if nodes and nodes[0] else ""


def _license(found: dict[str, Any]) -> str | None:
    spdx = (found.get("licenseInfo") or {}).get("spdxId")
    return None if spdx in (None, "NOASSERTION") else str(spdx)


def read_all(
    store: Store, access: GitHubAccess, repo: str, progress: Progress, *, everything: bool
) -> None:
    """Bring a store up to date with GitHub.

    With ``everything=False`` only what is in the store already; the rest is left to `ask_for`.
    Raises `RemoteError` if GitHub does not answer, or does not show the repository.
    """
    if store.state("address") != [access.base_url, repo]:
        store.forget_github()
        store.put_views([], {"address": [access.base_url, repo]})
    with Client(access, progress) as client:
        reader = Reader(client, store, repo, progress)
        if everything and not store.state("listed"):
            reader.list_merged()
        else:
            reader.list_changed()


def ask_for(
    store: Store, access: GitHubAccess, repo: str, numbers: Sequence[int], progress: Progress
) -> None:
    """Read those pull requests into a store that are not there yet."""
    with Client(access, progress) as client:
        Reader(client, store, repo, progress).ask_for(numbers)
