import { onTestFinished } from "vitest";
import { type RunningLooker, startLooker } from "../../../../local/looker/server.ts";

export const NOT_FOUND = '{"message":"Not found","documentation_url":"http://docs.looker.com/"}';
export const FORBIDDEN = '{"message":"Forbidden","documentation_url":"http://docs.looker.com/"}';
export const UNAUTHORIZED =
  '{"message":"Requires authentication.","documentation_url":"http://docs.looker.com/"}';

export const READER = { clientId: "reader", clientSecret: "reader-secret" };
export const ADMIN = { clientId: "admin", clientSecret: "admin-secret" };

export interface Seen {
  status: number;
  body: string;
  headers: Headers;
}

/** A Looker at a frozen time with a reader (user 7) and an admin (user 1), closed with the test. */
export async function lookerUnderTest(): Promise<RunningLooker> {
  const looker = await startLooker({
    accounts: [
      { userId: "7", displayName: "Reader", credentials: [READER] },
      { userId: "1", displayName: "Admin", credentials: [ADMIN], admin: true },
      { userId: "42", displayName: "Embedded", credentials: [] },
    ],
    now: () => 1_700_000_000_000,
  });
  onTestFinished(() => looker.close());
  return looker;
}

export async function call(
  looker: RunningLooker,
  route: string,
  authorization?: string,
  init: RequestInit = {},
): Promise<Seen> {
  const [method = "", path = ""] = route.split(" ");
  const response = await fetch(`${looker.url}${path}`, {
    redirect: "manual",
    ...init,
    method,
    headers: { ...(authorization === undefined ? {} : { authorization }), ...(init.headers as object) },
  });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

export function tryLogin(looker: RunningLooker, { clientId, clientSecret } = READER): Promise<Seen> {
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret });
  return call(looker, "POST /api/4.0/login", undefined, { body });
}

export async function login(looker: RunningLooker, who = READER): Promise<string> {
  return JSON.parse((await tryLogin(looker, who)).body).access_token;
}
