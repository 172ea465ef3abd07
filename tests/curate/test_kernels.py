"""Compiled functions: nothing that is kept on disk outlives its source."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest
from numba.core.dispatcher import Dispatcher

MODULES = ("words", "hunks", "sketches", "join", "grams")


def _kernels(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Dispatcher)}


@pytest.mark.parametrize("name", MODULES)
def test_a_kernel_calls_none_of_another_file(name: str) -> None:
    module = importlib.import_module(f"davinci_agency.curate.{name}")
    kernels = _kernels(module)
    assert kernels
    assert {kernel.py_func.__module__ for kernel in kernels.values()} == {module.__name__}
