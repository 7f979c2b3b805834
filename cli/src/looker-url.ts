/** Looker's address, before a token is sent to it. */

/** Programs read it from a variable and send the token there: a `javascript:` or a `file:` is never passed on. */
export const isWebAddress = (text: unknown): boolean =>
  typeof text === "string" && /^https?:\/\//i.test(text) && URL.canParse(text);

/** @throws where a token would travel in the clear. The broker's scopes allow no such address. */
export function lookerUrl(baseUrl: string): URL & { protocol: "http:" | "https:" } {
  const url = new URL(baseUrl);
  const isLoopback = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback))
    return url as URL & { protocol: "http:" | "https:" };
  throw new Error(`Looker's address ${url.origin} is not https.`);
}
