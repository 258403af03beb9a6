import { adviceVi } from "./advice.vi";
import { adviceZh } from "./advice.zh";
import { browserLocale, type Locale } from "./locale";

export const adviceEn: Record<string, string> = {
  // reaching the gateway
  unreachable: "Check that `goclaw serve` is running and that this machine can reach it, then try again.",
  http: "Try again; if it stays, look at the gateway's log.",
  internal: "Try again; if it stays, give the message to whoever runs the gateway.",
  database_unavailable: "The gateway recovers by itself once its database is back. Try again shortly.",
  stopping: "The gateway is restarting. Try again in a few seconds.",
  too_many_events: "The page fell behind and asks again from where it was.",

  // identity
  unauthenticated: "Sign in with the gateway token or an API key.",
  invalid_credential: "Check for a missing character, or ask for a new key: this one may have expired.",
  scope_missing: "Use a key that has this scope, or ask an administrator to make one.",
  user_required: "Sign out and sign in again with a user id, so that the gateway knows whose data this is.",
  user_not_yours: "Sign in without a user id, or with the one the key belongs to.",
  owner_not_yours: "Sign in with the gateway token, or leave the user id empty.",
  user_id_too_long: "Choose a shorter user id.",
  origin_refused: "Open the page at the address the gateway listens on, or have the name allowed.",
  cross_site: "Reload the page, and open it at the gateway's own address.",
  session_user: "Sign out and sign in again as the other user.",
  session_without_token: "Sign in with the gateway token or an API key.",
  web_session_not_found: "Reload the list: it has ended already.",

  // limits
  rate_limited: "Wait a minute. If it happens often, ask for a higher limit.",
  too_many_failures: "Wait a minute, then try again with the right token.",
  too_many_sockets: "Close other tabs with this page, then reload.",
  too_many_followed: "Close other tabs with this page, then reload.",

  // input
  body_too_large: "Send a shorter text.",
  invalid_input: "Correct the marked field and try again.",
  required: "Fill in the marked field and try again.",
  idempotency_mismatch: "Send it once more as a new request.",

  // agents
  agent_not_found: "It may have been deleted, or is not shared with you. Choose another agent.",
  agent_key_taken: "Choose another key.",
  agent_not_yours: "Ask its owner or an administrator to change it.",
  agent_inactive: "Set the agent to active on its page, or choose another one.",
  agent_model_missing: "Open the agent and choose a model.",
  share_not_found: "Reload the page: somebody else has removed the share already.",

  // providers and vendors
  provider_not_found: "It may have been deleted. Choose another provider.",
  provider_name_taken: "Choose another name.",
  provider_disabled: "Enable it on the Providers page, or give the agent another provider.",
  provider_read_only: "Change it where the server was started, then restart the server.",
  provider_in_use: "Open those agents, choose another provider for them, then delete this one.",
  provider_key_required: "Enter the API key again together with the new address.",
  provider_key_missing: "Open the provider and enter its API key.",
  upstream_unreachable: "Check the provider's address on the Providers page and press Verify.",
  upstream_refused: "Check that the provider offers the agent's model; Verify on the Providers page tells.",
  upstream_credential: "Enter a valid API key for the provider and press Verify.",
  upstream_failed: "The provider has a problem of its own. Try again in a moment.",
  upstream_garbage: "Check that the provider's address and type belong together, then press Verify.",
  upstream_cut: "Send the message again.",
  upstream_rate_limited: "Wait a minute, or use another provider.",
  upstream_timeout: "Try again, or choose a faster model.",
  host_refused: "An administrator can allow the address with the setting named above.",
  port_refused: "An administrator can allow the port with the setting named above.",
  url_invalid: "Write a full address such as https://api.example.com/v1.",
  local_model_missing: "Add a provider with an API key of your own.",
  secret_unreadable: "Enter the provider's API key again, or restore the server's encryption key.",
  encryption_key_missing: "Set GOCLAW_ENCRYPTION_KEY where the server is started.",

  // sessions and runs
  session_not_found: "It may have been deleted. Start a new chat.",
  session_busy: "This answer takes no more messages: five wait already, or its agent has no tools. Wait for its end, or stop it.",
  run_not_found: "Start the chat again.",
  run_cancelled: "Send another message whenever you like.",
  trace_not_found: "A trace appears a moment after its run ends. Try again, or go back to the list.",
  api_key_not_found: "Reload the page: the key is gone already.",

  // codes that this page does not know
  unknown: "Try again; if it stays, look at the gateway's log.",
};

export const adviceIn: Record<Locale, Record<string, string>> = {
  en: adviceEn,
  vi: adviceVi,
  zh: adviceZh,
};

/** What to do about an error code; codes this page does not know get a general answer. */
export function advice(code: string, locale: Locale = browserLocale()): string {
  const texts = adviceIn[locale];
  return texts[code] ?? adviceEn[code] ?? texts.unknown ?? "";
}
