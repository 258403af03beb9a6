/** Languages that errors and advice are written in; the gateway has the same. */
export const locales = ["en", "vi", "zh"] as const;
export type Locale = (typeof locales)[number];

/** The first language of the browser that there are texts in, as the gateway chooses too. */
export function chooseLocale(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-")[0];
    const found = locales.find((locale) => locale === language);
    if (found) return found;
  }
  return "en";
}

export function browserLocale(): Locale {
  return typeof navigator === "undefined" ? "en" : chooseLocale(navigator.languages);
}
