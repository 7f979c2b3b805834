/** The deployed routes: which function serves each, and what each lets its caller do. */
import { resources } from "../functions/contract.ts";

/** What a caller's IAM policy can be given for one scope. */
export type Verb = "token" | "logout" | "operate";

interface DeployedRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly by: "issueToken" | "logout" | "operate";
  readonly verbs: readonly Verb[];
}

export const routes: readonly DeployedRoute[] = [
  { method: "POST", path: resources.token, by: "issueToken", verbs: ["token"] },
  // Who am I, and what may I do: for everybody who may do anything.
  { method: "GET", path: resources.scopes, by: "issueToken", verbs: ["token", "operate"] },
  { method: "POST", path: resources.logout, by: "logout", verbs: ["logout"] },
  { method: "GET", path: resources.leases, by: "operate", verbs: ["operate"] },
  { method: "DELETE", path: resources.leases, by: "operate", verbs: ["operate"] },
  { method: "GET", path: resources.account, by: "operate", verbs: ["operate"] },
  { method: "PUT", path: resources.freeze, by: "operate", verbs: ["operate"] },
  { method: "DELETE", path: resources.freeze, by: "operate", verbs: ["operate"] },
  { method: "DELETE", path: resources.denial, by: "operate", verbs: ["operate"] },
];

/** What these verbs need. */
export const routesOf = (...verbs: Verb[]): readonly DeployedRoute[] =>
  routes.filter((route) => route.verbs.some((verb) => verbs.includes(verb)));

/** As an IAM policy names it: all paths of one scope. A scope's name is the first variable, and the others stand for anything. */
export const pathIn = (path: string, scopeName: string): string =>
  path.replace("{scope}", scopeName).replace(/\{\w+\}/g, "*");
