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
    "scope_missing": "this needs the scope {scope}",
    "user_not_yours": "the key is bound to another user than {user_id}",
    "owner_not_yours": "only the gateway token, an admin key or a key bound to the owner "
    "may act as an owner",
    "user_required": "name the user in the X-GoClaw-User-Id header",
    "user_id_too_long": "{field} is longer than {limit} bytes",
    "origin_refused": "requests from this Origin or Host are not allowed",
    # agents
    "agent_not_found": "no agent {id}",
    "agent_key_taken": "an agent with the key {key} exists already",
    "agent_not_yours": "only the owner of the agent or an administrator may change it",
    "agent_inactive": "agent {key} is {status}, not active",
    "agent_model_missing": "agent {key} has no model; set one",
    "share_not_found": "the agent is not shared with {user_id}",
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
    "url_invalid": "{field} must be an http or https URL without credentials",
    "local_model_missing": "the embedded model is not available here: {reason}",
    # keys, sessions, runs, traces
    "api_key_not_found": "no API key {id}",
    "api_key_ambiguous": "several keys begin with {prefix}; name one by its id: {ids}",
    "session_not_found": "no session {id}",
    "session_busy": "the session is answering already; wait for its run to end, or cancel it",
    "session_not_yours": "only the user of the session may speak in it",
    "run_not_found": "no run {id}",
    "run_cancelled": "the run was cancelled",
    "run_failed": "the run failed: {reason}",
    "trace_not_found": "no trace {id}",
    "idempotency_mismatch": "the Idempotency-Key was used before with another request",
    # server
    "database_unavailable": "the database is not available; try again in {retry_after_s} s",
    "encryption_key_missing": "no encryption key: set GOCLAW_ENCRYPTION_KEY to store secrets",
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
    "data_folder_in_use": "another server (process {pid}) uses the data folder {folder}",
}
