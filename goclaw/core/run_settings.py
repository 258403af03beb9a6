"""Settings of runs: what they may use, which tools they get, how many go on at once."""

from typing import Final, Literal

from pydantic import BaseModel, Field

from goclaw.core.setting_types import ToolEntries
from goclaw.core.tool_names import Profile

MAX_LANE: Final = 10_000


class RunSettings(BaseModel):
    """A part of `Settings`."""

    run_tool_calls: int = Field(
        100, gt=0, description="Tool calls of one run, after which it has to answer."
    )
    run_time_s: int = Field(
        1800, gt=0, description="Seconds after which a run that calls tools has to answer."
    )
    run_budget_cents: int = Field(
        500,
        ge=0,
        description="US cents that one run, with all tasks that come of it, may cost before a "
        "model is called again; 0 for any amount.",
    )
    run_budget_tokens: int = Field(
        5_000_000,
        ge=0,
        description="Tokens that one run, with all tasks that come of it, may use before a model "
        "is called again, also where no price is known; 0 for any number.",
    )
    user_budget_monthly_cents: int = Field(
        0,
        ge=0,
        description="US cents that the runs of one user may cost in a month (UTC); 0 for any "
        "amount.",
    )
    user_tokens_per_day: int = Field(
        0,
        ge=0,
        description="Tokens that the runs of one user may use in a day (UTC); 0 for any number.",
    )
    tools_at_once: int = Field(8, gt=0, le=100, description="Tools of one run that work at once.")
    tools_profile: Profile = Field(
        "none",
        description="Tools of agents whose `tools_config` names no profile and allows none: "
        "`none`, `minimal`, `coding`, `messaging` or `full`.",
    )
    tools_deny: ToolEntries = Field(
        (),
        description="Tools that no agent gets: names, patterns such as `mcp__*`, groups such as "
        "`group:web`; comma separated.",
    )
    tool_calls_per_hour: int = Field(
        1000, ge=0, description="Tool calls of one user in an hour; 0 for any number."
    )
    guard_messages: Literal["off", "log", "warn", "block"] = Field(
        "warn",
        description="What is done when a user's message to an agent with tools reads as if it "
        "were to change the agent's instructions: `off`, `log`, `warn` the model or `block` it.",
    )
    guard_results: Literal["off", "log", "warn", "cut"] = Field(
        "cut",
        description="What is done when the result of a tool reads like orders to the model: "
        "`off`, `log`, `warn` the model, or `cut` the sentences out of what strangers wrote and "
        "warn of the rest.",
    )
    carry_jobs: bool = Field(
        True,
        description="Carry wakes and cron jobs; switch off for a server that only takes them.",
    )
    lane_main: int = Field(
        30, gt=0, le=MAX_LANE, description="Wakes that a worker carries at once."
    )
    lane_cron: int = Field(
        30, gt=0, le=MAX_LANE, description="Cron jobs that a worker carries at once."
    )
    lane_subagent: int = Field(
        50, gt=0, le=MAX_LANE, description="Sub-agents that work at once at a worker."
    )
    lane_delegate: int = Field(
        100, gt=0, le=MAX_LANE, description="Delegated tasks that a worker carries at once."
    )
    lane_queue: int = Field(
        1000,
        gt=0,
        description="Sub-agents and delegated tasks that wait for a free place at a worker.",
    )
    session_queue: int = Field(
        10, gt=0, description="Wakes and cron runs that wait for one session."
    )
    job_queue: int = Field(
        10_000, gt=0, description="Wakes and cron runs that wait in all, of every server."
    )
    job_retries: int = Field(
        2,
        ge=0,
        le=10,
        description="How often a run that nobody waits for asks the model again after a failure "
        "that may pass, as long as nothing was said.",
    )
    cron_jobs_per_user: int = Field(
        100, ge=0, le=10_000, description="Cron jobs that one user may have; 0 allows none."
    )
