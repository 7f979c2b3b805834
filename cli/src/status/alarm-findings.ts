/** Findings by the alarms of the stack. Pure. */
import type { Alarms } from "../deployment/alarms.ts";
import type { Finding } from "./finding.ts";

export function alarmFindings({ on, missing }: Alarms): Finding[] {
  const isOn = on.map(({ name, description, since }) => {
    const [, runbook] = /Runbook: \S*#([\w-]+)/.exec(description) ?? [];
    return {
      what: "alarm" as const,
      subject: shortName(name),
      text: "is on",
      lead: "since",
      ...(since === undefined ? {} : { since: since.toISOString() }),
      wrong: true,
      ...(runbook === undefined ? {} : { runbook }),
    };
  });
  return [...isOn, ...missing.map(deleted)];
}

const deleted = (name: string): Finding => ({
  what: "alarm",
  subject: shortName(name),
  text: "is not in CloudWatch: somebody has deleted it. Deploy the stack again",
  wrong: true,
});

/** The runbook's name for it: the CDK and CloudFormation put the stack and two ids around. */
const shortName = (name: string) => /Alarms([A-Za-z]+?)(?:[0-9A-F]{8})?-\w+$/.exec(name)?.[1] ?? name;
