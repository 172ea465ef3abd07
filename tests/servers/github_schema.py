"""The part of GitHub's GraphQL schema that the loopback server speaks.

Names, arguments and nullability are GitHub's, because they decide which query is refused and how
far a null spreads. What is left out is unknown here, as a misspelt field is unknown at GitHub.
"""

from __future__ import annotations

from functools import cache

from graphql import GraphQLSchema, build_schema

_PAGE = "after: String, before: String, first: Int, last: Int"

_CORE = """
scalar DateTime
scalar URI
scalar GitObjectID

interface Node { id: ID! }
interface Actor { login: String! url: URI! }

type Query {
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
}

type RateLimit {
  cost: Int!
  limit: Int!
  nodeCount: Int!
  remaining: Int!
  resetAt: DateTime!
  used: Int!
}

type PageInfo {
  endCursor: String
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: String
}

type User implements Node & Actor { id: ID! login: String! url: URI! }
type Bot implements Node & Actor { id: ID! login: String! url: URI! }
type Organization implements Node & Actor { id: ID! login: String! url: URI! }
type Mannequin implements Node & Actor { id: ID! login: String! url: URI! }

type License { spdxId: String }
type Ref { name: String! }
type Commit implements Node { id: ID! oid: GitObjectID! }
type Label implements Node { id: ID! name: String! }

enum OrderDirection { ASC DESC }
enum IssueOrderField { CREATED_AT UPDATED_AT COMMENTS }
input IssueOrder { direction: OrderDirection! field: IssueOrderField! }
enum IssueState { OPEN CLOSED }
enum PullRequestState { OPEN CLOSED MERGED }
enum PullRequestReviewState { APPROVED CHANGES_REQUESTED COMMENTED DISMISSED PENDING }
"""

_REPOSITORY = f"""
type Repository implements Node {{
  id: ID!
  name: String!
  nameWithOwner: String!
  url: URI!
  isPrivate: Boolean!
  licenseInfo: License
  defaultBranchRef: Ref
  pullRequest(number: Int!): PullRequest
  pullRequests(
    {_PAGE}
    baseRefName: String
    orderBy: IssueOrder
    states: [PullRequestState!]
  ): PullRequestConnection!
}}

type Issue implements Node {{
  id: ID!
  number: Int!
  title: String!
  body: String!
  state: IssueState!
  url: URI!
  repository: Repository!
}}
"""

_PULL = f"""
type PullRequest implements Node {{
  id: ID!
  number: Int!
  title: String!
  body: String!
  url: URI!
  state: PullRequestState!
  createdAt: DateTime!
  updatedAt: DateTime!
  mergedAt: DateTime
  merged: Boolean!
  baseRefName: String!
  headRefOid: GitObjectID!
  mergeCommit: Commit
  author: Actor
  repository: Repository!
  labels({_PAGE}): LabelConnection
  comments({_PAGE}): IssueCommentConnection!
  reviews(
    {_PAGE}
    author: String
    states: [PullRequestReviewState!]
  ): PullRequestReviewConnection
  closingIssuesReferences({_PAGE}): IssueConnection
  timelineItems(
    {_PAGE}
    itemTypes: [PullRequestTimelineItemsItemType!]
    since: DateTime
  ): PullRequestTimelineItemsConnection!
}}

type IssueComment implements Node {{
  id: ID!
  author: Actor
  body: String!
  createdAt: DateTime!
}}

type PullRequestReview implements Node {{
  id: ID!
  author: Actor
  state: PullRequestReviewState!
  body: String!
  submittedAt: DateTime
  comments({_PAGE}): PullRequestReviewCommentConnection!
}}

type PullRequestReviewComment implements Node {{
  id: ID!
  author: Actor
  body: String!
  path: String!
  createdAt: DateTime!
}}

type CrossReferencedEvent implements Node {{
  id: ID!
  actor: Actor
  createdAt: DateTime!
  isCrossRepository: Boolean!
  willCloseTarget: Boolean!
  source: ReferencedSubject!
}}

union ReferencedSubject = Issue | PullRequest
union PullRequestTimelineItems = CrossReferencedEvent | IssueComment | PullRequestReview

enum PullRequestTimelineItemsItemType {{
  CLOSED_EVENT
  CONNECTED_EVENT
  CROSS_REFERENCED_EVENT
  DISCONNECTED_EVENT
  ISSUE_COMMENT
  LABELED_EVENT
  MERGED_EVENT
  PULL_REQUEST_COMMIT
  PULL_REQUEST_REVIEW
  REFERENCED_EVENT
}}
"""


def _connection(name: str, item: str) -> str:
    return f"""
type {name}Connection {{
  edges: [{name}Edge]
  nodes: [{item}]
  pageInfo: PageInfo!
  totalCount: Int!
}}
type {name}Edge {{ cursor: String! node: {item} }}
"""


def sdl() -> str:
    """Return the schema in GraphQL's own language."""
    same = ("PullRequest", "Label", "IssueComment", "PullRequestReview", "Issue")
    connections = [_connection(name, name) for name in (*same, "PullRequestReviewComment")]
    connections.append(_connection("PullRequestTimelineItems", "PullRequestTimelineItems"))
    return "\n".join([_CORE, _REPOSITORY, _PULL, *connections])


@cache
def schema() -> GraphQLSchema:
    """Return the schema, built once for all servers of a process."""
    return build_schema(sdl())
