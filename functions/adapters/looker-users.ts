/**
 * Looker's answers about the account that asks. An answer of another shape counts as a failure, because a part of somebody's
 * rights is not the truth.
 * https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/User
 */
import type {
  LookerAccount,
  LookerCredential,
  LookerRole,
  LookerSet,
  LookerUser,
} from "../domain/account.ts";
import type { Asked, LookerUsers } from "../use-cases/ports.ts";
import { fieldsOf, isLookerError, isToken, jsonOf, maySendSecretsTo } from "./looker-answer.ts";
import type { Exchange, LookerHttp, LookerRequest } from "./looker-http.ts";

/** Entries of a list. Looker has about a hundred permissions. */
const mostEntries = 2_000;
/** An account may have many roles, each with all names of its permissions and models. */
const maxAnswerBytes = 4 * 1_048_576;

export function lookerUsers(
  { sendIdempotent }: Pick<LookerHttp, "sendIdempotent">,
  timeoutMs: number,
): LookerUsers {
  const get = (baseUrl: string, token: string, path: string) =>
    ask(
      sendIdempotent,
      { baseUrl, method: "GET", path, maxAnswerBytes, signal: AbortSignal.timeout(timeoutMs) },
      token,
    );
  return {
    me: async (baseUrl, token) =>
      read(await get(baseUrl, token, "/user?fields=id,display_name,is_disabled"), readUser),
    account: async (baseUrl, token, userId) =>
      read(
        await get(
          baseUrl,
          token,
          `/users/${encodeURIComponent(userId)}?fields=id,display_name,is_disabled,is_iam_admin,can_manage_api3_creds,credentials_api3`,
        ),
        readAccount,
      ),
    roles: async (baseUrl, token, userId) =>
      read(await get(baseUrl, token, `/users/${encodeURIComponent(userId)}/roles`), (json) =>
        listOf(json, readRole),
      ),
  };
}

/** Sends nothing if the token would go in the clear. */
export async function ask(
  send: (request: LookerRequest) => Promise<Exchange>,
  request: LookerRequest,
  token: string,
): Promise<Exchange> {
  if (!maySendSecretsTo(request.baseUrl) || !isToken(token))
    return { kind: "unreached", reason: "not_https" };
  return await send({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
}

/** @param parse gives undefined for another shape */
export function read<Value>(exchange: Exchange, parse: (json: unknown) => Value | undefined): Asked<Value> {
  if (exchange.kind === "unanswered") return { kind: "unknown", reason: exchange.reason };
  if (exchange.kind !== "answer") return { kind: "failed", reason: exchange.reason };
  const { status, tooLarge } = exchange;
  const json = jsonOf(exchange);
  // A proxy gave up waiting. Looker may have done it.
  if (status === 502 || status === 504) return { kind: "unknown", reason: `status_${status}` };
  if (status === 200) {
    const value = parse(json);
    return value === undefined
      ? { kind: "failed", reason: tooLarge ? "too_large" : "shape" }
      : { kind: "ok", value };
  }
  return [400, 401, 403, 404, 409, 422].includes(status) && isLookerError(json)
    ? { kind: "refused", status }
    : { kind: "failed", reason: `status_${status}` };
}

export function readUser(json: unknown): LookerUser | undefined {
  const { id, display_name: name, is_disabled: isDisabled } = fieldsOf(json);
  if (!isId(id)) return undefined;
  return { id, isDisabled: isDisabled === true, ...(isShortLine(name) ? { displayName: name } : {}) };
}

function readAccount(json: unknown): LookerAccount | undefined {
  const user = readUser(json);
  const { credentials_api3: pairs, is_iam_admin, can_manage_api3_creds } = fieldsOf(json);
  const credentials = pairs === undefined || pairs === null ? [] : listOf(pairs, readCredential);
  if (!user || !credentials) return undefined;
  return {
    ...user,
    credentials,
    isIamAdmin: is_iam_admin === true,
    mayManageCredentials: can_manage_api3_creds === true,
  };
}

export function readCredential(json: unknown): LookerCredential | undefined {
  const { id, client_id: clientId, created_at: created, is_disabled: isDisabled, purpose } = fieldsOf(json);
  if (!isId(id) || !isClientId(clientId)) return undefined;
  const createdAt = typeof created === "string" ? Date.parse(created) : Number.NaN;
  return {
    id,
    clientId,
    isDisabled: isDisabled === true,
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
    ...(typeof purpose === "string" && purpose !== "" ? { purpose } : {}),
  };
}

function readRole(json: unknown): LookerRole | undefined {
  const { name, permission_set, model_set } = fieldsOf(json);
  const permissions = readSet(permission_set, "permissions");
  const models = readSet(model_set, "models");
  return permissions && models && { name: isShortLine(name) ? name : "?", permissions, models };
}

function readSet(json: unknown, member: "permissions" | "models"): LookerSet | undefined {
  const { all_access: all, built_in: builtIn, [member]: list } = fieldsOf(json);
  const names = listOf(list ?? [], (name) => (isShortLine(name) ? name : undefined));
  return names && { all: all === true, builtIn: builtIn === true, names };
}

/** Undefined if one entry has another shape. */
export function listOf<Entry>(
  json: unknown,
  parse: (entry: unknown) => Entry | undefined,
): readonly Entry[] | undefined {
  if (!Array.isArray(json) || json.length > mostEntries) return undefined;
  const entries = json.map((entry) => parse(entry));
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

/** Looker's ids are digits, and text in JSON. Older versions had numbers. */
const isId = (value: unknown): value is string => typeof value === "string" && /^[\w-]{1,64}$/.test(value);
const isClientId = (value: unknown): value is string =>
  typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value);
/** It is shown to operators in a terminal and on a page. */
const isShortLine = (value: unknown): value is string =>
  typeof value === "string" && /^[^\p{C}]{1,255}$/u.test(value);
