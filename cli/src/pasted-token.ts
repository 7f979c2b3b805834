/** A token out of a text that somebody pasted: from a header, a log or a chat. Pure, so that a page can use it too. */

export type Pasted =
  | { readonly token: string }
  /** Records and listings name a token by it, and a token of Looker's has another length. */
  | { readonly tokenSha256: string }
  /** Nothing of the text is repeated. */
  | { readonly refused: string };

/** No token is as long. */
const mostCharacters = 4_096;

export function pastedToken(text: string): Pasted {
  if (text.length > mostCharacters)
    return { refused: "This is longer than any token: give the token alone." };
  const token = unwrapped(text);
  if (token === "") return { refused: "There is no token in it." };
  const foreign = others.find(({ looksLike }) => looksLike.test(token));
  if (foreign) return { refused: foreign.refused };
  return /^[0-9a-f]{64}$/i.test(token) ? { tokenSha256: token.toLowerCase() } : { token };
}

/** Quotes stand around the token, or around the whole header. */
function unwrapped(text: string): string {
  const inner = text
    .trim()
    .replace(/^(["'`])(.*)\1$/s, "$2")
    .trim()
    .replace(/^authorization:\s*/i, "")
    .replace(/^(?:bearer|token)(?:\s+|$)/i, "");
  return inner === text ? inner : unwrapped(inner);
}

const clientSecretNext = "If it has leaked, go to the runbook's entry Leaked client secret.";

/** What is plainly something else. Looker's tokens have 40 letters and digits, its client ids 20, its client secrets 24. */
const others: readonly { readonly looksLike: RegExp; readonly refused: string }[] = [
  {
    looksLike: /client_secret/i,
    refused: `This is a Looker client secret, and no token. ${clientSecretNext}`,
  },
  { looksLike: /\s/, refused: "This is more than one word: give the token alone." },
  {
    looksLike: /^(?:AKIA|ASIA)[A-Z0-9]{12,28}$/,
    refused:
      "This is the id of an AWS access key, and no token of Looker's. If its secret has leaked, deactivate the key in IAM.",
  },
  {
    looksLike: /^[A-Za-z0-9/+]{40}$(?<=[/+].*)/,
    refused:
      "This is an AWS secret access key, and no token of Looker's. If it has leaked, deactivate the key in IAM.",
  },
  {
    looksLike: /^[A-Za-z0-9]{20}$/,
    refused:
      "This is a Looker client id or a lease id, and no token. `looker-token revoke` takes them as --client-id and --lease-id.",
  },
  {
    looksLike: /^[A-Za-z0-9]{24}$/,
    refused: `This has the length of a Looker client secret, and of no token. ${clientSecretNext}`,
  },
  { looksLike: /[^\x21-\x7e]/, refused: "This has characters that no token has: give the token alone." },
];
