/** docs/reference/settings.md and its schema are as the sources say, and the schema agrees with the checks at synthesis. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parseScopes } from "../../functions/domain/scope.ts";
import { deploymentShapeErrors } from "../../infra/check-settings.ts";
import { scopes } from "../../infra/scopes.ts";
import { referenceFiles } from "../support/reference/files.ts";

const page = "docs/reference/settings.md";
const schemaFile = "docs/reference/settings.schema.json";
const committed = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

it("the committed files are those of `npm run reference`", () => {
  const made = referenceFiles();
  expect(committed(page)).toBe(made[page]);
  // Biome formats it.
  expect(JSON.parse(committed(schemaFile))).toEqual(JSON.parse(made[schemaFile] ?? ""));
});

const schema = JSON.parse(committed(schemaFile));
const fits = new Ajv2020({ strict: true }).compile(schema);

describe("the schema and synthesis agree on", () => {
  const scope = {
    lookerUrl: "https://example.cloud.looker.com",
    secret: { secretName: "looker/sales" },
    callers: ["arn:aws:iam::111122223333:role/report-service"],
    operators: ["arn:aws:iam::111122223333:role/platform-engineer"],
  };
  const accepts = (check: () => unknown): boolean => {
    try {
      check();
      return true;
    } catch {
      return false;
    }
  };

  it.each<[object, boolean]>([
    [scopes, true],
    [{ sales: scope }, true],
    [{ Sales: scope }, false],
    [{}, false],
    ...Object.keys(scope).map((name): [object, boolean] => [
      { sales: { ...scope, [name]: undefined } },
      false,
    ]),
    [{ sales: { ...scope, leaseSecond: 900 } }, false],
    [{ sales: { ...scope, secret: { name: "looker/sales" } } }, false],
    [{ sales: { ...scope, secret: { secretName: "looker/sales", rotation: { everyDays: 30 } } } }, true],
    [{ sales: { ...scope, secret: { secretName: "looker/sales", rotation: { everyDays: 0 } } } }, false],
    [{ sales: { ...scope, secret: { secretName: "looker/sales", rotation: {} } } }, false],
    [{ sales: { ...scope, account: { permissions: ["access_data"], accept: ["old_credential"] } } }, true],
    [{ sales: { ...scope, account: { accept: ["old"] } } }, false],
    [{ sales: { ...scope, account: ["access_data"] } }, false],
    [{ sales: { ...scope, callers: "arn:aws:iam::111122223333:role/report-service" } }, false],
    ...(
      [
        ["leaseSeconds", 120, 3600],
        ["mintsPerTenMinutes", 1, 60],
        ["sessionMintsPerTenMinutes", 0, 600],
      ] as const
    ).flatMap(([name, least, most]): [object, boolean][] => [
      [{ sales: { ...scope, [name]: least } }, true],
      [{ sales: { ...scope, [name]: most } }, true],
      [{ sales: { ...scope, [name]: least - 1 } }, false],
      [{ sales: { ...scope, [name]: most + 1 } }, false],
      [{ sales: { ...scope, [name]: least + 0.5 } }, false],
      [{ sales: { ...scope, [name]: String(least) } }, false],
    ]),
  ])("scopes %#", (each, verdict) => {
    const written = JSON.parse(JSON.stringify(each));
    expect({ schema: fits({ scopes: written }), synthesis: accepts(() => parseScopes(written)) }).toEqual({
      schema: verdict,
      synthesis: verdict,
    });
  });

  it.each<[object, boolean]>([
    [{}, true],
    [{ organizationId: "o-a1b2c3d4e5", vpcEndpointIds: ["vpce-0a1b2c3d4e5f60718"] }, true],
    [
      { throttle: { rateLimit: 0.5, burstLimit: 1 }, reservedConcurrency: { sweep: 2 }, dashboard: false },
      true,
    ],
    [{ architecture: "x86_64", cloudWatchRole: "create", memorySize: 256 }, true],
    [{ guard: { pipelineArns: ["arn:aws:iam::111122223333:role/ci/deploy"] } }, true],
    [{ organisationId: "o-a1b2c3d4e5" }, false],
    [{ vpcEndpointIds: "vpce-0a1b2c3d4e5f60718" }, false],
    [{ throttle: { rateLimit: 1 } }, false],
    [{ reservedConcurrency: { operate: 0 } }, false],
    [{ alarms: { p99Milliseconds: 0 } }, false],
    [{ alarms: { p99Miliseconds: 1 } }, false],
    [{ architecture: "arm" }, false],
    [{ memorySize: 255 }, false],
    [{ memorySize: 10_241 }, false],
    [{ dashboard: "false" }, false],
    [{ guard: {} }, false],
  ])("settings %o", (settings, verdict) => {
    const given = { scopes: { sales: scope }, settings };
    const synthesis = deploymentShapeErrors(settings).length === 0;
    expect({ schema: fits(given), synthesis }).toEqual({ schema: verdict, synthesis: verdict });
  });
});
