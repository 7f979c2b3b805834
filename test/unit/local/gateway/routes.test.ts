import { describe, expect, test } from "vitest";
import { checkRoutes, matchRoute } from "../../../../local/gateway/routes.ts";
import type { LocalRoute } from "../../../../local/stack/routes.ts";

const route = (resource: string, method = "POST"): LocalRoute => ({
  resource,
  resourceId: "r",
  method,
  functionId: "f",
  authorization: "AWS_IAM",
});
const routes = [route("/scopes/{scope}/token"), route("/scopes", "GET"), route("/scopes/{scope}", "GET")];
const match = (path: string, method = "POST") => {
  const result = matchRoute(routes, method, path);
  return result && { [result.route.resource]: result.pathParameters };
};

describe("a path variable", () => {
  test.each([
    ["/scopes/sales/token", { scope: "sales" }],
    ["/scopes/sales/token/", { scope: "sales" }],
    ["//scopes/sales/token", { scope: "sales" }],
    ["/scopes/a%2fb/token", { scope: "a%2fb" }],
    ["/scopes/%2e%2e/token", { scope: "%2e%2e" }],
    ["/scopes/%zz/token", { scope: "%zz" }],
    ["/scopes/../token", { scope: ".." }],
    ["/scopes/__proto__/token", { scope: "__proto__" }],
  ])("of %s", (path, parameters) => {
    expect(match(path)).toEqual({ "/scopes/{scope}/token": parameters });
  });
});

test.each([
  "/scopes//token",
  "/scopes/token",
  "/scopes/a/b/token",
  "/Scopes/sales/token",
  "/scopes/sales/TOKEN",
  "/scopes/sales/token//",
  "/scopes/x/../sales/token",
  "/scopes/./sales/token",
  "/scopes/sales%2Ftoken",
  "/scopes/sales/token;a",
  "/",
  "",
])("no route takes %j", (path) => {
  expect(match(path)).toBeUndefined();
});

test("a route is of one method only", () => {
  expect(match("/scopes/sales/token", "GET")).toBeUndefined();
  expect(match("/scopes", "GET")).toEqual({ "/scopes": null });
});

test("a literal segment goes before a variable, a named method before ANY", () => {
  const both = [route("/a/{x}", "ANY"), route("/a/b", "ANY"), route("/a/b", "GET")];
  expect(matchRoute(both, "GET", "/a/b")).toMatchObject({ route: { resource: "/a/b", method: "GET" } });
  expect(matchRoute(both, "PUT", "/a/b")).toMatchObject({ route: { resource: "/a/b", method: "ANY" } });
  expect(matchRoute(both, "PUT", "/a/c")).toMatchObject({ route: { resource: "/a/{x}" } });
});

test("a greedy variable is an error at the start", () => {
  expect(() => checkRoutes([route("/{proxy+}")])).toThrow("greedy");
});
