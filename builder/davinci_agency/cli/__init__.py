"""The command line: thin commands over the stages. Data goes to stdout, the rest to stderr."""
