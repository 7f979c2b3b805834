/** Which of the stack's alarms are on. */
import { answered, cloudWatch } from "./aws-clients.ts";
import type { Place } from "./place.ts";
import { abortable } from "./stack.ts";

export interface AlarmThatIsOn {
  readonly name: string;
  readonly description: string;
  readonly since: Date | undefined;
}

/** AWS takes no more names at once. */
const namesAtOnce = 100;

export async function alarmsThatAreOn(
  place: Place,
  names: readonly string[],
  signal: AbortSignal,
): Promise<AlarmThatIsOn[]> {
  const { sdk, client } = await cloudWatch(place);
  const found: AlarmThatIsOn[] = [];
  for (let from = 0; from < names.length; from += namesAtOnce) {
    const { MetricAlarms = [] } = await answered(
      place,
      client.send(
        new sdk.DescribeAlarmsCommand({
          AlarmNames: names.slice(from, from + namesAtOnce),
          StateValue: "ALARM",
          MaxRecords: namesAtOnce,
        }),
        abortable(signal),
      ),
    );
    for (const {
      AlarmName = "",
      AlarmDescription = "",
      StateTransitionedTimestamp,
      StateUpdatedTimestamp,
    } of MetricAlarms)
      found.push({
        name: AlarmName,
        description: AlarmDescription,
        since: StateTransitionedTimestamp ?? StateUpdatedTimestamp,
      });
  }
  return found;
}
