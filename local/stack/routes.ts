/** The REST API's methods as routes, each with the function that it invokes and is permitted to invoke. */
import { matchesGlob } from "../../functions/domain/pattern.ts";
import type { LocalFunction } from "./functions.ts";
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";

export interface LocalRoute {
  /** As in `event.resource`: `/scopes/{scope}/token`. */
  readonly resource: string;
  readonly resourceId: string;
  /** Or `ANY`. */
  readonly method: string;
  readonly functionId: string;
  readonly authorization: "AWS_IAM" | "NONE";
}

export function readRoutes(
  resources: readonly ResolvedResource[],
  functions: readonly LocalFunction[],
): LocalRoute[] {
  const stage = resources.find(({ type }) => type === "AWS::ApiGateway::Stage");
  const permissions = resources.filter(({ type }) => type === "AWS::Lambda::Permission");
  return resources
    .filter(({ type }) => type === "AWS::ApiGateway::Method")
    .map(({ logicalId, properties }) => {
      const unsupported = (problem: string) => new TemplateError(logicalId, problem);
      const { AuthorizationType, HttpMethod, ResourceId, RestApiId, Integration } = properties as Record<
        string,
        unknown
      >;
      const { Type, Uri } = (Integration ?? {}) as { Type?: string; Uri?: string };
      if (AuthorizationType !== "AWS_IAM" && AuthorizationType !== "NONE")
        throw unsupported(`AuthorizationType ${JSON.stringify(AuthorizationType)} is not supported`);
      if (Type !== "AWS_PROXY") throw unsupported(`integrations of type ${Type} are not supported`);
      const target = functions.find(({ arn }) => Uri?.endsWith(`/functions/${arn}/invocations`));
      if (!target) throw unsupported(`its integration ${Uri} is no function of the template`);

      const resource = pathOf(String(ResourceId), resources);
      // On AWS a method without permission answers 500 at the first request; here it does not even start.
      const source = `/${stage?.physical.ref}/${HttpMethod}${resource.replace(/\{[^}]*\}/g, "*")}`;
      const permitted = permissions.some(
        ({ properties: permission }) =>
          permission.Action === "lambda:InvokeFunction" &&
          permission.Principal === "apigateway.amazonaws.com" &&
          [target.arn, target.name].includes(String(permission.FunctionName)) &&
          matchesGlob(String(permission.SourceArn).split(":").slice(5).join(":"), `${RestApiId}${source}`),
      );
      if (!permitted) throw unsupported(`API Gateway is not permitted to invoke ${target.name} by it`);
      return {
        resource,
        resourceId: String(ResourceId),
        method: String(HttpMethod),
        functionId: target.id,
        authorization: AuthorizationType,
      };
    });
}

function pathOf(resourceId: string, resources: readonly ResolvedResource[]): string {
  const resource = resources.find(
    ({ type, physical }) => type === "AWS::ApiGateway::Resource" && physical.ref === resourceId,
  );
  if (!resource) return "";
  return `${pathOf(String(resource.properties.ParentId), resources)}/${resource.properties.PathPart}`;
}
