/** The kind of a request, in any spelling of its path. */

export type Route =
  /** Looker's login: answered here, with a local token. */
  | "login"
  /** Looker's logout: here the end of the local token, never of Looker's. */
  | "logout"
  /** A change of the API session, so of its workspace. */
  | "session"
  /** A request for another credential, beyond the lease and the broker's revocation. */
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
 * As the most lenient server would read it, in lower case. All layers of escapes are resolved, doubled slashes are folded,
 * `;parameters` and a suffix such as `.json` are cut off. The result is for comparing. The path itself is sent unchanged.
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

/** A path with more layers of escapes is an attack. */
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
