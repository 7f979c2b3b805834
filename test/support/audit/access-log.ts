/** Lines of the access log as a synthesized stack writes them, and the metrics that its filter makes of them. */
import { accessLogLine, type LoggedRequest } from "../../../local/gateway/access-log.ts";
import type { Synthesized } from "../synthesized.ts";
import type { Datum } from "./embedded-metric-format.ts";
import { filteredMetrics, type LogEvent } from "./metric-filter.ts";

const answered = {
  requestId: "11111111-2222-3333-4444-555555555555",
  trace: "Root=1-5759e988-bd862e3fe1be46a994272793",
  method: "POST",
  path: "/v1/scopes/sales/token",
  sourceIp: "192.0.2.10",
  latencyMs: 2,
};

/** A request that was answered at this time. */
export function loggedRequest(
  { one }: Synthesized,
  at: number,
  answer: Pick<LoggedRequest, "status" | "responseType" | "integration">,
): LogEvent {
  const { Format } = one("AWS::ApiGateway::Stage")[1].Properties.AccessLogSetting;
  return { message: accessLogLine(Format, { ...answered, ...answer, at: new Date(at) }), at };
}

export const accessLogMetrics = ({ one }: Synthesized, events: readonly LogEvent[]): Datum[] =>
  filteredMetrics(one("AWS::Logs::MetricFilter")[1].Properties, events);
