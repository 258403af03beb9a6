/** `advice.ts` in Chinese. */
export const adviceZh: Record<string, string> = {
  // reaching the gateway
  unreachable: "请检查 `goclaw serve` 是否正在运行、本机能否连接到它，然后重试。",
  http: "请重试；如果仍然失败，请查看网关日志。",
  internal: "请重试；如果仍然失败，请把这条信息交给网关的运维人员。",
  database_unavailable: "数据库恢复后网关会自动恢复。请稍后重试。",
  stopping: "网关正在重启。请几秒后重试。",
  too_many_events: "页面跟不上进度，正在从上次的位置继续读取。",

  // identity
  unauthenticated: "请使用网关令牌或 API 密钥登录。",
  invalid_credential: "请检查是否漏了字符，或申请新的密钥：这个密钥可能已过期。",
  scope_missing: "请使用具有此权限范围的密钥，或请管理员创建一个。",
  user_required: "请退出后带上用户 id 重新登录，以便网关知道这些数据属于谁。",
  user_not_yours: "登录时请不要填写用户 id，或填写密钥所绑定的用户。",
  owner_not_yours: "请使用网关令牌登录，或将用户 id 留空。",
  user_id_too_long: "请选择较短的用户 id。",
  origin_refused: "请通过网关监听的地址打开此页面，或请管理员放行该名称。",
  cross_site: "请刷新页面，并通过网关自己的地址打开它。",
  session_user: "请退出，然后以另一个用户重新登录。",
  session_without_token: "请使用网关令牌或 API 密钥登录。",
  web_session_not_found: "请刷新列表：该登录已经结束。",

  // limits
  rate_limited: "请等待一分钟。如果经常出现，请申请更高的限额。",
  too_many_failures: "请等待一分钟，然后用正确的令牌重试。",
  too_many_sockets: "请关闭打开此页面的其他标签页，然后刷新。",
  too_many_followed: "请关闭打开此页面的其他标签页，然后刷新。",

  // input
  body_too_large: "请发送较短的文字。",
  invalid_input: "请更正标出的字段后重试。",
  required: "请填写标出的字段后重试。",
  idempotency_mismatch: "请作为新的请求重新发送。",

  // agents
  agent_not_found: "它可能已被删除，或未与您共享。请选择其他智能体。",
  agent_key_taken: "请换一个标识。",
  agent_not_yours: "请让它的所有者或管理员来修改。",
  agent_inactive: "请在智能体的页面上将其设为 active，或选择其他智能体。",
  agent_model_missing: "请打开该智能体并选择一个模型。",
  share_not_found: "请刷新页面：其他人已经取消了这项共享。",

  // providers and vendors
  provider_not_found: "它可能已被删除。请选择其他提供商。",
  provider_name_taken: "请换一个名称。",
  provider_disabled: "请在 Providers 页面启用它，或为智能体换一个提供商。",
  provider_read_only: "请在启动服务器的地方修改它，然后重启服务器。",
  provider_in_use: "请打开这些智能体，为它们换一个提供商，然后再删除这一个。",
  provider_key_required: "请随新地址一起重新输入 API 密钥。",
  provider_key_missing: "请打开该提供商并输入其 API 密钥。",
  upstream_unreachable: "请在 Providers 页面检查提供商的地址，然后点击 Verify。",
  upstream_refused: "请检查提供商是否提供该智能体的模型；可在 Providers 页面用 Verify 确认。",
  upstream_credential: "请为提供商输入有效的 API 密钥，然后点击 Verify。",
  upstream_failed: "提供商自身出现问题。请稍后重试。",
  upstream_garbage: "请检查提供商的地址与类型是否匹配，然后点击 Verify。",
  upstream_cut: "请重新发送消息。",
  upstream_rate_limited: "请等待一分钟，或改用其他提供商。",
  upstream_timeout: "请重试，或选择更快的模型。",
  host_refused: "管理员可以用上面提到的设置放行此地址。",
  port_refused: "管理员可以用上面提到的设置放行此端口。",
  url_invalid: "请填写完整的地址，例如 https://api.example.com/v1。",
  local_model_missing: "请添加一个使用您自己的 API 密钥的提供商。",
  secret_unreadable: "请重新输入提供商的 API 密钥，或恢复服务器的加密密钥。",
  encryption_key_missing: "请在启动服务器的地方设置 GOCLAW_ENCRYPTION_KEY。",

  // sessions and runs
  session_not_found: "它可能已被删除。请开始新的聊天。",
  session_busy: "此回答不再接收消息：已有五条在等待，或其智能体没有工具。请等它结束，或停止它。",
  run_not_found: "请重新开始聊天。",
  run_cancelled: "您可以随时发送新的消息。",
  trace_not_found: "运行结束片刻后跟踪记录才会出现。请重试，或返回列表。",
  api_key_not_found: "请刷新页面：该密钥已不存在。",

  // codes that this page does not know
  unknown: "请重试；如果仍然失败，请查看网关日志。",
};
