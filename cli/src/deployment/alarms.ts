/** The alarms of the stack that are on, or deleted. */
import { answered, cloudWatch } from "./aws-clients.ts";
import type { Place } from "./place.ts";
import { abortable } from "./stack.ts";

export interface AlarmThatIsOn {
  readonly name: string;
  readonly description: string;
  readonly since: Date | undefined;
}

export interface Alarms {
  readonly on: readonly AlarmThatIsOn[];
  /** Of the stack, and not in CloudWatch. Such an alarm never goes on. */
  readonly missing: readonly string[];
}

/** AWS takes no more names at once. */
const namesAtOnce = 100;

export async function alarmsOf(place: Place, names: readonly string[], signal: AbortSignal): Promise<Alarms> {
  const { sdk, client } = await cloudWatch(place);
  const on: AlarmThatIsOn[] = [];
  const missing = new Set(names);
  for (let from = 0; from < names.length; from += namesAtOnce) {
    const { MetricAlarms = [] } = await answered(
      place,
      client.send(
        new sdk.DescribeAlarmsCommand({
          AlarmNames: names.slice(from, from + namesAtOnce),
          MaxRecords: namesAtOnce,
        }),
        abortable(signal),
      ),
    );
    // By names and by state at once is not documented, so the state is compared here.
    for (const alarm of MetricAlarms) {
      missing.delete(alarm.AlarmName ?? "");
      if (alarm.StateValue === "ALARM")
        on.push({
          name: alarm.AlarmName ?? "",
          description: alarm.AlarmDescription ?? "",
          since: alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp,
        });
    }
  }
  return { on, missing: [...missing] };
}
