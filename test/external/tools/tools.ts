/** Other people's programs for Looker, unchanged, each with its environment and its calls. */
import { fileURLToPath } from "node:url";

export interface Tool {
  readonly name: string;
  /** The environment variable that names the folder of `command`. Without it: a program of the PATH. */
  readonly folder?: "TOOLS_BIN" | "REFERENCE_BIN";
  readonly command: string;
  readonly args: readonly string[];
  /** Templates with `{base}`, `{host}`, `{port}`, `{id}` and `{secret}`. */
  readonly env: Readonly<Record<string, string>>;
  /** The tool reads `looker.ini` in its working directory. */
  readonly readsIni?: true;
  /** Skipped where it is absent. `.ci/run` does not install it, or only where there is Go. */
  readonly optional?: true;
  /** Part of a successful run's output. */
  readonly says: RegExp;
  readonly login: string;
  readonly calls: readonly string[];
  readonly logout?: string;
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Variables of Looker's SDKs. */
const sdk = {
  LOOKERSDK_BASE_URL: "{base}",
  LOOKERSDK_CLIENT_ID: "{id}",
  LOOKERSDK_CLIENT_SECRET: "{secret}",
};
const pair = { LOOKER_CLIENT_ID: "{id}", LOOKER_CLIENT_SECRET: "{secret}" };
const login = "POST /api/4.0/login";
const get = (...paths: string[]) => paths.map((path) => `GET /api/4.0${path}`);
const sdkCalls = [...get("/user", "/lookml_models"), "PATCH /api/4.0/session", ...get("/session")];
const gitState = get("/versions", "/session", "/projects/shop/git_branch", "/projects/shop/manifest");

export const tools: readonly Tool[] = [
  {
    name: "Python's SDK",
    folder: "REFERENCE_BIN",
    command: "python3",
    args: [file("python-sdk.py")],
    env: sdk,
    says: /^.+ sales,finance dev$/m,
    login,
    calls: sdkCalls,
    logout: "DELETE /api/logout",
  },
  {
    name: "Node's SDK",
    command: process.execPath,
    args: [file("node-sdk.mjs")],
    env: sdk,
    says: /^.+ sales,finance dev$/m,
    login,
    calls: sdkCalls,
    logout: "DELETE /api/4.0/logout",
  },
  {
    name: "Go's SDK",
    folder: "TOOLS_BIN",
    command: "go-sdk",
    args: [],
    env: sdk,
    optional: true,
    says: /^.+ sales,finance dev$/m,
    // Without an API version in its settings, as looker-cli leaves them.
    login: "POST /api//login",
    calls: sdkCalls,
    logout: "DELETE /api/4.0/logout",
  },
  {
    name: "spectacles connect",
    folder: "TOOLS_BIN",
    command: "spectacles",
    args: ["connect"],
    env: { LOOKER_BASE_URL: "http://{host}", LOOKER_PORT: "{port}", ...pair },
    says: /Connected to Looker version 26\.12\.0 using Looker API 4\.0/,
    login,
    calls: get("/versions"),
  },
  {
    name: "spectacles lookml",
    folder: "TOOLS_BIN",
    command: "spectacles",
    args: ["lookml", "--project", "shop"],
    env: { LOOKER_BASE_URL: "http://{host}", LOOKER_PORT: "{port}", ...pair },
    says: /LookML/,
    login,
    calls: [...gitState, ...get("/projects/shop/validate")],
  },
  {
    name: "DataHub's connection test",
    folder: "TOOLS_BIN",
    command: "datahub",
    args: ["ingest", "--test-source-connection", "--config", file("datahub.yml")],
    env: { ...sdk, DATAHUB_TELEMETRY_ENABLED: "false" },
    says: /"basic_connectivity": \{"capable": true\}.*"OWNERSHIP": \{"capable": true\}/,
    login,
    // The first service account of the local run has this id, too.
    calls: get("/user", "/users/101/roles"),
  },
  {
    name: "looker-cli",
    folder: "TOOLS_BIN",
    command: "looker-cli",
    args: ["--ssl=false", "model", "ls", "--plain"],
    env: sdk,
    optional: true,
    says: /sales.*Sales.*shop/,
    login: "POST /api//login",
    calls: get("/lookml_models"),
  },
  {
    name: "looker-validator",
    folder: "TOOLS_BIN",
    command: "looker-validator",
    args: ["connect"],
    env: { LOOKER_BASE_URL: "{base}", ...pair },
    optional: true,
    says: /Connected to Looker version 26\.12\.0 using API 4\.0/,
    login,
    calls: get("/versions", "/versions"),
  },
  {
    name: "henry",
    folder: "TOOLS_BIN",
    command: "henry",
    args: ["analyze", "projects"],
    env: {},
    readsIni: true,
    optional: true,
    says: /shop/,
    login,
    calls: [
      ...get("/user", "/projects", "/projects/shop/files"),
      "PATCH /api/4.0/session",
      ...get("/projects/shop/git_connection_tests"),
      "PATCH /api/4.0/session",
    ],
  },
  {
    name: "looker-deployer",
    folder: "TOOLS_BIN",
    command: "ldeploy",
    args: [
      "connections",
      "--source",
      "Looker",
      "--target",
      "Looker",
      "--ini",
      "looker.ini",
      "--pattern",
      "^none$",
    ],
    env: {},
    readsIni: true,
    optional: true,
    says: /^$/,
    login,
    calls: get("/connections"),
  },
];
