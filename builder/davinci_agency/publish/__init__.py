"""The Hub: a release in, one commit and one tag out, proven readable before anyone is told.

In: a release's folder and the name of a dataset repository. Out: the release on the Hub.
Promises: ``main`` shows the old release or the new one, whole; publishing twice changes nothing;
a tag never moves.
"""

from davinci_agency.publish.diffing import ReleaseDiff, diff_releases
from davinci_agency.publish.hub import HubRepository, release_folder
from davinci_agency.publish.plan import Plan
from davinci_agency.publish.publishing import Outcome, PublishOptions, publish_release
from davinci_agency.publish.verifying import Verified, verify_release
from davinci_agency.publish.versions import Version
from davinci_agency.publish.yanking import yank_release

__all__ = [
    "HubRepository",
    "Outcome",
    "Plan",
    "PublishOptions",
    "ReleaseDiff",
    "Verified",
    "Version",
    "diff_releases",
    "publish_release",
    "release_folder",
    "verify_release",
    "yank_release",
]
