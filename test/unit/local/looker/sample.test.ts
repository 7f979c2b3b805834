import { describe, expect, test } from "vitest";
import type { RunningLooker } from "../../../../local/looker/server.ts";
import { call, login, lookerUnderTest } from "./looker-client.ts";

async function reader(): Promise<(route: string, body?: object) => Promise<unknown>> {
  const looker: RunningLooker = await lookerUnderTest();
  const token = `token ${await login(looker)}`;
  return async (route, body) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await call(looker, route, token, init);
    const isJson = answer.headers.get("content-type")?.startsWith("application/json");
    expect(answer.status, route).toBe(200);
    return isJson ? JSON.parse(answer.body) : answer.body;
  };
}

describe("the sample instance", () => {
  test("names in one answer lead to another", async () => {
    const get = await reader();
    const models = (await get("GET /api/4.0/lookml_models")) as ModelAnswer[];
    for (const { name, project_name: project, explores } of models) {
      expect(await get(`GET /api/4.0/projects/${project}`)).toMatchObject({ id: project });
      for (const explore of explores)
        expect(await get(`GET /api/4.0/lookml_models/${name}/explores/${explore.name}`)).toMatchObject({
          id: `${name}::${explore.name}`,
        });
    }
    const [look] = (await get("GET /api/4.0/looks")) as LookAnswer[];
    expect(await get(`GET /api/4.0/folders/${look?.folder_id}`)).toMatchObject({
      looks: [{ id: look?.id }],
      dashboards: [{ title: "Sales overview" }],
    });
    expect(await get(`GET /api/4.0/folders/${look?.folder_id}/ancestors`)).toMatchObject([
      { name: "Shared", is_shared_root: true },
    ]);
    expect(await get("GET /api/4.0/folders/1/children")).toMatchObject([{ id: look?.folder_id }]);
    expect(await get(`GET /api/4.0/queries/${look?.query_id}/run/sql`)).toBe(
      "SELECT orders.status, orders.count FROM public.orders",
    );
  });

  test("the git branch is that of the token's workspace", async () => {
    const get = await reader();
    const branch = () => get("GET /api/4.0/projects/shop/git_branch?fields=name,personal");
    expect(await branch()).toEqual({ name: "main", personal: false });
    await get("PATCH /api/4.0/session", { workspace_id: "dev" });
    expect(await branch()).toEqual({ name: "dev-user-7", personal: true });
  });

  test("a created query is run, inline, by its id or as a task", async () => {
    const get = await reader();
    const query = { model: "finance", view: "invoices", fields: ["invoices.count"] };
    const row = [{ "invoices.count": 1 }];
    expect(await get("POST /api/4.0/queries/run/json", query)).toEqual(row);
    expect(await get("POST /api/4.0/queries/run/csv", query)).toBe("invoices.count\n1\n");
    const created = (await get("POST /api/4.0/queries?fields=id", query)) as { id: string };
    expect(await get(`GET /api/4.0/queries/${created.id}/run/json`)).toEqual(row);
    const task = (await get("POST /api/4.0/query_tasks", { query_id: created.id })) as { id: string };
    expect(await get(`GET /api/4.0/query_tasks/multi_results?query_task_ids=${task.id},9`)).toMatchObject({
      [task.id]: { status: "complete", data: { rows: row } },
      9: { status: "expired" },
    });
  });

  test.each([
    ["POST /api/4.0/queries/run/json", "{", 400],
    ["POST /api/4.0/queries/run/json", "{}", 422],
    ["POST /api/4.0/queries/run/xlsx", '{"model":"sales","view":"orders"}', 400],
    ["POST /api/4.0/query_tasks", '{"query_id":"9"}', 404],
    ["GET /api/4.0/queries/9/run/json", undefined, 404],
    ["GET /api/4.0/projects/other/manifest", undefined, 404],
    ["GET /api/4.0/lookml_models/sales/explores/invoices", undefined, 404],
  ])("%s with %s is refused", async (route, body, status) => {
    const looker = await lookerUnderTest();
    const token = `token ${await login(looker)}`;
    const answer = await call(looker, route, token, body === undefined ? {} : { body });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toHaveProperty("documentation_url");
  });
});

interface ModelAnswer {
  name: string;
  project_name: string;
  explores: { name: string }[];
}

interface LookAnswer {
  id: string;
  folder_id: string;
  query_id: string;
}
