/** Findings by the alarms that are on. Pure. */
import type { AlarmThatIsOn } from "../deployment/alarms.ts";
import type { Finding } from "./finding.ts";

export function alarmFindings(alarms: readonly AlarmThatIsOn[]): Finding[] {
  return alarms.map(({ name, description, since }) => {
    const [, runbook] = /Runbook: \S*#([\w-]+)/.exec(description) ?? [];
    return {
      what: "alarm",
      subject: shortName(name),
      text: "is on",
      lead: "since",
      ...(since === undefined ? {} : { since: since.toISOString() }),
      wrong: true,
      ...(runbook === undefined ? {} : { runbook }),
    };
  });
}

/** The runbook's name for it: the CDK and CloudFormation put the stack and two ids around. */
const shortName = (name: string) => /Alarms([A-Za-z]+?)(?:[0-9A-F]{8})?-\w+$/.exec(name)?.[1] ?? name;
