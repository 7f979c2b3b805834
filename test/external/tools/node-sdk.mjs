/** Looker's SDK for Node, configured by its environment variables alone. */
import { LookerNodeSDK } from "@looker/sdk-node";

const sdk = LookerNodeSDK.init40();
const { display_name: name } = await sdk.ok(sdk.me("display_name"));
const models = await sdk.ok(sdk.all_lookml_models({ fields: "name" }));
await sdk.ok(sdk.update_session({ workspace_id: "dev" }));
const { workspace_id: workspace } = await sdk.ok(sdk.session());
console.log(name, models.map((model) => model.name).join(","), workspace);
await sdk.authSession.logout();
