"""The scaffolds that there are."""

from davinci_agency.collect.scaffold import Scaffold
from davinci_agency.collect.scaffolds.mini_swe_agent import MiniSweAgent
from davinci_agency.collect.scaffolds.sii_cli import SiiCli

SCAFFOLDS: dict[str, Scaffold] = {
    scaffold.name: scaffold for scaffold in (MiniSweAgent(), SiiCli())
}
