"""Language models: asked over OpenAI's chat completions, every answer kept.

`open_model` gives a `Model`; `Model.ask` returns an `Answer`; `read_json` reads one as a type.
"""

from davinci_agency.llm.asking import Answer, Endpoint, Model, Sampling, Spent, open_model
from davinci_agency.llm.reading import read_json

__all__ = [
    "Answer",
    "Endpoint",
    "Model",
    "Sampling",
    "Spent",
    "open_model",
    "read_json",
]
