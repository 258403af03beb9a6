"""Whatever lists say: what is denied is never had, and a limit never adds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goclaw.core.tool_names import GROUPS, NAMES, PROFILE_ENTRIES, PROFILES, is_known, matches
from goclaw.core.tools_config import MAX_ENTRIES, checked_tools_config, read_tools_config
from goclaw.tools.policy import Layer, Policy

FOREIGN = ("mcp__mail__send", "mcp__mail__read", "mcp__files__read")
TOOLS = sorted(NAMES | set(FOREIGN))
GROUP_NAMES = [f"group:{name}" for name in (*GROUPS, "goclaw", "mcp", "mcp:mail")]
PATTERNS = ["*", "read_*", "mcp__*", "mcp__mail__*", "*_list", "web_?????", "sessions_*"]
ENTRIES = st.lists(st.sampled_from([*TOOLS, *GROUP_NAMES, *PATTERNS]), max_size=4)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "profile": st.sampled_from(PROFILES),
        "allow": ENTRIES,
        "alsoAllow": ENTRIES,
        "deny": ENTRIES,
    },
)
CONFIGS = st.builds(
    lambda own, provider: {**own, **({"byProvider": {"main": provider}} if provider else {})},
    RULES,
    st.none() | RULES,
)
LAYERS = st.builds(lambda rules: Layer.of(read_tools_config(rules)), RULES)
NOTHING = Layer(picks=((),))
"""The gateway's default."""


def policy(config: dict[str, Any], *limits: Layer, default: Layer = NOTHING) -> Policy:
    return Policy.for_agent(default, config, "main", limits)


def had(policy: Policy) -> set[str]:
    return {name for name in TOOLS if policy.permits(name)}


@settings(deadline=None)
@given(LAYERS, CONFIGS, st.lists(LAYERS, max_size=2))
def test_what_is_denied_anywhere_is_never_had(
    default: Layer, config: dict[str, Any], limits: list[Layer]
) -> None:
    tried = policy(config, *limits, default=default)
    layers = [default, *limits, Layer.of(read_tools_config(config))]
    if "byProvider" in config:
        layers.append(Layer.of(read_tools_config(config["byProvider"]["main"])))
    for name in had(tried):
        assert not any(matches(entry, name) for layer in layers for entry in layer.denies)


@settings(deadline=None)
@given(LAYERS, CONFIGS, LAYERS)
def test_a_limit_never_adds(default: Layer, config: dict[str, Any], limit: Layer) -> None:
    assert had(policy(config, limit, default=default)) <= had(policy(config, default=default))
    without = {key: value for key, value in config.items() if key != "byProvider"}
    assert had(policy(config, default=default)) <= had(policy(without, default=default))


@settings(deadline=None)
@given(CONFIGS, ENTRIES)
def test_a_further_denial_takes_exactly_what_it_names(
    config: dict[str, Any], more: list[str]
) -> None:
    denied = {name for name in TOOLS if any(matches(entry, name) for entry in more)}
    further = {**config, "deny": [*config.get("deny", []), *more]}
    assert had(policy(further)) == had(policy(config)) - denied


@settings(deadline=None)
@given(CONFIGS)
def test_nothing_can_be_told_without_looking_at_tools(config: dict[str, Any]) -> None:
    tried = policy(config)
    if tried.gives_nothing:
        assert not had(tried)


@settings(deadline=None)
@given(CONFIGS)
def test_the_order_of_a_list_changes_nothing(config: dict[str, Any]) -> None:
    turned = {
        key: value[::-1] if isinstance(value, list) else value for key, value in config.items()
    }
    assert had(policy(config)) == had(policy(turned))


def test_also_allow_does_not_beat_deny() -> None:
    config = {"profile": "full", "alsoAllow": ["exec"], "deny": ["group:runtime"]}
    assert not policy(config).permits("exec")
    assert policy(config).permits("read_file")


def test_an_agent_has_nothing_unless_it_says_so() -> None:
    assert policy({}).gives_nothing
    assert policy({"deny": ["exec"]}).gives_nothing
    assert policy({"profile": "none"}).gives_nothing
    assert not policy({"profile": "none", "alsoAllow": ["cron"]}).gives_nothing
    assert had(policy({"profile": "none", "alsoAllow": ["cron"]})) == {"cron"}
    assert had(policy({"allow": ["read_file"]})) == {"read_file"}


def test_an_agent_may_have_less_than_the_gateway_gives() -> None:
    default = Layer(picks=(PROFILE_ENTRIES["full"],), denies=("exec",))
    assert had(policy({}, default=default)) == set(TOOLS) - {"exec"}
    assert had(policy({"profile": "none"}, default=default)) == set()
    assert had(policy({"profile": "minimal"}, default=default)) == {"session_status"}
    assert not policy({"alsoAllow": ["exec"]}, default=default).permits("exec")


def test_profile_and_allow_hold_both() -> None:
    config = {"profile": "coding", "allow": ["read_*", "cron"]}
    assert had(policy(config)) == {"read_file", "read_image", "read_document"}


def test_a_provider_narrows_what_its_models_have() -> None:
    config = {"profile": "coding", "byProvider": {"main": {"deny": ["group:web"]}}}
    assert not policy(config).permits("web_fetch")
    other = Policy.for_agent(NOTHING, config, "other")
    assert other.permits("web_fetch")


def test_groups_of_mcp_servers() -> None:
    assert had(policy({"allow": ["group:mcp:mail"]})) == {"mcp__mail__send", "mcp__mail__read"}
    assert had(policy({"allow": ["group:mcp"]})) == set(FOREIGN)
    assert had(policy({"allow": ["group:goclaw"]})) == set(NAMES)


def test_every_entry_of_a_profile_is_known() -> None:
    for entries in PROFILE_ENTRIES.values():
        assert all(map(is_known, entries))
    assert list(PROFILE_ENTRIES) == list(PROFILES)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"profile": "everything"}, "profile"),
        ({"profile": None, "allow": "read_file"}, "allow"),
        ({"allow": ["read_fiel"]}, "allow.0"),
        ({"deny": ["exec", "group:fish"]}, "deny.1"),
        ({"alsoAllow": ["zz*"]}, "alsoAllow.0"),
        ({"deny": [""]}, "deny.0"),
        ({"deny": [7]}, "deny.0"),
        ({"deny": ["*"] * (MAX_ENTRIES + 1)}, "deny"),
        ({"deny": ["mcp__" + "x" * 200]}, "deny.0"),
        ({"byProvider": {"main": {"profile": "all"}}}, "byProvider.main.profile"),
        ({"byProvider": []}, "byProvider"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(config: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        checked_tools_config(config)


def test_what_it_does_not_know_stays() -> None:
    config = {"profile": "minimal", "vision": {"provider": "main"}, "allow": None}
    assert checked_tools_config(config) is config


def test_brackets_are_no_pattern() -> None:
    assert not matches("[er]*", "read_file")
