import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failure } from "../../test/support/failure.ts";
import { connect } from "../src/broker/connection.ts";
import { TokenBrokerClient } from "../src/token/token-broker-client.ts";

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
    ["https://a1b2c3d4e5.execute-api.eu-west-1.api.aws/v1", "eu-west-1"],
    ["https://a1b2c3d4e5.execute-api.eusc-de-east-1.amazonaws.eu/v1", "eusc-de-east-1"],
    ["https://a1b2c3d4e5.execute-api.eusc-de-east-1.api.amazonwebservices.eu/v1", "eusc-de-east-1"],
    ["https://a1b2c3d4e5.execute-api.cn-north-1.api.amazonwebservices.com.cn/v1", "cn-north-1"],
    ["https://a1b2c3d4e5.execute-api.us-iso-east-1.c2s.ic.gov/v1", "us-iso-east-1"],
    ["https://a1b2c3d4e5.execute-api.us-iso-east-1.api.aws.ic.gov/v1", "us-iso-east-1"],
    ["https://a1b2c3d4e5.execute-api.us-isob-east-1.sc2s.sgov.gov/v1", "us-isob-east-1"],
    ["https://a1b2c3d4e5.execute-api.us-isob-east-1.api.aws.scloud/v1", "us-isob-east-1"],
    ["https://a1b2c3d4e5.execute-api.eu-isoe-west-1.cloud.adc-e.uk/v1", "eu-isoe-west-1"],
    ["https://a1b2c3d4e5.execute-api.eu-isoe-west-1.api.cloud-aws.adc-e.uk/v1", "eu-isoe-west-1"],
    ["https://a1b2c3d4e5.execute-api.us-isof-south-1.csp.hci.ic.gov/v1", "us-isof-south-1"],
    ["https://a1b2c3d4e5.execute-api.us-isof-south-1.api.aws.hci.ic.gov/v1", "us-isof-south-1"],
    ["https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com./v1", "eu-west-1"],
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

  it("leaves out the root's dot, which no certificate has", () => {
    expect(connect({ endpoint: "https://tokens.example.com./v1", region: "eu-west-1" }).endpoint.href).toBe(
      "https://tokens.example.com/v1",
    );
  });

  it.each([
    "eu-west-1.vpce.amazonaws.com",
    "cn-north-1.vpce.amazonaws.com.cn",
    "eusc-de-east-1.vpce.amazonaws.eu",
    "us-iso-east-1.vpce.c2s.ic.gov",
    "us-isob-east-1.vpce.sc2s.sgov.gov",
    "eu-isoe-west-1.vpce.cloud.adc-e.uk",
    "us-isof-south-1.vpce.csp.hci.ic.gov",
  ])("refuses a VPC endpoint's own name in %s, and says which name to pass", async (domain) => {
    const endpoint = `https://vpce-0123456789abcdef0-abcdefgh.execute-api.${domain}/v1`;
    const error = await failure(Promise.resolve().then(() => connect({ endpoint })));
    expect(error.code).toBe("no_endpoint");
    expect(error.message).toContain("does not say which API is meant");
    expect(error.hint).toContain("https://API-ID-VPCE-ID.execute-api.REGION.amazonaws.com/STAGE");
  });

  it.each([
    "https://tokens.example.com",
    "https://a1b2.execute-api.eu-west-1.amazonaws.com.example.com",
    "https://a1b2.execute-api.us-iso-east-1.ic.gov",
  ])("says that the region of %s is not known, and why", async (endpoint) => {
    const error = await failure(Promise.resolve().then(() => connect({ endpoint })));
    expect(error.code).toBe("no_region");
    expect(error.message).toContain("only API Gateway's own host names tell it");
  });

  it("takes credentials whose session token is undefined", async () => {
    const credentials = {
      accessKeyId: "A",
      secretAccessKey: "s",
      sessionToken: undefined,
      expiration: undefined,
    };
    expect(await connect({ endpoint: executeApi, credentials }).credentials()).toEqual(credentials);
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
