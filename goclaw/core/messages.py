"""The text of every error code. Placeholders are the parameters the error was raised with."""

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    # request
    "invalid_json": "the body is not valid JSON: {reason}",
    "invalid_input": "{field}: {reason}",
    "required": "{field} is required",
    "unknown_field": "{field} is not a field of this request",
    "invalid_id": "{field} must be a UUID",
    "invalid_cursor": "{field} is not a cursor this server gave out",
    "not_found": "no such path: {path}",
    "method_not_allowed": "{method} is not allowed here; allowed: {allowed}",
    "body_too_large": "the body is larger than the limit of {limit_bytes} bytes",
    "unsupported_media": "{content_type} is not accepted here; send {expected}",
    "query_too_deep": "the query goes {depth} levels deep; the limit is {limit}",
    "too_many_aliases": "the query has {aliases} aliases; the limit is {limit}",
    "too_many_repeats": "fields are repeated too often: {name} {count} times",
    "too_many_tokens": "the query has more than {limit} tokens",
    "query_too_costly": "the query asks for up to {cost} rows; the limit is {limit}: ask for "
    "fewer with `first`, or for less about each",
    "subscription_transport": "a subscription needs a WebSocket (graphql-transport-ws), or "
    "Accept: multipart/mixed;subscriptionSpec=1.0",
    "batch_refused": "send one operation at a time",
    "too_many_subscriptions": "this socket has {limit} operations open already",
    "socket_too_slow": "the reader is too slow; connect again and resume with the last cursor",
    "internal": "internal error; ask the operator for request {request_id}",
    # identity and permission
    "unauthenticated": "sign in with a gateway token or an API key",
    "invalid_credential": "the token or API key is unknown, expired or revoked",
    "admin_key_not_bound": "a key with operator.admin cannot be bound to agents",
    "api_key_revoked": "the key was revoked; make a new one",
    "api_key_expired": "the key has expired; make a new one",
    "key_bound_to_agents": "the key is bound to agents and may do nothing beyond them",
    "credential_ended": "the API key has expired or was revoked",
    "scope_missing": "this needs the scope {scope}",
    "user_not_yours": "the key is bound to another user than {user_id}",
    "owner_not_yours": "only the gateway token, an admin key or a key bound to the owner "
    "may act as an owner",
    "user_reserved": "{user_id} is the server itself; only the gateway token or an admin key may "
    "act in its name",
    "user_required": "name the user in the X-GoClaw-User-Id header",
    "user_id_too_long": "{field} is longer than {limit} bytes",
    "origin_refused": "requests from this Origin or Host are not allowed; an administrator can "
    "name the site in GOCLAW_ALLOWED_ORIGINS, the host in GOCLAW_ALLOWED_HOSTS",
    "cross_site": "a signed-in page must call its own server and send the header {header}",
    "session_user": "the page is signed in as another user than {user_id}; sign in again",
    "session_without_token": "there is nothing to sign in with: send a gateway token or an API key",
    "web_session_not_found": "no signed-in page {id}",
    # limits
    "rate_limited": "more than {limit} calls a minute by this {subject}; try again in "
    "{retry_after_s} s",
    "too_many_failures": "too many refused credentials from this address; try again in "
    "{retry_after_s} s",
    "too_many_sockets": "this {subject} has {limit} sockets open already; close one first",
    "too_many_followed": "this {subject} follows {limit} subscriptions already; end one first",
    "query_string_too_long": "the query string is longer than the limit of {limit_bytes} bytes",
    "too_many_headers": "the request has more than {limit} headers",
    "encoding_refused": "bodies encoded as {encoding} are not accepted here; send them as they are",
    # agents
    "agent_not_found": "no agent {id}",
    "agent_key_taken": "an agent with the key {key} exists already",
    "agent_not_yours": "only the owner of the agent or an administrator may change it",
    "agent_not_owned": "only the owner of the agent or an administrator may give it away",
    "agent_inactive": "agent {key} is {status}, not active",
    "agent_model_missing": "agent {key} has no model; set one",
    "share_not_found": "the agent is not shared with {user_id}",
    # users
    "user_not_purgeable": "{user_id} is the server itself, not a user",
    "user_has_runs": "{runs} runs of this user go on; wait for them to end, or cancel them",
    "user_owns_agents": "this user owns {agents} agents; give them to another user first, or "
    "have them deleted with {field}",
    # providers
    "provider_not_found": "no provider {id}",
    "provider_name_taken": "a provider named {name} exists already",
    "provider_disabled": "provider {name} is disabled",
    "provider_read_only": "provider {name} comes from the server's {source} and cannot be changed",
    "provider_in_use": "provider {name} is used by {agents} agents; give them another one first",
    "provider_key_required": "a new api_base needs the API key once more",
    "provider_key_missing": "provider {name} has no API key",
    "provider_key_malformed": "the API key of provider {name} has characters that no key has",
    "provider_base_missing": "provider {name} has no api_base",
    "provider_settings_invalid": "the settings of provider {name} are not valid: {reason}",
    "provider_model_missing": "provider {name} has no default model; name one",
    # tools
    "builtin_tool_not_found": "no built-in tool {id}",
    "tool_lacks": "{name} cannot be enabled: this server lacks {missing}",
    "tool_without_settings": "{name} has no settings",
    # context files
    "agent_instance_not_found": "no user {id} of this agent",
    "bootstrap_sealed": "{name} can only be emptied, which ends the introduction",
    "context_file_shared": "{name} is the same for all users of this agent: it is in your prompt "
    "already, and can be neither read nor changed with tools",
    "facts_full": "{field} holds at most {limit} entries; take one away with null first",
    # agents that ask agents
    "agent_link_not_found": "no link {id}",
    "agent_itself": "{field} must be another agent than source_agent_id",
    "agents_linked": "these agents are linked already; change that link",
    "agents_not_linked": "no active link lets you ask agent {key}",
    "delegation_circle": "this agent waits for the result itself; ask another one",
    "delegation_not_found": "no task {id}",
    "errand_stores_nothing": "agent {key} stores no contents, so its result can only be waited "
    "for: use the mode sync",
    "errand_too_deep": "agents may wait for one another {limit} deep at most; do it yourself",
    "link_busy": "{limit} tasks go over this link already; wait for one to end",
    "links_full": "the agent has {limit} links already; delete one first",
    "subagents_busy": "{limit} sub-agents are at work already; wait for one to end, or cancel it",
    # cron
    "cron_job_not_found": "no cron job {id}",
    "cron_jobs_full": "you have {limit} cron jobs already; delete one first",
    "cron_job_busy": "a run of this cron job goes on; wait for it to end, or cancel it",
    "cron_run_at_past": "{field} must be in the future",
    "cron_isolated_session": "a job with session_key speaks in that session: leave out {field}",
    "cron_stores_nothing": "agent {key} stores no contents, so nothing can be kept for it to be "
    "asked later",
    "cron_missed": "no server was there when it was due, and it is too late now",
    "cron_still_running": "the run before was still going on",
    "delivery_refused": "{host} answered with status {status}",
    "delivery_failed": "{host} cannot be reached: {reason}",
    # model vendors
    "upstream_unreachable": "provider {provider} cannot be reached: {reason}",
    "upstream_refused": "provider {provider} refused the request: {reason}",
    "upstream_credential": "provider {provider} refused its API key (HTTP {status})",
    "upstream_failed": "provider {provider} failed: {reason}",
    "upstream_garbage": "provider {provider} sent something that is not a valid answer: {reason}",
    "upstream_cut": "provider {provider} ended the stream before the answer was complete",
    "upstream_rate_limited": "provider {provider} is rate limiting; try again later",
    "upstream_too_large": "the answer is larger than the limit of {limit_bytes} bytes",
    "upstream_quota": "provider {provider} is refusing calls: its quota or credit is used up",
    "upstream_context_exceeded": "the conversation is too long for the model of provider "
    "{provider}: {reason}",
    "upstream_timeout": "provider {provider} did not answer within {timeout_s} s ({limit})",
    "provider_unavailable": "provider {provider} failed too often and is left alone for "
    "{retry_after_s} s",
    "host_refused": "{host} is a private, loopback or otherwise reserved address; an administrator "
    "can allow it with GOCLAW_ALLOWED_OUTBOUND_HOSTS={host}",
    "port_refused": "port {port} belongs to another kind of server than a web server; an "
    "administrator can allow it with GOCLAW_ALLOWED_OUTBOUND_HOSTS={host}",
    "redirect_refused": "{host} redirects to where it is not followed: {reason}",
    "fetch_failed": "{host} cannot be read: {reason}",
    "fetch_timeout": "{host} did not answer within {timeout_s} s",
    "url_invalid": "{field} must be an http or https URL without credentials",
    "model_without_tools": "the model {model} cannot call tools; use one of another provider",
    "local_model_missing": "the embedded model is not available here: {reason}",
    # keys, sessions, runs, traces
    "api_key_not_found": "no API key {id}",
    "api_key_ambiguous": "several keys begin with {prefix}; name one by its id: {ids}",
    "session_not_found": "no session {id}",
    "session_busy": "the session is answering already; wait for its run to end, or cancel it",
    "session_queue_full": "{limit} runs wait for this session already; try again when it has "
    "answered",
    "lane_full": "{limit} runs wait for a place in the lane {lane} already; try again in "
    "{retry_after_s} s",
    "job_queue_full": "{limit} runs wait already; try again in {retry_after_s} s",
    "run_lost": "the server that carried the run stopped, and it is not known what was done",
    "message_reads_like_orders": "the message reads as if it were to change the agent's "
    "instructions ({kinds}), which is not allowed here; say it in other words",
    "session_not_yours": "only the user of the session may speak in it",
    "session_not_stored": "agent {key} stores no contents, or stored none when this session was "
    "spoken in: begin a new session, or post the whole history to /v1/chat/completions",
    "answer_not_stored": "the request was answered before; its answer was not stored",
    "run_not_found": "no run {id}",
    "run_cancelled": "the run was cancelled",
    "run_ended": "the run was given up meanwhile; it was taken for lost",
    "run_failed": "the run failed: {reason}",
    "agent_cents_spent": "the agent's budget for this month is used up: {used} of {limit} US cents",
    "user_cents_spent": "the user's budget for this month is used up: {used} of {limit} US cents",
    "user_tokens_spent": "the user's tokens for today are used up: {used} of {limit}",
    "key_cents_spent": "the API key's budget for this month is used up: {used} of {limit} US cents",
    "key_tokens_spent": "the API key's tokens for today are used up: {used} of {limit}",
    "run_cents_spent": "the run has used up what one run may cost: {used} of {limit} US cents",
    "run_tokens_spent": "the run has used up the tokens of one run: {used} of {limit}",
    "runs_stopped": "an administrator has stopped all runs; try again later",
    "runs_stopped_because": "an administrator has stopped all runs: {reason}",
    "run_stop_not_found": "no stop of runs {id}",
    "trace_not_found": "no trace {id}",
    "idempotency_mismatch": "the Idempotency-Key was used before with another request",
    # server
    "database_unavailable": "the database is not available; try again in {retry_after_s} s",
    "encryption_key_missing": "no encryption key: set GOCLAW_ENCRYPTION_KEY to store secrets",
    "encryption_key_unusable": "the file with the encryption key cannot be used; ask the operator "
    "to run: goclaw doctor",
    "encryption_key_configured": "the key comes from GOCLAW_ENCRYPTION_KEY: put the new one there, "
    "the one used so far into GOCLAW_OLD_ENCRYPTION_KEYS, restart every server, and run this again "
    "without --key-file",
    "encryption_keys_not_ours": "the key does not come from a file in the data folder: take older "
    "ones out of GOCLAW_OLD_ENCRYPTION_KEYS, and restart every server",
    "encryption_key_too_new": "the keys changed {age_s} s ago, and a server may still be writing "
    "with an older one: run this again in {wait_s} s",
    "encryption_keys_needed": "{count} stored secrets still need older keys: {columns}; run this "
    "again, or see: goclaw doctor",
    "secrets_without_key": "secrets are stored and there is no encryption key to read them: "
    "{stored}; {fix}",
    "secrets_of_unknown_key": "stored secrets cannot be read: {stored}; {fix}, or, where that key "
    "is lost, give them up: goclaw keys rotate-encryption --discard-unreadable",
    "secret_unreadable": "a stored secret cannot be read with the configured encryption key",
    "stopping": "the server is stopping",
    "too_many_events": "the reader is too slow; resume with the last cursor",
    "cursor_expired": "the events after this cursor are no longer kept; read the current state "
    "and subscribe without {field}",
    "fanout_unavailable": "messages to the other workers cannot be sent; try again",
    "database_newer": "the database has version {version}, newer than {known}, the newest this "
    "server knows; run the newer server",
    "database_older": "the database has version {version}, this program needs {known}; "
    "run: goclaw migrate",
    "embedded_database_failed": "the embedded database does not start: {reason}",
    "database_missing": "there is no database in {folder}",
    "database_external": "the database is the one named by GOCLAW_POSTGRES_DSN: use its own tools, "
    "such as pg_dump and pg_restore",
    "database_not_empty": "there is a database already; --force replaces it, for good",
    "database_in_use": "somebody is connected to the database; nothing was changed",
    "backup_exists": "{path} is there already; name another file",
    "backup_unreadable": "{path} is no backup, or is damaged",
    "backup_newer": "this is of a newer program ({version}; known here: {known}); use that one",
    "backup_failed": "the copy failed: {reason}",
    "upgrade_source": "the database is one of PostgreSQL {found}, this program has {known}: name "
    "either a backup that the old version of goclaw made (--backup), or the programs of the old "
    "PostgreSQL (--old-binaries)",
    "data_folder_in_use": "another server (process {pid}) uses the data folder {folder}",
}
