"""Error texts in Vietnamese. Codes and placeholders are those of `messages.py` and `reasons.py`."""

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    # request
    "invalid_json": "nội dung yêu cầu không phải là JSON hợp lệ: {reason}",
    "invalid_input": "{field}: {reason}",
    "required": "thiếu {field}",
    "unknown_field": "yêu cầu này không có trường {field}",
    "invalid_id": "{field} phải là một UUID",
    "invalid_cursor": "{field} không phải là con trỏ do máy chủ này cấp",
    "not_found": "không có đường dẫn này: {path}",
    "method_not_allowed": "không được dùng {method} ở đây; các phương thức được phép: {allowed}",
    "body_too_large": "nội dung yêu cầu vượt quá giới hạn {limit_bytes} byte",
    "unsupported_media": "ở đây không nhận {content_type}; hãy gửi {expected}",
    "query_too_deep": "truy vấn sâu {depth} tầng; giới hạn là {limit}",
    "too_many_aliases": "truy vấn có {aliases} bí danh; giới hạn là {limit}",
    "too_many_repeats": "các trường bị lặp lại quá nhiều: {name} {count} lần",
    "too_many_tokens": "truy vấn có hơn {limit} token",
    "query_too_costly": "truy vấn đòi tới {cost} dòng; giới hạn là {limit}: hãy lấy ít dòng hơn "
    "bằng `first`, hoặc hỏi ít hơn về mỗi dòng",
    "subscription_transport": "subscription cần WebSocket (graphql-transport-ws), hoặc "
    "Accept: multipart/mixed;subscriptionSpec=1.0",
    "batch_refused": "hãy gửi từng thao tác một",
    "too_many_subscriptions": "kết nối này đã có {limit} thao tác đang mở",
    "socket_too_slow": "bên nhận đọc quá chậm; hãy kết nối lại và tiếp tục từ con trỏ cuối cùng",
    "internal": "lỗi nội bộ; hãy hỏi người vận hành về yêu cầu {request_id}",
    # identity and permission
    "unauthenticated": "hãy đăng nhập bằng token của gateway hoặc một khóa API",
    "invalid_credential": "token hoặc khóa API không tồn tại, đã hết hạn hoặc đã bị thu hồi",
    "admin_key_not_bound": "khóa có operator.admin không thể bị giới hạn trong một số agent",
    "api_key_revoked": "khóa đã bị thu hồi; hãy tạo khóa mới",
    "api_key_expired": "khóa đã hết hạn; hãy tạo khóa mới",
    "key_bound_to_agents": "khóa chỉ dành cho một số agent nên không được làm gì ngoài các agent "
    "đó",
    "credential_ended": "khóa API đã hết hạn hoặc đã bị thu hồi",
    "scope_missing": "việc này cần phạm vi quyền {scope}",
    "user_not_yours": "khóa được gắn với một người dùng khác, không phải {user_id}",
    "owner_not_yours": "chỉ token của gateway, khóa quản trị hoặc khóa gắn với chủ sở hữu mới "
    "được hành động với tư cách chủ sở hữu",
    "user_reserved": "{user_id} là chính máy chủ; chỉ token của gateway hoặc khóa quản trị mới "
    "được hành động nhân danh nó",
    "user_required": "hãy nêu người dùng trong header X-GoClaw-User-Id",
    "user_id_too_long": "{field} dài hơn {limit} byte",
    "origin_refused": "không chấp nhận yêu cầu từ Origin hoặc Host này; quản trị viên có thể khai "
    "báo trang web trong GOCLAW_ALLOWED_ORIGINS, máy chủ trong GOCLAW_ALLOWED_HOSTS",
    "cross_site": "trang đã đăng nhập phải gọi đúng máy chủ của nó và gửi header {header}",
    "session_user": "trang đang đăng nhập với một người dùng khác, không phải {user_id}; hãy đăng "
    "nhập lại",
    "session_without_token": "không có gì để đăng nhập: hãy gửi token của gateway hoặc một khóa "
    "API",
    "web_session_not_found": "không có trang đã đăng nhập {id}",
    # limits
    "rate_limited": "{subject} này đã gọi quá {limit} lần trong một phút; hãy thử lại sau "
    "{retry_after_s} giây",
    "too_many_failures": "địa chỉ này đã gửi quá nhiều token hoặc khóa bị từ chối; hãy thử lại "
    "sau {retry_after_s} giây",
    "too_many_sockets": "{subject} này đã mở {limit} kết nối WebSocket; hãy đóng bớt một kết nối "
    "trước",
    "too_many_followed": "{subject} này đang theo dõi {limit} subscription; hãy kết thúc bớt một "
    "subscription trước",
    "query_string_too_long": "chuỗi truy vấn trong URL vượt quá giới hạn {limit_bytes} byte",
    "too_many_headers": "yêu cầu có hơn {limit} header",
    "encoding_refused": "ở đây không nhận nội dung được mã hóa bằng {encoding}; hãy gửi nguyên "
    "dạng",
    # agents
    "agent_not_found": "không có agent {id}",
    "agent_key_taken": "đã có agent mang khóa {key}",
    "agent_not_yours": "chỉ chủ sở hữu agent hoặc quản trị viên mới được thay đổi nó",
    "agent_not_owned": "chỉ chủ sở hữu agent hoặc quản trị viên mới được chuyển giao nó",
    "agent_inactive": "agent {key} đang ở trạng thái {status}, không phải active",
    "agent_model_missing": "agent {key} chưa có mô hình; hãy chọn một mô hình",
    "share_not_found": "agent không được chia sẻ với {user_id}",
    # users
    "user_not_purgeable": "{user_id} là chính máy chủ, không phải một người dùng",
    "user_has_runs": "người dùng này còn {runs} lượt chạy đang diễn ra; hãy đợi chúng kết thúc "
    "hoặc hủy chúng",
    "user_owns_agents": "người dùng này sở hữu {agents} agent; trước hết hãy giao chúng cho người "
    "dùng khác, hoặc cho xóa chúng bằng {field}",
    # providers
    "provider_not_found": "không có nhà cung cấp {id}",
    "provider_name_taken": "đã có nhà cung cấp tên {name}",
    "provider_disabled": "nhà cung cấp {name} đang bị tắt",
    "provider_read_only": "nhà cung cấp {name} đến từ {source} của máy chủ nên không thể thay đổi",
    "provider_in_use": "nhà cung cấp {name} đang được {agents} agent sử dụng; trước hết hãy chọn "
    "nhà cung cấp khác cho chúng",
    "provider_key_required": "khi đổi api_base phải nhập lại khóa API",
    "provider_key_missing": "nhà cung cấp {name} chưa có khóa API",
    "provider_key_malformed": "khóa API của nhà cung cấp {name} chứa ký tự không thể có trong khóa",
    "provider_base_missing": "nhà cung cấp {name} chưa có api_base",
    "provider_settings_invalid": "thiết lập của nhà cung cấp {name} không hợp lệ: {reason}",
    "provider_model_missing": "nhà cung cấp {name} không có mô hình mặc định; hãy nêu một mô hình",
    # tools
    "builtin_tool_not_found": "không có công cụ dựng sẵn {id}",
    "tool_lacks": "không thể bật {name}: máy chủ này thiếu {missing}",
    "tool_without_settings": "{name} không có thiết lập nào",
    # model vendors
    "upstream_unreachable": "không kết nối được tới nhà cung cấp {provider}: {reason}",
    "upstream_refused": "nhà cung cấp {provider} từ chối yêu cầu: {reason}",
    "upstream_credential": "nhà cung cấp {provider} không chấp nhận khóa API của nó "
    "(HTTP {status})",
    "upstream_failed": "nhà cung cấp {provider} gặp lỗi: {reason}",
    "upstream_garbage": "nhà cung cấp {provider} gửi nội dung không phải là câu trả lời hợp lệ: "
    "{reason}",
    "upstream_cut": "nhà cung cấp {provider} ngắt luồng trước khi câu trả lời hoàn tất",
    "upstream_rate_limited": "nhà cung cấp {provider} đang giới hạn tần suất; hãy thử lại sau",
    "upstream_too_large": "câu trả lời vượt quá giới hạn {limit_bytes} byte",
    "upstream_quota": "nhà cung cấp {provider} đang từ chối các lượt gọi: hạn mức hoặc số dư đã "
    "dùng hết",
    "upstream_context_exceeded": "cuộc trò chuyện quá dài đối với mô hình của nhà cung cấp "
    "{provider}: {reason}",
    "upstream_timeout": "nhà cung cấp {provider} không trả lời trong {timeout_s} giây ({limit})",
    "provider_unavailable": "nhà cung cấp {provider} gặp lỗi quá nhiều lần nên tạm ngừng được gọi "
    "trong {retry_after_s} giây",
    "host_refused": "{host} là địa chỉ nội bộ, loopback hoặc dành riêng; quản trị viên có thể cho "
    "phép bằng GOCLAW_ALLOWED_OUTBOUND_HOSTS={host}",
    "port_refused": "cổng {port} thuộc về một loại máy chủ khác, không phải máy chủ web; quản trị "
    "viên có thể cho phép bằng GOCLAW_ALLOWED_OUTBOUND_HOSTS={host}",
    "redirect_refused": "{host} chuyển hướng tới nơi không được theo tiếp: {reason}",
    "fetch_failed": "không đọc được {host}: {reason}",
    "fetch_timeout": "{host} không trả lời trong {timeout_s} giây",
    "url_invalid": "{field} phải là URL http hoặc https không chứa thông tin đăng nhập",
    "model_without_tools": "mô hình {model} không gọi được công cụ; hãy dùng nhà cung cấp khác",
    "local_model_missing": "mô hình nhúng không dùng được ở đây: {reason}",
    # keys, sessions, runs, traces
    "api_key_not_found": "không có khóa API {id}",
    "api_key_ambiguous": "có nhiều khóa bắt đầu bằng {prefix}; hãy nêu id của một khóa: {ids}",
    "session_not_found": "không có phiên {id}",
    "session_busy": "phiên đang trả lời; hãy đợi lượt chạy kết thúc hoặc hủy nó",
    "session_queue_full": "đã có {limit} lượt chạy chờ phiên này; hãy thử lại khi phiên đã trả lời",
    "lane_full": "đã có {limit} lượt chạy chờ chỗ trong làn {lane}; hãy thử lại sau "
    "{retry_after_s} giây",
    "job_queue_full": "đã có {limit} lượt chạy đang chờ; hãy thử lại sau {retry_after_s} giây",
    "run_lost": "máy chủ thực hiện lượt chạy đã dừng, và không rõ việc gì đã được làm",
    "message_reads_like_orders": "tin nhắn có vẻ như muốn thay đổi chỉ dẫn của tác tử ({kinds}), "
    "điều không được phép ở đây; hãy diễn đạt khác đi",
    "session_not_yours": "chỉ người dùng của phiên mới được nói trong phiên",
    "session_not_stored": "agent {key} không lưu nội dung, hoặc chưa lưu khi phiên này diễn ra: "
    "hãy bắt đầu phiên mới, hoặc gửi toàn bộ lịch sử tới /v1/chat/completions",
    "answer_not_stored": "yêu cầu này đã được trả lời trước đó; câu trả lời không được lưu",
    "run_not_found": "không có lượt chạy {id}",
    "run_cancelled": "lượt chạy đã bị hủy",
    "run_ended": "lượt chạy đã bị bỏ giữa chừng vì bị coi là đã mất",
    "run_failed": "lượt chạy thất bại: {reason}",
    "agent_cents_spent": "ngân sách tháng này của tác tử đã hết: {used} trên {limit} xu Mỹ",
    "user_cents_spent": "ngân sách tháng này của người dùng đã hết: {used} trên {limit} xu Mỹ",
    "user_tokens_spent": "số token hôm nay của người dùng đã hết: {used} trên {limit}",
    "key_cents_spent": "ngân sách tháng này của khóa API đã hết: {used} trên {limit} xu Mỹ",
    "key_tokens_spent": "số token hôm nay của khóa API đã hết: {used} trên {limit}",
    "run_cents_spent": "lượt chạy đã dùng hết mức chi phí cho phép: {used} trên {limit} xu Mỹ",
    "run_tokens_spent": "lượt chạy đã dùng hết số token cho phép: {used} trên {limit}",
    "runs_stopped": "quản trị viên đã dừng mọi lượt chạy; hãy thử lại sau",
    "runs_stopped_because": "quản trị viên đã dừng mọi lượt chạy: {reason}",
    "run_stop_not_found": "không có lần dừng lượt chạy {id}",
    "agent_instance_not_found": "agent này không có người dùng {id}",
    "bootstrap_sealed": "{name} chỉ có thể được xóa trống, việc đó kết thúc phần làm quen",
    "context_file_shared": "{name} giống nhau cho mọi người dùng của agent này: nó đã có trong "
    "lời nhắc của bạn, và không thể đọc hay sửa bằng công cụ",
    "facts_full": "{field} chứa nhiều nhất {limit} mục; hãy bỏ bớt một mục bằng null trước",
    "agent_link_not_found": "không có liên kết {id}",
    "agent_itself": "{field} phải là một agent khác với source_agent_id",
    "agents_linked": "các agent này đã được liên kết; hãy thay đổi liên kết đó",
    "agents_not_linked": "không có liên kết nào đang hoạt động cho phép bạn hỏi agent {key}",
    "delegation_circle": "agent này đang chờ kết quả; hãy hỏi agent khác",
    "delegation_not_found": "không có nhiệm vụ {id}",
    "errand_stores_nothing": "agent {key} không lưu nội dung, nên chỉ có thể chờ kết quả: hãy "
    "dùng chế độ sync",
    "errand_too_deep": "các agent chỉ được chờ nhau sâu tối đa {limit} tầng; hãy tự làm",
    "link_busy": "đã có {limit} nhiệm vụ qua liên kết này; hãy đợi một nhiệm vụ kết thúc",
    "links_full": "agent đã có {limit} liên kết; hãy xóa một liên kết trước",
    "subagents_busy": "đã có {limit} agent con đang làm việc; hãy đợi một agent kết thúc hoặc hủy "
    "nó",
    "cron_job_not_found": "không có tác vụ định kỳ {id}",
    "cron_jobs_full": "bạn đã có {limit} tác vụ định kỳ; hãy xóa một tác vụ trước",
    "cron_job_busy": "một lượt chạy của tác vụ định kỳ này đang diễn ra; hãy đợi nó kết "
    "thúc hoặc hủy nó",
    "cron_run_at_past": "{field} phải ở tương lai",
    "cron_isolated_session": "tác vụ có session_key nói trong phiên đó: hãy bỏ {field}",
    "cron_stores_nothing": "agent {key} không lưu nội dung, nên không thể giữ gì để hỏi sau",
    "cron_missed": "khi đến giờ không có máy chủ nào, và nay đã quá muộn",
    "cron_still_running": "lượt chạy trước vẫn đang diễn ra",
    "delivery_refused": "{host} trả lời với trạng thái {status}",
    "delivery_failed": "không kết nối được tới {host}: {reason}",
    "trace_not_found": "không có trace {id}",
    "idempotency_mismatch": "Idempotency-Key này đã được dùng cho một yêu cầu khác",
    # server
    "database_unavailable": "cơ sở dữ liệu chưa sẵn sàng; hãy thử lại sau {retry_after_s} giây",
    "encryption_key_missing": "chưa có khóa mã hóa: hãy đặt GOCLAW_ENCRYPTION_KEY để lưu bí mật",
    "encryption_key_unusable": "không dùng được tệp chứa khóa mã hóa; hãy nhờ người vận hành "
    "chạy: goclaw doctor",
    "encryption_key_configured": "khóa đến từ GOCLAW_ENCRYPTION_KEY: hãy đặt khóa mới vào đó, đặt "
    "khóa đang dùng vào GOCLAW_OLD_ENCRYPTION_KEYS, khởi động lại mọi máy chủ, rồi chạy lại lệnh "
    "này không kèm --key-file",
    "encryption_keys_not_ours": "khóa không đến từ một tệp trong thư mục dữ liệu: hãy bỏ các khóa "
    "cũ khỏi GOCLAW_OLD_ENCRYPTION_KEYS rồi khởi động lại mọi máy chủ",
    "encryption_key_too_new": "các khóa vừa thay đổi {age_s} giây trước, có thể còn máy chủ đang "
    "ghi bằng khóa cũ: hãy chạy lại lệnh này sau {wait_s} giây",
    "encryption_keys_needed": "{count} bí mật đã lưu vẫn cần các khóa cũ: {columns}; hãy chạy lại "
    "lệnh này, hoặc xem: goclaw doctor",
    "secrets_without_key": "có bí mật đã lưu mà không có khóa mã hóa để đọc chúng: {stored}; {fix}",
    "secrets_of_unknown_key": "không đọc được các bí mật đã lưu: {stored}; {fix}, hoặc nếu khóa "
    "đó đã mất thì từ bỏ chúng bằng: goclaw keys rotate-encryption --discard-unreadable",
    "secret_unreadable": "không đọc được một bí mật đã lưu bằng khóa mã hóa hiện tại",
    "stopping": "máy chủ đang dừng",
    "too_many_events": "bên nhận đọc quá chậm; hãy tiếp tục từ con trỏ cuối cùng",
    "cursor_expired": "các sự kiện sau con trỏ này không còn được giữ; hãy đọc trạng thái hiện "
    "tại rồi đăng ký không kèm {field}",
    "fanout_unavailable": "không gửi được thông điệp tới các worker khác; hãy thử lại",
    "database_newer": "cơ sở dữ liệu ở phiên bản {version}, mới hơn {known} là bản mới nhất mà "
    "máy chủ này biết; hãy chạy máy chủ mới hơn",
    "database_older": "cơ sở dữ liệu ở phiên bản {version}, chương trình này cần {known}; "
    "hãy chạy: goclaw migrate",
    "embedded_database_failed": "cơ sở dữ liệu nhúng không khởi động được: {reason}",
    "database_missing": "không có cơ sở dữ liệu trong {folder}",
    "database_external": "cơ sở dữ liệu là cái được nêu trong GOCLAW_POSTGRES_DSN: hãy dùng công "
    "cụ riêng của nó, chẳng hạn pg_dump và pg_restore",
    "database_not_empty": "đã có sẵn một cơ sở dữ liệu; --force sẽ thay thế nó vĩnh viễn",
    "database_in_use": "đang có người kết nối tới cơ sở dữ liệu; chưa có gì bị thay đổi",
    "backup_exists": "{path} đã tồn tại; hãy chọn tên tệp khác",
    "backup_unreadable": "{path} không phải là bản sao lưu, hoặc đã bị hỏng",
    "backup_newer": "bản này thuộc về một chương trình mới hơn ({version}; ở đây biết tới: "
    "{known}); hãy dùng chương trình đó",
    "backup_failed": "sao chép thất bại: {reason}",
    "upgrade_source": "cơ sở dữ liệu thuộc PostgreSQL {found}, chương trình này có {known}: hãy "
    "nêu bản sao lưu do phiên bản goclaw cũ tạo (--backup), hoặc các chương trình của PostgreSQL "
    "cũ (--old-binaries)",
    "data_folder_in_use": "một máy chủ khác (tiến trình {pid}) đang dùng thư mục dữ liệu {folder}",
}

REASONS: Final[dict[str, str]] = {
    "nul": "không được chứa ký tự NUL",
    "looks_like_uuid": "không được có dạng UUID",
    "too_many_bytes": "dài tối đa {limit} byte",
    "whole_number": "phải là số nguyên",
    "true_or_false": "phải là true hoặc false",
    "instant": "phải là một thời điểm như {example}",
    "one_of": "phải là một trong: {values}",
    "between": "phải từ {low} đến {high}",
    "before": "phải ở trước {other}",
    "too_many_points": "khoảng thời gian có hơn {limit} điểm: hãy hỏi ngắn hơn, hoặc theo ngày",
    "at_most": "tối đa {limit}",
    "characters": "phải có từ {low} đến {high} ký tự",
    "string": "phải là chuỗi",
    "object": "phải là đối tượng",
    "json_object": "phải là một đối tượng JSON",
    "json": "phải là JSON",
    "given_twice": "được nêu nhiều hơn một lần",
    "differs": "khác với {other}",
    "nested": "lồng nhau quá {limit} tầng",
    "long_url": "quá dài đối với một URL",
    "url_encoding": "URL không được mã hóa bằng UTF-8",
    "id_or_key": "hãy nêu id hoặc key, chỉ một trong hai",
    "local_provider": "local là của riêng máy chủ",
    # pydantic
    "string_type": "phải là chuỗi",
    "string_too_short": "phải có ít nhất {min_length} ký tự",
    "string_too_long": "chỉ được có tối đa {max_length} ký tự",
    "string_pattern_mismatch": "phải khớp với mẫu '{pattern}'",
    "string_unicode": "phải là Unicode hợp lệ",
    "int_type": "phải là số nguyên",
    "int_parsing": "phải là số nguyên",
    "int_from_float": "phải là số nguyên, không có phần thập phân",
    "int_parsing_size": "số quá lớn",
    "float_type": "phải là số",
    "float_parsing": "phải là số",
    "finite_number": "phải là số hữu hạn",
    "decimal_type": "phải là số thập phân",
    "decimal_parsing": "phải là số thập phân",
    "bool_type": "phải là true hoặc false",
    "bool_parsing": "phải là true hoặc false",
    "greater_than": "phải lớn hơn {gt}",
    "greater_than_equal": "phải lớn hơn hoặc bằng {ge}",
    "less_than": "phải nhỏ hơn {lt}",
    "less_than_equal": "phải nhỏ hơn hoặc bằng {le}",
    "multiple_of": "phải là bội số của {multiple_of}",
    "list_type": "phải là danh sách",
    "dict_type": "phải là đối tượng",
    "model_type": "phải là đối tượng",
    "too_short": "phải có ít nhất {min_length} mục",
    "too_long": "chỉ được có tối đa {max_length} mục",
    "enum": "phải là một trong: {expected}",
    "literal_error": "phải là một trong: {expected}",
    "none_required": "phải là null",
    "uuid_type": "phải là một UUID",
    "uuid_parsing": "phải là một UUID hợp lệ",
    "datetime_type": "phải là một thời điểm",
    "datetime_parsing": "phải là một thời điểm hợp lệ",
    "datetime_from_date_parsing": "phải là một thời điểm hợp lệ",
    "timezone_aware": "phải kèm múi giờ",
    "date_type": "phải là một ngày",
    "date_parsing": "phải là một ngày hợp lệ",
    "date_from_datetime_parsing": "phải là một ngày hợp lệ",
}
