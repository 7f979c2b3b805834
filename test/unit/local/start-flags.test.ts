import { describe, expect, it } from "vitest";
import { parseStartFlags } from "../../../local/start-flags.ts";

const credentials = { LOOKERSDK_CLIENT_ID: "id", LOOKERSDK_CLIENT_SECRET: "secret" };

describe("the flags of npm start", () => {
  it("have the documented defaults", () => {
    expect(parseStartFlags([], {})).toEqual({
      kind: "run",
      flags: {
        port: 4180,
        lookerPort: 4191,
        lookerControlPort: 0,
        maxInstances: 20,
        throttle: false,
        instances: "threads",
        externalEngines: {},
      },
    });
  });

  it("are all read", () => {
    const args =
      "--port 0 --looker-port=0 --looker-control-port 4192 --max-instances 2 --throttle --instances processes";
    expect(parseStartFlags(args.split(" "), {})).toMatchObject({
      flags: {
        port: 0,
        lookerPort: 0,
        lookerControlPort: 4192,
        maxInstances: 2,
        throttle: true,
        instances: "processes",
      },
    });
  });

  it("explain themselves", () => {
    const result = parseStartFlags(["--help"], {});
    expect(result).toMatchObject({ kind: "help" });
    for (const flag of ["port", "looker-port", "looker-url", "max-instances", "throttle", "instances"])
      expect(result).toMatchObject({ text: expect.stringContaining(`--${flag}`) });
  });

  it("take another Looker's credentials from the Looker SDK's own variables", () => {
    expect(parseStartFlags(["--looker-url", "https://example.cloud.looker.com/"], credentials)).toMatchObject(
      {
        flags: {
          externalLooker: {
            url: "https://example.cloud.looker.com",
            clientId: "id",
            clientSecret: "secret",
          },
        },
      },
    );
  });

  it("put other engines behind the AWS proxy", () => {
    const environment = {
      AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:8000",
      AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:5000",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: "",
    };
    expect(parseStartFlags([], environment)).toMatchObject({
      flags: { externalEngines: { dynamodb: "http://127.0.0.1:8000", kms: "http://127.0.0.1:5000" } },
    });
  });

  it.each([
    [["--prot", "1"], {}, "--prot"],
    [["8080"], {}, "8080"],
    [["--port"], {}, "--port"],
    [["--port", "65536"], {}, "--port must be a whole number from 0 to 65535"],
    // Looker calls would fail with "bad port", and so would every client's.
    [["--looker-port", "4190"], {}, "--looker-port cannot be 4190, which fetch refuses"],
    [["--looker-url", "http://127.0.0.1:4190"], credentials, "--looker-url cannot have port 4190"],
    [["--port", "-1"], {}, "--port"],
    [["--port", "4e3"], {}, "--port"],
    [["--max-instances", "0"], {}, "--max-instances must be a whole number from 1"],
    [["--instances", "vms"], {}, "threads or processes"],
    [["--throttle=yes"], {}, "--throttle"],
    [["--looker-url", "https://example.com"], {}, "set LOOKERSDK_CLIENT_ID and LOOKERSDK_CLIENT_SECRET"],
    [["--looker-url", "http://example.com"], credentials, "--looker-url must be an origin"],
    [["--looker-url", "https://example.com/api/4.0"], credentials, "--looker-url must be an origin"],
    [["--looker-url", "https://u:p@example.com"], credentials, "--looker-url must be an origin"],
    [["--looker-url", "nonsense"], credentials, "--looker-url must be an origin"],
    [
      ["--looker-url", "https://example.com", "--looker-port", "1"],
      credentials,
      "--looker-port is for the stand-in",
    ],
    [[], { AWS_ENDPOINT_URL_KMS: "localhost" }, "AWS_ENDPOINT_URL_KMS must be a URL"],
  ])("refuse %j in one line that says what to do", (args, environment, message) => {
    const result = parseStartFlags(args, environment);
    expect(result).toEqual({ kind: "wrong", message: expect.stringContaining(message) });
    expect(JSON.stringify(result)).not.toMatch(/\\n|"secret"/);
  });
});
