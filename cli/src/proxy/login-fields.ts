/** The pair in a login: Looker's SDKs send a form, other tools JSON or the query. */
import type { LocalPair } from "./pair.ts";

export interface LoginRequest {
  readonly contentType: string;
  readonly body: string;
  /** The request's target, with its query. */
  readonly target: string;
}

export function loginFields({ contentType, body, target }: LoginRequest): Partial<LocalPair> {
  const fields = /\bjson\b/i.test(contentType) ? jsonFields(body) : new URLSearchParams(body);
  const query = new URL(target, "http://proxy.invalid").searchParams;
  const text = (name: string) => fields.get(name) ?? query.get(name);
  const [id, secret] = [text("client_id"), text("client_secret")];
  return { ...(id === null ? {} : { id }), ...(secret === null ? {} : { secret }) };
}

function jsonFields(body: string): URLSearchParams {
  try {
    const entries = Object.entries(Object(JSON.parse(body)));
    return new URLSearchParams(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return new URLSearchParams();
  }
}
