/** The instances behind a route, and their sudden end. */
import type { Stand } from "./broker-stand.ts";

/** Kills all instances of a function that are at work. */
export async function killBusy({ broker }: Stand, functionId: string): Promise<number> {
  const busy = broker.instances(functionId).filter((each) => each.busy);
  await Promise.all(busy.map(({ number }) => broker.kill(functionId, number)));
  return busy.length;
}

/** The id, in the template, of the function behind a route. */
export function functionBehind({ broker }: Stand, method: string, resource: string): string {
  const route = broker.stack.routes.find((each) => each.method === method && each.resource === resource);
  if (!route) throw new Error(`No route ${method} ${resource}.`);
  return route.functionId;
}
