"""What GitHub knows, read through PyGithub from a server that speaks its protocol."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from davinci_agency.errors import CommandError, RemoteError
from davinci_agency.ids import login_id
from davinci_agency.mine import Filters, GitHubAccess
from davinci_agency.mine.github.client import Client, pause_after
from davinci_agency.progress import SILENT
from davinci_agency.schema import validator
from tests.mine.hosted import REPO, Hosted, make_hosted, moment
from tests.mine.support import Mined, mine
from tests.servers.github import TOKEN, GitHubServer
from tests.servers.github_data import Comment, Repository
from tests.servers.github_faults import Fault, Kind, Request, first_above, is_graphql

COUNT = 120


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    return make_hosted(tmp_path_factory.mktemp("hosted") / "demo.git", COUNT)


@pytest.fixture
def server(hosted: Hosted) -> Iterator[GitHubServer]:
    with GitHubServer(hosted.pulls) as server:
        yield server


def ask(
    server: GitHubServer,
    hosted: Hosted,
    out: Path,
    *,
    tokens: tuple[str, ...] = (TOKEN,),
    cache: Path | None = None,
    **options: Any,
) -> Mined:
    access = GitHubAccess(tokens, server.base_url, secondary_wait=0.1)
    settings = {"repo": REPO, "github": access, **options}
    return mine(hosted.folder, out, settings, cache=cache or out / "cache")


@pytest.fixture(scope="module")
def undisturbed(hosted: Hosted, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    with GitHubServer(hosted.pulls) as server:
        return ask(server, hosted, tmp_path_factory.mktemp("undisturbed")).content


def test_git_wins_for_code_and_github_for_words(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    plain = mine(hosted.folder, tmp_path / "plain", {"repo": REPO}).pulls
    mined = ask(server, hosted, tmp_path)
    assert sorted(mined.pulls) == list(range(1, COUNT + 1))
    pull = mined.pulls[30]
    assert pull["title"] == "Part 30, as GitHub has it"
    assert pull["body"] == "The words of 30. Reported-by: Grace"
    assert pull["labels"] == ["bug", "part"]
    assert pull["login_id"] == login_id("ada")
    assert pull["license"] == "Apache-2.0"
    assert pull["closes"][0]["number"] == 10_030
    assert [(r["repo"], r["number"]) for r in pull["cross_references"]] == [("octo/demo", 29)]
    kinds = Counter(remark["kind"] for remark in pull["discussion"])
    assert kinds == {"comment": 40, "review": 1}
    assert Counter(r["kind"] for r in mined.pulls[29]["discussion"])["review-comment"] == 4
    times = [remark["created_at"] for remark in pull["discussion"]]
    assert times == sorted(times)
    given = set(pull["from_github"])
    assert {"title", "body", "labels", "discussion"} <= given
    for name, value in plain[30].items():
        assert name in {*given, "from_github", "license"} or pull[name] == value, name
    assert all(validator("pull-request").faults(p) == [] for p in mined.pulls.values())
    assert "ada" not in json.dumps(pull["discussion"])


def test_a_first_reading_takes_at_most_one_call_for_ten_pull_requests(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    ask(server, hosted, tmp_path)
    assert len(server.requests) <= COUNT // 10


def test_a_second_reading_of_what_did_not_change_costs_nothing(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    first = ask(server, hosted, tmp_path).content
    server.forget()
    spent = server.spent
    assert ask(server, hosted, tmp_path).content == first
    assert [request.status for request in server.requests] == [304]
    assert server.paid == []
    assert server.spent == spent


def test_only_what_changed_is_asked_for_again(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    ask(server, hosted, tmp_path)
    changed = replace(
        server.pulls[3],
        title="Another title",
        updated_at=moment(1_800_000_000),
        comments=(Comment("A new one"),),
    )
    server.put(changed)
    server.forget()
    again = ask(server, hosted, tmp_path)
    assert again.pulls[3]["title"] == "Another title"
    assert [r["body"] for r in again.pulls[3]["discussion"] if r["kind"] == "comment"] == [
        "A new one"
    ]
    assert len(server.requests) <= 4
    with GitHubServer(server.pulls.values()) as fresh:
        assert ask(fresh, hosted, tmp_path / "fresh").content == again.content


FAULTS = {
    "a page that is too large": Fault(Kind.BAD_GATEWAY, first_above(6), times=None),
    "a bad gateway now and then": Fault(Kind.BAD_GATEWAY, 2),
    "a bad gateway in JSON": Fault(Kind.BAD_GATEWAY_JSON, 1),
    "errors within status 200": Fault(Kind.ERRORS, 1),
    "an answer in part": Fault(Kind.PARTIAL, 2, number=30),
    "comments that fail": Fault(Kind.PARTIAL, 2, number=30, below="comments"),
    "something went wrong": Fault(Kind.WENT_WRONG, 1),
    "a time out": Fault(Kind.TIMED_OUT, 1),
    "403 with a time": Fault(Kind.SECONDARY, 1, status=403, retry_after=1),
    "403 without a time": Fault(Kind.SECONDARY, 1, status=403, times=2),
    "429 with a time": Fault(Kind.SECONDARY, 1, status=429, retry_after=1),
    "429 without a time": Fault(Kind.SECONDARY, 1, status=429, times=2),
    "a limit within status 200": Fault(Kind.SECONDARY, 1, status=200),
    "an answer that breaks off": Fault(Kind.DROPPED, 1),
    "a line that is cut": Fault(Kind.HANG_UP, 1),
    "an answer that is no JSON": Fault(Kind.BAD_JSON, 1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_whatever_goes_wrong_on_the_way_the_bytes_are_the_same(
    fault: Fault, server: GitHubServer, hosted: Hosted, tmp_path: Path, undisturbed: bytes
) -> None:
    server.plan(fault)
    assert ask(server, hosted, tmp_path).content == undisturbed


def test_a_token_without_points_rests_until_they_are_given_again(
    server: GitHubServer, hosted: Hosted, tmp_path: Path, undisturbed: bytes
) -> None:
    server.points(TOKEN, remaining=1, resets_in=1.0)
    assert ask(server, hosted, tmp_path).content == undisturbed


def test_a_limit_that_goes_by_its_other_name_is_one(
    server: GitHubServer, hosted: Hosted, tmp_path: Path, undisturbed: bytes
) -> None:
    server.limited_type = "RATE_LIMIT"
    server.points(TOKEN, remaining=1, resets_in=1.0)
    assert ask(server, hosted, tmp_path).content == undisturbed


def test_several_tokens_take_turns_and_none_waits_for_another(
    hosted: Hosted, tmp_path: Path, undisturbed: bytes
) -> None:
    tokens = ("token-one", "token-two", "token-bad")
    with GitHubServer(hosted.pulls, tokens=tokens[:2]) as server:
        for token in tokens[:2]:
            server.points(token, remaining=40, resets_in=3_600.0)
        assert ask(server, hosted, tmp_path, tokens=tokens).content == undisturbed
        used = Counter(request.token for request in server.requests if request.status == 200)
        assert used["token-one"] > 1
        assert used["token-two"] > 1


def test_a_page_that_drifts_while_it_is_read_loses_nothing(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    def drift(request: Request) -> None:
        if request.index == 2:
            early = replace(server.pulls[2], title="Changed", updated_at=moment(1_800_000_000))
            late = replace(server.pulls[90], title="Changed", updated_at=moment(1_800_000_001))
            server.put(early, late)

    server.hook = drift
    ask(server, hosted, tmp_path)
    again = ask(server, hosted, tmp_path)
    assert sorted(again.pulls) == list(range(1, COUNT + 1))
    assert [again.pulls[n]["title"] for n in (2, 90)] == ["Changed", "Changed"]
    with GitHubServer(server.pulls.values()) as fresh:
        assert ask(fresh, hosted, tmp_path / "fresh").content == again.content


def test_a_pull_request_that_vanishes_keeps_what_git_knows(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    def vanish(request: Request) -> None:
        if request.index == 1 and 110 in server.pulls:
            server.remove(110)

    server.hook = vanish
    pull = ask(server, hosted, tmp_path).pulls[110]
    assert pull["gaps"] == ["github-gone"]
    assert pull["title"] == "Change part 110"
    assert pull["from_github"] == []


def test_only_the_newest_are_asked_for_if_only_they_are_wanted(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    mined = ask(server, hosted, tmp_path, limit=5)
    assert sorted(mined.pulls) == list(range(COUNT - 4, COUNT + 1))
    assert mined.pulls[COUNT]["title"] == f"Part {COUNT}, as GitHub has it"
    assert len(server.requests) <= 4
    changed = replace(server.pulls[COUNT], title="New", updated_at=moment(1_800_000_000))
    server.put(changed)
    assert ask(server, hosted, tmp_path, limit=5).pulls[COUNT]["title"] == "New"


def test_what_an_author_said_who_opted_out_is_left_out(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    filters = Filters(opted_out=(login_id("grace"),))
    mined = ask(server, hosted, tmp_path, filters=filters)
    assert {r["kind"] for r in mined.pulls[29]["discussion"]} == {"comment", "review-comment"}
    everybody = Filters(opted_out=(login_id("ada"), login_id("grace")))
    mined = ask(server, hosted, tmp_path, filters=everybody)
    assert mined.pulls == {}
    assert set(mined.summary.rules) == {"opted-out"}


def test_a_merge_that_only_github_knows_is_found(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    begun = server.pulls[1]
    # Without its head and number, nothing in git says that the commit is a pull request.
    unknown = replace(begun, number=500, merge_commit=begun.merge_commit)
    server.remove(1)
    server.put(unknown)
    pulls = ask(server, hosted, tmp_path).pulls
    assert 500 not in pulls
    assert pulls[1]["merge_commit"] == begun.merge_commit


def test_a_server_that_tells_no_points_is_asked_for_none(tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            same = self.headers["If-None-Match"] == '"a"'
            self.send_response(304 if same else 200)
            self.send_header("ETag", '"a"')
            self.send_header("Content-Length", "0" if same else "2")
            self.end_headers()
            self.wfile.write(b"" if same else b"[]")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        access = GitHubAccess((TOKEN,), f"http://127.0.0.1:{server.server_port}")
        with Client(access, SILENT) as client:
            assert client.changed_since("/pulls", None) == ('"a"', True)
            assert client.changed_since("/pulls", '"a"') == ('"a"', False)
        server.shutdown()
    assert asked == ["/pulls", "/pulls"]


def test_without_a_token_git_alone_speaks_and_the_summary_says_so(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    mined = ask(server, hosted, tmp_path, tokens=())
    assert len(mined.pulls) == COUNT
    assert "GITHUB_TOKEN" in mined.summary.notes[0]
    assert server.requests == []


def test_a_token_that_is_not_accepted_is_the_command_s_fault(
    server: GitHubServer, hosted: Hosted, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="GITHUB_TOKEN") as refusal:
        ask(server, hosted, tmp_path, tokens=("not-a-token",))
    assert "not-a-token" not in str(refusal.value)


def test_a_repository_that_github_does_not_show_is_the_remote_s_fault(
    hosted: Hosted, tmp_path: Path
) -> None:
    with (
        GitHubServer(repository=Repository(name="other")) as server,
        pytest.raises(RemoteError, match="status 404"),
    ):
        ask(server, hosted, tmp_path)


def test_github_that_is_down_is_the_remote_s_fault_and_nothing_is_lost(
    server: GitHubServer, hosted: Hosted, tmp_path: Path, undisturbed: bytes
) -> None:
    server.plan(Fault(Kind.SECONDARY, is_graphql, times=None, status=403, retry_after=0))
    with pytest.raises(RemoteError, match="in a row"):
        ask(server, hosted, tmp_path)
    with GitHubServer(hosted.pulls) as well:
        # The store belongs to an address: another one begins anew.
        assert ask(well, hosted, tmp_path).content == undisturbed


def test_an_address_where_nobody_answers_is_given_up_soon_and_named_without_its_password(
    hosted: Hosted, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        # Bound and not listening: whoever calls is refused.
        taken.bind(("127.0.0.1", 0))
        address = f"http://ada:secret@127.0.0.1:{taken.getsockname()[1]}"
        access = GitHubAccess((TOKEN,), address)
        with pytest.raises(RemoteError, match=r"127\.0\.0\.1 did not answer 4 times") as caught:
            mine(hosted.folder, tmp_path, {"repo": REPO, "github": access})
    assert "secret" not in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "headers", "said", "expected"),
    [
        (403, {"retry-after": "7"}, "You have exceeded a secondary rate limit", (7.0, False)),
        (429, {"retry-after": "7"}, "", (7.0, False)),
        (429, {}, "", (60.0, False)),
        (403, {}, "You have exceeded a secondary rate limit", (60.0, False)),
        (
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1100"},
            "API rate limit exceeded",
            (101.0, True),
        ),
        (
            200,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1100"},
            "RATE_LIMITED",
            (101.0, True),
        ),
        (502, {}, "", (1.0, False)),
        (0, {}, "ConnectionError", (1.0, False)),
    ],
)
def test_the_pause_is_what_github_asks_for(
    status: int, headers: dict[str, str], said: str, expected: tuple[float, bool]
) -> None:
    pause = pause_after(status, headers, said, 1, 1_000.0)
    assert pause is not None
    assert (pause.seconds, pause.token_only) == expected


@pytest.mark.parametrize(("status", "said"), [(403, "Resource not accessible"), (404, "Not Found")])
def test_a_refusal_that_no_waiting_mends_has_no_pause(status: int, said: str) -> None:
    assert pause_after(status, {"x-ratelimit-remaining": "4000"}, said, 1, 1_000.0) is None
