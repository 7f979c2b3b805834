/** Looker's pages for people. They have a port of their own, because the host of Looker's pages may differ from its API's. */
import type { IncomingMessage, RequestListener } from "node:http";
import { splitTarget } from "../http-request.ts";
import type { User } from "./accounts.ts";
import { type Authorization, consented, denied, readAuthorization } from "./authorization.ts";
import { readText, send } from "./http.ts";
import type { LookerInstance } from "./instance.ts";
import type { LedgerEntry } from "./ledger.ts";
import { admits } from "./oauth-apps.ts";
import { lookerError, type Reply } from "./replies.ts";
import { newToken, sha256 } from "./token.ts";
import { consentPage, errorPage, signInPage } from "./ui-pages.ts";

interface Answer {
  reply: Reply;
  entry: Pick<LedgerEntry, "event" | "userId" | "clientId">;
}

const COOKIE = "looker_ui";

/** A browser opens `/auth` on the way from an app's page. Forms come from Looker's own pages. */
export function expectsPage({ method, url = "", headers }: IncomingMessage): boolean {
  if (headers.origin !== undefined) return headers.origin === `http://${headers.host}`;
  const opened = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return method === "GET" && opened && splitTarget(url).rawPath === "/auth";
}

export function uiListener(looker: LookerInstance): RequestListener {
  /** Of people in their browsers, by the cookie's SHA-256. */
  const userIds = new Map<string, string>();

  async function handle(request: IncomingMessage): Promise<Answer> {
    const { rawPath, rawQuery } = splitTarget(request.url ?? "/");
    if (rawPath !== "/auth") return page(errorPage(404, "There is no such page."));
    const body = await readText(request);
    if (body === undefined) return page(lookerError(413));
    const asked = readAuthorization(looker, new URLSearchParams(rawQuery));
    if (asked === undefined)
      return page(
        errorPage(400, "No app with this client id and redirect URI is registered."),
        "oauth_refused",
      );
    if (typeof asked === "string") return page(redirect(asked), "oauth_refused");

    const form = new URLSearchParams(request.method === "POST" ? body : "");
    if (form.has("email")) return signIn(form, request.url ?? "");
    const user = looker.accounts.user(userIds.get(sha256(cookieOf(request))) ?? "");
    if (user === undefined) return page(signInPage(200));
    return decide(asked, user, form.get("decision"));
  }

  function signIn(form: URLSearchParams, here: string): Answer {
    const user = looker.accounts.verifyPassword(form.get("email") ?? "", form.get("password") ?? "");
    if (user === undefined)
      return page(signInPage(401, "The email or the password is wrong."), "sign_in_failed");
    const cookie = newToken();
    userIds.set(sha256(cookie), user.userId);
    const { status, body, headers } = redirect(here);
    const kept = { ...headers, "set-cookie": `${COOKIE}=${cookie}; HttpOnly; SameSite=Lax; Path=/` };
    return { reply: { status, body, headers: kept }, entry: { event: "sign_in", userId: user.userId } };
  }

  function decide(asked: Authorization, user: User, decision: string | null): Answer {
    const who = { userId: user.userId, clientId: asked.app.clientGuid };
    if (decision === "deny" || !admits(asked.app, user))
      return { reply: redirect(denied(asked)), entry: { event: "oauth_denied", ...who } };
    if (decision !== "allow" && !asked.app.activatedUsers.has(user.userId))
      return page(consentPage(asked.app, user));
    return { reply: redirect(consented(looker, asked, user)), entry: { event: "oauth_consented", ...who } };
  }

  return (request, response) => {
    handle(request)
      .catch(() => page(errorPage(500, "The page failed.")))
      .then(({ reply, entry }) => {
        const path = splitTarget(request.url ?? "/").rawPath;
        const method = request.method ?? "";
        looker.ledger.record({ at: looker.now(), method, path, status: reply.status, ...entry });
        send(response, reply);
      });
  };
}

function page(reply: Reply, event: LedgerEntry["event"] = "page"): Answer {
  return { reply, entry: { event } };
}

function cookieOf({ headers }: IncomingMessage): string {
  return new RegExp(`(?:^|; )${COOKIE}=(\\w+)`).exec(headers.cookie ?? "")?.[1] ?? "";
}

/** A browser follows 303 with GET: a form's fields do not travel on. */
function redirect(location: string): Reply {
  return { status: 303, headers: { location, "cache-control": "no-store" }, body: "" };
}
