/** `--stack`: the endpoint that the stack's outputs name, for commands that ask the broker. */
import type { OptionValues } from "./options.ts";
import type { CommandName } from "./synopses.ts";
import { UsageError } from "./usage-error.ts";

/** They ask the stack about more than its endpoint, or nothing. */
const byThemselves: readonly CommandName[] = ["ask", "status", "local-env"];

/** An endpoint that is told goes before a stack of the environment, because callers may not read the stack. */
export async function withStackEndpoint(command: CommandName, values: OptionValues): Promise<OptionValues> {
  const { LOOKER_BROKER_STACK, LOOKER_BROKER_ENDPOINT } = process.env;
  if (byThemselves.includes(command)) return values;
  if (values.stack !== undefined && values.endpoint !== undefined)
    throw new UsageError("--stack and --endpoint: choose one.");
  const isNamed =
    values.stack !== undefined ||
    Boolean(LOOKER_BROKER_STACK && !LOOKER_BROKER_ENDPOINT && !values.endpoint && !values.local);
  if (!isNamed) return values;
  const [{ placeOf }, { stackFacts }] = await Promise.all([
    import("./deployment/place.ts"),
    import("./deployment/stack.ts"),
  ]);
  const place = placeOf(values);
  const endpoint = (await stackFacts(place)).outputs.get("Endpoint");
  if (endpoint === undefined)
    throw new UsageError(`The stack ${place.stack} has no output Endpoint: it is no broker's.`, {
      hint: "Pass the name of the broker's stack.",
    });
  return { ...values, stack: place.stack, endpoint };
}
