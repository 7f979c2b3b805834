/** Stacks synthesized in this process, for tests to look into. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Annotations, App, type Environment, type IPolicyValidationPlugin, Validations } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { BUNDLING_STACKS } from "aws-cdk-lib/cx-api";
import featureFlags from "aws-cdk-lib/recommended-feature-flags.json" with { type: "json" };
import { afterAll, onTestFinished } from "vitest";
import type { ScopeDefinitions } from "../../functions/domain/scope.ts";
import { type BrokerSettings, TokenBrokerStack } from "../../infra/stack.ts";

export const account = "111122223333";
export const region = "eu-central-1";
export const keyArn = `arn:aws:kms:${region}:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
export const secretArn = `arn:aws:secretsmanager:${region}:444455556666:secret:looker/finance-a1B2c3`;

export function scopeOf(
  secret: ScopeDefinitions[string]["secret"],
  more: Partial<ScopeDefinitions[string]> = {},
): ScopeDefinitions[string] {
  return {
    lookerUrl: "https://example.cloud.looker.com",
    secret,
    callers: [`arn:aws:iam::${account}:role/report-service`],
    operators: [`arn:aws:iam::${account}:role/platform-engineer`],
    ...more,
  };
}

/** Two scopes that share a secret, and one whose secret and key are another account's. */
export const threeScopes: ScopeDefinitions = {
  sales: scopeOf({ secretName: "looker/sales" }),
  "sales-too": scopeOf({ secretName: "looker/sales" }),
  finance: scopeOf({ secretArn, encryptionKeyArn: keyArn }),
};

/** Two rotating secrets: the first has an administrator and a key. */
export const rotatingScopes: ScopeDefinitions = {
  sales: scopeOf({
    secretName: "looker/sales",
    encryptionKeyArn: keyArn,
    rotation: { everyDays: 30, administrator: { secretName: "looker/rotator" } },
  }),
  finance: scopeOf({ secretName: "looker/finance", rotation: { everyDays: 7 } }),
  fixed: scopeOf({ secretName: "looker/fixed" }),
};

export interface CfnResource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: string[];
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

export interface Synthesized {
  readonly stack: TokenBrokerStack;
  readonly template: Template;
  readonly outdir: string;
  readonly resources: Readonly<Record<string, CfnResource>>;
  ofType(type: string): [logicalId: string, resource: CfnResource][];
  /** The one of its type whose logical id contains `part`. */
  one(type: string, part?: string): [logicalId: string, resource: CfnResource];
  /** The statements of a function's role. */
  statementsOf(construct: string): Statement[];
  remove(): void;
}

export interface SynthesizeOptions {
  scopes?: ScopeDefinitions;
  settings?: BrokerSettings;
  env?: Environment;
  context?: Record<string, unknown>;
  /** Makes the functions' bundles, which takes longer than all the rest. */
  bundle?: boolean;
  plugins?: (app: App) => IPolicyValidationPlugin[];
  /** Before the template is made, as an app of one's own would. */
  prepare?: (stack: TokenBrokerStack, app: App) => void;
}

/** Removed when the running test has ended, or by `remove` where several tests share it. */
export function synthesizedHere(options: SynthesizeOptions = {}): Synthesized {
  const made = synthesized(options);
  onTestFinished(made.remove);
  return made;
}

/** Removed when the tests of the file have ended. */
export function synthesizedForFile(options: SynthesizeOptions = {}): Synthesized {
  const made = synthesized(options);
  afterAll(made.remove);
  return made;
}

/** The lines of an error without its heading. */
export function linesOf(synthesize: () => unknown): string[] {
  try {
    synthesize();
  } catch (error) {
    return (error as Error).message
      .split("\n")
      .slice(1)
      .map((line) => line.replace("  - ", ""));
  }
  throw new Error("accepted");
}

export function synthesized(options: SynthesizeOptions = {}): Synthesized {
  const outdir = mkdtempSync(join(tmpdir(), "infra-"));
  const app = new App({
    outdir,
    context: { ...featureFlags, ...(options.bundle ? {} : { [BUNDLING_STACKS]: [] }), ...options.context },
    autoSynth: false,
  });
  if (options.plugins) Validations.of(app).addPlugins(...options.plugins(app));
  const stack = new TokenBrokerStack(app, "looker-token-broker", {
    scopes: options.scopes ?? threeScopes,
    ...(options.settings && { settings: options.settings }),
    env: options.env ?? { account, region },
  });
  // Of `threeScopes`: each synthesis would print it.
  Annotations.of(stack).acknowledgeWarning("looker-token-broker:shared-secret:looker/sales");
  options.prepare?.(stack, app);
  if (options.plugins) app.synth();
  const template = Template.fromStack(stack);
  const resources: Record<string, CfnResource> = template.toJSON().Resources;
  const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
  return {
    stack,
    template,
    outdir,
    resources,
    ofType,
    one(type, part = "") {
      const found = ofType(type).filter(([id]) => id.includes(part));
      if (found.length !== 1 || !found[0]) throw new Error(`${found.length} of ${type} ${part}`);
      return found[0];
    },
    statementsOf(construct) {
      const policies = [...ofType("AWS::IAM::Policy"), ...ofType("AWS::IAM::ManagedPolicy")];
      const own = policies.filter(([, { Properties }]) =>
        JSON.stringify(Properties.Roles).includes(`Broker${construct}Role`),
      );
      if (own.length === 0) throw new Error(`no policy of ${construct}`);
      return own.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
    },
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}
