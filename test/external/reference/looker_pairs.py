"""A pair's life by Looker's SDK for Python: made, found, marked, used and deleted. Prints one JSON object without secrets."""
import json
import os
import sys

import looker_sdk
from looker_sdk import error, models40

user_id = sys.argv[1]
admin = looker_sdk.init40()
before = {pair.id for pair in admin.all_user_credentials_api3s(user_id)}
made = admin.create_user_credentials_api3(user_id)
admin.update_user_credentials_api3(user_id, made.id, models40.WriteCredentialsApi3(purpose="rotation"))
marked = {pair.id: pair.purpose for pair in admin.all_user_credentials_api3s(user_id)}

os.environ["LOOKERSDK_CLIENT_ID"], os.environ["LOOKERSDK_CLIENT_SECRET"] = made.client_id, made.client_secret
own = looker_sdk.init40()
user = own.user(own.me().id)
roles = own.user_roles(user.id)
try:
    own.create_user_credentials_api3(user_id)
    refusal = None
except error.SDKError as refused:
    refusal = refused.message
own.auth.logout()

admin.delete_user_credentials_api3(user_id, made.id)
print(
    json.dumps(
        {
            "new": sorted(set(marked) - before) == [made.id],
            "purpose": marked[made.id],
            "owner": admin.user_for_credential("api3", "service-account").id,
            "user": [user.id, user.is_disabled, user.is_service_account, user.can_manage_api3_creds],
            "iam_admin": [user.is_iam_admin, admin.user(user_id, "is_iam_admin").is_iam_admin],
            "pairs": len(user.credentials_api3),
            "roles": [
                [role.name, role.permission_set.all_access, role.model_set.all_access, role.model_set.models]
                for role in roles
            ],
            "refusal": refusal,
            "left": [pair.id for pair in admin.all_user_credentials_api3s(user_id)] == sorted(before),
        }
    )
)
admin.auth.logout()
