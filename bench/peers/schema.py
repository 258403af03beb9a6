"""The tables of the peers, in a database of their own."""

from typing import Final

TABLES: Final = (
    """create table peer_agents (
        id uuid primary key, key text not null, model text not null, prompt text not null)""",
    """create table peer_keys (
        id uuid primary key, key_hash text not null unique, user_id text not null,
        agent_id uuid not null references peer_agents)""",
    """create table peer_runs (
        id uuid primary key, agent_id uuid not null, user_id text not null, status text not null,
        started_at timestamptz not null, ended_at timestamptz)""",
    """create table peer_messages (
        id uuid primary key, run_id uuid not null, role text not null, content text not null,
        created_at timestamptz not null)""",
    "create index on peer_messages (run_id)",
)

FIND: Final = """
select k.user_id, a.id as agent_id, a.model, a.prompt
from peer_keys k join peer_agents a on a.id = k.agent_id where k.key_hash = $1
"""

BEGIN: Final = """
with run as (
    insert into peer_runs (id, agent_id, user_id, status, started_at)
    values ($1, $2, $3, 'running', now()) returning id
)
insert into peer_messages (id, run_id, role, content, created_at)
select $4, id, 'user', $5, now() from run
"""

FINISH: Final = "update peer_runs set status = 'completed', ended_at = now() where id = $1"
