import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect } from "../src/connection.ts";
import { TokenBrokerClient } from "../src/token-broker-client.ts";
import { failure } from "./stand.ts";

const names = ["LOOKER_BROKER_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION"];
const before = names.map((name) => [name, process.env[name]] as const);
beforeEach(() => {
  for (const name of names) delete process.env[name];
});
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const codeOf = async (call: () => unknown) => (await failure(Promise.resolve().then(call))).code;
const executeApi = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1";

describe("connect()", () => {
  it("takes the endpoint from LOOKER_BROKER_ENDPOINT where none is given", () => {
    process.env.LOOKER_BROKER_ENDPOINT = `${executeApi}/`;
    expect(connect().endpoint.href).toBe(executeApi);
  });

  it.each([
    [executeApi, "eu-central-1"],
    ["https://a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.us-gov-west-1.amazonaws.com/v1", "us-gov-west-1"],
    ["https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/v1", "cn-north-1"],
  ])("reads the region from %s", (endpoint, region) => {
    process.env.AWS_REGION = "us-east-1";
    expect(connect({ endpoint }).region).toBe(region);
  });

  it("takes the region of a domain name of one's own from the environment", () => {
    process.env.AWS_DEFAULT_REGION = "ap-south-1";
    expect(connect({ endpoint: "https://tokens.example.com" }).region).toBe("ap-south-1");
    process.env.AWS_REGION = "eu-west-1";
    expect(connect({ endpoint: "https://tokens.example.com" }).region).toBe("eu-west-1");
    expect(connect({ endpoint: "https://tokens.example.com", region: "us-west-2" }).region).toBe("us-west-2");
  });

  it.each([
    undefined,
    "",
    "tokens.example.com",
    "ftp://example.com",
    "https://u:p@example.com",
    "https://example.com/?a=b",
    "http://example.com/v1",
  ])("refuses %s as an endpoint", async (endpoint) => {
    expect(await codeOf(() => connect({ endpoint, region: "eu-west-1" }))).toBe("no_endpoint");
  });

  it("says that the region is missing", async () => {
    expect(await codeOf(() => connect({ endpoint: "https://tokens.example.com" }))).toBe("no_region");
  });
});

describe("new TokenBrokerClient()", () => {
  it.each(["", "Sales", "sales/../finance", "-sales", "a".repeat(64)])(
    "refuses %s as a scope",
    async (scope) => {
      expect(await codeOf(() => new TokenBrokerClient({ endpoint: executeApi, scope }))).toBe("bad_request");
    },
  );
});
