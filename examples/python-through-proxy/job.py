"""A job with Looker's SDK. `looker-token exec --proxy` gives it the base URL, the client id and the client secret that it reads."""

import looker_sdk

sdk = looker_sdk.init40()
for model in sdk.all_lookml_models("name"):
    print(model.name)
