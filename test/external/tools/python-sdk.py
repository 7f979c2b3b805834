"""Looker's SDK for Python, configured by its environment variables alone."""
import looker_sdk
from looker_sdk import models40

sdk = looker_sdk.init40()
name = sdk.me("display_name").display_name
models = ",".join(model.name for model in sdk.all_lookml_models("name"))
sdk.update_session(models40.WriteApiSession(workspace_id="dev"))
print(name, models, sdk.session().workspace_id)
sdk.auth.logout()
