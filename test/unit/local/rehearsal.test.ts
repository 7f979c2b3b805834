import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rehearse, writeDeployment } from "../../../local/rehearsal.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rehearsal-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const scope = {
  lookerUrl: "https://example.cloud.looker.com",
  secret: { secretName: "looker/sales" },
  callers: ["arn:aws-cn:iam::222233334444:role/report-*"],
  operators: ["arn:aws-cn:iam::111122223333:role/platform-engineer"],
  leaseSeconds: 300,
};
const cdk = (module: string) => JSON.stringify(pathToFileURL(`node_modules/aws-cdk-lib/${module}/index.js`));

function written(scopes: object, rest = ""): string {
  const file = join(directory, "scopes.mjs");
  writeFileSync(file, `${rest}\nexport const scopes = ${JSON.stringify(scopes)};`);
  return file;
}

describe("a rehearsal", () => {
  it("is in the account of the operators and in the region of the secrets", async () => {
    const secretArn = "arn:aws-cn:secretsmanager:cn-north-1:333344445555:secret:looker/far-a1B2c3";
    const { location } = await rehearse(written({ scope, far: { ...scope, secret: { secretArn } } }));
    expect(location).toEqual({ partition: "aws-cn", region: "cn-north-1", accountId: "111122223333" });
    const rotating = {
      secretName: "looker/sales",
      rotation: { everyDays: 30, administrator: { secretArn } },
    };
    const rehearsed = await rehearse(written({ scope: { ...scope, secret: rotating } }));
    expect(rehearsed.location).toEqual(location);
  });

  it("leaves out the rotation of all secrets where it is told to", async () => {
    const rotation = { everyDays: 30, administrator: { secretName: "looker/rotator" } };
    const file = written({ scope: { ...scope, secret: { ...scope.secret, rotation } } });
    expect((await rehearse(file)).scopes.get("scope")?.rotation?.administratorId).toBe("looker/rotator");
    const { scopes, definitions } = await rehearse(file, { rotates: false });
    expect(scopes.get("scope")?.rotation).toBeUndefined();
    expect(definitions).toEqual({ scope });
  });

  it("leaves out settings with a need for AWS and their resources, and names them", async () => {
    const file = written(
      { scope },
      `import { Vpc } from ${cdk("aws-ec2")};
       import { Topic } from ${cdk("aws-sns")};
       export const settings = (stack) => ({
         organizationId: "o-a1b2c3d4e5", vpc: new Vpc(stack, "Vpc"), alarmTopic: new Topic(stack, "Topic"),
         vpcSubnets: undefined, memorySize: 1024, dashboard: false,
         guard: { pipelineArns: ["arn:aws:iam::" + stack.account + ":role/ci"] } });`,
    );
    const { settings, leftOut } = await rehearse(file);
    expect(settings).toEqual({ memorySize: 1024, dashboard: false });
    expect(leftOut).toEqual(["organizationId", "vpc", "alarmTopic", "guard"]);
  });

  it.each([
    [
      written.bind(undefined, { scope: { ...scope, leaseSecond: 1 } }),
      'looker-token-broker/Broker cannot be built:\n  - scope "scope": leaseSecond: there is no such field. Did you mean leaseSeconds?',
    ],
    [
      written.bind(undefined, { scope }, "export const settings = () => ({ organisationId: 1 });"),
      "looker-token-broker/Broker cannot be built:\n  - organisationId: there is no such setting. Did you mean organizationId?",
    ],
    [
      written.bind(
        undefined,
        { scope: { ...scope, lease: 1 } },
        "export const settings = () => ({ organisationId: 1, memory: 1 });",
      ),
      [
        "looker-token-broker/Broker cannot be built:",
        "  - organisationId: there is no such setting. Did you mean organizationId?",
        "  - memory: there is no such setting. Did you mean memorySize?",
        '  - scope "scope": lease: there is no such field. Did you mean leaseSeconds?',
      ].join("\n"),
    ],
  ])("refuses a wrong file with the lines of a synthesis: %#", async (file, message) => {
    await expect(rehearse(file())).rejects.toThrow(message);
  });

  it("synthesizes the file with stand-ins in the place of its Lookers, and with the local administrator", async () => {
    const other = { ...scope, lookerUrl: "https://other.example.com", secret: { secretName: "other" } };
    const file = join(directory, "deployment.json");
    const standIns: Record<string, string> = {
      "https://example.cloud.looker.com": "http://127.0.0.1:1",
      "https://other.example.com": "http://127.0.0.1:2",
    };
    writeDeployment(file, await rehearse(written({ scope, other })), (url) => standIns[url] ?? "");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      scopes: {
        scope: { ...scope, lookerUrl: "http://127.0.0.1:1" },
        other: { ...other, lookerUrl: "http://127.0.0.1:2" },
      },
      settings: { breakGlassArns: ["arn:aws-cn:iam::111122223333:role/administrator"] },
    });
  });
});
