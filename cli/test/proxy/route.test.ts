import { expect, it } from "vitest";
import { routeOf } from "../../src/proxy/route.ts";

it.each([
  ["POST", "/login", "login"],
  ["POST", "/api/login?client_id=x", "login"],
  ["POST", "/api/3.1//login", "login"],
  ["GET", "/api/4.0/login", "login"],
  ["DELETE", "/api/logout", "logout"],
  ["DELETE", "/api/4.0/logout/", "logout"],
  ["PATCH", "/api/4.0/session", "session"],
  ["POST", "/api/4.0/session", "session"],
  ["GET", "/api/4.0/session", "other"],
  ["POST", "/api/4.0/login/42", "credentials"],
  ["POST", "/api/4.0/users/7/credentials_api3", "credentials"],
  ["GET", "/api/4.0/users/7/credentials_api3", "other"],
  ["DELETE", "/api/4.0/users/7/credentials_api3/9", "other"],
  // Names of Looker's own that only look alike.
  ["GET", "/api/4.0/user_login_lockouts", "other"],
  ["DELETE", "/api/4.0/users/7/sessions/3", "other"],
  ["GET", "/api/4.0/folders/login", "other"],
  ["POST", "/api/4.0/projects/p/git_branch", "other"],
  // Escapes that a path of Looker's may have.
  ["GET", "/api/4.0/projects/p/git_branch/feature%2Fx", "other"],
  ["GET", "/api/4.0/lookml_models/m/explores/100%25", "other"],
  ["GET", "/", "other"],
])("%s %s is %s", (method, target, route) => {
  expect(routeOf(method, target)).toBe(route);
});

it.each([
  "",
  "x",
  "*",
  "http://looker.example/",
  "/a/../b",
  "/a/%2E%2E/b",
  "/a/%252e%252e/b",
  "/%",
  "/a b",
  "/a#b",
  "/ä",
  `/${"%25".repeat(3)}${"25".repeat(9)}2e`,
])("%s is refused", (target) => {
  // Of many layers of escapes none is left, or it is refused: never "login" by one reader and something else by another.
  expect(routeOf("POST", target)).not.toBe("login");
  if (!target.startsWith("/%25")) expect(routeOf("POST", target)).toBeUndefined();
});
