/** `advice.ts` in Vietnamese. */
export const adviceVi: Record<string, string> = {
  // reaching the gateway
  unreachable: "Hãy kiểm tra `goclaw serve` có đang chạy và máy này kết nối được tới nó, rồi thử lại.",
  http: "Hãy thử lại; nếu vẫn lỗi, hãy xem nhật ký của gateway.",
  internal: "Hãy thử lại; nếu vẫn lỗi, hãy gửi thông báo này cho người vận hành gateway.",
  database_unavailable: "Gateway tự phục hồi khi cơ sở dữ liệu hoạt động trở lại. Hãy thử lại sau ít phút.",
  stopping: "Gateway đang khởi động lại. Hãy thử lại sau vài giây.",
  too_many_events: "Trang bị chậm lại và đang tải tiếp từ chỗ đã dừng.",

  // identity
  unauthenticated: "Hãy đăng nhập bằng token của gateway hoặc một khóa API.",
  invalid_credential: "Hãy xem có thiếu ký tự nào không, hoặc xin khóa mới: khóa này có thể đã hết hạn.",
  scope_missing: "Hãy dùng khóa có phạm vi quyền này, hoặc nhờ quản trị viên tạo một khóa.",
  user_required: "Hãy đăng xuất rồi đăng nhập lại kèm id người dùng, để gateway biết dữ liệu này của ai.",
  user_not_yours: "Hãy đăng nhập không kèm id người dùng, hoặc dùng đúng id mà khóa được gắn với.",
  owner_not_yours: "Hãy đăng nhập bằng token của gateway, hoặc để trống id người dùng.",
  user_id_too_long: "Hãy chọn id người dùng ngắn hơn.",
  origin_refused: "Hãy mở trang tại địa chỉ mà gateway đang lắng nghe, hoặc nhờ cho phép tên này.",
  cross_site: "Hãy tải lại trang và mở nó tại đúng địa chỉ của gateway.",
  session_user: "Hãy đăng xuất rồi đăng nhập lại với người dùng kia.",
  session_without_token: "Hãy đăng nhập bằng token của gateway hoặc một khóa API.",
  web_session_not_found: "Hãy tải lại danh sách: phiên đăng nhập này đã kết thúc rồi.",

  // limits
  rate_limited: "Hãy đợi một phút. Nếu thường xuyên gặp, hãy xin nâng giới hạn.",
  too_many_failures: "Hãy đợi một phút, rồi thử lại với đúng token.",
  too_many_sockets: "Hãy đóng các thẻ khác đang mở trang này, rồi tải lại.",
  too_many_followed: "Hãy đóng các thẻ khác đang mở trang này, rồi tải lại.",

  // input
  body_too_large: "Hãy gửi văn bản ngắn hơn.",
  invalid_input: "Hãy sửa trường được đánh dấu rồi thử lại.",
  required: "Hãy điền trường được đánh dấu rồi thử lại.",
  idempotency_mismatch: "Hãy gửi lại như một yêu cầu mới.",

  // agents
  agent_not_found: "Có thể nó đã bị xóa hoặc không được chia sẻ với bạn. Hãy chọn agent khác.",
  agent_key_taken: "Hãy chọn khóa khác.",
  agent_not_yours: "Hãy nhờ chủ sở hữu hoặc quản trị viên thay đổi nó.",
  agent_inactive: "Hãy đặt agent thành active trên trang của nó, hoặc chọn agent khác.",
  agent_model_missing: "Hãy mở agent và chọn một mô hình.",
  share_not_found: "Hãy tải lại trang: người khác đã bỏ chia sẻ này rồi.",

  // providers and vendors
  provider_not_found: "Có thể nó đã bị xóa. Hãy chọn nhà cung cấp khác.",
  provider_name_taken: "Hãy chọn tên khác.",
  provider_disabled: "Hãy bật nó trên trang Providers, hoặc chọn nhà cung cấp khác cho agent.",
  provider_read_only: "Hãy thay đổi nó ở nơi khởi động máy chủ, rồi khởi động lại máy chủ.",
  provider_in_use: "Hãy mở các agent đó, chọn nhà cung cấp khác cho chúng, rồi xóa nhà cung cấp này.",
  provider_key_required: "Hãy nhập lại khóa API cùng với địa chỉ mới.",
  provider_key_missing: "Hãy mở nhà cung cấp và nhập khóa API của nó.",
  upstream_unreachable: "Hãy kiểm tra địa chỉ của nhà cung cấp trên trang Providers rồi bấm Verify.",
  upstream_refused: "Hãy kiểm tra nhà cung cấp có mô hình của agent không; nút Verify trên trang Providers sẽ cho biết.",
  upstream_credential: "Hãy nhập khóa API hợp lệ cho nhà cung cấp rồi bấm Verify.",
  upstream_failed: "Nhà cung cấp đang gặp sự cố. Hãy thử lại sau giây lát.",
  upstream_garbage: "Hãy kiểm tra địa chỉ và loại của nhà cung cấp có khớp nhau không, rồi bấm Verify.",
  upstream_cut: "Hãy gửi lại tin nhắn.",
  upstream_rate_limited: "Hãy đợi một phút, hoặc dùng nhà cung cấp khác.",
  upstream_timeout: "Hãy thử lại, hoặc chọn mô hình nhanh hơn.",
  host_refused: "Quản trị viên có thể cho phép địa chỉ này bằng thiết lập nêu ở trên.",
  port_refused: "Quản trị viên có thể cho phép cổng này bằng thiết lập nêu ở trên.",
  url_invalid: "Hãy viết địa chỉ đầy đủ, chẳng hạn https://api.example.com/v1.",
  local_model_missing: "Hãy thêm một nhà cung cấp với khóa API của bạn.",
  secret_unreadable: "Hãy nhập lại khóa API của nhà cung cấp, hoặc khôi phục khóa mã hóa của máy chủ.",
  encryption_key_missing: "Hãy đặt GOCLAW_ENCRYPTION_KEY ở nơi khởi động máy chủ.",

  // sessions and runs
  session_not_found: "Có thể nó đã bị xóa. Hãy bắt đầu cuộc trò chuyện mới.",
  session_busy: "Câu trả lời này không nhận thêm tin nhắn: đã có năm tin đang chờ, hoặc agent của nó không có công cụ. Hãy đợi nó kết thúc, hoặc dừng nó.",
  run_not_found: "Hãy bắt đầu lại cuộc trò chuyện.",
  run_cancelled: "Bạn có thể gửi tin nhắn khác bất cứ lúc nào.",
  trace_not_found: "Trace xuất hiện ngay sau khi lượt chạy kết thúc. Hãy thử lại, hoặc quay về danh sách.",
  api_key_not_found: "Hãy tải lại trang: khóa này đã không còn.",

  // codes that this page does not know
  unknown: "Hãy thử lại; nếu vẫn lỗi, hãy xem nhật ký của gateway.",
};
