import { isJsonObject } from "../json-object.ts";
import type { LookerInstance } from "./instance.ts";
import type { WantedQuery } from "./queries.ts";
import { json, lookerError, type Reply, text, validationError } from "./replies.ts";
import { type Call, jsonBody, type Routes } from "./route.ts";
import { LOOKS, QUERY } from "./sample-content.ts";
import { EXPLORES } from "./sample-lookml.ts";

/** No database is behind it: the result of each query is one row of ones. */
export const QUERY_ROUTES: Routes = {
  "POST /queries": {
    needs: "explore",
    answer: ({ queries }, call) =>
      withQuery(call, (query) => json(200, describeQuery(queries.add(query), query, call.origin))),
  },
  "GET /queries/{query_id}": {
    needs: "explore",
    answer: (looker, { origin, parameters: { query_id: id = "" } }) => {
      const query = queryOf(looker, id);
      return query === undefined ? lookerError(404) : json(200, describeQuery(id, query, origin));
    },
  },
  "GET /queries/{query_id}/run/{result_format}": {
    needs: "explore",
    answer: (looker, { parameters: { query_id: id = "", result_format: format = "" } }) =>
      resultOf(queryOf(looker, id), format),
  },
  "POST /queries/run/{result_format}": {
    needs: "explore",
    answer: (_, call) => withQuery(call, (query) => resultOf(query, call.parameters.result_format ?? "")),
  },
  "GET /looks/{look_id}/run/{result_format}": {
    needs: "see_looks",
    answer: (_, { parameters: { look_id: id, result_format: format = "" } }) =>
      resultOf(LOOKS.find((look) => look.id === id)?.query, format),
  },

  // A task has the id of its query, and is complete at once.
  "POST /query_tasks": {
    needs: "explore",
    answer: (looker, call) => {
      const body = jsonBody(call);
      const id = isJsonObject(body) ? String(body.query_id) : "";
      return queryOf(looker, id) === undefined
        ? lookerError(404)
        : json(200, { can: {}, id, query_id: id, status: "complete" });
    },
  },
  "GET /query_tasks/multi_results": {
    needs: "explore",
    answer: (looker, { query }) => {
      const ids = (query.get("query_task_ids") ?? "").split(",");
      return json(200, Object.fromEntries(ids.map((id) => [id, taskResult(queryOf(looker, id))])));
    },
  },
};

function queryOf({ queries }: LookerInstance, id: string): WantedQuery | undefined {
  return id === QUERY.id ? QUERY : queries.find(id);
}

function describeQuery(id: string, { model, view, fields }: WantedQuery, origin: string): object {
  const slug = `slug-${id}`;
  return { can: {}, id, slug, model, view, fields, share_url: `${origin}/x/${slug}` };
}

function withQuery(call: Call, answer: (query: WantedQuery) => Reply): Reply {
  const body = jsonBody(call);
  if (!isJsonObject(body)) return lookerError(400);
  const { model, view, fields } = body;
  if (typeof model !== "string") return validationError("model", "missing_field", "model is required");
  if (typeof view !== "string") return validationError("view", "missing_field", "view is required");
  return answer({ model, view, fields: Array.isArray(fields) ? fields.map(String) : [] });
}

function resultOf(query: WantedQuery | undefined, format: string): Reply {
  if (query === undefined) return lookerError(404);
  switch (format) {
    case "csv":
      return text(200, `${query.fields.join(",")}\n${query.fields.map(() => 1).join(",")}\n`);
    case "json":
      return json(200, [rowOf(query)]);
    case "sql":
      return text(200, sqlOf(query));
    default:
      return lookerError(400);
  }
}

function taskResult(query: WantedQuery | undefined): object {
  if (query === undefined) return { status: "expired" };
  return { status: "complete", data: { metadata: { fields: {}, sql: sqlOf(query) }, rows: [rowOf(query)] } };
}

const rowOf = ({ fields }: WantedQuery) => Object.fromEntries(fields.map((field) => [field, 1]));

function sqlOf({ model, view, fields }: WantedQuery): string {
  const explore = EXPLORES.find(({ model_name, name }) => model_name === model && name === view);
  return `SELECT ${fields.join(", ")} FROM ${explore?.sql_table_name ?? view}`;
}
