"""Questions asked of the facts, and their answers as frozen values. No SQL here: `store` holds it.

Every answer costs a fixed number of statements, however much there is to answer about.
"""

from resonanz.insight.activity import Activity, Feed, activity, feed
from resonanz.insight.course import Course, course_of
from resonanz.insight.estimate import Estimate
from resonanz.insight.explain import (
    Explanation,
    explain_confidence,
    explain_coverage,
    explain_gateway,
    explain_reason,
    explain_refusal,
    explain_untracked,
    explain_verdict,
)
from resonanz.insight.local_time import local_time
from resonanz.insight.messages import (
    Entry,
    LinkClicks,
    MessageList,
    MessagePage,
    Query,
    message_list,
    message_page,
)
from resonanz.insight.opens import Behind, Opens, Unmeasured, opens_of
from resonanz.insight.ranking import By, Ranking, Usual, figures_of, rank_campaigns, usual_beside
from resonanz.insight.rates import Interval, Rate, wilson
from resonanz.insight.results import LinkResult, Results, results_of, table
from resonanz.insight.submissions import Choice, SubmissionPage, submission_page
from resonanz.insight.today import Day, Today, today
from resonanz.insight.turnout import Rates, rates_of

__all__ = [
    "Activity",
    "Behind",
    "By",
    "Choice",
    "Course",
    "Day",
    "Entry",
    "Estimate",
    "Explanation",
    "Feed",
    "Interval",
    "LinkClicks",
    "LinkResult",
    "MessageList",
    "MessagePage",
    "Opens",
    "Query",
    "Ranking",
    "Rate",
    "Rates",
    "Results",
    "SubmissionPage",
    "Today",
    "Unmeasured",
    "Usual",
    "activity",
    "course_of",
    "explain_confidence",
    "explain_coverage",
    "explain_gateway",
    "explain_reason",
    "explain_refusal",
    "explain_untracked",
    "explain_verdict",
    "feed",
    "figures_of",
    "local_time",
    "message_list",
    "message_page",
    "opens_of",
    "rank_campaigns",
    "rates_of",
    "results_of",
    "submission_page",
    "table",
    "today",
    "usual_beside",
    "wilson",
]
