/** The fields of a scope and the settings of a deployment, as docs/reference has them: a page and a JSON Schema. */
import { findingCodes } from "../../../functions/domain/finding.ts";
import { interfacesOf, type Member, type Type } from "./interfaces.ts";

const root = new URL("../../../", import.meta.url);
const sources = {
  "functions/domain/scope.ts": ["ScopeDefinition"],
  "functions/domain/scope-secret.ts": ["SecretDefinition", "RotationDefinition", "SecretReference"],
  "functions/domain/scope-account.ts": ["AccountDefinition"],
  "infra/broker-api.ts": ["CustomDomain"],
  "infra/settings.ts": [
    "TokenBrokerProps",
    "DeploymentSettings",
    "Throttle",
    "ReservedConcurrency",
    "AlarmThresholds",
    "GuardProps",
  ],
};
const interfaces = new Map(
  Object.entries(sources).flatMap(([file, names]) => [...interfacesOf(new URL(file, root), names)]),
);

/** Types that are made from lists of values. */
const choices: ReadonlyMap<string, readonly string[]> = new Map([["FindingCode", findingCodes]]);

const membersOf = (name: string): readonly Member[] => {
  const members = interfaces.get(name);
  if (!members) throw new Error(`The sources have no interface ${name}.`);
  return members;
};
const scope = membersOf("ScopeDefinition");
const settings = [
  ...membersOf("TokenBrokerProps").filter(({ name }) => name !== "scopes"),
  ...membersOf("DeploymentSettings"),
];

/** The members inside of a type, if it is an object of these sources. */
const inside = (type: Type): readonly Member[] | undefined =>
  type.kind === "object" ? type.members : type.kind === "reference" ? interfaces.get(type.name) : undefined;

/** The values of a type that is a choice of some. */
const valuesOf = (type: Type): readonly string[] | undefined =>
  type.kind === "choice" ? type.values : type.kind === "reference" ? choices.get(type.name) : undefined;

export function settingsPage(): string {
  return `# Settings and scope fields

Made from the comments in the sources by \`npm run reference\`. Change them there.

- [Fields of a scope](#fields-of-a-scope)
- [Settings of a deployment](#settings-of-a-deployment)
- [JSON Schema](#json-schema)

Synthesis refuses unknown names and wrong values, and prints a line for each.

## Fields of a scope

The key of a scope in \`scopes\` is its name: 1 to 63 of \`a-z\`, \`0-9\` and \`-\`, and not \`-\` at the beginning. Paths and IAM policies contain it.

${table(scope)}

## Settings of a deployment

The function \`settings\` in the scopes file returns them. \`TokenBroker\` takes them next to \`scopes\`, without \`guard\`.

${table(settings)}

## JSON Schema

[settings.schema.json](settings.schema.json) describes an object with \`scopes\` and \`settings\`, and \`#/$defs/scopes\` the scopes alone. If you keep your scopes in a
JSON file, an editor checks and completes it with this schema, and the scopes file imports it:

\`\`\`ts
import scopes from "./scopes.json" with { type: "json" };
export { scopes };
\`\`\`
`;
}

function table(members: readonly Member[]): string {
  const head = "| name | type | default | meaning |\n| --- | --- | --- | --- |";
  return [head, ...rows(members, "")].join("\n");
}

const rows = (members: readonly Member[], path: string): string[] =>
  members.flatMap((member) => {
    const name = path + member.name;
    const cells = [`\`${name}\``, typeText(member), defaultText(member), member.text.replaceAll("|", "\\|")];
    return [`| ${cells.join(" | ")} |`, ...rows(inside(member.type) ?? [], `${name}.`)];
  });

function typeText({ type, tags: { minimum, maximum } }: Member): string {
  if (minimum !== undefined)
    return `whole number from ${minimum}${maximum === undefined ? "" : ` to ${maximum}`}`;
  const plain = (each: Type): string => {
    const values = valuesOf(each);
    if (values) return values.map((value) => `\`"${value}"\``).join(" or ");
    if (each.kind === "list") return `list of ${plain(each.of)}`;
    if (inside(each)) return "object";
    return each.kind === "reference" ? `\`${each.name}\` of the CDK` : each.kind;
  };
  return plain(type);
}

function defaultText({ optional, tags }: Member): string {
  const preset = tags.default;
  if (preset === undefined) return optional ? "" : "required";
  return preset.startsWith("- ") ? preset.slice(2) : `\`${preset}\``;
}

export function settingsSchema(): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Scopes and settings of a Looker token broker",
    description: "Made from the comments in the sources by `npm run reference`.",
    type: "object",
    additionalProperties: false,
    required: ["scopes"],
    properties: { scopes: { $ref: "#/$defs/scopes" }, settings: { $ref: "#/$defs/settings" } },
    $defs: {
      scopes: {
        type: "object",
        minProperties: 1,
        propertyNames: { pattern: "^[a-z0-9][a-z0-9-]{0,62}$" },
        additionalProperties: objectSchema(scope),
      },
      settings: objectSchema(settings),
    },
  };
}

const objectSchema = (members: readonly Member[]): object => ({
  type: "object",
  additionalProperties: false,
  required: members.filter(({ optional }) => !optional).map(({ name }) => name),
  properties: Object.fromEntries(members.map((member) => [member.name, schemaOf(member)])),
});

function schemaOf({ type, text, tags }: Member): object {
  const { default: preset, minimum, maximum } = tags;
  const literal = preset === undefined ? undefined : literalOf(preset);
  return {
    description: text,
    ...typeSchema(type),
    ...(minimum !== undefined && { type: "integer", minimum: Number(minimum) }),
    ...(maximum !== undefined && { maximum: Number(maximum) }),
    ...(literal !== undefined && { default: literal }),
  };
}

function typeSchema(type: Type): object {
  const members = inside(type);
  if (members) return objectSchema(members);
  const values = valuesOf(type);
  if (values) return { enum: values };
  switch (type.kind) {
    case "list":
      return { type: "array", items: typeSchema(type.of) };
    case "reference":
    case "object":
      // An object of the CDK has no form in JSON.
      return {};
    default:
      return { type: type.kind };
  }
}

/** `900`, `true` or `"arm64"`. Other defaults are words or names of the CDK. */
function literalOf(preset: string): unknown {
  try {
    return JSON.parse(preset);
  } catch {
    return undefined;
  }
}
