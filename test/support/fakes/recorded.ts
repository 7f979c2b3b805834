/** Where a test's records go. Every one must be what docs/reference/audit-record.schema.json says, and CloudWatch must take its metrics. */
import type { AuditOptions } from "../../../functions/http/audit.ts";
import type {
  AccountCheckLine,
  AuditLine,
  LeaseEndLine,
  MintLine,
  RotationLine,
} from "../../../functions/http/audit-record.ts";
import { mustBeEmbeddedMetricFormat } from "../audit/embedded-metric-format.ts";
import { mustBeRecord } from "../audit/schema.ts";

export function recorded(now: () => number) {
  const lines: AuditLine[] = [];
  const mints: MintLine[] = [];
  const leaseEnds: LeaseEndLine[] = [];
  const accountChecks: AccountCheckLine[] = [];
  const rotations: RotationLine[] = [];
  const audit: AuditOptions = {
    broker: "test/Broker",
    now,
    write(line) {
      mustBeRecord(line);
      if (line.kind === "audit") {
        mustBeEmbeddedMetricFormat(line);
        lines.push(line);
      } else if (line.kind === "mint") mints.push(line);
      else if (line.kind === "lease_end") leaseEnds.push(line);
      else if (line.kind === "account_check") accountChecks.push(line);
      else rotations.push(line);
    },
  };
  return { audit, lines, mints, leaseEnds, accountChecks, rotations };
}
