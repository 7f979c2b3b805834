/** `looker-token get`: the one command that prints a token, since that is what it was asked for. */
import { brokerOf, scopeOf } from "../broker.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionValues } from "../options.ts";
import { shellWord } from "../shell.ts";
import type { Terminal } from "../terminal.ts";
import { wholeSeconds } from "../time.ts";
import { UsageError } from "../usage-error.ts";

/** RFC 6749 §5.1, as the broker answers it. */
export interface Token {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in: number;
  readonly scope: string;
  readonly lease_id: string;
  readonly base_url: string;
}

export async function get(io: Terminal, values: OptionValues): Promise<number> {
  const form = formOf(values);
  const scope = scopeOf(values);
  const minTtl = values["min-ttl"];
  const token: Token = await brokerOf(io, values, { may: "call", scope }).ask({
    method: "POST",
    path: `/scopes/${scope}/token`,
    body: minTtl === undefined ? undefined : { min_ttl_seconds: wholeSeconds("min-ttl", minTtl, 1) },
  });
  io.print(`${forms[form](token)}\n`);
  if (io.isShown)
    io.note(
      io.paintNote(
        "dim",
        "A secret, now in this terminal's scrollback; `looker-token exec` passes it on unseen.\n",
      ),
    );
  return exitCodes.ok;
}

type Form = keyof typeof forms;

export const forms = {
  plain: (token: Token) => token.access_token,
  header: (token: Token) => `Authorization: Bearer ${token.access_token}`,
  /** For `eval` in a POSIX shell. */
  env: (token: Token) =>
    `export LOOKER_ACCESS_TOKEN=${shellWord(token.access_token)} LOOKERSDK_BASE_URL=${shellWord(token.base_url)}`,
  json: (token: Token) => JSON.stringify(token, null, 2),
};

function formOf(values: OptionValues): Form {
  const [form, another] = (["header", "env", "json"] as const).filter((each) => values[each]);
  if (another) throw new UsageError(`--${form} and --${another}: choose one.`);
  return form ?? "plain";
}
