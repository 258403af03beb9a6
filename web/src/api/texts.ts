import type { Locale } from "./locale";

/** What the page itself says when the gateway gave no text. */
interface Texts {
  refused: string;
  tooLarge: string;
  tooOften: string;
  http: string;
  unreachable: string;
  noReason: string;
}

export const texts: Record<Locale, Texts> = {
  en: {
    refused: "the gateway refused the token or key",
    tooLarge: "the request was too large",
    tooOften: "the gateway answers no more calls for now",
    http: "the gateway answered with HTTP {status}",
    unreachable: "the gateway did not answer",
    noReason: "the gateway gave no reason",
  },
  vi: {
    refused: "gateway không chấp nhận token hoặc khóa",
    tooLarge: "yêu cầu quá lớn",
    tooOften: "gateway tạm thời không nhận thêm yêu cầu",
    http: "gateway trả lời HTTP {status}",
    unreachable: "gateway không trả lời",
    noReason: "gateway không nêu lý do",
  },
  zh: {
    refused: "网关拒绝了令牌或密钥",
    tooLarge: "请求过大",
    tooOften: "网关暂时不再接受请求",
    http: "网关返回了 HTTP {status}",
    unreachable: "网关没有回应",
    noReason: "网关没有说明原因",
  },
};
