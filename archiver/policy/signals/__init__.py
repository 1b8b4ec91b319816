"""What a site says about a page beyond access, pure: robots rules, reservations, preferences, licences, status, waits.

`page_signals` reads one response. The rest are its parts, for callers that have only one carrier at hand.
"""

from archiver.policy.preferences import ContentSignal, Usage, read_content_signals, read_content_usage
from archiver.policy.retry_after import parse_retry_after, retry_after
from archiver.policy.signals.carriers import Carriers, collect, names_of
from archiver.policy.signals.directives import Directives
from archiver.policy.signals.links import licenses, may_follow
from archiver.policy.signals.page import page_signals, read
from archiver.policy.signals.rsl import RslContent, parse_rsl, rsl_labels
from archiver.policy.signals.status import STATUS_ACTIONS, StatusAction, status_action
from archiver.policy.signals.tdmrep import Tdm, resolve
from archiver.policy.signals.values import LABELS, NO_SIGNALS, Evidence, Label, LinkTag, MetaTag, PageSignals

__all__ = [
    "LABELS",
    "NO_SIGNALS",
    "STATUS_ACTIONS",
    "Carriers",
    "ContentSignal",
    "Directives",
    "Evidence",
    "Label",
    "LinkTag",
    "MetaTag",
    "PageSignals",
    "RslContent",
    "StatusAction",
    "Tdm",
    "Usage",
    "collect",
    "licenses",
    "may_follow",
    "names_of",
    "page_signals",
    "parse_retry_after",
    "parse_rsl",
    "read",
    "read_content_signals",
    "read_content_usage",
    "resolve",
    "retry_after",
    "rsl_labels",
    "status_action",
]
