/**
 * Odd spellings of a path. IAM compares a policy's resource with the path, and whether with the path as sent or as
 * decoded is said nowhere. An Allow holds either way if no spelling comes further than the plain path. A Deny of one
 * exact path holds against a wider Allow only if IAM decodes: where the plain path of a scope of one's own is let in
 * by an exact Allow and the encoded one is refused by API Gateway, IAM compares the path as sent.
 */
import { type Check, noFurther } from "../check.ts";
import { noSuchScope, type ProbeContext } from "../context.ts";
import { harmlessToken, tokenPath } from "./verbs.ts";

export function oddPaths({ scope: { scope: own, may }, otherScope }: ProbeContext): Check[] {
  const foreign = otherScope ?? noSuchScope;
  const foreignPaths = [...spellings(foreign), ...detours(own, foreign)];
  return [
    ...spellings(own).map((path) => tokenBy(path, own)),
    ...foreignPaths.map((path) => tokenBy(path, foreign)),
    ...foreignPaths.filter(isResolved).map((path) => tokenBy(path, foreign, true)),
    ...(may.includes("operate") ? [] : operatorPaths(own)),
  ];
}

const tokenBy = (path: string, scope: string, pathAsSent = false): Check => ({
  what: `POST ${path}${pathAsSent ? ", signed as it is" : ""}`,
  request: { ...harmlessToken(path), ...(pathAsSent ? { signing: { pathAsSent } } : {}) },
  baseline: harmlessToken(tokenPath(scope)),
  expect: noFurther,
});

const operatorPaths = (scope: string): Check[] =>
  [
    `/scopes/${scope}/%6ceases`,
    `/scopes/${scope}/leases/`,
    `/scopes/${scope}/token/../leases`,
    `/scopes/${scope}/token%2F..%2Fleases`,
  ].map((path) => ({
    what: `GET ${path}`,
    request: { method: "GET", path },
    baseline: { method: "GET", path: `/scopes/${scope}/leases` },
    expect: noFurther,
  }));

/** Whether the signature is usually made over another path than what is sent. */
const isResolved = (path: string) => /\/\.{0,2}\//.test(path);

const hex = (name: string) => name.charCodeAt(0).toString(16);

/** Of one scope's path to its token. */
const spellings = (name: string) => [
  `/scopes/%${hex(name)}${name.slice(1)}/token`,
  `/scopes/%25${hex(name)}${name.slice(1)}/token`,
  `/scopes/${name}%2Ftoken`,
  `/scopes/${name}/token/`,
  `//scopes/${name}/token`,
  `/scopes//${name}/token`,
  `/scopes/./${name}/token`,
];

/** By way of a scope that is allowed. */
const detours = (own: string, foreign: string) => [
  `/scopes/${own}/../${foreign}/token`,
  `/scopes/${own}%2F..%2F${foreign}/token`,
  `/scopes/${own}/token/../../${foreign}/token`,
];
