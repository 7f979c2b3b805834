import { expect, it } from "vitest";
import { inOrder } from "../../../../local/insights/values.ts";

it("sorts in the order of CloudWatch's own example", () => {
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
  const values = ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh"];
  const inItsOrder = [...values, 0, 1, 2, 3];
  expect(inItsOrder.toReversed().sort(inOrder)).toEqual(inItsOrder);
});
