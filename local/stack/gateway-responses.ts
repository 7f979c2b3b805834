/**
 * What API Gateway answers by itself, where the template says it differently from API Gateway's defaults.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";

/** One `AWS::ApiGateway::GatewayResponse`. */
export interface GatewayResponse {
  /** Undefined: the response type's own. */
  readonly status?: number;
  /** Literal values. */
  readonly headers: Readonly<Record<string, string>>;
  /** By content type: text with `$context` variables. */
  readonly templates: Readonly<Record<string, string>>;
}

/** By response type. */
export type GatewayResponses = Readonly<Record<string, GatewayResponse>>;

export function readGatewayResponses(resources: readonly ResolvedResource[]): GatewayResponses {
  return Object.fromEntries(
    resources.map(({ logicalId, properties }) => {
      const {
        ResponseType,
        StatusCode,
        ResponseParameters = {},
        ResponseTemplates = {},
      } = properties as {
        ResponseType?: string;
        StatusCode?: string;
        ResponseParameters?: Record<string, string>;
        ResponseTemplates?: Record<string, string>;
      };
      return [
        String(ResponseType),
        {
          ...(StatusCode === undefined ? {} : { status: Number(StatusCode) }),
          headers: Object.fromEntries(
            Object.entries(ResponseParameters).map(([parameter, value]) =>
              header(logicalId, parameter, value),
            ),
          ),
          templates: ResponseTemplates,
        },
      ];
    }),
  );
}

/** `gatewayresponse.header.Retry-After` and `'1'`: a literal stands in single quotes, anything else is mapped. */
function header(logicalId: string, parameter: string, value: string): [string, string] {
  const [, name] = /^gatewayresponse\.header\.([\w-]+)$/.exec(parameter) ?? [];
  const [, literal] = /^'([^']*)'$/.exec(value) ?? [];
  if (name === undefined || literal === undefined)
    throw new TemplateError(logicalId, `${parameter}: ${value} is no header with a literal value`);
  return [name, literal];
}
