import { expect, test } from "vitest";
import { parseProbeFlags } from "../../../probe/flags.ts";

const parsed = (endpoint: string, args: string[] = [], environment = {}) =>
  parseProbeFlags(["--endpoint", endpoint, "--scope", "sales", ...args], environment);

test.each([
  ["https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1", "eu-west-1"],
  ["https://a1b2c3d4e5-vpce-0a1b2c3d.execute-api.us-gov-west-1.amazonaws.com/v1", "us-gov-west-1"],
  ["https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/v1", "cn-north-1"],
])("the region of %s is in its name, whatever AWS_REGION says", (endpoint, region) => {
  expect(parsed(endpoint, [], { AWS_REGION: "ap-south-1" })).toMatchObject({ flags: { endpoint, region } });
});

test("the region of a custom domain is --region, else AWS_REGION", () => {
  const endpoint = "https://looker-tokens.example.com";
  const environment = { AWS_REGION: "ap-south-1" };
  expect(parsed(endpoint, [], environment)).toMatchObject({ flags: { region: "ap-south-1" } });
  expect(parsed(endpoint, ["--region", "eu-west-1"], environment)).toMatchObject({
    flags: { region: "eu-west-1" },
  });
});

test("a trailing slash of the endpoint is no part of it", () => {
  expect(parsed("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1/")).toMatchObject({
    flags: { endpoint: "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1" },
  });
});

test.each([
  ["a query", "https://looker-tokens.example.com/?a=b"],
  ["a user's name", "https://me@looker-tokens.example.com/"],
  ["plain http beyond loopback", "http://looker-tokens.example.com"],
  ["no scheme", "looker-tokens.example.com"],
])("refuses an endpoint with %s", (_, endpoint) => {
  expect(parsed(endpoint, ["--region", "eu-west-1"])).toMatchObject({
    kind: "wrong",
    message: expect.stringMatching(/^--endpoint must be a URL/),
  });
});

test.each([
  [["--local", "--endpoint", "https://looker-tokens.example.com"], /leave out --endpoint/],
  [["--local", "--without-policy-profile", "x"], /leave out --without-policy-profile/],
  [["--endpoint", "https://looker-tokens.example.com", "--as", "x"], /^--as is for --local/],
  [["--local", "--other-scope", "sales"], /^--other-scope must be another one/],
])("refuses %j, which contradict each other", (args, line) => {
  expect(parseProbeFlags([...args, "--scope", "sales"], {})).toMatchObject({
    kind: "wrong",
    message: expect.stringMatching(line),
  });
});

test("refuses a flag that it does not know, and says where they are listed", () => {
  expect(parseProbeFlags(["--nope"], {})).toEqual({
    kind: "wrong",
    message: "Unknown option '--nope'; `npm run probe -- --help` lists the flags.",
  });
});
