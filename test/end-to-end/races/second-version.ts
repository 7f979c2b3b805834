/** A second version of `issue-token` next to the first, like the two versions of a Lambda alias during a deployment. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scopesFile } from "../../../functions/contract.ts";
import type { ScopeDefinition, ScopeDefinitions } from "../../../functions/domain/scope.ts";
import { endpointVariables } from "../../../local/aws/call.ts";
import type { BrokerOptions } from "../../../local/broker.ts";
import type { InvokeResult } from "../../../local/lambda/invoke-result.ts";
import { type Pool, startPool } from "../../../local/lambda/pool.ts";
import type { Stand } from "../../support/broker-stand.ts";

const functionId = "issue-token";

export interface Traffic {
  /** For `startStand`. */
  readonly divert: NonNullable<BrokerOptions["divert"]>;
  /** The second version's share, in tenths. */
  shift(ofTen: number): void;
  /** Requests of the first and of the second version since the last call. */
  taken(): [number, number];
  /** The same code with another definition of one scope. */
  startSecond(stand: Stand, scope: string, change: Partial<ScopeDefinition>): void;
  stop(): Promise<void>;
}

export function shiftedTraffic(): Traffic {
  let second: Pool | undefined;
  let ofTen = 0;
  let requests = 0;
  let taken: [number, number] = [0, 0];

  const divert = (id: string, event: unknown): Promise<InvokeResult> | undefined => {
    if (id !== functionId) return undefined;
    // Spread evenly, and beginning with the second version: an alias draws lots, and no test can repeat those.
    const toSecond = (requests++ * ofTen) % 10 < ofTen;
    taken[toSecond ? 1 : 0]++;
    return toSecond ? second?.invoke(event) : undefined;
  };

  return {
    divert,
    shift(share) {
      [ofTen, requests] = [share, 0];
    },
    taken() {
      const counted = taken;
      taken = [0, 0];
      return counted;
    },
    startSecond({ broker, workDir }, scope, change) {
      const first = broker.stack.functions.find(({ id }) => id === functionId);
      if (!first) throw new Error(`The template has no function ${functionId}.`);
      const codeDir = join(workDir, "second-version");
      cpSync(first.codeDir, codeDir, { recursive: true });
      const file = join(codeDir, scopesFile);
      const scopes: ScopeDefinitions = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(file, JSON.stringify({ ...scopes, [scope]: { ...scopes[scope], ...change } }));
      // The same function, so the same role: only its version is another.
      const environment = broker.environmentOf(functionId);
      const variable = (name: string) => environment[name] ?? "";
      second = startPool({
        definition: { ...first, codeDir },
        credentials: {
          accessKeyId: variable("AWS_ACCESS_KEY_ID"),
          secretAccessKey: variable("AWS_SECRET_ACCESS_KEY"),
          sessionToken: variable("AWS_SESSION_TOKEN"),
        },
        endpoints: {
          region: broker.region,
          variables: Object.fromEntries(
            Object.values(endpointVariables).map((name) => [name, variable(name)]),
          ),
        },
        sandbox: "threads",
        maxInstances: 5,
        throttle: false,
        onLog() {},
      });
    },
    async stop() {
      await second?.close();
    },
  };
}
