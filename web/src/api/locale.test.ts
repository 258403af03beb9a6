import { CombinedError } from "urql";
import { afterEach, describe, expect, it, vi } from "vitest";
import { advice, adviceEn, adviceIn } from "./advice";
import { problemOf } from "./errors";
import { chooseLocale, type Locale, locales } from "./locale";
import { texts } from "./texts";

afterEach(() => vi.unstubAllGlobals());

describe.each<Locale>([...locales])("the catalogue in %s", (locale) => {
  it("has advice for every code and no other", () => {
    const missing = Object.keys(adviceEn).filter((code) => !adviceIn[locale][code]);
    expect(missing, `advice.${locale}.ts has no text for`).toEqual([]);
    const unknown = Object.keys(adviceIn[locale]).filter((code) => !(code in adviceEn));
    expect(unknown, `advice.${locale}.ts has texts for no code`).toEqual([]);
  });

  it("has the page's own texts with the same placeholders", () => {
    for (const [name, text] of Object.entries<string>({ ...texts.en })) {
      const here = texts[locale][name as keyof typeof texts.en];
      expect(here.match(/\{\w+\}/g), name).toEqual(text.match(/\{\w+\}/g));
    }
  });

  it("is no copy of the English one", () => {
    if (locale === "en") return;
    const alike = Object.keys(adviceEn).filter((code) => adviceIn[locale][code] === adviceEn[code]);
    expect(alike).toEqual([]);
  });
});

it("takes the browser's first language that there are texts in", () => {
  expect(chooseLocale(["zh-Hant-TW", "en"])).toBe("zh");
  expect(chooseLocale(["fr", "vi-VN", "en"])).toBe("vi");
  expect(chooseLocale(["EN-us", "vi"])).toBe("en");
  expect(chooseLocale(["zhx", "de"])).toBe("en");
  expect(chooseLocale([])).toBe("en");
});

it("shows the gateway's words and its own in one language", () => {
  vi.stubGlobal("navigator", { languages: ["zh-CN", "en"] });
  const refused = new CombinedError({
    graphQLErrors: [{ message: "没有会话 7", extensions: { code: "session_not_found" } }],
  });
  expect(problemOf(refused)).toMatchObject({
    message: "没有会话 7。",
    advice: "它可能已被删除。请开始新的聊天。",
  });
  const away = problemOf(new CombinedError({ networkError: new Error("x") }));
  expect(away.message).toBe("网关没有回应。");
});

it("gives general advice for codes it does not know, in the same language", () => {
  expect(advice("brand_new", "vi")).toBe(adviceIn.vi.unknown);
});
