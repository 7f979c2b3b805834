/** Parses scopes as an operator wrote them. */
import { parseScopes, type Scopes } from "../functions/domain/scope.ts";
import { unknownName } from "./nearest-name.ts";

/** As `parseScopes`, with advice about misspelt fields that no bundle needs. */
export const parseWrittenScopes = (written: unknown): Scopes =>
  parseScopes(written, (name, fields) => unknownName("field", name, fields));
