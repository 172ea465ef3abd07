"""Where the data folders are: ``schemas/``, ``dataset_card/`` and ``loading_script/``.

A wheel carries them as ``davinci_agency/shipped/``; a checkout, an editable install and
``PYTHONPATH=builder`` find them at the repository's root. No other module knows this.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """Return the path of a data folder.

    >>> (shipped("schemas") / "1.0.0" / "sample.schema.json").is_file()
    True
    """
    inside = _PACKAGE / "shipped"
    root = inside if inside.is_dir() else _PACKAGE.parent.parent
    return root / folder
