/**
 * In the place of the SDK's credential chain, which bundles put aside (infra/bundle.ts): Lambda hands credentials over in
 * the environment, and what the chain brings for everywhere else (SSO, STS, profiles, metadata services) was a third of
 * a bundle. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
