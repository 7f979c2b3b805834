/** Parses scopes as an operator wrote them. */
import { parseScopes, type Scopes, ScopesError } from "../functions/domain/scope.ts";
import { unknownName } from "./nearest-name.ts";

/** As `parseScopes`, with advice about misspelt fields that no bundle needs. */
export const parseWrittenScopes = (written: unknown): Scopes =>
  parseScopes(written, (name, fields) => unknownName("field", name, fields));

/** The errors of `parseWrittenScopes`, for a report together with others. */
export function errorsIn(written: unknown): readonly string[] {
  try {
    parseWrittenScopes(written);
    return [];
  } catch (error) {
    if (error instanceof ScopesError) return error.errors;
    throw error;
  }
}
