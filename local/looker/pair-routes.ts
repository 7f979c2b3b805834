/** Pairs of API credentials. An admin manages those of every account. */
import { isJsonObject } from "../json-object.ts";
import type { LookerInstance } from "./instance.ts";
import type { LedgerEntry } from "./ledger.ts";
import { type Pair, randomClient } from "./pairs.ts";
import { json, lookerError, noContent, type Reply, validationError } from "./replies.ts";
import { type Call, jsonBody, type NotedReply, type Routes } from "./route.ts";

export const PAIR_ROUTES: Routes = {
  "GET /users/{user_id}/credentials_api3": {
    answer: (looker, call) =>
      ofUser("read", looker, call, (userId) => json(200, describePairs(looker, userId, call.origin))),
  },
  "POST /users/{user_id}/credentials_api3": {
    answer: (looker, call) =>
      ofUser("change", looker, call, (userId) => createPair(looker, userId, call.origin)),
  },
  "GET /users/{user_id}/credentials_api3/{credentials_api3_id}": {
    answer: (looker, call) =>
      ofPair("read", looker, call, (pair) => json(200, describePair(pair, call.origin))),
  },
  "PATCH /users/{user_id}/credentials_api3/{credentials_api3_id}": {
    answer: (looker, call) => ofPair("change", looker, call, (pair) => markPair(pair, call)),
  },
  "DELETE /users/{user_id}/credentials_api3/{credentials_api3_id}": {
    answer: (looker, call) => ofPair("change", looker, call, (pair) => deletePair(looker, pair)),
  },
};

/** Without the secret: Looker shows it once, when it makes the pair. */
export function describePairs({ accounts }: LookerInstance, userId: string, origin: string): object[] {
  return accounts.pairs.of(userId).map((pair) => describePair(pair, origin));
}

/** Looker answers 404, as if there were no such thing. For these calls 403 is documented, too. */
export function refusal({ settings }: LookerInstance): Reply {
  return lookerError(settings.pairRefusalStatus);
}

function describePair({ id, userId, clientId, createdAt, disabled, purpose }: Pair, origin: string): object {
  return {
    can: {},
    id,
    client_id: clientId,
    created_at: new Date(createdAt).toISOString().replace("Z", "+00:00"),
    is_disabled: disabled,
    type: "api3",
    purpose,
    url: `${origin}/api/4.0/users/${encodeURIComponent(userId)}/credentials_api3/${id}`,
  };
}

type Answer = Reply | NotedReply;

/** Only an admin learns whether a user exists. */
function ofUser(
  access: "read" | "change",
  looker: LookerInstance,
  { user, parameters: { user_id: userId = "" } }: Call,
  answer: (userId: string) => Answer,
): Answer {
  const own = userId === user.userId;
  const mayChangeOwn = user.canManageCredentials && looker.settings.ownPairsByApi;
  const may = user.admin || (own && (access === "read" || mayChangeOwn));
  if (!may) return refusal(looker);
  return looker.accounts.user(userId) === undefined ? lookerError(404) : answer(userId);
}

function ofPair(
  access: "read" | "change",
  looker: LookerInstance,
  call: Call,
  answer: (pair: Pair) => Answer,
): Answer {
  return ofUser(access, looker, call, (userId) => {
    const { credentials_api3_id: id } = call.parameters;
    const pair = looker.accounts.pairs.of(userId).find((known) => known.id === id);
    return pair === undefined ? lookerError(404) : answer(pair);
  });
}

/** A body has no meaning: the purpose takes a PATCH. */
function createPair({ accounts, settings, now }: LookerInstance, userId: string, origin: string): Answer {
  if (accounts.pairs.of(userId).length >= settings.maxPairsPerUser) {
    if (settings.tooManyPairsStatus === 409) return lookerError(409);
    return validationError("credentials_api3", "invalid", "The user has too many API credentials.");
  }
  const pair = accounts.pairs.add({ userId, ...randomClient(), createdAt: now() });
  const { clientSecret } = pair;
  return noted(
    "pair_created",
    pair,
    json(200, { ...describePair(pair, origin), client_secret: clientSecret }),
  );
}

/** The document has these fields as read-only. A client may send back all that it got. */
const READ_ONLY = ["can", "id", "client_id", "created_at", "is_disabled", "type", "url"];

function markPair(pair: Pair, call: Call): Answer {
  const body = jsonBody(call);
  if (!isJsonObject(body)) return lookerError(400);
  const { purpose = pair.purpose, ...others } = body;
  const unknown = Object.keys(others).find((field) => !READ_ONLY.includes(field));
  if (unknown !== undefined) return validationError(unknown, "invalid", "There is no such field.");
  if (typeof purpose !== "string" && purpose !== null)
    return validationError("purpose", "invalid", "purpose must be a string");
  pair.purpose = purpose;
  return noted("pair_marked", pair, json(200, describePair(pair, call.origin)));
}

function deletePair({ accounts, sessions, settings, now }: LookerInstance, pair: Pair): Answer {
  accounts.pairs.delete(pair);
  if (settings.tokensOfDeletedPairs === "ended")
    sessions.end((session) => session.clientId === pair.clientId, now());
  return noted("pair_deleted", pair, noContent());
}

function noted(event: LedgerEntry["event"], { id, clientId, userId }: Pair, reply: Reply): NotedReply {
  return { reply, noted: { event, pair: { id, clientId, userId } } };
}
