import type { IncomingMessage, RequestListener } from "node:http";
import type { Control } from "./control.ts";
import { BadInput, describe, INPUTS, parse, parseFault, parseSettings, parseUser } from "./control-input.ts";
import { readText, send } from "./http.ts";
import { json, type Reply } from "./replies.ts";

interface Route {
  does: string;
  accepts?: Record<string, string>;
  run(control: Control, body: unknown): unknown;
}

const ROUTES: Record<string, Route> = {
  "GET /": { does: "this description", run: () => describeRoutes() },
  "GET /ledger": { does: "every request that arrived, oldest first", run: (control) => control.ledger() },
  "DELETE /ledger": { does: "empty the ledger", run: (control) => done(() => control.resetLedger()) },
  "GET /in-flight": { does: "requests not answered yet", run: (control) => control.inFlight() },
  "GET /tokens": { does: "live tokens, by SHA-256", run: (control) => control.liveTokens() },
  "POST /tokens/expire": {
    does: "let one token, or all, run out now; exactly one of the two fields",
    accepts: describe(INPUTS.expire),
    run: (control, body) => {
      const { sha256, all } = parse(INPUTS.expire, body);
      if ((sha256 === undefined) === (all === undefined))
        throw new BadInput("Give either sha256 or all: true.");
      if (sha256 === undefined) return { expired: control.expireAllTokens() };
      return { expired: control.expireToken(String(sha256)) ? 1 : 0 };
    },
  },
  "POST /tokens/end": {
    does: "end every token of a client, as a logout would",
    accepts: describe(INPUTS.end),
    run: (control, body) => ({ ended: control.endTokensOf(String(parse(INPUTS.end, body).client_id)) }),
  },
  "POST /clients/secret": {
    does: "change a client's secret; its live tokens stay",
    accepts: describe(INPUTS.secret),
    run: (control, body) => {
      const { client_id, client_secret } = parse(INPUTS.secret, body);
      return requireKnown("client_id", control.changeSecret(String(client_id), String(client_secret)));
    },
  },
  "POST /clients/disable": {
    does: "refuse a client's logins, or accept them again; its live tokens stay",
    accepts: describe(INPUTS.disable),
    run: (control, body) => {
      const { client_id, disabled } = parse(INPUTS.disable, body);
      return requireKnown("client_id", control.setDisabled(String(client_id), disabled === true));
    },
  },
  "GET /pairs": { does: "every pair, without its secret", run: (control) => control.pairs() },
  "POST /users": {
    does: "change a user's rights. Live tokens stay",
    accepts: describe(INPUTS.user),
    run: (control, body) => {
      const { userId, rights } = parseUser(body);
      return requireKnown("user_id", control.changeUser(userId, rights));
    },
  },
  "GET /faults": { does: "faults that still wait", run: (control) => control.faults() },
  "POST /faults": {
    does: "add a fault; they strike in this order. before: instead of the effect (delay and hold: ahead of it); after: the effect took place",
    accepts: describe(INPUTS.fault),
    run: (control, body) => done(() => control.addFault(parseFault(body))),
  },
  "DELETE /faults": {
    does: "clear faults, let held requests go on",
    run: (control) => done(() => control.clearFaults()),
  },
  "POST /release": {
    does: "let held requests go on",
    run: (control) => ({ released: control.release() }),
  },
  "GET /settings": { does: "read what Looker leaves undocumented", run: (control) => control.settings() },
  "POST /settings": {
    does: "change what Looker leaves undocumented",
    accepts: describe(INPUTS.settings),
    run: (control, body) => {
      control.changeSettings(parseSettings(body));
      return control.settings();
    },
  },
  "GET /clock": { does: "the stand-in's time", run: (control) => ({ now: control.now() }) },
  "POST /clock": {
    does: "move the stand-in's time on",
    accepts: describe(INPUTS.clock),
    run: (control, body) => {
      control.advanceClock(Number(parse(INPUTS.clock, body).advance_ms));
      return { now: control.now() };
    },
  },
};

export function controlListener(control: Control): RequestListener {
  return (request, response) => {
    reply(control, request)
      .catch((error: unknown) =>
        error instanceof BadInput
          ? json(400, { message: error.message })
          : json(500, { message: "The control interface failed." }),
      )
      .then((answered) => send(response, answered));
  };
}

async function reply(control: Control, request: IncomingMessage): Promise<Reply> {
  const name = `${request.method} ${request.url}`;
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (route === undefined) return json(404, { message: `Accepted: ${Object.keys(ROUTES).join(", ")}` });
  const body = await readText(request);
  if (body === undefined) return json(413, { message: "The body is too large." });
  return json(200, snakeCase(route.run(control, route.accepts && parseJson(request, body))));
}

function parseJson(request: IncomingMessage, body: string): unknown {
  // A web page can send text/plain to a loopback port unasked, but not this type.
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    throw new BadInput("The content type must be application/json.");
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new BadInput("The body is not JSON.");
  }
}

function describeRoutes(): unknown {
  return Object.fromEntries(
    Object.entries(ROUTES).map(([name, { does, accepts }]) => [
      name,
      accepts === undefined ? { does } : { does, accepts },
    ]),
  );
}

function done(act: () => void): { done: true } {
  act();
  return { done: true };
}

function requireKnown(name: string, known: boolean): { done: true } {
  if (!known) throw new BadInput(`${name} must be one that Looker knows.`);
  return { done: true };
}

/** JSON over HTTP is snake_case throughout, as Looker's own; route names and texts hold no such keys. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      /^[a-z0-9]+([A-Z][a-z0-9]*)+$/.test(key) ? key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) : key,
      snakeCase(inner),
    ]),
  );
}
