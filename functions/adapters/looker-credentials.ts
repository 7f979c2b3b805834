/**
 * The API pairs of a Looker account. A pair's secret is in the answer to its creation and nowhere else.
 * https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/User/create_user_credentials_api3
 */
import type { CreatedCredential, LookerPairs } from "../use-cases/rotation-ports.ts";
import { fieldsOf } from "./looker-answer.ts";
import type { LookerHttp, LookerRequest } from "./looker-http.ts";
import { ask, listOf, read, readCredential, readUser } from "./looker-users.ts";

export function lookerPairs(
  { sendOnce, sendIdempotent }: Pick<LookerHttp, "sendOnce" | "sendIdempotent">,
  timeoutMs: number,
): LookerPairs {
  const request = (baseUrl: string, method: LookerRequest["method"], path: string): LookerRequest => ({
    ...{ baseUrl, method, path },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const pairsOf = (userId: string) => `/users/${encodeURIComponent(userId)}/credentials_api3`;
  const pairOf = ({ userId, pairId }: { userId: string; pairId: string }) =>
    `${pairsOf(userId)}/${encodeURIComponent(pairId)}`;
  return {
    async ownerOf(baseUrl, token, clientId) {
      const path = `/users/credential/api3/${encodeURIComponent(clientId)}?fields=id,display_name,is_disabled`;
      return read(await ask(sendIdempotent, request(baseUrl, "GET", path), token), readUser);
    },
    async list(baseUrl, token, userId) {
      const exchange = await ask(sendIdempotent, request(baseUrl, "GET", pairsOf(userId)), token);
      return read(exchange, (json) => listOf(json, readCredential));
    },
    async create(baseUrl, token, userId) {
      const created = read(
        await ask(sendOnce, request(baseUrl, "POST", pairsOf(userId)), token),
        readCreated,
      );
      // Perhaps a pair was made behind an unreadable answer, behind an error, or behind the page of a proxy. A proxy may withhold
      // an answer with a secret. Looker's demand for fewer requests comes before the work.
      return created.kind === "failed" &&
        /^(?:shape|too_large|not_http|status_(?!429)\d{3})$/.test(created.reason)
        ? { kind: "unknown", reason: created.reason }
        : created;
    },
    async mark(baseUrl, token, { purpose, ...pair }) {
      const marking: LookerRequest = {
        ...request(baseUrl, "PATCH", pairOf(pair)),
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ purpose }),
      };
      return read(await ask(sendIdempotent, marking, token), readCredential);
    },
    async remove(baseUrl, token, pair) {
      const exchange = await ask(sendIdempotent, request(baseUrl, "DELETE", pairOf(pair)), token);
      if (exchange.kind === "answer" && exchange.status === 204) return { kind: "ok", value: undefined };
      return read<undefined>(exchange, () => undefined);
    },
  };
}

function readCreated(json: unknown): CreatedCredential | undefined {
  const credential = readCredential(json);
  const { client_secret: clientSecret } = fieldsOf(json);
  if (!credential || typeof clientSecret !== "string" || !/^[\x21-\x7e]{1,256}$/.test(clientSecret))
    return undefined;
  return { ...credential, clientSecret };
}
