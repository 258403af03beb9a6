import { describe, expect, it } from "vitest";
import { changedSettings, isStored, settingAt, settingsOf, valuesOf } from "./settings";

const schema = {
  properties: {
    providers: { type: "array", items: { enum: ["brave", "duckduckgo"] }, default: ["brave"] },
    brave_api_key: { anyOf: [{ type: "string", writeOnly: true }, { type: "null" }], default: null },
    limit: { type: "integer" },
  },
};
const settings = settingsOf(schema);

describe("settings of a tool", () => {
  it("become the inputs of a form", () => {
    expect(settings.map(({ label, kind }) => [label, kind])).toEqual([
      ["Providers", "choices"],
      ["Brave API key", "secret"],
      ["Limit", "number"],
    ]);
    expect(settingsOf(null)).toEqual([]);
  });

  it("begin with what is stored, and never with a secret", () => {
    const stored = { brave_api_key: "***", providers: ["duckduckgo"] };
    expect(valuesOf(settings, stored)).toEqual({ providers: ["duckduckgo"], brave_api_key: "", limit: "" });
    expect(valuesOf(settings, {}).providers).toEqual(["brave"]);
    expect(settings.map((each) => isStored(each, stored))).toEqual([false, true, false]);
  });

  it("leave a secret alone that was not typed", () => {
    const values = { providers: ["brave"], brave_api_key: "", limit: 3 };
    expect(changedSettings(settings, values, new Set())).toEqual({ providers: ["brave"], limit: 3 });
    expect(changedSettings(settings, values, new Set(["brave_api_key"])).brave_api_key).toBeNull();
    expect(changedSettings(settings, { ...values, brave_api_key: "k" }, new Set()).brave_api_key).toBe("k");
  });

  it("are found by the field of an error", () => {
    expect(settingAt(settings, "settings.providers")).toBe("providers");
    expect(settingAt(settings, "settings.providers.0")).toBe("providers");
    expect(settingAt(settings, "enabled")).toBeNull();
    expect(settingAt(settings, null)).toBeNull();
  });
});
