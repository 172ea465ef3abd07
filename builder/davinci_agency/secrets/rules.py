"""All rules, the surest first: where two find the same, the first gives the name."""

from __future__ import annotations

from davinci_agency.secrets.forms import FORMS
from davinci_agency.secrets.named import NAMED
from davinci_agency.secrets.people import PEOPLE
from davinci_agency.secrets.rule import Rule

RULES: tuple[Rule, ...] = (*FORMS, *NAMED, *PEOPLE)
