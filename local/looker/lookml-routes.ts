import { json, lookerError } from "./replies.ts";
import { constant, oneOf, type Route, type Routes } from "./route.ts";
import {
  branches,
  CONNECTIONS,
  EXPLORES,
  LOOKML_TESTS,
  MANIFEST,
  MODELS,
  PROJECT,
  PROJECT_FILES,
  PROJECTS,
} from "./sample-lookml.ts";
import type { Session } from "./sessions.ts";

const NO_ERRORS = {
  errors: [],
  project_digest: "0".repeat(32),
  models_not_validated: [],
  computation_time: 0,
};

export const LOOKML_ROUTES: Routes = {
  "GET /connections": constant(CONNECTIONS, "explore"),
  "GET /connections/{connection_name}": oneOf(CONNECTIONS, "name", "connection_name", "explore"),
  "PUT /connections/{connection_name}/test": constant(
    [{ can: {}, connection_string: null, message: "Can connect", name: "connect", status: "success" }],
    "explore",
  ),
  "GET /legacy_features": constant([], "explore"),

  "GET /lookml_models": constant(MODELS, "explore"),
  "GET /lookml_models/{lookml_model_name}": oneOf(MODELS, "name", "lookml_model_name", "explore"),
  "GET /lookml_models/{lookml_model_name}/explores/{explore_name}": {
    needs: "explore",
    answer: (_, { parameters: { lookml_model_name: model, explore_name: name } }) => {
      const found = EXPLORES.find((explore) => explore.model_name === model && explore.name === name);
      return found === undefined ? lookerError(404) : json(200, found);
    },
  },

  "GET /projects": constant(PROJECTS, "see_lookml"),
  "GET /projects/{project_id}": oneOf(PROJECTS, "id", "project_id", "see_lookml"),
  "GET /projects/{project_id}/files": ofProject(() => PROJECT_FILES),
  "GET /projects/{project_id}/manifest": ofProject(() => MANIFEST),
  "GET /projects/{project_id}/validate": ofProject(() => NO_ERRORS),
  "POST /projects/{project_id}/validate": ofProject(() => NO_ERRORS),
  "GET /projects/{project_id}/git_branch": ofProject(({ userId, workspaceId }) => {
    const { production, dev } = branches(userId);
    return workspaceId === "dev" ? dev : production;
  }),
  "GET /projects/{project_id}/git_branches": ofProject(({ userId }) => Object.values(branches(userId))),
  "GET /projects/{project_id}/git_connection_tests": ofProject(() => []),
  "GET /projects/{project_id}/lookml_tests": ofProject(() => LOOKML_TESTS),
  "GET /projects/{project_id}/lookml_tests/run": ofProject(() =>
    LOOKML_TESTS.map(({ model_name, name }) => ({
      model_name,
      test_name: name,
      assertions_count: 1,
      assertions_failed: 0,
      errors: [],
      warnings: [],
      success: true,
    })),
  ),
};

function ofProject(describe: (session: Session) => unknown): Route {
  return {
    needs: "see_lookml",
    answer: (_, { session, parameters: { project_id: id } }) =>
      id === PROJECT ? json(200, describe(session)) : lookerError(404),
  };
}
