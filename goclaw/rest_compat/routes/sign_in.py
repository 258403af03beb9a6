"""Browsers that are signed in."""

from typing import Final

from goclaw.models.web_sessions import WebSessionView
from goclaw.resolvers import sign_in
from goclaw.rest_compat.route import Part, Route
from goclaw.rest_compat.session import begin_session, end_session

OK: Final = {"ok": "true"}

SIGN_IN: Final = (
    Route(
        "POST",
        "/v1/session",
        sign_in.sign_in,
        WebSessionView,
        status=201,
        tag="Sign-in",
        summary="Sign in from a page",
        description="Exchanges the token or key in `Authorization` for a cookie that no script "
        "can read. Calls that change something and come with the cookie need the header "
        "`X-GoClaw-Page` and an `Origin` of this server; WebSockets need the latter.",
        fixed={"user_agent": None},
        handler=begin_session,
    ),
    Route(
        "DELETE",
        "/v1/session",
        sign_in.sign_out,
        tag="Sign-in",
        summary="Sign out",
        description="Ends the session of the cookie, and takes the cookie away.",
        constants=OK,
        handler=end_session,
    ),
    Route(
        "GET",
        "/v1/web-sessions",
        sign_in.list_web_sessions,
        WebSessionView,
        tag="Sign-in",
        summary="List the browsers signed in",
        description="One's own, newest first; an administrator who names no user sees all.",
        many="sessions",
        also={"total": Part(sign_in.count_web_sessions)},
    ),
    Route(
        "DELETE",
        "/v1/web-sessions/{id}",
        sign_in.end_web_session,
        tag="Sign-in",
        summary="Sign a browser out",
        constants=OK,
    ),
    Route(
        "DELETE",
        "/v1/web-sessions",
        sign_in.end_other_web_sessions,
        tag="Sign-in",
        summary="Sign all other browsers out",
        description="One's own but the one that asks; an administrator may name a user.",
        many="ids",
    ),
)
