/** Host names of API Gateway in AWS's partitions. */

/** Each with its names for IPv6 too: https://docs.aws.amazon.com/general/latest/gr/rande.html */
const suffixes = [
  ...["amazonaws.com", "api.aws"],
  ...["amazonaws.com.cn", "api.amazonwebservices.com.cn"],
  ...["amazonaws.eu", "api.amazonwebservices.eu"],
  ...["c2s.ic.gov", "api.aws.ic.gov"],
  ...["sc2s.sgov.gov", "api.aws.scloud"],
  ...["cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"],
  ...["csp.hci.ic.gov", "api.aws.hci.ic.gov"],
];

const suffix = `(?:${suffixes.map((each) => each.replaceAll(".", "\\.")).join("|")})`;

const executeApiHost = new RegExp(`^[^.]+\\.execute-api\\.([a-z0-9-]+)\\.${suffix}$`);
const vpcEndpointHost = new RegExp(`\\.execute-api\\.[a-z0-9-]+\\.vpce\\.${suffix}$`);

/**
 * Of `a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com`, also of a private API with its VPC endpoint's id behind the API's:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-api-test-invoke-url.html
 */
export const regionOfHost = (host: string): string | undefined => executeApiHost.exec(host)?.[1];

/** Such a host wants the API's id in a header of its own, or another Host. fetch sends no other Host (see the page above). */
export const isVpcEndpoint = (host: string): boolean => vpcEndpointHost.test(host);
