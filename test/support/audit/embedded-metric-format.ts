/**
 * What CloudWatch makes of a line: the specification's own JSON schema, and then its rules of which value and which
 * dimensions a metric gets.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { Ajv } from "ajv";

/** "Embedded metric format: schema", as printed on that page. */
const schema = {
  type: "object",
  title: "Root Node",
  required: ["_aws"],
  properties: {
    _aws: {
      $id: "#/properties/_aws",
      type: "object",
      title: "Metadata",
      required: ["Timestamp", "CloudWatchMetrics"],
      properties: {
        Timestamp: {
          $id: "#/properties/_aws/properties/Timestamp",
          type: "integer",
          title: "The Timestamp Schema",
          examples: [1_565_375_354_953],
        },
        CloudWatchMetrics: {
          $id: "#/properties/_aws/properties/CloudWatchMetrics",
          type: "array",
          title: "MetricDirectives",
          items: {
            $id: "#/properties/_aws/properties/CloudWatchMetrics/items",
            type: "object",
            title: "MetricDirective",
            required: ["Namespace", "Dimensions", "Metrics"],
            properties: {
              Namespace: {
                $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Namespace",
                type: "string",
                title: "CloudWatch Metrics Namespace",
                examples: ["MyApp"],
                pattern: "^(.*)$",
                minLength: 1,
                maxLength: 1024,
              },
              Dimensions: {
                $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Dimensions",
                type: "array",
                title: "The Dimensions Schema",
                minItems: 1,
                items: {
                  $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Dimensions/items",
                  type: "array",
                  title: "DimensionSet",
                  minItems: 0,
                  maxItems: 30,
                  items: {
                    $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Dimensions/items/items",
                    type: "string",
                    title: "DimensionReference",
                    examples: ["Operation"],
                    pattern: "^(.*)$",
                    minLength: 1,
                    maxLength: 250,
                  },
                },
              },
              Metrics: {
                $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Metrics",
                type: "array",
                title: "MetricDefinitions",
                items: {
                  $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Metrics/items",
                  type: "object",
                  title: "MetricDefinition",
                  required: ["Name"],
                  properties: {
                    Name: {
                      $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Metrics/items/properties/Name",
                      type: "string",
                      title: "MetricName",
                      examples: ["ProcessingLatency"],
                      pattern: "^(.*)$",
                      minLength: 1,
                      maxLength: 1024,
                    },
                    Unit: {
                      $id: "#/properties/_aws/properties/CloudWatchMetrics/items/properties/Metrics/items/properties/Unit",
                      type: "string",
                      title: "MetricUnit",
                      examples: ["Milliseconds"],
                      pattern:
                        "^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits|Percent|Count|Bytes\\/Second|Kilobytes\\/Second|Megabytes\\/Second|Gigabytes\\/Second|Terabytes\\/Second|Bits\\/Second|Kilobits\\/Second|Megabits\\/Second|Gigabits\\/Second|Terabits\\/Second|Count\\/Second|None)$",
                    },
                    StorageResolution: { type: "integer", examples: [60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} as const;

const validate = new Ajv({ strict: false, allErrors: true }).compile(
  JSON.parse(JSON.stringify(schema, (key, value) => (key === "$id" ? undefined : value))),
);

export interface Datum {
  readonly namespace: string;
  readonly name: string;
  readonly value: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface Embedded {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
}

/** @throws where CloudWatch would drop the line, a metric of it, or a dimension. */
export function mustBeEmbeddedMetricFormat(line: object): Datum[] {
  if (!validate(line)) throw new Error(`not in embedded metric format: ${JSON.stringify(validate.errors)}`);
  const members = line as Record<string, unknown>;
  const { Timestamp, CloudWatchMetrics } = (line as Embedded)._aws;
  return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) => {
    if (Metrics.length > 100) throw new Error("over 100 metrics in one directive");
    if (Namespace.startsWith("AWS/")) throw new Error("a namespace of AWS's own");
    return Dimensions.flatMap((names) => {
      const dimensions = Object.fromEntries(
        names.map((name) => {
          const value = members[name];
          if (
            typeof value !== "string" ||
            value.length < 1 ||
            value.length > 1_024 ||
            !/^[\x20-\x7e]+$/.test(value)
          )
            throw new Error(`the dimension ${name} has no value that CloudWatch takes`);
          return [name, value];
        }),
      );
      return Metrics.map(({ Name }) => {
        const value = members[Name];
        if (typeof value !== "number" || !Number.isFinite(value))
          throw new Error(`the metric ${Name} has no number`);
        return { namespace: Namespace, name: Name, value, at: Timestamp, dimensions };
      });
    });
  });
}
