/** The REST API's one stage: its access log and its throttle. */
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";

export interface LocalStage {
  readonly apiId: string;
  readonly stage: string;
  /** Text with `$context` variables. */
  readonly accessLogFormat?: string;
  readonly accessLogGroup?: string;
  readonly throttle?: { readonly ratePerSecond: number; readonly burst: number };
}

export function readStage(
  apis: readonly ResolvedResource[],
  stages: readonly ResolvedResource[],
): LocalStage {
  const [api] = apis;
  const [stage] = stages;
  if (!api || !stage || apis.length > 1 || stages.length > 1)
    throw new TemplateError("AWS::ApiGateway::RestApi", "exactly one REST API with one stage is supported");
  const { AccessLogSetting, MethodSettings = [] } = stage.properties as {
    AccessLogSetting?: { Format?: string; DestinationArn?: string };
    MethodSettings?: readonly MethodSetting[];
  };
  if (MethodSettings.some(({ HttpMethod, ResourcePath }) => HttpMethod !== "*" || ResourcePath !== "/*"))
    throw new TemplateError(stage.logicalId, "settings of single methods are not supported");
  const { ThrottlingRateLimit: ratePerSecond, ThrottlingBurstLimit: burst } = MethodSettings[0] ?? {};
  const format = AccessLogSetting?.Format;
  // An ARN, of a log group or of a delivery stream.
  const [, group] = /:log-group:([^:]+)/.exec(AccessLogSetting?.DestinationArn ?? "") ?? [];
  return {
    apiId: api.physical.ref,
    stage: stage.physical.ref,
    ...(format === undefined ? {} : { accessLogFormat: format }),
    ...(group === undefined ? {} : { accessLogGroup: group }),
    ...(ratePerSecond === undefined || burst === undefined ? {} : { throttle: { ratePerSecond, burst } }),
  };
}

interface MethodSetting {
  readonly HttpMethod?: string;
  readonly ResourcePath?: string;
  readonly ThrottlingRateLimit?: number;
  readonly ThrottlingBurstLimit?: number;
}
