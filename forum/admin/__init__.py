"""The moderators' desk: shows what there is and calls actions; decides nothing itself."""

from . import boards, cases, debates, log, members, notices, pages

__all__ = ["boards", "cases", "debates", "log", "members", "notices", "pages"]
