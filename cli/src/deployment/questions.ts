/** The questions of a deployment, saved in CloudWatch Logs Insights. They are its own, so they fit its records. */
import { UsageError } from "../usage-error.ts";
import { answered, cloudWatchLogs } from "./aws-clients.ts";
import type { Place } from "./place.ts";
import { abortable, type StackResources, stackResources } from "./stack.ts";

export interface Question {
  readonly name: string;
  /** In plain words. Empty for one that somebody else saved without a comment. */
  readonly asks: string;
  /** How to read the answer. */
  readonly answer: string;
  readonly query: string;
  readonly logGroups: readonly string[];
  readonly placeholders: readonly Placeholder[];
}

export interface Placeholder {
  /** As in `{{name}}`. */
  readonly name: string;
  readonly description: string;
}

/** @param resources of the stack, if they are known */
export async function questionsOf(
  place: Place,
  signal?: AbortSignal,
  resources: Promise<StackResources> = stackResources(place, signal),
): Promise<Question[]> {
  const ids = (await resources).get("AWS::Logs::QueryDefinition") ?? [];
  const { sdk, client } = await cloudWatchLogs(place);
  const questions: Question[] = [];
  let next: string | undefined;
  do {
    const page = await answered(
      place,
      client.send(new sdk.DescribeQueryDefinitionsCommand({ nextToken: next }), abortable(signal)),
    );
    for (const { queryDefinitionId = "", name = "", queryString = "", ...rest } of page.queryDefinitions ??
      []) {
      if (!ids.includes(queryDefinitionId)) continue;
      questions.push({
        // The part before a slash is the console's folder.
        name: name.slice(name.lastIndexOf("/") + 1),
        ...partsOf(queryString),
        logGroups: rest.logGroupNames ?? [],
        placeholders: (rest.parameters ?? []).map((each) => ({
          name: each.name ?? "",
          description: each.description ?? "",
        })),
      });
    }
    next = page.nextToken;
  } while (next !== undefined);
  return questions.sort((one, other) => one.name.localeCompare(other.name));
}

/** The first comment is the question. The second says how to read the answer. */
function partsOf(text: string): Pick<Question, "asks" | "answer" | "query"> {
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => !line.startsWith("#"));
  const [asks = "", answer = ""] = lines.slice(0, begin).map((line) => line.replace(/^#\s*/, ""));
  return { asks, answer, query: lines.slice(begin).join("\n") };
}

export function questionNamed(questions: readonly Question[], name: string): Question {
  const found = questions.find((each) => each.name === name);
  if (found) return found;
  // The name is not repeated, because somebody may have pasted a token.
  throw new UsageError("This deployment has no such question.", {
    hint:
      questions.length === 0
        ? "There is none at all. Perhaps the deployment is of an older version."
        : "`looker-token ask` without a question lists them.",
  });
}
