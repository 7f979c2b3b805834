/** Which kind of request a method and a target are, however the path is spelled. */

export type Route =
  /** Looker's login: answered here, with a local token. */
  | "login"
  /** Looker's logout: it ends the local token, never Looker's. */
  | "logout"
  /** A change of the API session, so of its workspace. */
  | "session"
  /** It would make another credential, which outlives the lease and the broker's revocation. */
  | "credentials"
  | "other";

/** Undefined: the target is not a plain path, or servers could read it in two ways. */
export function routeOf(method: string, target: string): Route | undefined {
  const path = normalPath(target);
  if (path === undefined) return undefined;
  if (/^(\/api(\/[^/]+)?)?\/login$/.test(path)) return "login";
  if (/^(\/api(\/[^/]+)?)?\/logout$/.test(path)) return "logout";
  const isReading = /^(GET|HEAD|OPTIONS)$/.test(method);
  if (isReading) return "other";
  if (/^\/api\/[^/]+\/session$/.test(path)) return "session";
  if (/^(\/api(\/[^/]+)?)?\/login\//.test(path)) return "credentials";
  if (method === "POST" && /\/credentials_api3$/.test(path)) return "credentials";
  return "other";
}

/**
 * As the most lenient server would read it: escapes resolved as often as there are some, doubled slashes folded,
 * `;parameters` and a suffix such as `.json` cut off, in lower case. Only for comparing: a path is sent on as it came.
 */
function normalPath(target: string): string | undefined {
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes("#")) return undefined;
  const [raw = ""] = target.split("?", 1);
  const decoded = decodedPath(raw);
  if (decoded === undefined) return undefined;
  const segments = decoded
    .replaceAll("\\", "/")
    .split("/")
    .map((segment) => segment.replace(/;.*$/s, ""));
  if (segments.some((segment) => segment === "." || segment === "..")) return undefined;
  return `/${segments.filter(Boolean).join("/")}`.replace(/\.(json|xml)$/i, "").toLowerCase();
}

/** More layers of escapes than this are an attack. */
const mostLayers = 5;

function decodedPath(raw: string): string | undefined {
  let path = raw;
  for (let layer = 0; layer < mostLayers; layer++) {
    let next: string;
    try {
      next = decodeURIComponent(path);
    } catch {
      // Behind the first layer a percent sign may be one.
      return layer === 0 ? undefined : path;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (/[\x00-\x1f\x7f]/.test(next)) return undefined;
    if (next === path) return path;
    path = next;
  }
  return undefined;
}
