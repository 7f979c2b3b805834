/** A token out of a text that somebody pasted: from a header, a log or a chat. */

export type Pasted = { readonly token: string } | { readonly refused: string };

export function pastedToken(text: string): Pasted {
  const token = text
    .trim()
    .replace(/^authorization:\s*/i, "")
    .replace(/^(bearer|token)\s+/i, "")
    .replace(/^(["'`])(.*)\1$/s, "$2")
    .trim();
  if (token === "") return { refused: "Nothing was pasted." };
  if (/\s/.test(token)) return { refused: "The text has more than one word. Paste the token alone." };
  if (/^(AKIA|ASIA)[A-Z2-7]{16}$/.test(token))
    return { refused: "The text is the id of an AWS access key, and not a token of Looker's." };
  return { token };
}
