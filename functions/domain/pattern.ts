/**
 * The one place where principal patterns are compiled and matched. No regular expression is built from
 * a pattern: IAM's own `*` and `?` are all there is, matching is always of the whole name, and it is linear.
 */
import type { Principal } from "./principal.ts";

/** A reviewed pattern for IAM roles or users of one account, from `arn:aws:iam::111122223333:role/report-*`. */
export interface PrincipalPattern {
  readonly text: string;
  readonly partition: string;
  readonly account: string;
  readonly kind: "role" | "user";
  /** IAM's wildcards: `*` is any run of characters, `?` is exactly one. */
  readonly name: string;
}

export type ParsedPattern = { ok: true; pattern: PrincipalPattern } | { ok: false; error: string };

const shape = /^arn:(aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?):iam::([^:]*):(role|user)\/(.*)/s;
/** A session of a role, as `aws sts get-caller-identity` prints it. */
const sessionShape =
  /^arn:(aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?):sts::(\d{12}):assumed-role\/([^/]+)(?:\/.*)?$/s;
const example = "arn:aws:iam::111122223333:role/report-*";

/** Compiles one pattern; `error` says what is wrong with it and what would be right. */
export function parsePattern(text: unknown): ParsedPattern {
  const wrong = (error: string): ParsedPattern => ({ ok: false, error });
  if (typeof text !== "string") return wrong(`must be text like "${example}"`);
  // None of its groups is optional.
  const groups = shape.exec(text)?.slice(1) as [string, string, PrincipalPattern["kind"], string] | undefined;
  if (!groups) {
    const role = text.replace(sessionShape, "arn:$1:iam::$2:role/$3");
    if (role !== text) return wrong(`${JSON.stringify(text)} is a session; write its role's ARN, "${role}"`);
    return wrong(`${JSON.stringify(text)} is not the ARN of an IAM role or user, like "${example}"`);
  }
  const [partition, account, kind, name] = groups;
  if (!/^\d{12}$/.test(account))
    return wrong(`${JSON.stringify(text)} must name one account by its 12 digits; accounts take no wildcard`);
  if (name.includes("/"))
    return wrong(
      `${JSON.stringify(text)} must leave the path out (write role/${name.slice(name.lastIndexOf("/") + 1)}): ` +
        "an assumed role's ARN does not carry it",
    );
  // The characters of IAM role and user names: IAM API reference, CreateRole, RoleName.
  if (!/^[\w+=,.@*?-]{1,64}$/.test(name))
    return wrong(`${JSON.stringify(text)} has a name that no IAM ${kind} can have`);
  if (/^[*?]+$/.test(name))
    return wrong(`${JSON.stringify(text)} would match every ${kind} of the account; name a part of it`);
  return { ok: true, pattern: { text, partition, account, kind, name } };
}

/** Whether the verified principal is one that the pattern names. Case counts. */
export function matchesPattern(pattern: PrincipalPattern, principal: Principal): boolean {
  return (
    pattern.partition === principal.partition &&
    pattern.account === principal.account &&
    pattern.kind === principal.kind &&
    matchesGlob(pattern.name, principal.name)
  );
}

/** IAM's wildcard match of the whole text. Two cursors and one remembered `*`: no backtracking blow-up. */
export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === "*") {
      star = g++;
      resume = t;
    } else if (glob[g] === "?" || glob[g] === text[t]) {
      g++;
      t++;
    } else if (star >= 0) {
      g = star + 1;
      t = ++resume;
    } else return false;
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}
