"""What GitHub knows of pull requests and git does not: words, labels, discussions, links.

In: a repository's name and access tokens. Out: views in the repository's store, page by page, so
that a run that is stopped goes on where it was, and a later run asks only for what changed.
`reading` decides what is asked, `queries` words it, `client` gets an answer, `views` reads it.
"""
