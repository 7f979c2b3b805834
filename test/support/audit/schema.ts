/** docs/reference/audit-record.schema.json, as tests hold records to it. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const schema = JSON.parse(
  readFileSync(new URL("../../../docs/reference/audit-record.schema.json", import.meta.url), "utf8"),
);

const ajv = new Ajv2020({ strict: true, allErrors: true, discriminator: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

/** @throws with what is wrong with it, and without its values. */
export function mustBeRecord(line: unknown): void {
  // As it is written and read: what JSON leaves out is not there.
  if (validate(JSON.parse(JSON.stringify(line)))) return;
  const { kind } = line as { kind?: unknown };
  const own = validate.errors?.filter(({ schemaPath }) => schemaPath.includes(`/${kind}/`));
  throw new Error(
    `not a record of docs/reference/audit-record.schema.json: ${(own ?? [])
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
      .join("; ")}`,
  );
}
