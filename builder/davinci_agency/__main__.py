"""``python -m davinci_agency``: the command line."""

from davinci_agency.cli.main import main

if __name__ == "__main__":
    main()
