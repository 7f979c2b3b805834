/** Faults of the kinds that the fuzz run is there to find. */
import type { Edit } from "./hooks.ts";

export const mutants: Readonly<Record<string, Edit>> = {
  "a header is taken for text": {
    file: "functions/http/api-event.ts",
    find: "isBase64Encoded: rest.isBase64Encoded === true,",
    replace:
      "isBase64Encoded: rest.isBase64Encoded === true && (rest as any).headers.host.toLowerCase() !== '',",
  },
  "a body is quoted in an error": {
    file: "functions/http/api-event.ts",
    find: 'catch {\n    throw new Problem("bad_request", { detail: "The body must be JSON." });',
    replace: 'catch {\n    throw new Problem("bad_request", { detail: `No JSON: ` + text });',
  },
  "text gets into a record as it is": {
    file: "functions/http/audit.ts",
    find: 'typeof value === "string" && /^[\\w.:@=+,/-]{1,128}$/.test(value)',
    replace: 'typeof value === "string"',
  },
  "a refusal leaves no record": {
    file: "functions/http/audit.ts",
    find: "if (!entry || entry.answered) return;",
    replace: "if (!entry || entry.answered || request.error instanceof Problem) return;",
  },
  "a failure of work that nobody waits for": {
    file: "functions/http/api-handler.ts",
    find: "entry.verb = route.verb;",
    replace:
      "entry.verb = route.verb; if (event.isBase64Encoded) void Promise.reject(new Error('forgotten'));",
  },
  "a row that cannot be read ends the sweep": {
    file: "functions/use-cases/sweep.ts",
    find: 'else if (error instanceof Unreadable) count(audit, "unreadable");',
    replace: "else if (error instanceof Unreadable) throw error;",
  },
};
